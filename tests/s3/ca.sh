#!/bin/sh
# ca.sh DIR - a CA for tests (ca.crt, ca.key) and a certificate of it (tls.crt,
# tls.key) for localhost, s3.localhost, BUCKET.s3.localhost and 127.0.0.1.
set -e
cd "$1"
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
# shellcheck disable=SC2086
openssl req -x509 $key -days 30 -subj "/CN=test CA" \
    -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.crt
# shellcheck disable=SC2086
openssl req $key -subj /CN=localhost -keyout tls.key -out tls.csr
echo "subjectAltName = DNS:localhost, DNS:s3.localhost, DNS:*.s3.localhost," \
    "IP:127.0.0.1" >tls.ext
openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
    -days 30 -extfile tls.ext -out tls.crt

"""openers - OpenDKIM and OpenDMARC as milters in front of ours, with keys and
records made for the test: no DNS is asked."""

import base64
import hashlib
import os
import re
import subprocess

import packet
from stage import rule, wait_for

DOMAIN, SELECTOR = 'example.net', 's1'


def key(place):
    """A key of 2,048 bits: (file, record)."""
    path = place.path('dkim.key')
    if not os.path.exists(path):
        rule.output('openssl', 'genrsa', '-out', path, '2048')
    public = subprocess.run(['openssl', 'rsa', '-in', path, '-pubout',
                             '-outform', 'DER'], check=True,
                            stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL).stdout
    return path, 'v=DKIM1; k=rsa; p=' + base64.b64encode(public).decode()


def sign(place, mail, fields, canonical='simple/simple'):
    """The mail with a DKIM-Signature on top (RFC 6376); both with CRLF. Only
    simple/simple is done here."""
    head, _, body = mail.partition(b'\r\n\r\n')
    if mail.startswith(b'\r\n'):
        head, body = b'', mail[2:]
    while body.endswith(b'\r\n\r\n'):
        body = body[:-2]
    if body and not body.endswith(b'\r\n'):
        body += b'\r\n'
    body = body or b'\r\n'
    hashed = base64.b64encode(hashlib.sha256(body).digest()).decode()
    line = ('DKIM-Signature: v=1; a=rsa-sha256; c=%s; d=%s;\r\n\ts=%s; '
            'h=%s;\r\n\tbh=%s;\r\n\tb=' % (
                canonical, DOMAIN, SELECTOR, ':'.join(fields), hashed))
    found = re.findall(rb'(?:[^\r]|\r(?!\n)|\r\n[ \t])+',
                       head) if head else []
    signed = b''
    for name in fields:     # the lowest of each name first
        for i in range(len(found) - 1, -1, -1):
            if found[i].split(b':')[0].strip().lower() == \
                    name.lower().encode():
                signed += found.pop(i).lstrip(b'\r\n') + b'\r\n'
                break
    made = subprocess.run(
        ['openssl', 'dgst', '-sha256', '-sign', key(place)[0]],
        input=signed + line.encode(), check=True,
        stdout=subprocess.PIPE).stdout
    return line.encode() + base64.b64encode(made) + b'\r\n' + mail


def started(place, name, words, socket):
    child = place.start(words, place.path(name + '.log'))
    if not wait_for(lambda: packet.listens(socket)):
        raise RuntimeError('%s does not start' % name)
    os.chmod(socket, 0o777)
    return child


class OpenDKIM:
    """Verifies; writes Authentication-Results of mx.example.com."""

    def __init__(self, place, name='opendkim', job=False):
        socket = place.path(name + '.sock')
        record = key(place)[1]
        keys = place.put(name + '.keys', '%s._domainkey.%s %s\n' % (
            SELECTOR, DOMAIN, record))
        file = place.put(name + '.conf', (
            'Mode v\nSocket local:%s\nTestPublicKeys %s\n'
            'AuthservID mx.example.com\nAlwaysAddARHeader yes\n'
            'RemoveARAll yes\nRemoveARFrom mx.example.com\n'
            'RequireSafeKeys no\nInternalHosts 203.0.113.254\n'
            'AuthservIDWithJobID %s\nSyslog no\n' % (
                socket, keys, 'yes' if job else 'no')))
        self.socket = 'unix:' + socket
        self.child = started(place, name, ['opendkim', '-f', '-x', file],
                             socket)


class OpenDMARC:
    """Believes OpenDKIM's results; the policy of a domain is in a file."""

    def __init__(self, place, name='opendmarc', job=False):
        socket = place.path(name + '.sock')
        records = place.put(name + '.records', (
            '_dmarc.%s v=DMARC1; p=reject\n%s v=spf1 -all\n' % (
                DOMAIN, DOMAIN)))
        file = place.put(name + '.conf', (
            'Socket local:%s\nAuthservID mx.example.com\n'
            'TrustedAuthservIDs mx.example.com\nSyslog false\n'
            'SPFSelfValidate true\nSPFIgnoreResults true\n'
            'RejectFailures false\nTestDNSData %s\n'
            'AuthservIDWithJobID %s\n' % (
                socket, records, 'true' if job else 'false')))
        self.socket = 'unix:' + socket
        self.child = started(place, name, ['opendmarc', '-f', '-c', file],
                             socket)

#!/usr/bin/python3
"""Signatures, compared with others'.

1. The public vectors of AWS's signing test suite (version 4), where
   $SIGV4_VECTORS or ../shared/vectors/aws-signing-v4 holds them.
2. Random requests against python3-botocore, S3's signer and the general one:
   $SIGV4_REQUESTS of them (4000), from $SIGV4_SEED.
"""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.parse

SRC = os.environ.get('FALLBACKMX_SRC') or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('FALLBACKMX_BUILD') or os.getcwd()
VECTORS = os.environ.get('SIGV4_VECTORS') or os.path.join(
    os.path.dirname(os.path.realpath(SRC)), 'shared/vectors/aws-signing-v4')
REQUESTS = int(os.environ.get('SIGV4_REQUESTS', '4000'))
SEED = int(os.environ.get('SIGV4_SEED', '1'))
BY_SERVICE, KEPT, RESOLVED = 0, 1, 2    # enum sigv4_path

counts = {'passed': 0, 'failed': 0, 'skipped': 0}


def check(name, problems):
    problems = [p for p in problems if p]
    counts['failed' if problems else 'passed'] += 1
    if problems:
        print('not ok - %s' % name)
        for p in problems[:20]:
            print('#   %s' % p)


def skip(name, why):
    counts['skipped'] += 1
    print('skipped: %s: %s' % (name, why))


class Signer:
    """tests/sigv4/sign, one for all requests: what it keeps is tested too."""

    def __init__(self):
        self.process = subprocess.Popen(
            [os.path.join(BUILD, 'tests/sigv4/sign')],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def sign(self, r):
        """r: words of sign.c with bytes; query and headers are lists."""
        lines = []
        for word, v in r.items():
            if word in ('query', 'header'):
                lines += ['%s %s %s' % (word, a.hex() or '-', b.hex() or '-')
                          for a, b in v]
            elif isinstance(v, int):
                lines.append('%s %d' % (word, v))
            else:
                lines.append('%s %s' % (word, v.hex() or '-'))
        self.process.stdin.write(('\n'.join(lines + ['sign', ''])).encode())
        self.process.stdin.flush()
        out = {'line': []}
        while True:
            line = self.process.stdout.readline().decode().rstrip('\n')
            word, _, v = line.partition(' ')
            if word in ('end', ''):
                return out
            if word == 'line':
                out[word].append(bytes.fromhex(v))
            else:
                out[word] = bytes.fromhex(v)
            if word == 'error':
                return out

    def close(self):
        self.process.stdin.close()
        return self.process.wait(timeout=60)


def signature(lines):
    return lines[-1].rpartition(b'Signature=')[2] if lines else b''


def compare(what, found, expected):
    if found == expected:
        return None
    return '%s: found %r, expected %r' % (what, found, expected)


# 1. The public vectors.

def read(folder, name):
    with open(os.path.join(VECTORS, folder, name), 'rb') as f:
        return f.read()


def pairs(query):
    for part in query.split(b'&') if query else ():
        name, _, v = part.partition(b'=')
        yield tuple(urllib.parse.unquote_to_bytes(x) for x in (name, v))


def vector(folder):
    """The request of a vector, in the words of sign.c."""
    context = json.loads(read(folder, 'context.json'))
    keys = context['credentials']
    head, _, body = read(folder, 'request.txt').replace(
        b'\r', b'').partition(b'\n\n')
    first, *lines = re.sub(rb'\n[ \t]+', b' ', head).split(b'\n')
    method, target = first.split(b' ', 1)
    path, _, query = target.rpartition(b' ')[0].partition(b'?')
    headers = [tuple(h.split(b':', 1)) for h in lines if h]
    payload = hashlib.sha256(body).hexdigest().encode()
    if context['sign_body']:
        headers.append((b'x-amz-content-sha256', payload))
    token = keys.get('token', '')
    if context.get('omit_session_token'):
        token = ''      # it is added when all is signed
    stamp = time.strptime(context['timestamp'], '%Y-%m-%dT%H:%M:%SZ')
    return {
        'method': method, 'path': urllib.parse.unquote_to_bytes(path),
        'query': list(pairs(query)), 'payload': payload,
        'host': next(v for n, v in headers if n.lower() == b'host'),
        'header': [(n, v) for n, v in headers
                   if n.lower() not in (b'host', b'x-amz-date')],
        'region': context['region'].encode(),
        'service': context['service'].encode(),
        'access': keys['access_key_id'].encode(),
        'secret': keys['secret_access_key'].encode(),
        'token': token.encode(), 'now': int(
            time.mktime(stamp) - time.timezone),
        'rule': RESOLVED if context['normalize'] else KEPT,
    }


def vectors():
    if not os.path.isdir(VECTORS):
        # They are no part of the project: an extra, not a test that lacks
        # something.
        print('# the public vectors are not here')
        return
    signer = Signer()
    folders = sorted(f for f in os.listdir(VECTORS)
                     if os.path.isdir(os.path.join(VECTORS, f)))
    for f in folders:
        r = signer.sign(vector(f))
        check('vector ' + f, [
            compare('canonical request', r.get('canonical'),
                    read(f, 'header-canonical-request.txt')),
            compare('string to sign', r.get('to_sign'),
                    read(f, 'header-string-to-sign.txt')),
            compare('signature', signature(r['line']),
                    read(f, 'header-signature.txt')),
            r.get('error')])
    check('there are 38 vectors', [compare('vectors', len(folders), 38)])
    check('the signer ends well', [signer.close()])


# 2. Random requests.

PIECES = [b'/', b'//', b'/./', b'/../', b'..', b'.', b'?', b'#', b'~', b'+',
          b'%', b'%2F', b'%2f', b'%25', b' ', b'&', b'=', b'a', b'Z', b'0',
          b'-', b'_', b'*', b"'", b'"', b'(', b';', b':', b'@', b',', b'\\',
          b'\n', b'\t', b'\r\n', b'mail', 'é'.encode(), '日本'.encode(),
          '😀'.encode(), b'\xff', b'\x80']
NAMES = ['x-amz-meta-a', 'X-Amz-Meta-A-B', 'x-amz-meta-ab', 'X-AMZ-META-A1',
         'x-amz-meta-a_b', 'Content-Type', 'content-md5', 'Range', 'If-Match',
         'x-amz-checksum-sha256', 'X-Amz-Expected-Bucket-Owner']
VALUES = ['', 'a', ' a ', 'a  b', '\ta\t \tb', '"a  b"', 'é', 'a,b', 'A=b;c',
          ' ', 'bytes=0-99', '"0123456789abcdef"', '*']


def some(rng, most):
    return b''.join(rng.choice(PIECES) if rng.random() < 0.8 else
                    bytes([rng.randrange(1, 256)])
                    for _ in range(rng.randrange(most)))


def request(rng, n):
    if n < 255:         # each byte once in a path, and in a query
        c = bytes([n + 1])
        path, query = b'/b/x' + c + b'y', [(b'p' + c, c + b'v')]
    else:
        path = b'/' + some(rng, 12)
        query = [(some(rng, 4), some(rng, 6))
                 for _ in range(rng.choice((0, 0, 1, 2, 3, 5, 200)))]
    return {
        'method': rng.choice((b'GET', b'PUT', b'POST', b'DELETE', b'HEAD')),
        'host': rng.choice((b'b.s3.eu-west-1.amazonaws.com',
                            b'localhost:9000', b'[::1]:7480', b'192.0.2.1',
                            b'sqs.us-east-1.amazonaws.com')),
        'path': path, 'query': query,
        'header': [(rng.choice(NAMES).encode(), rng.choice(VALUES).encode())
                   for _ in range(rng.randrange(6))],
        'payload': rng.choice((b'', b'x', b'<a/>' * 9)),
        'region': rng.choice((b'us-east-1', b'eu-central-1', b'auto')),
        'service': rng.choice((b's3', b's3', b'sqs', b'sts', b'kms')),
        'access': b'AKIDEXAMPLE',
        'secret': rng.choice((b'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
                              b'short', b'x' * 128)),
        'token': rng.choice((b'', b'', b'AQoDYXdzEPT//////////wEX+a==',
                             b'T' * 2000)),
        'now': rng.randrange(0, 4102444800), 'rule': BY_SERVICE,
    }


def quoted(b, safe=''):
    return urllib.parse.quote(b, safe=safe + '-_.~')


def expected(r, body):
    """What botocore makes of it: canonical request, text, signature."""
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = 'http://%s%s' % (r['host'].decode(), quoted(r['path'], '/'))
    if r['query']:
        url += '?' + '&'.join('%s=%s' % (quoted(n), quoted(v))
                              for n, v in r['query'])
    q = AWSRequest(method=r['method'].decode(), url=url, data=body)
    for n, v in r['header']:
        q.headers.add_header(n.decode(), v.decode())
    q.context['timestamp'] = time.strftime(
        '%Y%m%dT%H%M%SZ', time.gmtime(r['now']))
    kind = S3SigV4Auth if r['service'] == b's3' else SigV4Auth
    auth = kind(Credentials(r['access'].decode(), r['secret'].decode(),
                            r['token'].decode() or None),
                r['service'].decode(), r['region'].decode())
    auth._modify_request_before_signing(q)
    canonical = auth.canonical_request(q)
    text = auth.string_to_sign(q, canonical)
    return canonical.encode(), text.encode(), auth.signature(text, q).encode()


def on_the_wire(r, lines):
    """All that was asked for is sent, and nothing that was not signed."""
    asked = [n.lower() + b':' + v.strip(b' \t') for n, v in r['header']]
    sent = []
    for line in lines[:-1]:
        n, _, v = line.partition(b':')
        sent.append(line[:-1].lower() + b':' if not _ else
                    n.lower() + b':' + v.strip(b' \t'))
    return [compare('header', a, None) for a in asked if a not in sent] + [
        compare('more than was asked', s, None) for s in sent
        if s not in asked and not s.startswith((
            b'x-amz-date:', b'x-amz-content-sha256:',
            b'x-amz-security-token:'))]


def differential():
    try:
        import botocore
    except ImportError:
        skip('against botocore', 'there is no python3-botocore')
        return
    print('# botocore %s, seed %d' % (botocore.__version__, SEED))
    rng = random.Random(SEED)
    signer = Signer()
    for n in range(REQUESTS):
        r = request(rng, n)
        body = r['payload']
        r['payload'] = hashlib.sha256(body).hexdigest().encode()
        canonical, text, proof = expected(r, body)
        found = signer.sign(r)
        problems = [
            compare('canonical request', found.get('canonical'), canonical),
            compare('string to sign', found.get('to_sign'), text),
            compare('signature', signature(found['line']), proof),
            found.get('error')] + on_the_wire(r, found['line'])
        if r['service'] == b's3':
            problems.append(compare(
                'path', found.get('target', b'').partition(b'?')[0],
                quoted(r['path'], '/').encode()))
        check('request %d' % n, problems)
    check('the signer ends well', [signer.close()])


vectors()
differential()
print('%(passed)d passed, %(failed)d failed, %(skipped)d skipped' % counts)
sys.exit(1 if counts['failed'] else 0)

#!/usr/bin/python3
"""lib/aws over TLS: how many connections and CA loads many requests cost, and
which certificates are refused. Counts only; no time is asserted."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

BUILD = os.environ.get('FALLBACKMX_BUILD') or os.getcwd()
CLIENT = os.path.join(BUILD, 'tests/aws/client')
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'
CA_CACHE = 0x075700     # libcurl keeps the CA store from 7.87 on
ERR_STOP = 2            # enum err_kind

counts = {'passed': 0, 'failed': 0, 'skipped': 0}


def check(name, *problems):
    problems = [p for p in problems if p]
    counts['failed' if problems else 'passed'] += 1
    if problems:
        print('not ok - %s' % name)
        for p in problems:
            print('#   %s' % p)


def skip(name, why):
    counts['skipped'] += 1
    print('skipped: %s: %s' % (name, why))


def differs(what, found, expected):
    if found != expected:
        return '%s: found %r, expected %r' % (what, found, expected)


class Server:
    """Answers when so many requests have been here together; counts."""

    def __init__(self, cert, together=1):
        self.together = together
        self.lock = threading.Condition()
        self.connections = self.requests = self.now = self.most = 0
        self.socket = socket.create_server(('127.0.0.1', 0), backlog=128)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert + '.crt', cert + '.key')
        self.host = '127.0.0.1:%d' % self.socket.getsockname()[1]
        self.threads = []
        self.thread = threading.Thread(target=self.accept)
        self.thread.start()

    def accept(self):
        while True:
            try:
                peer = self.socket.accept()[0]
            except OSError:
                return
            with self.lock:
                self.connections += 1
            t = threading.Thread(target=self.serve, args=(peer,))
            t.start()
            self.threads.append(t)

    def serve(self, peer):
        try:
            peer.settimeout(120)
            peer = self.context.wrap_socket(peer, server_side=True)
            while self.answer(peer):
                pass
        except OSError:
            pass
        peer.close()

    def answer(self, peer):
        request = b''
        while not request.endswith(b'\r\n\r\n'):
            got = peer.recv(65536)
            if not got:
                return False
            request += got
        with self.lock:
            self.requests += 1
            self.now += 1
            self.most = max(self.most, self.now)
            self.lock.notify_all()
            self.lock.wait_for(lambda: self.most >= self.together, 60)
            self.now -= 1
        peer.sendall(ANSWER)
        return True

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(60)
        for t in self.threads:
            t.join(60)


class Result:
    def __init__(self, server, ca, connections=1, requests=1, env=None):
        r = subprocess.run(
            [CLIENT, 'https://' + server.host, ca, str(connections), str(requests)],
            stdout=subprocess.PIPE, timeout=300,
            env=dict(os.environ, **(env or {})))
        words = r.stdout.decode().strip().split(' ', 6)
        (self.good, self.bad, self.attempts, self.opens, self.version,
         self.kind) = (int(w) for w in words[:6])
        self.text = words[6] if len(words) > 6 else ''
        server.close()


def openssl(*words):
    subprocess.run(('openssl',) + words, check=True, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_ca(name):
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt',
            'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
            '/CN=' + name, '-keyout', name + '.key', '-out', name + '.crt')
    return name


def make_cert(name, ca, alternative):
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
            '-nodes', '-subj', '/CN=' + name, '-keyout', name + '.key',
            '-out', name + '.csr')
    with open(name + '.ext', 'w') as f:
        f.write('subjectAltName=%s\n' % alternative)
    openssl('x509', '-req', '-in', name + '.csr', '-CA', ca + '.crt',
            '-CAkey', ca + '.key', '-CAcreateserial', '-days', '2',
            '-extfile', name + '.ext', '-out', name + '.crt')
    return name


def refused(name, server, ca):
    r = Result(server, ca)
    check(name, differs('done', (r.good, r.bad), (0, 1)),
          differs('attempts', r.attempts, 1),
          differs('requests seen', server.requests, 0),
          differs('kind of error', r.kind, ERR_STOP),
          differs('text', r.text.startswith(
              'cannot trust %s: ' % server.host), True) and
          r.text)


def over_tls():
    ca, other = make_ca('ca'), make_ca('other')
    cert = make_cert('good', ca, 'IP:127.0.0.1')
    server = Server(cert, together=32)
    r = Result(server, 'ca.crt', connections=32, requests=640)
    check('640 requests, 32 connections',
          differs('done', (r.good, r.bad), (640, 0)), r.text,
          differs('requests', server.requests, 640),
          differs('connections', server.connections, 32),
          differs('at a time', server.most, 32))
    name = '32 connections load the CA file once'
    if r.version >= CA_CACHE:
        check(name, differs('opened', r.opens, 1))
    else:
        skip(name, 'libcurl before 7.87 loads it for each')
    server = Server(cert)
    r = Result(server, 'ca.crt', env={'SSLKEYLOGFILE': 'keys'})
    check('F62: no keys are written',
          differs('done', (r.good, r.bad), (1, 0)), r.text,
          differs('keys', os.path.exists('keys'), False))
    refused('a certificate of another CA', Server(cert), 'other.crt')
    refused('a certificate that has signed itself', Server(other), 'ca.crt')
    refused('a certificate of another host', Server(
        make_cert('elsewhere', ca, 'DNS:s3.example')), 'ca.crt')
    refused('no CA file', Server(cert), 'missing.crt')


def main():
    here = tempfile.mkdtemp(prefix='fallbackmx-tls-')
    try:
        os.chdir(here)
        if shutil.which('openssl'):
            over_tls()
        else:
            skip('TLS', 'there is no openssl')
    finally:
        os.chdir('/')
        shutil.rmtree(here)
    print('%(passed)d passed, %(failed)d failed, %(skipped)d skipped' % counts)
    sys.exit(1 if counts['failed'] else 0)


main()

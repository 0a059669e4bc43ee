"""smtp - a client that says exactly what it is told, and keeps the answers."""

import base64
import socket
import ssl


def dots(mail):
    """As DATA wants it: CRLF, dots doubled, and the end."""
    if mail and not mail.endswith(b'\r\n'):
        mail += b'\r\n'
    mail = mail.replace(b'\r\n.', b'\r\n..')
    return (b'.' if mail.startswith(b'.') else b'') + mail + b'.\r\n'


def crlf(mail):
    return mail.replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')


class Hung(Exception):
    """The server has gone away."""


class Client:
    """wrapped: TLS first. Answers are (code, text); text has all lines."""

    def __init__(self, port, wrapped=None, own=None, timeout=120):
        self.s = socket.create_connection(('127.0.0.1', port), timeout)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''
        if wrapped:
            self.tls(wrapped, own)
        self.banner = self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def close(self):
        self.s.close()

    def tls(self, version, own=None):
        """version: 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'; own: path of a
        certificate, without .crt and .key."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers('ALL:@SECLEVEL=0')
        number = getattr(ssl.TLSVersion, version.replace('.', '_'))
        context.minimum_version = context.maximum_version = number
        if own:
            context.load_cert_chain(own + '.crt', own + '.key')
        self.s = context.wrap_socket(self.s)

    def line(self):
        while b'\n' not in self.buffer:
            try:
                more = self.s.recv(65536)
            except (ConnectionError, socket.timeout) as e:
                raise Hung(str(e)) from e
            if not more:
                raise Hung('the server hung up')
            self.buffer += more
        line, self.buffer = self.buffer.split(b'\n', 1)
        return line.rstrip(b'\r').decode('utf-8', 'replace')

    def answer(self):
        lines = []
        while True:
            line = self.line()
            lines.append(line[4:])
            if line[3:4] != '-':
                return int(line[:3]), '\n'.join(lines)

    def send(self, data):
        try:
            self.s.sendall(data)
        except OSError as e:
            raise Hung(str(e)) from e

    def say(self, words):
        if isinstance(words, str):
            words = words.encode()
        self.send(words + b'\r\n')
        return self.answer()

    def sure(self, words, code=(220, 235, 250, 354)):
        said = self.say(words)
        if said[0] not in (code if isinstance(code, tuple) else (code,)):
            raise AssertionError('%r: %d %s' % (words, *said))
        return said

    def starttls(self, version='TLSv1.3', own=None):
        self.sure('STARTTLS', 220)
        self.tls(version, own)

    def login(self, user, secret='pass'):
        word = base64.b64encode(b'\0%s\0%s' % (user.encode(),
                                               secret.encode()))
        return self.sure(b'AUTH PLAIN ' + word, 235)

    def data(self, mail):
        """The last answer; mail has CRLF."""
        said = self.say('DATA')
        if said[0] != 354:
            return said
        self.send(dots(mail))
        return self.answer()

    def bdat(self, chunks):
        """RFC 3030; the first answer that is not 250, or the last."""
        for i, chunk in enumerate(chunks):
            last = ' LAST' if i == len(chunks) - 1 else ''
            self.send(b'BDAT %d%s\r\n' % (len(chunk), last.encode()) + chunk)
            said = self.answer()
            if said[0] != 250:
                return said
        return said

    def mail(self, mail, rcpts=('alice@example.com',),
             sender='bob@example.net', extra=''):
        """A whole one. Returns (the answers to RCPT, the last answer)."""
        said = self.say('MAIL FROM:<%s>%s' % (sender, extra))
        if said[0] != 250:
            return [], said
        answers = [self.say('RCPT TO:<%s>' % r) for r in rcpts]
        if not any(a[0] == 250 for a in answers):
            self.say('RSET')
            return answers, answers[-1]
        return answers, self.data(mail)

    def quit(self):
        try:
            self.say('QUIT')
        except Hung:
            pass
        self.close()

"""letters - mail of all kinds as a server takes it: plain text, newsletters of
HTML, both at once, attachments that pack and that do not. Sizes are those of
objects.py. The same seed makes the same mails, no two of which are equal.
"""

import base64
import time

from objects import START, Maker

KINDS = ('text', 'html', 'both', 'packed', 'document')
WEIGHTS = (35, 10, 35, 12, 8)
CELL = ('<tr><td style="padding:4px 8px;font-family:Arial,Helvetica,'
        'sans-serif;font-size:14px;color:#333333"><a href="https://%s.example'
        '/c?u=%s">%s</a></td></tr>')


def wire(data):
    return base64.encodebytes(data).replace(b'\n', b'\r\n')


class Letters(Maker):
    def __init__(self, seed=6):
        super().__init__(seed)
        lines = self.text.decode().split('\r\n')
        self.html = '\r\n'.join(
            CELL % (self.r.choice(self.words), self.token(24), line)
            for line in lines[:8000]).encode()
        # A table as an office program saves it.
        self.table = wire(b''.join(
            b'%d;%s;%.2f\n' % (i, line.encode(), self.r.random() * 1000)
            for i, line in enumerate(lines)))

    def fields(self, i):
        sender, host = self.person(), 'mx%d.example.net' % (i % 97)
        when = time.strftime('%a, %d %b %Y %H:%M:%S +0000',
                             time.gmtime(START + 37 * i))
        rcpt = 'user%d@example.com' % (i % 50)
        return sender, rcpt, [
            'Received: from %s (%s [192.0.2.%d])\r\n'
            '\tby mx.example.com (Postfix) with ESMTPS id %s\r\n'
            '\tfor <%s>; %s' % (host, host, i % 250, self.token(9), rcpt,
                                when),
            'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;'
            ' d=%s;\r\n\ts=s1; h=from:to:subject:date:message-id;\r\n'
            '\tbh=%s;\r\n\tb=%s' % (host, self.token(32), self.token(256)),
            'From: %s <%s>' % (sender.split('@')[0].title(), sender),
            'To: <%s>' % rcpt,
            'Subject: ' + ' '.join(self.r.choices(self.words, k=5)),
            'Date: ' + when, 'Message-ID: <%d.%s@%s>' % (
                i, self.token(12), host), 'MIME-Version: 1.0']

    def parts(self, kind, size):
        """[(type, encoding or None, bytes)]"""
        plain = 'text/plain; charset=utf-8', None
        html = 'text/html; charset=utf-8', None
        if kind == 'text':
            return [(*plain, self.piece(self.text, size))]
        if kind == 'html':
            return [(*html, self.piece(self.html, size))]
        if kind == 'both':
            return [(*plain, self.piece(self.text, size // 4)),
                    (*html, self.piece(self.html, size * 3 // 4))]
        of = ('application/pdf', self.attachment) if kind == 'packed' else \
            ('text/csv', self.table)
        return [(*plain, self.piece(self.text, 1200)),
                (of[0], 'base64', self.piece(of[1], max(size - 1200, 500)))]

    def letter(self, i):
        """(sender, recipient, [field], body)"""
        sender, rcpt, fields = self.fields(i)
        parts = self.parts(self.r.choices(KINDS, WEIGHTS)[0], self.size())
        if len(parts) == 1:
            fields.append('Content-Type: ' + parts[0][0])
            return sender, rcpt, fields, parts[0][2] + b'\r\n'
        mark = 'b%016x' % self.r.getrandbits(64)
        fields.append('Content-Type: multipart/mixed; boundary=' + mark)
        body = b''
        for kind, encoding, data in parts:
            head = '--%s\r\nContent-Type: %s\r\n' % (mark, kind)
            if encoding:
                head += 'Content-Transfer-Encoding: %s\r\n' % encoding
            body += head.encode() + b'\r\n' + data + b'\r\n'
        return sender, rcpt, fields, body + b'--%s--\r\n' % mark.encode()


def whole(fields, body):
    return '\r\n'.join(fields).encode() + b'\r\n\r\n' + body

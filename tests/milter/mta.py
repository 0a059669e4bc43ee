"""mta - plays Postfix for a milter: one connection, polite or not."""

import packet
from packet import (BODY, BODYEOB, CONTINUE, DATA, EDITS, EOH, HEADER, HELO,
                    MAIL, OPTNEG, PROGRESS, QUIT, RCPT, REPLYCODE)

TLS = {'{tls_version}': 'TLSv1.3', '{cipher}': 'TLS_AES_256_GCM_SHA384',
       '{cipher_bits}': '256'}


class Session:
    """Macros are sent as Postfix sends them; replies are waited for unless
    the milter said that there are none."""

    def __init__(self, where, timeout=120):
        self.s = packet.dial(where, timeout)
        self.steps = self.actions = 0
        self.symbols = {}

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def close(self):
        self.s.close()

    def send(self, data):
        self.s.sendall(data)

    def reply(self):
        """The next one that is not a sign of life."""
        while True:
            command, data = packet.read(self.s)
            if command != PROGRESS:
                return command, data

    def ask(self, command, data=b''):
        """Sends a step, returns the answer: its letter, or (letter, text)."""
        if self.steps & packet.NO.get(command, 0):
            return CONTINUE
        self.send(packet.packet(command, data))
        if self.steps & packet.NR.get(command, 0):
            return CONTINUE
        return self.answer()

    def answer(self):
        command, data = self.reply()
        if command == REPLYCODE:
            return command, data.rstrip(b'\0').decode('utf-8', 'replace')
        return command

    def macros(self, command, words):
        self.send(packet.macros(command, words))

    def negotiate(self, **how):
        self.send(packet.negotiation(**how))
        command, data = self.reply()
        if command == OPTNEG:
            self.understand(data)
        return command

    def understand(self, data):
        """What the milter wants, of its answer to the negotiation."""
        self.actions = int.from_bytes(data[4:8], 'big')
        self.steps = int.from_bytes(data[8:12], 'big')
        data = data[12:]
        while data:
            words, _, rest = data[4:].partition(b'\0')
            self.symbols[int.from_bytes(data[:4], 'big')] = words.decode()
            data = rest

    def connect(self, ip='192.0.2.1', host='client.example.net', words=None):
        self.macros(packet.CONNECT, {
            'j': 'mx.example.com', '{daemon_name}': 'smtpd',
            '{daemon_addr}': '127.0.0.1', '{daemon_port}': '25',
            'v': 'Postfix', **(words or {})})
        self.send(packet.connection(host, ip))
        if self.steps & packet.NR[packet.CONNECT]:
            return CONTINUE
        return self.answer()

    def helo(self, name='client.example.net', words=None):
        self.macros(HELO, words or {})
        return self.ask(HELO, packet.strings(name.encode()))

    def mail(self, sender='bob@example.net', *parameters, words=None):
        self.macros(MAIL, {'{mail_addr}': sender, '{mail_mailer}': 'smtp',
                           **(words or {})})
        return self.ask(MAIL, packet.strings(*(
            w.encode() for w in ('<%s>' % sender, *parameters))))

    def rcpt(self, address='alice@example.com', words=None):
        self.macros(RCPT, {'{rcpt_addr}': address, '{rcpt_mailer}': 'virtual',
                           **(words or {})})
        return self.ask(RCPT, packet.strings(b'<%s>' % address.encode()))

    def data(self, i='4XyZ'):
        self.macros(DATA, {'i': i})
        return self.ask(DATA)

    def header(self, name, value):
        return self.ask(HEADER, packet.strings(name, value))

    def eoh(self):
        return self.ask(EOH)

    def body(self, chunk):
        return self.ask(BODY, chunk)

    def eom(self, i='4XyZ'):
        """(edits, answer)"""
        self.end(i)
        return self.ended()

    def end(self, i='4XyZ'):
        self.macros(BODYEOB, {'i': i})
        self.send(packet.packet(BODYEOB))

    def ended(self):
        """(edits, answer) of the end of a message."""
        edits = []
        while True:
            command, data = self.reply()
            if command not in EDITS:
                break
            edits.append((command, data))
        if command == REPLYCODE:
            return edits, (command, data.rstrip(b'\0').decode(
                'utf-8', 'replace'))
        return edits, command

    def abort(self):
        self.send(packet.packet(packet.ABORT))

    def quit(self):
        self.send(packet.packet(QUIT))

    # In one go

    def begin(self, **how):
        """Up to MAIL."""
        self.negotiate()
        self.connect(**how)
        self.helo()
        return self

    def message(self, rcpts=('alice@example.com',), body=b'Hello.\r\n',
                headers=((b'From', b' bob@example.net'),
                         (b'Subject', b' Hello'))):
        """A whole one; (edits, answer), or ([], answer of what refused)."""
        said = self.mail()
        if said != CONTINUE:
            return [], said
        answers = [self.rcpt(r) for r in rcpts]
        if CONTINUE not in answers:
            return [], answers[0]
        self.data()
        for name, value in headers:
            self.header(name, value)
        self.eoh()
        if body:
            self.body(body)
        return self.eom()

"""recorder - a milter that changes nothing and keeps what it is told: what
Postfix hands over, to the byte, for a milter behind it in the same list."""

import os
import socket
import threading

import packet


class Message:
    def __init__(self, session):
        self.connect, self.helo = session.connect, session.helo
        self.mail, self.rcpts = None, []
        self.headers, self.body, self.ended = [], [], False
        self.macros = {}

    def bytes(self):
        """As RFC 5322 has it: the folds of Postfix are a lone LF."""
        lines = [n + b':' + v.replace(b'\n', b'\r\n') + b'\r\n'
                 for n, v in self.headers]
        return b''.join([*lines, b'\r\n', *self.body])

    def queue_id(self):
        return self.macros.get('i', '')


class Recorder:
    """Messages that came to an end are in .messages, by queue id; all that
    were begun in .begun. Forgets nothing by itself."""

    STEPS = packet.LEADING_SPACE | sum(
        n for command, n in packet.NR.items())

    def __init__(self, path):
        self.path, self.messages, self.begun = path, {}, []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        os.chmod(path, 0o777)
        self.server.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer = self.server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,),
                             daemon=True).start()

    def _serve(self, peer):
        session = Session(self)
        try:
            while session.take(peer, *packet.read(peer)):
                pass
        except (EOFError, OSError):
            pass
        peer.close()

    def close(self):
        self.server.close()


class Session:
    def __init__(self, recorder):
        self.recorder = recorder
        self.connect = self.helo = b''
        self.macros = {}
        self.message = None

    def take(self, peer, command, data):
        """False: the connection is over."""
        if command == packet.OPTNEG:
            peer.sendall(packet.packet(
                packet.OPTNEG, packet.number(6) + packet.number(0) +
                packet.number(Recorder.STEPS)))
        elif command == packet.MACRO:
            words = [w.decode('utf-8', 'replace')
                     for w in packet.split(data[1:])]
            self.macros.update(zip(words[::2], words[1::2]))
        elif command == packet.CONNECT:
            self.connect = data
        elif command == packet.HELO:
            self.helo = data.rstrip(b'\0')
        elif command == packet.QUIT:
            return False
        elif command == packet.BODYEOB:
            self.end(peer)
        else:
            self.step(command, data)
        return True

    def step(self, command, data):
        if command == packet.MAIL:
            self.message = Message(self)
            self.message.mail = packet.split(data)
            self.recorder.begun.append(self.message)
        elif self.message is None:
            return
        elif command == packet.RCPT:
            self.message.rcpts.append(packet.split(data))
        elif command == packet.HEADER:
            name, value = packet.split(data)
            self.message.headers.append((name, value))
        elif command == packet.BODY:
            self.message.body.append(data)
        elif command == packet.ABORT:
            self.message = None

    def end(self, peer):
        m = self.message
        m.macros, m.ended = dict(self.macros), True
        self.recorder.messages[m.queue_id()] = m
        peer.sendall(packet.packet(packet.CONTINUE))

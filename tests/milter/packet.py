"""packet - the milter protocol, version 6: a length, a letter, data.

Made and read by hand, so that a test can send what no library would.
"""

import socket
import struct

# From the MTA
ABORT, BODY, CONNECT, MACRO, BODYEOB, HELO, QUIT_NC, HEADER, MAIL, EOH, \
    OPTNEG, QUIT, RCPT, DATA, UNKNOWN = b'A B C D E H K L M N O Q R T U'.split()
# From the milter
ADDRCPT, DELRCPT, ADDRCPT_PAR, SHUTDOWN, ACCEPT, REPLBODY, CONTINUE, \
    DISCARD, CHGFROM, CONNFAIL, ADDHEADER, INSHEADER, SETSYMLIST, CHGHEADER, \
    PROGRESS, QUARANTINE, REJECT, SKIP, TEMPFAIL, REPLYCODE = \
    b'+ - 2 4 a b c d e f h i l m p q r s t y'.split()
EDITS = (ADDRCPT, DELRCPT, ADDRCPT_PAR, REPLBODY, CHGFROM, ADDHEADER,
         INSHEADER, CHGHEADER, QUARANTINE)

ALL_ACTIONS = 0x1ff
# What is not sent, and what is not answered
NO = dict(zip((CONNECT, HELO, MAIL, RCPT, BODY, HEADER, EOH),
              (1, 2, 4, 8, 0x10, 0x20, 0x40)))
NO.update({UNKNOWN: 0x100, DATA: 0x200})
NR = dict(zip((HEADER, CONNECT, HELO, MAIL, RCPT, DATA, UNKNOWN, EOH, BODY),
              (0x80, 0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x20000, 0x40000,
               0x80000)))
SKIP_BODY, REJECTED_RCPT, LEADING_SPACE = 0x400, 0x800, 0x100000
POSTFIX_STEPS = 0x1fffff


def number(n):
    return struct.pack('!I', n)


def packet(command, data=b''):
    return number(len(command) + len(data)) + command + data


def strings(*words):
    return b''.join(w + b'\0' for w in words)


def split(data):
    """The zero-terminated strings of a packet."""
    return data.split(b'\0')[:-1] if data else []


def negotiation(actions=ALL_ACTIONS, steps=POSTFIX_STEPS, version=6):
    return packet(OPTNEG, number(version) + number(actions) + number(steps))


def connection(host, ip, port=4321):
    family = b'6' if ':' in ip else b'4'
    text = ('IPv6:' if ':' in ip else '') + ip
    return packet(CONNECT, host.encode() + b'\0' + family +
                  struct.pack('!H', port) + text.encode() + b'\0')


def macros(command, words):
    return packet(MACRO, command + strings(*(
        w.encode() for pair in words.items() for w in pair)))


def receive(s, n):
    data = b''
    while len(data) < n:
        more = s.recv(min(n - len(data), 1 << 20))
        if not more:
            raise EOFError('the other side has hung up')
        data += more
    return data


def read(s):
    """(command, data) of the next packet."""
    n = struct.unpack('!I', receive(s, 4))[0]
    if not 0 < n < 1 << 26:
        raise EOFError('a packet of %d bytes' % n)
    return receive(s, 1), receive(s, n - 1)


def dial(where, timeout=120):
    """A connection to "unix:PATH" or "inet:HOST:PORT"."""
    kind, rest = where.split(':', 1)
    if kind == 'unix':
        s = socket.socket(socket.AF_UNIX)
        address = rest
    else:
        s = socket.socket()
        host, port = rest.rsplit(':', 1)
        address = (host, int(port))
    s.settimeout(timeout)
    try:
        s.connect(address)
    except OSError:
        s.close()
        raise
    return s


def listens(path):
    """Somebody answers at this unix socket: a name alone comes before."""
    try:
        dial('unix:' + path).close()
        return True
    except OSError:
        return False

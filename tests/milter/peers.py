#!/usr/bin/python3
"""Bad peers: a made-up MTA that speaks the milter protocol out of order, with
wrong lengths, in pieces, or not to the end. Whatever it does, the milter goes
on, serves others, and keeps neither memory nor descriptors. No root needed.

	SEED=1	of the random sessions, ROUNDS=400 how many
"""

import json
import random
import signal
import struct
import sys

sys.dont_write_bytecode = True

import packet                                               # noqa: E402
from filter import Filter                                   # noqa: E402
from mta import TLS, Session                                # noqa: E402
from packet import (ACCEPT, ALL_ACTIONS, BODY, BODYEOB, CONNECT, CONTINUE,
                    DATA, EOH, HEADER, HELO, INSHEADER, MACRO, MAIL, OPTNEG,
                    QUIT, QUIT_NC, RCPT, REJECT, SKIP, UNKNOWN)   # noqa: E402
from stage import (SANITIZED, Place, check, differs, done,
                   setting, wait_for)                       # noqa: E402

GOOD = (ACCEPT, CONTINUE)
GONE = (EOFError, OSError)
STAGES = ('connect', 'helo', 'mail', 'rcpt', 'data', 'header', 'eoh', 'body')


def tags(edits):
    return [data for command, data in edits
            if command == INSHEADER and data[4:16] == b'X-FallbackMX']


def accepted(said):
    """Problems of a message that is to be accepted and tagged."""
    edits, answer = said
    if answer not in GOOD:
        yield 'answer %r' % (answer,)
    if len(tags(edits)) != 1:
        yield 'edits %r' % edits


class Bystander:
    """An honest connection that is open all the while."""

    def __init__(self, f):
        self.f = f
        self.session = Session(f.socket).begin()

    def problems(self):
        """It is served, so is a new one, and nobody has complained."""
        try:
            yield from accepted(self.session.message())
            with Session(self.f.socket) as s:
                yield from accepted(s.begin().message())
        except GONE as e:
            yield 'an honest session: %r' % e
        yield from self.f.complaints()


def upto(s, stage, i=0):
    """The steps to this one and with it; i makes them differ."""
    s.negotiate()
    steps = (s.connect, s.helo,
             lambda: s.mail('s%d@example.net' % i),
             lambda: s.rcpt('r%d@example.com' % i), s.data,
             lambda: s.header(b'Subject', b' %d' % i), s.eoh,
             lambda: s.body(b'x' * (i + 1)))
    for name, step in zip(STAGES, steps):
        step()
        if name == stage:
            return


def hang_up(f):
    """At every stage, with and without a word; and a stage in the middle of
    its packet."""
    for stage in STAGES:
        for end in (lambda s: None, lambda s: s.abort(), lambda s: s.quit(),
                    lambda s: s.send(packet.number(100) + b'L' + b'half')):
            with Session(f.socket) as s:
                upto(s, stage)
                end(s)


def abort_and_go_on(f):
    for i, stage in enumerate(STAGES[2:]):
        with Session(f.socket) as s:
            upto(s, stage, i)
            s.abort()
            said = s.message(['alice@example.com', 'carol@example.com'])
            yield from ('%s: %s' % (stage, p) for p in accepted(said))


def several(f):
    f.messages()
    with Session(f.socket) as s:
        s.begin()
        for i in range(50):
            rcpts = ['r%d-%d@example.com' % (i, k) for k in range(i % 3 + 1)]
            yield from accepted(s.message(rcpts, body=b'y' * i))
            s.abort()       # as Postfix does at the end of each
    lines = [x for x in f.messages() if 'verdict' in x]
    yield from differs('lines', len(lines), 50)
    for i, x in enumerate(lines):
        yield from differs('recipients', [
            r['recipient'] for r in x['verdict']['recipients']],
            ['r%d-%d@example.com' % (i, k) for k in range(i % 3 + 1)])


def headers(f):
    """What is large, and what is no text."""
    big = b' ' + b'x' * 100000
    folded = b' ' + b'\n\t'.join([b'y' * 70] * 1400)
    for name, value in ((b'X-Big', big), (b'X-Folded', folded),
                        (b'x' * 60000, b'z'), (b'Subject', b''),
                        (b'X-8', bytes(range(1, 256))),
                        (b'X-FallbackMX', big)):
        with Session(f.socket) as s:
            s.begin()
            said = s.message(headers=[(b'From', b' a@example.net'),
                                      (name, value)])
            yield from ('%r: %s' % (name[:20], p) for p in accepted(said))
    with Session(f.socket) as s:
        s.begin()
        s.message(headers=[(b'X-%d' % i, b' v') for i in range(20000)])
        yield from accepted(s.message())


def zeros(f):
    """A NUL ends a header; in a body it is a byte."""
    with Session(f.socket) as s:
        s.begin()
        s.mail()
        s.rcpt()
        s.data()
        s.ask(HEADER, b'Sub\0ject\0 text\0\0\0')
        s.ask(HEADER, b'Subject\0 te\0xt\0')
        s.eoh()
        s.body(b'\0' * 65535)
        yield from accepted(s.eom())
        s.ask(MAIL, b'\0\0\0\0')
        s.ask(RCPT, b'\0\0')
        s.abort()
        yield from accepted(s.message())


def recipients(f):
    with Session(f.socket) as s:
        s.begin()
        s.message(['%s-%d@example.com' % ('r' * 200, i)
                   for i in range(20000)])
        yield from accepted(s.message())


def large_body(f):
    """Bodies are counted, not kept."""
    before = f.rss()
    with Session(f.socket) as s:
        s.begin()
        s.mail()
        s.rcpt()
        s.data()
        s.eoh()
        chunk = b'z' * 65535
        for _ in range(500):
            if s.body(chunk) == SKIP:
                break
        grown = f.rss() - before
        yield from accepted(s.eom())
    if grown > 8192 and not SANITIZED:
        yield '%d KiB more for a body of 32 MB' % grown


def tiny_pieces(f):
    """Every byte a write of its own; every byte of a body a chunk."""
    with Session(f.socket) as s:
        whole = packet.negotiation() + packet.connection(
            'h', '2001:db8::1') + packet.packet(HELO, b'h\0')
        for i in range(len(whole)):
            s.send(whole[i:i + 1])
        s.understand(s.reply()[1])
        for c in CONNECT, HELO:
            if not s.steps & packet.NR[c]:
                s.reply()
        s.mail()
        s.rcpt()
        s.data()
        s.eoh()
        for _ in range(3000):
            s.body(b'z')
        yield from accepted(s.eom())


def odd_sessions():
    """(name, bytes after the negotiation) that no MTA would send."""
    m = packet.packet
    yield 'nothing known', m(CONNECT, b'\0U')
    yield 'no family', m(CONNECT, b'host\0')
    yield 'empty', m(CONNECT)
    yield 'no zero', m(CONNECT, b'host')
    yield 'a unix peer', m(CONNECT, b'h\0L' + struct.pack('!H', 0) + b'/x\0')
    yield 'no address', m(CONNECT, b'h\x004' + struct.pack('!H', 1) +
                          b'nonsense\0')
    yield 'v6 as v4', m(CONNECT, b'h\x004' + struct.pack('!H', 1) +
                        b'2001:db8::1\0')
    yield 'another family', m(CONNECT, b'h\0?' + struct.pack('!H', 1) + b'\0')
    for c in (HELO, MAIL, RCPT, HEADER, MACRO, UNKNOWN, BODY, EOH, DATA,
              BODYEOB, OPTNEG):
        yield 'empty %s' % c.decode(), m(c)
        yield 'without zero %s' % c.decode(), m(c, b'x')
        yield 'zeros %s' % c.decode(), m(c, b'\0' * 50)
    yield 'macro of nothing', m(MACRO, b'?' + packet.strings(b'i', b'1'))
    yield 'odd macros', m(MACRO, b'M' + packet.strings(b'i', b'1', b'j'))
    yield 'macro without end', m(MACRO, b'Mi\0xx')
    yield 'header without a name', m(HEADER, b'\0 x\0')
    yield 'header without value', m(HEADER, b'Subject\0')
    yield 'MAIL that is none', m(MAIL, packet.strings(b'', b'SIZE='))
    yield 'SIZE of nonsense', m(MAIL, packet.strings(
        b'<a@b>', b'SIZE=99999999999999999999999', b'SIZE=-1', b'SIZE=x'))
    yield 'unknown letter', m(b'?', b'xyz')
    yield 'no letter', packet.number(0)
    yield 'too long', packet.number(0xffffffff) + b'L' + b'x' * 1000
    yield 'a little too long', packet.number(1 << 21) + b'L' + b'x' * 70000
    yield 'a negative length', packet.number(0x80000000) + b'L'
    yield 'HTTP', b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
    yield 'another negotiation', packet.negotiation()


def odd(f):
    """Each at each stage; what is answered does not matter."""
    for i, (_, what) in enumerate(odd_sessions()):
        for stage in (None, *STAGES[i % 2::2]):
            try:
                with Session(f.socket, 5) as s:
                    if stage is not None:
                        upto(s, stage)
                    s.send(what)
                    s.abort()
                    s.quit()
            except GONE:
                pass


def negotiations(f):
    """What is offered in vain, and what cannot do."""
    for version, actions, steps in ((2, 0x3f, 0x7f), (6, 0, 0), (0, 0, 0),
                                    (99, ALL_ACTIONS, packet.POSTFIX_STEPS),
                                    (6, 0xffffffff, 0xffffffff),
                                    (6, ALL_ACTIONS, 0),
                                    (6, 0x100, packet.POSTFIX_STEPS)):
        try:
            with Session(f.socket, 5) as s:
                said = s.negotiate(version=version, actions=actions,
                                   steps=steps)
                if said == OPTNEG and s.actions & ~actions:
                    yield 'asks for %x of %x' % (s.actions, actions)
                if said == OPTNEG and s.steps & ~steps:
                    yield 'asks for steps %x of %x' % (s.steps, steps)
                if actions == 0 and said not in (REJECT, OPTNEG):
                    yield 'said %r without any action' % said
        except GONE:
            pass


def no_macros(f):
    """An MTA that tells nothing."""
    with Session(f.socket) as s:
        s.macros = lambda *_: None
        yield from accepted(s.begin().message())
    with Session(f.socket) as s:
        s.negotiate()
        s.send(packet.packet(CONNECT, b'localhost\0U'))
        if not s.steps & packet.NR[CONNECT]:
            s.answer()
        yield from accepted(s.message())


def tls_again(f):
    """HELO, STARTTLS, HELO, and again without: an ABORT is between them."""
    with Session(f.socket) as s:
        s.negotiate()
        s.connect()
        for words in ({}, TLS, {}, TLS):
            s.helo('a.example.net', words)
            yield from accepted(s.message())
            s.abort()


def some_bytes(r):
    return bytes(r.randrange(256) for _ in range(r.randrange(40)))


def random_step(r):
    """A legal packet, some bytes, or a packet with some bytes."""
    c = r.choice((CONNECT, HELO, MAIL, RCPT, DATA, HEADER, EOH, BODY, BODYEOB,
                  packet.ABORT, MACRO, UNKNOWN, QUIT, QUIT_NC, OPTNEG))
    if r.random() < 0.15:
        return packet.packet(c, some_bytes(r))
    return {
        CONNECT: packet.connection('h', '192.0.2.9'),
        HELO: packet.packet(c, b'helo\0'),
        MAIL: packet.packet(c, b'<bob@example.net>\0SIZE=5\0'),
        RCPT: packet.packet(c, b'<alice@example.com>\0'),
        HEADER: packet.packet(c, b'Subject\0 x\0'),
        BODY: packet.packet(c, b'body\r\n'),
        UNKNOWN: packet.packet(c, b'NOOP\0'),
        MACRO: packet.macros(r.choice((MAIL, RCPT, DATA, BODYEOB)),
                             {'i': 'Q1', '{auth_authen}': 'x'}),
        OPTNEG: packet.negotiation(),
    }.get(c, packet.packet(c))


def disorder(f):
    """Packets that are right, in no order, and never waited for."""
    r = random.Random(setting('SEED', 1))
    for _ in range(setting('ROUNDS', 400)):
        try:
            with Session(f.socket, 5) as s:
                if r.random() < 0.9:
                    s.negotiate()
                for _ in range(r.randrange(1, 30)):
                    s.send(random_step(r))
        except GONE:
            pass


def idle(f):
    """1,000 that are connected and silent, at one stage or another."""
    idlers = []
    try:
        for i in range(1000):
            s = Session(f.socket)
            idlers.append(s)
            if i % 3:
                upto(s, STAGES[i % len(STAGES)])
        with Session(f.socket) as s:
            yield from accepted(s.begin().message())
        for i in range(0, 1000, 300):
            idlers[i].negotiate()
    except GONE as e:
        yield 'after %d: %r' % (len(idlers), e)
    finally:
        for s in idlers:
            s.close()


def no_descriptors(f):
    """None left for accept(): who is connected goes on, and when there are
    some again, so do the others."""
    with Session(f.socket) as first:
        first.begin()
        waiting = [packet.dial(f.socket) for _ in range(60)]
        yield from accepted(first.message())
        for s in waiting:
            s.close()
        yield from accepted(first.message())
    with Session(f.socket) as s:
        yield from accepted(s.begin().message())


SCENES = (
    ('hangs up at every stage', hang_up),
    ('aborts at every stage and goes on', abort_and_go_on),
    ('several messages in a session', several),
    ('large and odd headers', headers),
    ('zeros', zeros),
    ('20,000 recipients', recipients),
    ('a body of 32 MB', large_body),
    ('single bytes', tiny_pieces),
    ('packets that are none', odd),
    ('negotiations', negotiations),
    ('no macros', no_macros),
    ('TLS begins and ends', tls_again),
    ('no order', disorder),
    ('1,000 idle connections', idle),
)


def play(scene, f, bystander):
    try:
        yield from scene(f) or ()
    except GONE as e:
        yield 'the milter hung up: %r' % e
    yield from bystander.problems()


def all_scenes(f):
    bystander = Bystander(f)
    for name, scene in SCENES:
        check(name, play(scene, f, bystander))
    bystander.session.close()


def grown(f, before):
    """The second time costs no memory and no descriptor more."""
    if not SANITIZED and f.rss() > before[0] + 8192:
        yield 'memory grew from %d to %d KiB' % (before[0], f.rss())
    if not before[1]:
        print('# only root sees descriptors')
    elif not wait_for(lambda: f.descriptors() <= before[1]):
        yield 'descriptors grew from %d to %d' % (before[1], f.descriptors())


def while_it_loads(f):
    """The socket is open and a long document is being read: none of the
    signals may end it as one that nobody took."""
    f.stop()
    f.put({'long.json': b' ' * 30000000 + json.dumps({
        'RuleSetName': 'long', 'Rules': [{'Actions': [{'Drop': {}}]}]
    }).encode()})
    f.configure(ingress_points=[{'name': 'inbound', 'rule_set':
                                 f.document('long.json')}])
    for number in signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM:
        f.start()
        f.child.send_signal(number)
        if number != signal.SIGTERM:
            wait_for(lambda: not f.running() or f.reload() == 0)
        f.stop()
        yield from differs('exit code, signal %d' % number,
                           f.child.returncode, 0)


def main():
    with Place() as place:
        f = Filter(place, ingress_points=[{'name': 'inbound'}])
        all_scenes(f)
        before = f.rss(), f.settled()
        print('# %d KiB, %d descriptors' % before)
        bystander = Bystander(f)
        check('all again', (p for _, scene in SCENES
                            for p in play(scene, f, bystander)))
        bystander.session.close()
        check('nothing is kept', grown(f, before))
        check('ends well', f.ends())
        g = Filter(place, 'few', descriptors=40,
                   ingress_points=[{'name': 'inbound'}])
        check('no descriptors left for accept()', play(
            no_descriptors, g, Bystander(g)))
        check('ends well after that', g.ends())
        check('signals while it loads', while_it_loads(g))
    done()


main()

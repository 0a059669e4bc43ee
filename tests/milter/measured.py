#!/usr/bin/python3
"""What was measured before this program was written stays true of it: how
large a header Postfix hands over, that slow messages do not hold up others,
and what becomes of a message when the milter is stopped at its end.

As root; needs Postfix.
"""

import signal
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True

import packet                                               # noqa: E402
from filter import Filter                                   # noqa: E402
from mta import Session                                     # noqa: E402
from postfix import Postfix                                 # noqa: E402
from smtp import crlf, dots                                 # noqa: E402
from stage import (Place, check, differs, done, need, rule,
                   wait_for)                                # noqa: E402

HEAD = b'From: bob@example.net\r\nSubject: Hello\r\n'
SLOW, FAST, MESSAGES = 30, 20, 300


def nullmilter(place):
    path = place.path('null')
    place.start([rule.built('tests/bench/nullmilter'), 'unix:' + path],
                place.path('null.log'))
    if not wait_for(lambda: packet.listens(path)):
        raise RuntimeError('nullmilter does not start')
    rule.output('chmod', '777', path)
    return 'unix:' + path


class Scene:
    def __init__(self, place):
        self.filter = Filter(place, trusted_networks=[],
                             ingress_points=[{'name': 'inbound'}], drain=120)
        self.postfix = Postfix(place, listeners={
            'mx': {'smtpd_milters': self.filter.socket},
            'null': {'smtpd_milters': nullmilter(place)}, 'bare': {}})

    def send(self, listener, mail):
        self.postfix.forget()
        with self.postfix.client(listener) as c:
            c.sure('EHLO client.example.net')
            said = c.mail(mail)[1]
            again = c.mail(crlf(b'Subject: next\n\nx\n'))[1]
            c.quit()
        self.postfix.idle()
        found = [m for m in self.postfix.mails() if b'Subject: next' not in m]
        return (said[0], again[0]), found[0] if found else b''


def large_header(scene):
    """Postfix cuts it when there is any milter; it cuts no more for us."""
    body = b'\r\nThe body.\r\n'
    for size in 50000, 90000, 102000:
        mail = HEAD + b'X-Big: ' + b'v' * size + b'\r\n' + body
        sizes = {}
        for listener in 'bare', 'null', 'mx':
            codes, got = scene.send(listener, mail)
            yield from differs('%s, %d' % (listener, size), codes, (250, 250))
            sizes[listener] = got.count(b'v' * 1000)
            if b'The body.' not in got:
                yield '%s: the body is gone' % listener
        print('# %d bytes: %s thousand arrive' % (size, sizes))
        yield from differs('%d bytes' % size, sizes['mx'], sizes['null'])


# --- slow beside fast ------------------------------------------------------

def blocked(f):
    """A message whose changes nobody reads: its end takes as long as we
    like."""
    s = Session(f.socket, 120)
    s.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.begin()
    s.mail()
    s.rcpt()
    s.data()
    for _ in range(4000):
        s.header(b'X-FallbackMX', b' forged')
    s.eoh()
    s.macros(packet.BODYEOB, {'i': '4XyZ'})
    s.send(packet.packet(packet.BODYEOB))
    return s


def halfway(postfix):
    """A client that stops in the middle of its mail."""
    c = postfix.client()
    c.sure('EHLO client.example.net')
    c.sure('MAIL FROM:<bob@example.net>')
    c.sure('RCPT TO:<alice@example.com>')
    c.sure('DATA')
    c.send(HEAD)
    return c


def fast(postfix, count, codes, seconds):
    with postfix.client() as c:
        c.sure('EHLO client.example.net')
        for _ in range(count):
            began = time.monotonic()
            codes.append(c.mail(HEAD + b'\r\nHello.\r\n')[1][0])
            seconds.append(time.monotonic() - began)
        c.quit()


def slow_and_fast(scene):
    """Some clients stop in their mails, others never read what we answer;
    the rest is served, and all of them in the end."""
    slow = [halfway(scene.postfix) for _ in range(SLOW)]
    ends = [blocked(scene.filter) for _ in range(SLOW)]
    codes, seconds = [], []
    threads = [threading.Thread(target=fast, args=(
        scene.postfix, MESSAGES // FAST, codes, seconds))
        for _ in range(FAST)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    seconds.sort()
    print('# fast beside %d slow: median %.0f ms, p99 %.0f ms' % (
        2 * SLOW, seconds[len(seconds) // 2] * 1000,
        seconds[len(seconds) * 99 // 100] * 1000))
    yield from differs('fast ones', codes, [250] * MESSAGES)
    for c in slow:
        c.send(dots(b'\r\nx\r\n'))
        yield from differs('a slow one', c.answer()[0], 250)
        c.quit()
    for s in ends:
        command, data = packet.CHGHEADER, b''
        while command in packet.EDITS:
            command, data = s.reply()
        if command not in (packet.ACCEPT, packet.CONTINUE):
            yield 'a blocked one was answered %r %r' % (command, data)
        s.close()
    yield from scene.postfix.complaints()


# --- stopped ---------------------------------------------------------------

def stopped(scene):
    """Who is in the middle ends it, who comes is asked to come again, and
    the process waits for the first and ends."""
    first, second = halfway(scene.postfix), scene.postfix.client()
    second.sure('EHLO client.example.net')
    scene.filter.child.send_signal(signal.SIGTERM)
    if not wait_for(lambda: 'stopping; 1 messages' in scene.filter.logged()):
        yield 'it does not say that it stops: %s' % scene.filter.logged()[-300:]
    said = second.say('MAIL FROM:<bob@example.net>')
    if said[0] == 250:
        said = second.say('RCPT TO:<alice@example.com>')
    yield from differs('a new one', said[0] // 100, 4)
    if scene.filter.child.poll() is not None:
        yield 'it did not wait for the message'
    first.send(dots(b'\r\nx\r\n'))
    yield from differs('the one in the middle', first.answer()[0], 250)
    first.close()
    second.close()
    yield from differs('exit code', scene.filter.child.wait(180), 0)


def stopped_at_the_end(scene):
    """The last line of the mail and the signal together."""
    for i in range(8):
        scene.filter.start()
        scene.postfix.forget()
        c = halfway(scene.postfix)
        scene.filter.child.send_signal(signal.SIGTERM)
        time.sleep(i / 500)
        c.send(dots(b'\r\nx\r\n'))
        code = c.answer()[0]
        c.close()
        yield from differs('exit code', scene.filter.child.wait(180), 0)
        scene.postfix.idle()
        yield from differs('answered %d, delivered' % code,
                           len(scene.postfix.mails()), int(code == 250))
        if code // 100 not in (2, 4):
            yield 'answered %d' % code


def main():
    need('openssl')
    with Place() as place:
        scene = Scene(place)
        check('large headers', large_header(scene))
        check('slow beside fast', slow_and_fast(scene))
        check('stopped in the middle of a message', stopped(scene))
        check('stopped at the end of a message', stopped_at_the_end(scene))
        scene.filter.start()
        check('ends well', scene.filter.ends())
    done()


main()

#!/usr/bin/python3
"""More messages than are judged at once: who waits is kept alive, is told to
come again after `wait` seconds, and nothing is lost. As root; needs Postfix.
"""

import sys
import threading

sys.dont_write_bytecode = True

from filter import Filter                                   # noqa: E402
from mta import Session                                     # noqa: E402
from postfix import Postfix                                 # noqa: E402
from stage import (Place, check, differs, done, need,
                   wait_for)                                # noqa: E402

MAIL = b'From: bob@example.net\r\nSubject: %s\r\n\r\nHello.\r\n'
WAIT = 12               # the milter's, in seconds
PATIENCE = 8            # Postfix's, if it does not hear that the milter lives
HELD = 2 * WAIT         # how long the one place is taken, at least
WAITING = 3

# What one message may cost is bounded, so many come one behind the other. All
# expressions are at their limit in each field.
RULES = {'RuleSetName': 'slow', 'Rules': [{
    'Name': 'slow-%d' % i, 'Unless': [{'HeaderExpression': {
        'Evaluate': {'HeaderName': 'X-Slow'}, 'Operator': 'MATCHES',
        'Values': ['^(a|aa)+%d-%d-%d$' % (i, k, v) for v in range(10)]}}
        for k in range(10)],
    'Actions': [{'AddHeader': {'HeaderName': 'X-Seen',
                               'HeaderValue': 'yes'}}]} for i in range(40)]}


class Slow:
    """A message at its end, from an MTA that waits as long as it takes."""

    def __init__(self, f):
        self.s = Session(f.socket, timeout=600)
        self.s.begin()
        self.s.mail()
        self.s.rcpt()
        self.s.data()
        for _ in range(300):
            self.s.header(b'X-Slow', b'a' * 60 + b'!')
        self.s.eoh()
        self.s.end()

    def answer(self):
        answer = self.s.ended()[1]
        self.s.close()
        return answer


def seconds(f):
    """What one of them takes here at least: the processor's time, as what the
    clock shows is also that of whoever else runs."""
    spent = [f.cpu()]
    for _ in range(3):
        Slow(f).answer()
        spent.append(f.cpu())
    return max(min(b - a for a, b in zip(spent, spent[1:])), 0.05)


def send(postfix, name, said):
    with postfix.client() as c:
        c.sure('EHLO localhost')
        said[name] = c.mail(MAIL % name.encode())[1]
        c.quit()


def subjects(postfix):
    postfix.idle()
    found = sorted(line[9:].decode() for m in postfix.mails() for line in
                   m.splitlines() if line.startswith(b'Subject: '))
    postfix.forget()
    return found


def failures(f):
    return sum(v for k, v in f.metrics().items() if k.startswith(
        'fallbackmx_failures_total{') and 'class="overload"' in k)


def overload(f, postfix, settings):
    said, names = {}, ['waits-%d' % i for i in range(WAITING)]
    # They wait as their configuration says, those behind them as the next.
    queue = [Slow(f) for _ in range(int(HELD / seconds(f)) + 2)]
    f.configure(**{**settings, 'wait': WAIT})
    yield from differs('reload', f.reload(), 0)
    clients = [threading.Thread(target=send, args=(postfix, n, said))
               for n in names]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    for n in names:
        code, words = said.get(n, (0, 'nothing'))
        if code != 451 or not words.startswith('4.3.2'):
            yield '%s: %d %s' % (n, code, words)
    yield from differs('delivered', subjects(postfix), [])
    yield from differs('who came before', {q.answer() for q in queue}, {b'c'})
    lines = [x for x in f.messages() if x.get('failure') == 'overload']
    yield from differs('told', [x['code'] for x in lines], ['451'] * WAITING)
    # They come again, and get through.
    for n in names:
        send(postfix, n, said)
    yield from differs('again', [said[n][0] for n in names], [250] * WAITING)
    yield from differs('delivered then', subjects(postfix), names)
    if not wait_for(lambda: failures(f) == WAITING, every=0.2):
        yield 'counted %d' % failures(f)


def main():
    need()
    with Place() as place:
        settings = {'concurrency': 1, 'wait': 600, 'ingress_points': [
            {'name': 'inbound',
             'rule_set': place.path('filter', 'rules.json')}],
            'trusted_networks': ['192.0.2.99']}
        f = Filter(place, files={'rules.json': RULES}, **settings)
        postfix = Postfix(place, smtpd_milters=f.socket,
                          milter_content_timeout='%ds' % PATIENCE)
        check('one place, and it is taken', overload(f, postfix, settings))
        check('ends well', f.ends())
    done()


main()

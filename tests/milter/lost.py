#!/usr/bin/python3
"""Never lost: the milter is killed before, in and after every callback,
stopped, and reloaded with bad files while mail comes in. What was answered 250
is delivered exactly once and tagged; everything else was answered 4xx and is
not delivered.

	MESSAGES=400	at least so many under load
	SEED=1

As root; needs Postfix.
"""

import random
import re
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True

from filter import Filter                                   # noqa: E402
from postfix import Postfix                                 # noqa: E402
from smtp import Hung, dots                                 # noqa: E402
from stage import (Place, check, differs, done, need, setting,
                   wait_for)                                # noqa: E402

RULES = {'RuleSetName': 'all', 'Rules': [{'Name': 'all', 'Actions': [
    {'AddHeader': {'HeaderName': 'X-Added', 'HeaderValue': 'yes'}}]}]}
TRAFFIC = {'TrafficPolicyName': 'all', 'DefaultAction': 'ALLOW',
           'PolicyStatements': []}
BAD = ('', '{', '[]', '{"milter": {}', '{"milter": {"socket": 7}}',
       '{"milter": {"ingress_points": [{"name": "inbound", '
       '"rule_set": "/none"}]}}',
       '\0' * 100)
STEPS = ('connect', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'head', 'body', 'end')


class Book:
    """What was answered to each mail."""

    def __init__(self):
        self.lock, self.answers, self.last = threading.Lock(), {}, 0

    def new(self):
        with self.lock:
            self.last += 1
            self.answers['m%06d' % self.last] = None
            return 'm%06d' % self.last

    def note(self, name, said):
        with self.lock:
            self.answers[name] = said

    def count(self):
        return len(self.answers)

    def accepted(self):
        return sum(1 for a in self.answers.values() if a and a[0] == 250)


def letter(name):
    head = ('From: bob@example.net\r\nTo: alice@example.com\r\n'
            'Subject: %s\r\nX-FallbackMX: forged\r\n' % name)
    return head.encode(), b'\r\n' + b'Text of it.\r\n' * 300


def steps(postfix, book, pause):
    """One mail, step by step; pause(step, do) does each."""
    name = book.new()
    head, body = letter(name)
    whole = dots(head + body)
    half = len(head)
    said = (0, '')
    try:
        c = pause('connect', postfix.client)
        with c:
            said = pause('EHLO', lambda: c.say('EHLO client.example.net'))
            for word, line in (('MAIL', 'MAIL FROM:<bob@example.net>'),
                               ('RCPT', 'RCPT TO:<alice@example.com>'),
                               ('DATA', 'DATA')):
                said = pause(word, lambda line=line: c.say(line))
                if said[0] not in (250, 354):
                    break
            else:
                pause('head', lambda: c.send(whole[:half]))
                pause('body', lambda: c.send(whole[half:-3]))
                c.send(whole[-3:])
                said = pause('end', c.answer)
    except (Hung, OSError, ValueError) as e:
        said = (421, str(e))
    book.note(name, said)
    return said


def judge(postfix, book):
    """The books beside the mailbox."""
    if not postfix.idle():
        yield 'the queue does not get empty'
    found = {}
    for mail in postfix.mails():
        head = mail.split(b'\n\n')[0].decode()
        name = re.search(r'^Subject: (.*)$', head, re.M).group(1)
        found[name] = found.get(name, 0) + 1
        if len(re.findall('(?mi)^X-FallbackMX: route=direct', head)) != 1 or \
                'forged' in head or 'X-Added: yes' not in head:
            yield '%s came without us: %r' % (name, head)
        if len(mail) < 3600:
            yield '%s has only %d bytes' % (name, len(mail))
    for name, said in book.answers.items():
        wanted = 1 if said and said[0] == 250 else 0
        if found.pop(name, 0) != wanted:
            yield '%s was answered %s and delivered %d times' % (
                name, said, 1 - wanted)
        if not said or said[0] // 100 not in (2, 4):
            yield '%s was answered %s' % (name, said)
    for name in found:
        yield '%s was delivered, and nobody sent it' % name


class Scene:
    def __init__(self, place):
        self.files = {'rules.json': RULES, 'traffic.json': TRAFFIC}
        self.settings = {'trusted_networks': [], 'ingress_points': [
            {'name': 'inbound', 'rule_set': place.path('filter/rules.json'),
             'traffic_policy': place.path('filter/traffic.json')}]}
        self.filter = Filter(place, files=self.files, **self.settings)
        self.postfix = Postfix(place, smtpd_milters=self.filter.socket)
        self.ends = []

    def again(self, number):
        """Ends it with this signal and starts it again."""
        self.filter.stop(number)
        if number != signal.SIGKILL:
            self.ends.append(self.filter.child.returncode)
        self.filter.start()

    def bad(self, r):
        """A file that is no good, a reload, and the good one again; -1: it
        was taken."""
        name = r.choice(('fallbackmx.json', 'rules.json', 'traffic.json'))
        self.filter.put({name: r.choice(BAD) if name == 'fallbackmx.json'
                         else r.choice(BAD[:4])})
        code = self.filter.tell('reload')[0] if r.random() < 0.5 else \
            self.filter.child.send_signal(signal.SIGUSR1)
        self.filter.put(self.files)
        self.filter.configure(**self.settings)
        return code


# --- at every callback -----------------------------------------------------

def kill_before(scene, step):
    """The packet of this step lies in its socket when it dies."""
    def pause(now, do):
        if now != step:
            return do()
        scene.filter.child.send_signal(signal.SIGSTOP)
        killer = threading.Timer(0.05, lambda: scene.filter.child.kill())
        killer.start()
        try:
            return do()
        finally:
            killer.join()
    return pause


def kill_behind(scene, step):
    """It has answered this step."""
    def pause(now, do):
        said = do()
        if now == step:
            scene.filter.child.kill()
            scene.filter.child.wait()
        return said
    return pause


def kill_in(scene, step, seconds):
    """While it answers, more or less."""
    def pause(now, do):
        if now != step:
            return do()
        killer = threading.Timer(seconds, lambda: scene.filter.child.kill())
        killer.start()
        try:
            return do()
        finally:
            killer.join()
    return pause


def at_every_callback(scene, book):
    for step in STEPS:
        for pause in (kill_before(scene, step), kill_behind(scene, step),
                      *(kill_in(scene, step, s / 5000) for s in range(4))):
            steps(scene.postfix, book, pause)
            if not wait_for(lambda: not scene.filter.running()):
                yield '%s was never reached' % step
            scene.again(signal.SIGKILL)
            steps(scene.postfix, book, lambda _, do: do())
            if book.answers[max(book.answers)][0] != 250:
                yield 'not taken again after %s' % step
    yield from judge(scene.postfix, book)


# --- under load ------------------------------------------------------------

def customer(scene, book, r, ends):
    """Sends one mail after the other, some slowly."""
    def pause(step, do):
        if r.random() < 0.05:
            time.sleep(r.random() * 0.1)
        return do()
    while not ends.is_set():
        if steps(scene.postfix, book, pause)[0] != 250:
            time.sleep(0.05)


def trouble(scene, r, counts):
    """One of what can happen."""
    what = r.choice(('kill', 'stop', 'bad', 'bad', 'bad', 'good', 'good'))
    counts[what] = counts.get(what, 0) + 1
    if what == 'kill':
        scene.again(signal.SIGKILL)
    elif what == 'stop':
        scene.again(signal.SIGTERM)
    elif what == 'good':
        if scene.filter.reload() != 0:
            yield 'a good configuration was refused: %s' % (
                scene.filter.logged()[-1000:])
    elif scene.bad(r) == 0:
        yield 'a bad configuration was taken'


def under_load(scene, book, messages, seed):
    r, ends, counts = random.Random(seed), threading.Event(), {}
    customers = [threading.Thread(target=customer, args=(
        scene, book, random.Random('%d %d' % (seed, i)), ends))
        for i in range(8)]
    for t in customers:
        t.start()
    try:
        while book.count() < messages or book.accepted() < messages // 4:
            taken = book.accepted()
            time.sleep(r.random() * 0.3)
            yield from trouble(scene, r, counts)
            # However slow it is here: some mail comes through.
            if not wait_for(lambda: book.accepted() > taken, 300):
                yield 'nothing is taken any more'
                break
    finally:
        ends.set()
        for t in customers:
            t.join()
    print('# %s' % ', '.join('%s %d' % x for x in sorted(counts.items())))
    yield from differs('exit codes', set(scene.ends) - {0}, set())
    yield from judge(scene.postfix, book)


def told(book):
    codes = {}
    for said in book.answers.values():
        codes[said[0]] = codes.get(said[0], 0) + 1
    print('# %d messages: %s' % (book.count(), ', '.join(
        '%d %d' % x for x in sorted(codes.items()))))


def main():
    need('openssl')
    with Place() as place:
        scene = Scene(place)
        book = Book()
        check('killed at every callback', at_every_callback(scene, book))
        told(book)
        scene.postfix.forget()
        book = Book()
        check('under load', under_load(scene, book, setting('MESSAGES', 400),
                                       setting('SEED', 1)))
        told(book)
        check('ends well', scene.filter.ends())
    done()


main()

#!/usr/bin/python3
"""The archive, by a real Postfix: what a rule archives is there before the 250,
with its bytes (a DKIM signature still holds) and its envelope; also when the
rules then throw the mail away, change or refuse it; a full disk is a 452; the
milter is killed at random and every 250 has its copy.

	MESSAGES=400	at least so many while it is killed
	SEED=1

As root; needs Postfix and OpenDKIM.
"""

import grp
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

import openers                                              # noqa: E402
from filter import CLIENT, Filter                           # noqa: E402
from mta import Session                                     # noqa: E402
from packet import ACCEPT, CONTINUE                         # noqa: E402
from postfix import Postfix                                 # noqa: E402
from smtp import Hung, crlf                                 # noqa: E402
from stage import (NOBODY, Place, check, differs, done, need, setting,
                   wait_for)                                # noqa: E402

HEAD = b'From: bob@example.net\nTo: alice@example.com\nSubject: %s\n' \
    b'Date: Sat, 1 Jun 2024 10:00:00 +0000\nMessage-ID: <%s@example.net>\n'
FULL = 1048576      # MiB that no disk here has


def to(address):
    return [{'StringExpression': {
        'Evaluate': {'Attribute': 'RECIPIENT'}, 'Operator': 'CONTAINS',
        'Values': [address]}}]


def archives(name, target, *more):
    return {'Name': name, 'Conditions': to(name + '@'), 'Actions': [
        {'Archive': {'TargetArchive': target}}, *more]}


RULES = {'RuleSetName': 'keeps', 'Rules': [
    archives('alice', 'a-main', {'AddHeader': {
        'HeaderName': 'X-Added', 'HeaderValue': 'yes'}}),
    archives('drop', 'a-main', {'Drop': {}}),
    archives('reject', 'a-main', {'Reject': {}}),
    archives('later', 'a-main', {'TempFail': {}}),
    archives('two', 'a-main', {'Archive': {'TargetArchive': 'a-second'}}),
    archives('try', 'a-best')]}
TARGETS = [{'target': 'a-main', 'action': 'carry', 'archive': 'main'},
           {'target': 'a-second', 'action': 'carry'},
           {'target': 'a-best', 'action': 'carry', 'archive': 'main',
            'storage': 'best-effort'}]


def mail(name, body=b'\nText.\n', head=HEAD):
    name = name.encode()
    return crlf(head % (name, name) + body)


# name: body with its empty line, None: none
BODIES = {
    'plain': b'\nHello.\n',
    '8 bits': b'\nGr\xfc\xdfe, \xe2\x82\xac, \xff\x80.\n',
    'long lines': b'\n' + b'long ' * 5000 + b'\n' + b'x' * 998 + b'\n',
    'no body': b'\n',
    'no empty line': b'',
    'empty lines': b'\n\n\nx\n\n\n',
    'dots': b'\n.\n..\n.x\n...\n',
    'just below the file': b'\n' + b'0123456789abcdef' * 63 * 260 + b'\n',
    '40 MB': b'\n' + b''.join(b'%070d\n' % i for i in range(560000)),
}
# The group of the archives; the milter is no member.
READERS = grp.getgrnam('mail').gr_gid
# Fields more.
HEADS = {
    '8 bits in a field': b'X-More: Gr\xfc\xdfe \xff\x80\n',
    'folds': b'X-More: a\n\tb\n  c \n\t \nX-Empty:\nX-Blank: \nX-None:x\n',
    'a long field': b'X-More: ' + b'0123456789abcdef' * 300 + b'\n',
    'a hundred fields': b''.join(b'X-%d:  %d\n' % (i, i) for i in range(100)),
}


class Scene:
    def __init__(self, place):
        self.place = place
        self.where = place.folder('archives', NOBODY, 0o700)
        os.chown(self.where, -1, READERS)
        os.chmod(self.where, 0o2750)
        self.filter = Filter(place, files={'rules.json': RULES},
                             **self.settings())
        self.postfix = Postfix(place, smtpd_milters=self.filter.socket)
        self.judge = None

    def settings(self, **archive):
        return {'targets': TARGETS,
                'archive': {'directory': self.where, 'free': 1, **archive},
                'ingress_points': [{
                    'name': 'inbound', 'rule_set': self.place.path(
                        'filter/rules.json')}]}

    def reload(self, **archive):
        self.filter.configure(**self.settings(**archive))
        return self.filter.reload()

    def send(self, whole, *rcpts, extra=' BODY=8BITMIME'):
        with self.postfix.client() as c:
            c.sure('EHLO localhost')
            c.sure('XCLIENT ADDR=192.0.2.1 NAME=client.example.net')
            c.sure('EHLO client.example.net')
            said = c.mail(whole, rcpts or ('alice@example.com',),
                          extra=extra)[1]
            c.quit()
        return said

    def archive(self, *words):
        return subprocess.run(
            [CLIENT, 'archive', words[0], '--archive', self.where, *words[1:]],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)

    def records(self, archive='main'):
        """JSON of all messages."""
        if not os.path.isdir(os.path.join(self.where, archive)):
            return []
        r = subprocess.run(
            [CLIENT, 'archive', 'list', '--json', '--archive',
             os.path.join(self.where, archive)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        return [json.loads(x) for x in r.stdout.splitlines()]

    def last(self, archive='main'):
        return self.records(archive)[-1]

    def bytes_of(self, record, archive='main'):
        r = self.archive('cat', archive + '/' + record['id'].split('/')[-1]) \
            if len(os.listdir(self.where)) > 1 else \
            self.archive('cat', record['id'].split('/')[-1])
        if r.returncode != 0:
            raise AssertionError(r.stderr.decode())
        return r.stdout

    def verifies(self, whole):
        """What OpenDKIM says of these bytes when they come to a Postfix."""
        if self.judge is None:
            self.judge = Postfix(
                self.place, 'judge', smtp_line_length_limit='0',
                smtpd_milters=openers.OpenDKIM(self.place).socket)
        self.judge.forget()
        with self.judge.client() as c:
            c.sure('EHLO localhost')
            c.mail(whole, extra=' BODY=8BITMIME')
            c.quit()
        self.judge.idle()
        got = self.judge.mails()[0]
        return re.findall(rb'^Authentication-Results: mx\.example\.com;'
                          rb'\s+dkim=(\w+)', got, re.M)


def keeps_bytes(scene, name, body, more=b''):
    whole = openers.sign(scene.place, mail(name, body, HEAD + more), [
        'from', 'to', 'subject', 'date', 'message-id'] + ['x-more'] * (
            b'X-More' in more))
    yield from differs('answer', scene.send(whole)[0], 250)
    kept = scene.bytes_of(scene.last())
    sent = whole if b'\r\n\r\n' in whole else whole + b'\r\n'
    # Postfix takes a mail without an empty line for one without a body.
    if kept != sent:
        at = next((i for i, (a, b) in enumerate(zip(kept, sent)) if a != b),
                  min(len(kept), len(sent)))
        yield '%d bytes instead of %d, %r instead of %r' % (
            len(kept), len(sent), kept[at - 20:at + 40], sent[at - 20:at + 40])
    yield from differs('DKIM', scene.verifies(kept), [b'pass'])


def no_header(scene):
    """Nothing to sign: the bytes themselves."""
    for whole in b'\r\nText.\r\n', b'\r\n':
        yield from differs('answer', scene.send(whole)[0], 250)
        yield from differs('bytes', scene.bytes_of(scene.last()), whole)


def tells(scene):
    """What stands beside it."""
    scene.send(mail('envelope'), 'alice@example.com', 'Alice@Example.org',
               extra=' BODY=8BITMIME SIZE=1234')
    m = scene.last()['metadata']
    e = m['envelope']
    yield from differs('from', e['from']['address'], 'bob@example.net')
    yield from differs('parameters', 'SIZE=1234' in e['from']['parameters'],
                       True)
    yield from differs('recipients', [r['address'] for r in e['recipients']],
                       ['alice@example.com', 'Alice@Example.org'])
    yield from differs('client', m['client']['address'], '192.0.2.1')
    yield from differs('name', m['client'].get('name'), 'client.example.net')
    yield from differs('helo', m['helo'], 'client.example.net')
    yield from differs('rules', m['rules'], ['alice'])
    yield from differs('result', m['result'], 'accepted')
    yield from differs('trail', m['trail'][0],
                       'alice@example.com: rule alice: Archive, AddHeader')
    if not re.fullmatch(r'\w{5,}', m['queue_id']):
        yield 'queue id %r' % m['queue_id']


def finds(scene):
    """By texts that JSON cannot write as they are, too, which Postfix never
    says."""
    with Session(scene.filter.socket) as s:
        s.negotiate()
        s.connect()
        s.helo('he"lo\\.example')
        said = s.message()[1]
    yield from differs('answer', said in (CONTINUE, ACCEPT), True)
    there = scene.last()['id'].split('/')[-1]
    for words, count in (
            (('--client', 'HE"LO\\.'), 1), (('--client', 'he"lo.'), 0),
            (('--client', 'he"', '--envelope-to', 'ALICE@example'), 1),
            (('--client', 'he"', '--envelope-to', 'carol'), 0)):
        found = scene.archive('list', *words).stdout.decode().split('\n')[:-1]
        yield from differs(' '.join(words), [
            x.split()[0].split('/')[-1] for x in found], [there] * count)


def whatever_becomes(scene):
    """Archived first, then thrown away or refused; not when it comes again."""
    for who, code in ('drop', 250), ('reject', 550), ('later', 451):
        before = len(scene.records())
        said = scene.send(mail('for ' + who), who + '@example.com')
        yield from differs(who, said[0], code)
        yield from differs(who + ' archived', len(scene.records()) - before,
                           0 if who == 'later' else 1)
    before = len(scene.records())
    yield from differs('other', scene.send(mail('other'),
                                           'carol@example.com')[0], 250)
    yield from differs('not asked for', len(scene.records()) - before, 0)


def two(scene):
    yield from differs('answer', scene.send(mail('for two'),
                                            'two@example.com')[0], 250)
    for archive in 'main', 'a-second':
        x = scene.last(archive)
        if b'Subject: for two\r\n' not in scene.bytes_of(x, archive):
            yield 'not in ' + archive
    line = scene.filter.messages()[-1]
    yield from differs('log', len(line['archived']), 2)


def again(scene):
    """The bytes are kept once; each time it came is recorded."""
    before = len(scene.records())
    for _ in range(3):
        scene.send(mail('again'))
    new = scene.records()[before:]
    yield from differs('records', len(new), 3)
    yield from differs('stored', [x['type'] for x in new],
                       ['message', 'again', 'again'])


def full(scene):
    yield from differs('reload', scene.reload(free=FULL), 0)
    before = len(scene.records())
    for who in 'alice', 'drop', 'reject':
        yield from differs(who, scene.send(mail('full ' + who),
                                           who + '@example.com')[0], 452)
    scene.postfix.idle()
    scene.postfix.forget()
    yield from differs('best effort', scene.send(
        mail('full try'), 'try@example.com')[0], 250)
    scene.postfix.idle()
    got = scene.postfix.mails()
    yield from differs('delivered', len(got), 1)
    if b'failure=archive' not in got[0]:
        yield 'no word in the tag: %r' % got[0][:300]
    yield from differs('archived', len(scene.records()) - before, 0)
    yield from differs('reload', scene.reload(), 0)
    yield from differs('afterwards', scene.send(mail('not full'))[0], 250)


def readable(scene):
    """The group of the directory is handed down, and may read."""
    for name, mode in ('', 0o42750), ('main', 0o42750), \
            ('main/0000000001.segment', 0o100640):
        s = os.stat(os.path.join(scene.where, name))
        yield from differs(name, (oct(s.st_mode), s.st_gid),
                           (oct(mode), READERS))


def by_default(scene):
    """archive.default: all that is taken, without a rule."""
    yield from differs('reload', scene.reload(default='all'), 0)
    scene.send(mail('for carol'), 'carol@example.com')
    scene.send(mail('for reject'), 'reject@example.com')
    yield from differs('subjects', [
        b'for carol' in scene.bytes_of(x, 'all') for x in scene.records('all')],
        [True])
    yield from differs('counted', scene.filter.status()['counters'][
        'archived_total'] != [], True)
    yield from differs('reload', scene.reload(), 0)


def missing(scene):
    """A disk that is not mounted is no empty archive."""
    if scene.reload(directory='/nowhere') != 78:
        yield 'taken: ' + scene.filter.logged()[-500:]
    yield from differs('reload', scene.reload(), 0)


def customer(scene, r, ends, accepted, lock, count):
    while not ends.is_set():
        with lock:
            count[0] += 1
            name = 'k%06d' % count[0]
        try:
            body = b'\n' + b'Text of it.\n' * r.choice((3, 300, 30000))
            said = scene.send(mail(name, body))
        except (Hung, OSError, AssertionError, ValueError):
            said = (421, '')
        if said[0] == 250:
            with lock:
                accepted.append((name, len(body)))
        else:
            time.sleep(0.02)


def killed(scene, messages, seed):
    r, ends, lock = random.Random(seed), threading.Event(), threading.Lock()
    accepted, count, kills = [], [0], 0
    threads = [threading.Thread(target=customer, args=(
        scene, random.Random('%d %d' % (seed, i)), ends, accepted, lock,
        count)) for i in range(10)]
    for t in threads:
        t.start()
    while len(accepted) < messages:
        taken = len(accepted)
        time.sleep(r.random() * 0.4)
        scene.filter.stop(signal.SIGKILL)
        kills += 1
        scene.filter.start()
        # However slow it is here: some mail comes through.
        if not wait_for(lambda: len(accepted) > taken, 300):
            yield 'nothing is taken any more'
            break
    ends.set()
    for t in threads:
        t.join()
    yield from all_there(scene, accepted, kills)


def exported(scene):
    """{subject: bytes of the body}, from the mails themselves."""
    out = scene.place.path('exported')
    r = scene.archive('export', '--format', 'eml', '--output', out)
    if r.returncode != 0:
        raise AssertionError('export: ' + r.stderr.decode())
    found = {}
    for where, _, files in os.walk(out):
        for f in files:
            with open(os.path.join(where, f), 'rb') as g:
                text = g.read().replace(b'\r\n', b'\n')
            hit = re.search(rb'^Subject: (k\d+)$', text, re.M)
            if hit:
                found[hit.group(1).decode()] = len(
                    text.split(b'\n\n', 1)[1])
    return found


def all_there(scene, accepted, kills):
    found = exported(scene)
    lost = [n for n, size in accepted if found.get(n) != size - 1]
    print('# %d answered 250, %d kills, %d archived, %d missing' % (
        len(accepted), kills, len(found), len(lost)))
    if lost:
        yield 'without a copy: %s' % lost[:10]
    v = scene.archive('verify')
    if v.returncode != 0:
        yield 'verify: %s %s' % (v.stdout.decode()[-500:],
                                 v.stderr.decode()[-500:])


def main():
    need('opendkim', 'openssl')
    with Place() as place:
        scene = Scene(place)
        for name, body in BODIES.items():
            check('bytes: ' + name, keeps_bytes(scene, name, body))
        for name, more in HEADS.items():
            check('bytes: ' + name, keeps_bytes(scene, name, b'\nText.\n',
                                                more))
        check('bytes: no header', no_header(scene))
        for name, what in (('what stands beside it', tells),
                           ('found again', finds),
                           ('whatever becomes of it', whatever_becomes),
                           ('again', again), ('a full disk', full),
                           ('two archives', two), ('readers', readable),
                           ('default', by_default),
                           ('no directory', missing)):
            try:
                problems = list(what(scene))
            except Exception as e:
                problems = ['%s: %s' % (type(e).__name__, e)]
            check(name, problems)
        check('killed', killed(scene, setting('MESSAGES', 400),
                               setting('SEED', 1)))
        check('ends well', scene.filter.ends())
    done()


main()

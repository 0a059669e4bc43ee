#!/usr/bin/python3
"""Archives, by a made-up MTA: what a real one does not do on demand. A lock
that is held, a message that is too large, a connection that ends before the
answer, a reload in the middle, rules in shadow mode, what a stop leaves. No
root needed.
"""

import fcntl
import json
import os
import subprocess
import sys
import threading

sys.dont_write_bytecode = True

from filter import CLIENT, Filter                           # noqa: E402
from mta import Session                                     # noqa: E402
from packet import CONTINUE                                 # noqa: E402
from stage import (NOBODY, Place, check, differs, done,
                   wait_for)                                # noqa: E402

MIB = 1 << 20
PART = b'0123456789abcde\n' * 4095     # what libmilter takes at once


def archives(name, *targets):
    return {'Name': name, 'Conditions': [{'StringExpression': {
        'Evaluate': {'Attribute': 'RECIPIENT'}, 'Operator': 'CONTAINS',
        'Values': [name + '@']}}], 'Actions': [
            {'Archive': {'TargetArchive': t}} for t in targets]}


RULES = {'RuleSetName': 'keeps', 'Rules': [
    archives('alice', 'main'), archives('two', 'main', 'second'),
    archives('try', 'best')]}
SHADOW = {'RuleSetName': 'tries', 'Rules': [
    archives('alice', 'main', 'shadow')]}
TARGETS = [{'target': 'main', 'action': 'carry'},
           {'target': 'second', 'action': 'carry'},
           {'target': 'shadow', 'action': 'carry'},
           {'target': 'best', 'action': 'carry', 'archive': 'main',
            'storage': 'best-effort'}]


class Scene:
    def __init__(self, place):
        self.place = place
        self.where = place.folder('archives', NOBODY, 0o700)
        self.filter = Filter(place, files={'rules.json': RULES,
                                           'shadow.json': SHADOW},
                             **self.settings())

    def settings(self, rules='rules.json', mode='enforce', **archive):
        return {'targets': TARGETS,
                'archive': {'directory': self.where, 'free': 1, **archive},
                'ingress_points': [{
                    'name': 'inbound', 'rule_set': self.place.path(
                        'filter/' + rules), 'rule_set_mode': mode}]}

    def reload(self, **how):
        self.filter.configure(**self.settings(**how))
        return self.filter.reload()

    def archive(self, word, name, *words):
        return subprocess.run(
            [CLIENT, 'archive', word, '--archive',
             os.path.join(self.where, name), *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)

    def records(self, name='main'):
        return [json.loads(x) for x in self.archive(
            'list', name, '--json').stdout.splitlines()]

    def bytes_of(self, record, name='main'):
        return self.archive('cat', name, record['id']).stdout

    def session(self):
        return Session(self.filter.socket)


def send(s, who='alice', body=b'Hello.\r\n', subject=b' Hello', **how):
    """In an open session; the answer."""
    s.mail()
    s.rcpt(who + '@example.com')
    s.data(**how)
    s.header(b'Message-ID', b' <' + subject.strip() + b'@example.net>')
    s.header(b'Subject', subject)
    s.eoh()
    for at in range(0, len(body), len(PART)):
        s.body(body[at:at + len(PART)])
    return s.eom(**how)[1]


def at_the_same_time(scene):
    """The second archive does not wait for the first one."""
    with scene.session() as s:
        s.begin()
        yield from differs('answer', send(s, 'two', subject=b' 0'), CONTINUE)
        held = os.open(os.path.join(scene.where, 'main/lock'), os.O_RDWR)
        fcntl.flock(held, fcntl.LOCK_EX)
        said = []
        t = threading.Thread(target=lambda: said.append(
            send(s, 'two', subject=b' 1')))
        t.start()
        came = wait_for(lambda: len(scene.records('second')) == 2)
        first = len(scene.records())
        os.close(held)
        t.join()
    yield from differs('in the second', bool(came), True)
    yield from differs('in the first by then', first, 1)
    yield from differs('answer', said, [CONTINUE])
    yield from differs('at the end', len(scene.records()), 2)


def too_large(scene):
    """One that no archive takes is refused for good, and costs no room."""
    before = len(scene.records())
    body = PART * (130 * MIB // len(PART))
    with scene.session() as s:
        s.begin()
        said = send(s, body=body)
        if not isinstance(said, tuple) or \
                not said[1].startswith('552 5.3.4 '):
            yield 'answer %r' % (said,)
        yield from differs('best effort', send(s, 'try', body), CONTINUE)
        yield from differs('other', send(s), CONTINUE)
    line = scene.filter.messages()[-2]
    yield from differs('log', line.get('failure'), 'archive')
    yield from differs('archived', len(scene.records()) - before, 1)


def odd(scene):
    """NULs, no queue id, no empty body, a strange recipient."""
    body = b'a\0b\r\n\0\0\r\n'
    with scene.session() as s:
        s.begin()
        s.mail()
        s.ask(b'R', b'<@relay.example:alice@example.com>\0NOTIFY=NEVER\0')
        s.header(b'Subject', b' odd')
        s.eoh()
        s.body(body)
        s.send(b'\0\0\0\1E')
        while True:
            command, _ = s.reply()
            if command == CONTINUE:
                break
            if command not in (b'h', b'i'):
                yield 'answer %r' % command
                return
    last = scene.records()[-1]
    yield from differs('bytes', scene.bytes_of(last),
                       b'Subject: odd\r\n\r\n' + body)
    yield from differs('queue id', last['metadata'].get('queue_id'), None)
    yield from differs('envelope', last['metadata']['envelope'][
        'recipients'], [{'address': 'alice@example.com',
                         'written': '<@relay.example:alice@example.com>',
                         'parameters': ['NOTIFY=NEVER']}])


def answer_lost(scene):
    """What was archived and then not taken comes again: it is the same."""
    before = len(scene.records())
    for i in range(3):
        with scene.session() as s:
            s.begin()
            s.mail()
            s.rcpt('alice@example.com')
            s.data('4Q%d' % i)
            s.header(b'Received', b' by somebody')
            s.header(b'Subject', b' lost')
            s.eoh()
            s.body(b'Text.\r\n')
            if i == 2:
                s.eom('4Q2')
                continue
            s.send(b'\0\0\0\1E')    # and gone before anything is answered
            wait_for(lambda: len(scene.records()) == before + i + 1)
    new = scene.records()[before:]
    yield from differs('types', [x['type'] for x in new],
                       ['message', 'again', 'again'])
    yield from differs('queue ids', [x['metadata']['queue_id'] for x in new],
                       ['4Q0', '4Q1', '4Q2'])


def in_shadow(scene):
    """Nothing is archived, but what would have been is logged."""
    before = len(scene.records())
    yield from differs('reload', scene.reload(
        rules='shadow.json', mode='shadow'), 0)
    scene.filter.messages()
    with scene.session() as s:
        s.begin()
        yield from differs('answer', send(s), CONTINUE)
    line = scene.filter.messages()[-1]
    yield from differs('archived', len(scene.records()) - before, 0)
    yield from differs('made', os.path.isdir(os.path.join(
        scene.where, 'shadow')), False)
    if 'Archive' not in json.dumps(line.get('shadow_verdict')):
        yield 'no word of it: %r' % line
    yield from differs('reload', scene.reload(), 0)


def sender(scene, ends, taken, lock):
    with scene.session() as s:
        s.begin()
        while not ends.is_set():
            with lock:
                taken[0] += 1
                name = b' n%d' % taken[0]
            if send(s, subject=name, body=b'x' * 900) == CONTINUE:
                with lock:
                    taken[1].add(name.decode())


def reloads(scene):
    """Another archive of all mail, and another mark, while mail comes in: the
    same directory is written through two journals for a while."""
    ends, lock, taken = threading.Event(), threading.Lock(), [0, set()]
    threads = [threading.Thread(target=sender,
                                args=(scene, ends, taken, lock))
               for _ in range(8)]
    for t in threads:
        t.start()
    for i in range(12):
        yield from differs('reload', scene.reload(
            free=1 + i % 3, **({'default': 'rest'} if i % 2 else {})), 0)
    ends.set()
    for t in threads:
        t.join()
    out = scene.place.path('exported')
    scene.archive('export', 'main', '--format', 'mbox', '--output', out)
    with open(out) as f:
        kept = {x[8:-1] for x in f if x.startswith('Subject:')}
    print('# %d answered in 12 reloads' % len(taken[1]))
    yield from differs('missing', sorted(taken[1] - kept)[:5], [])
    for name in 'main', 'rest':
        r = scene.archive('verify', name)
        if r.returncode != 0:
            yield name + ': ' + r.stderr.decode()[-300:]


def sealed(scene):
    """A stop in order says where an archive ends: what is missing there later
    is damage, not an append that was not finished, though mail goes on."""
    with scene.session() as s:
        s.begin()
        yield from differs('answer', send(s, subject=b' last'), CONTINUE)
    scene.filter.stop()
    main = os.path.join(scene.where, 'main')
    last = sorted(n for n in os.listdir(main) if n.endswith('.segment') and
                  os.path.getsize(os.path.join(main, n)) > 112)[-1]
    with open(os.path.join(main, last), 'r+b') as f:
        whole = f.read()
        f.truncate(len(whole) - 1)
        scene.filter.start()
        with scene.session() as s:
            s.begin()
            yield from differs('answer', send(s, subject=b' on'), CONTINUE)
        r = scene.archive('verify', 'main')
        yield from differs('verify', r.returncode, 65)
        if last.encode().lstrip(b'0').split(b'.')[0] not in r.stderr:
            yield 'no word of it: %r' % r.stderr
        f.seek(0)
        f.write(whole)
    r = scene.archive('verify', 'main')
    yield from differs('verify', (r.returncode, r.stderr), (0, b''))


def main():
    with Place() as place:
        scene = Scene(place)
        for what in (at_the_same_time, too_large, odd, answer_lost, in_shadow,
                     reloads, sealed):
            try:
                problems = list(what(scene))
            except Exception as e:
                problems = ['%s: %s' % (type(e).__name__, e)]
            check(what.__name__.replace('_', ' '), problems)
        check('ends well', scene.filter.ends())
    done()


main()

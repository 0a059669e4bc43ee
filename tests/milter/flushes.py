#!/usr/bin/python3
"""Every 250 has its copy, by a real Postfix: flushes that fail once or always,
that are slow, that hang, shorter and longer than Postfix is told to wait.

	PARTS="fail group hang"
	GROUPED=1000	messages of 50 sessions behind Postfix
	FLUSH_MS=25	what each of their flushes takes longer
	ROUNDS=4	in which 50 sessions end together
	TOGETHER_MS=1000	the same for them; with less a busy machine may
			not let all come in time
	SEED=1

As root; needs Postfix.
"""

import contextlib
import os
import random
import sys

sys.dont_write_bytecode = True

from archives import Load, Scene, is_whole, letter, sha256  # noqa: E402
from mta import Session                                     # noqa: E402
from packet import CONTINUE                                 # noqa: E402
from stage import (NOBODY, Place, check, differs, done, need,
                   setting)                                 # noqa: E402

LATER = (451, '4.3.0')
EIO = 5
TOGETHER_MS, ROUNDS = setting('TOGETHER_MS', 1000), setting('ROUNDS', 4)


# --- flushes that fail -----------------------------------------------------

def segments(scene):
    return sum(n.endswith('.segment') for n in os.listdir(scene.dir))


def fails_once(scene, name, number):
    """A flush that fails loses what was written since the one before."""
    scene.again(preload='tests/journal/failcall.so', environment={
        'FAILCALL': '%s %d %d' % (name, number, EIO)})
    before = segments(scene)
    with Load(scene, 6) as load:
        load.reaches(60)
    # Nothing follows what failed: a new segment, or, when the end of the old
    # one was to be flushed before it, a second try for those who waited.
    yield from differs('other answers', set(load.refused) - {LATER}, set())
    if sum(load.refused.values()) > 6:
        yield 'more than one group was refused: %s' % load.refused
    if name != 'fsync' and not load.refused and segments(scene) < before + 2:
        yield 'nothing failed'
    yield from is_whole(scene.dir, load.accepted)


def fails_always(scene, flushes):
    """Nothing is answered 250 that is not there; with best-effort all is."""
    mails = [letter('f%d' % i, random.Random(i), 500) for i in range(4)]
    scene.again(preload='tests/milter/flushes.so',
                environment={'FLUSHES': flushes})
    yield from differs('before', scene.send(mails[0])[0], 250)
    plan(flushes, 0, EIO)
    said = scene.send(mails[1])
    yield from differs('answer', (said[0], said[1].split(' ')[0]), LATER)
    plan(flushes)
    yield from differs('afterwards', scene.send(mails[2])[0], 250)
    yield from is_whole(scene.dir, {sha256(mails[0]), sha256(mails[2])})
    scene.again(preload='tests/milter/flushes.so', storage='best-effort',
                environment={'FLUSHES': flushes})
    plan(flushes, 0, EIO)
    yield from differs('best effort', scene.send(mails[3])[0], 250)
    plan(flushes)
    if 'cannot archive' not in scene.filter.logged():
        yield 'nothing in the log'


def fail(place):
    scene = Scene(place, place.folder('archives', NOBODY, 0o700))
    # The first fsync is of the directory of all archives; then the segment,
    # and the archive's directory.
    for name, number in (('fdatasync', 1), ('fdatasync', 2), ('fdatasync', 7),
                         ('fsync', 2), ('fsync', 3), ('pwritev', 3)):
        check('%s number %d fails' % (name, number),
              fails_once(scene, name, number))
    check('each flush fails', fails_always(
        scene, place.folder('flushes', NOBODY)))
    check('ends well', scene.close())


# --- flushes that take long ------------------------------------------------

def plan(flushes, ms=None, error=0):
    path = os.path.join(flushes, 'plan')
    if ms is None:
        os.unlink(path)
        return
    with open(path + '.new', 'w') as f:
        f.write('%d %d\n' % (ms, error))
    os.rename(path + '.new', path)


def counted(flushes, word):
    with open(os.path.join(flushes, 'count'), 'rb') as f:
        return f.read().count(word)


def slow_scene(place, **how):
    flushes = place.folder('flushes', NOBODY)
    scene = Scene(place, place.folder('archives', NOBODY, 0o700), **how)
    scene.again(preload='tests/milter/flushes.so',
                environment={'FLUSHES': flushes})
    return scene, flushes


def all_together(all_):
    """Sessions whose messages end at the same moment: (hashes of what was
    taken, problems)."""
    r, accepted, problems = random.Random(setting('SEED', 1)), set(), []
    for n in range(ROUNDS):
        mails = [letter('t%d-%d' % (n, i), r, 500) for i in range(len(all_))]
        for s, mail in zip(all_, mails):
            head, _, body = mail.partition(b'\r\n\r\n')
            s.mail()
            s.rcpt()
            s.data()
            for field in head.split(b'\r\n'):
                s.header(*field.split(b':', 1))
            s.eoh()
            s.body(body)
        for s in all_:
            s.end()
        for s, mail in zip(all_, mails):
            problems += differs('answer', s.ended()[1], CONTINUE)
            accepted.add(sha256(mail))
    return accepted, problems


def told(who, ms, messages, flushed):
    print('# 50 sessions %s, %d ms a flush: %d messages, %d flushes' % (
        who, ms, messages, flushed))


def shared(all_, flushes):
    """(hashes of what was taken, problems). However busy the machine is, fifty
    have come before so long a flush is over."""
    plan(flushes, TOGETHER_MS)
    before = counted(flushes, b'd')
    accepted, problems = all_together(all_)
    flushed = counted(flushes, b'd') - before
    told('that end together', TOGETHER_MS, len(accepted), flushed)
    problems += differs('messages', len(accepted), ROUNDS * len(all_))
    if flushed > len(accepted) / 5:
        problems.append('more than one flush for five messages')
    return accepted, problems


def group(place):
    """Group commit is one: a flush answers all who came while the one before
    was under way. How many do behind a Postfix is for the machine to say, so
    that is a figure only; what is asserted is of sessions that end at once."""
    scene, flushes = slow_scene(place)
    scene.send(letter('first', random.Random(0), 500))
    plan(flushes, setting('FLUSH_MS', 25))
    before, many = counted(flushes, b'd'), setting('GROUPED', 1000)
    with Load(scene, 50) as load:
        load.reaches(many)
    told('by Postfix', setting('FLUSH_MS', 25), len(load.accepted),
         counted(flushes, b'd') - before)
    with contextlib.ExitStack() as stack:
        accepted, problems = shared([
            stack.enter_context(Session(scene.filter.socket)).begin()
            for _ in range(50)], flushes)
    problems += is_whole(scene.dir, load.accepted | accepted)
    problems += scene.close()
    check('group commit', problems)


def hang(place):
    """The milter says every five seconds that it lives: Postfix would wait
    so long, not as long as the flush takes."""
    scene, flushes = slow_scene(place, main={'milter_content_timeout': '15s'})
    mails = [letter('h%d' % i, random.Random(i), 500) for i in range(3)]
    scene.send(mails[0])
    plan(flushes, 20000)
    check('a flush of 20 s, Postfix waits for 15', differs(
        'answer', scene.send(mails[1])[0], 250))
    plan(flushes)
    scene.again(preload='tests/milter/flushes.so', wait=6,
                environment={'FLUSHES': flushes})
    scene.send(mails[0])
    plan(flushes, 600000)
    said = scene.send(mails[2])
    plan(flushes)
    check('a flush that does not end', differs('answer', said[0], 451))
    check('the same message again', differs(
        'answer', scene.send(mails[2])[0], 250))
    check('what was answered 250', is_whole(
        scene.dir, {sha256(m) for m in mails}))
    check('ends well', scene.close())


def main():
    need('openssl')
    parts = os.environ.get('PARTS', 'fail group hang').split()
    for part in fail, group, hang:
        if part.__name__ in parts:
            with Place() as place:
                part(place)
    done()


main()

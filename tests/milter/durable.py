#!/usr/bin/python3
"""Every 250 has its copy, by a real Postfix: power cuts under 20 sessions, a
disk that fills up, flushes that fail, that are slow, that hang.

	PARTS="cut full fail group hang"
	COPIES=6	of the image, at random moments
	MESSAGES=600	at least so many by the last copy
	POWERCUT_FS=ext4	"ext4 xfs"
	SEED=1

As root; needs Postfix. cut and full need loop devices and skip without.

cut: the archive lies on an image of its own. At a random moment the milter,
the only process that writes there, is stopped; when each of its threads stands
still, and so no flush is under way, the image is copied. The block device's
own counters say that nothing was written meanwhile: the copy is one moment.
It stands for a machine that loses its memory while the disk keeps what it was
given: pages that were never flushed are missing, commit=600 and a run of
seconds keep the kernel from writing them by itself. What was answered 250 up
to that moment must be in the copy, with the hash of what was sent; all else may
be missing.
"""

import collections
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

from filter import CLIENT, Filter                           # noqa: E402
from mta import Session                                     # noqa: E402
from packet import CONTINUE                                 # noqa: E402
from postfix import Postfix                                 # noqa: E402
from smtp import Hung                                       # noqa: E402
from stage import (HERE, NOBODY, Place, check, differs, done, need, setting,
                   skip, wait_for)                          # noqa: E402

sys.path[1:1] = [HERE + '/../powercut', HERE + '/../journal']

import cutworld                                             # noqa: E402
import reader                                               # noqa: E402

LATER = (451, '4.3.0')
FULL = (452, '4.3.1')
HEAD = 'From: bob@example.net\r\nTo: alice@null.example\r\n' \
    'Subject: %s\r\nDate: Sat, 1 Jun 2024 10:00:00 +0000\r\n' \
    'Message-ID: <%s@example.net>\r\n\r\n'
EIO = 5
MIB = 1 << 20
OWN = 1 << 18       # bytes that a file system may take for itself


def letter(name, r, size):
    """Nothing that packs well."""
    body = ''.join('%0128x\r\n' % r.getrandbits(512)
                   for _ in range(1 + size // 130))
    return (HEAD % (name, name) + body).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Scene:
    """A milter that archives all that is taken in `where`/main, and Postfix,
    which then throws it away."""

    def __init__(self, place, where, main=None, preload=None, **archive):
        self.place, self.where = place, where
        self.dir = where + '/main'
        self.filter = Filter(place, preload=preload,
                             **self.settings(**archive))
        self.postfix = Postfix(place, smtpd_milters=self.filter.socket,
                               **(main or {}))

    def settings(self, wait=60, **archive):
        return {'wait': wait, 'ingress_points': [{'name': 'inbound'}],
                'archive': {'directory': self.where, 'default': 'main',
                            'free': 1, **archive}}

    def again(self, preload=None, environment=None, **archive):
        """Ends the milter and starts it anew."""
        self.filter.stop()
        self.filter.environment = dict(environment or {})
        if preload:
            self.filter.preload(preload)
        self.filter.configure(**self.settings(**archive))
        self.filter.start()

    def send(self, mail):
        with self.postfix.client(timeout=300) as c:
            c.sure('EHLO client.example.net')
            said = c.mail(mail, ['alice@null.example'])[1]
            c.quit()
        return said

    def close(self):
        yield from self.filter.ends()
        self.postfix.stop()


class Load:
    """Sessions that send one message after the other, and what was answered.
    accepted: {hash of what was sent}."""

    def __init__(self, scene, sessions, size=2000):
        self.scene, self.size, self.last = scene, size, 0
        self.lock, self.ends = threading.Lock(), threading.Event()
        self.accepted, self.refused = set(), collections.Counter()
        self.threads = [threading.Thread(target=self.session, args=(
            random.Random('%d %d' % (setting('SEED', 1), i)),))
            for i in range(sessions)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *what):
        self.ends.set()
        for t in self.threads:
            t.join()

    def session(self, r):
        while not self.ends.is_set():
            try:
                with self.scene.postfix.client(timeout=300) as c:
                    c.sure('EHLO client.example.net')
                    for _ in range(r.randrange(1, 40)):
                        if not self.ends.is_set():
                            self.one(c, r)
                    c.quit()
            except (Hung, OSError) as e:
                self.note(None, (421, str(e)))

    def one(self, c, r):
        with self.lock:
            self.last += 1
            name = 'd%06d' % self.last
        mail = letter(name, r, r.randrange(2 * self.size))
        self.note(mail, c.mail(mail, ['alice@null.example'])[1])

    def note(self, mail, said):
        with self.lock:
            if said[0] == 250:
                self.accepted.add(sha256(mail))
            else:
                self.refused[(said[0], said[1].split(' ')[0])] += 1

    def known(self):
        with self.lock:
            return set(self.accepted)

    def reaches(self, n):
        return wait_for(lambda: len(self.accepted) >= n, 300)


def archive(*words):
    return subprocess.run([CLIENT, 'archive', *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)


def without_copy(where, accepted):
    """What was answered 250 and is not there, by the archive's own list."""
    listed = archive('list', '--archive', where, '--json').stdout
    there = {json.loads(x)['sha256'] for x in listed.splitlines()}
    lost = accepted - there
    if lost:
        yield '%d of %d without a copy: %s' % (len(lost), len(accepted),
                                               sorted(lost)[:3])


def verified(where, torn=False):
    """What `archive verify` finds wrong: each hash is compared with bytes.
    torn: an append that was cut off is no fault."""
    ran = archive('verify', '--archive', where)
    wrong = [x for x in ran.stderr.splitlines()
             if 'not as it was written: ' in x and 'findings' not in x]
    if torn:
        wrong = [x for x in wrong if 'was not finished' not in x]
    elif ran.returncode != 0 and not wrong:
        wrong = ['verify ended with %d: %s' % (ran.returncode, ran.stderr)]
    return wrong


def is_whole(where, accepted, torn=False):
    yield from without_copy(where, accepted)
    yield from verified(where, torn)


# --- power cuts ------------------------------------------------------------

class Image:
    """A file system on a file, mounted, for nobody."""

    def __init__(self, base, fs, mib):
        os.mkdir(base)
        self.fs, self.path, self.mount = fs, base + '/image', base + '/mount'
        with open(self.path, 'wb') as f:
            f.truncate(mib * MIB)
        cutworld.command(*cutworld.MKFS[fs], self.path)
        self.attach()
        self.where = self.mount + '/archives'
        os.mkdir(self.where)
        cutworld.command('chown', NOBODY, self.where)
        os.sync()

    def attach(self):
        os.makedirs(self.mount, exist_ok=True)
        cutworld.command('mount', '-o', cutworld.MOUNT[self.fs], self.path,
                         self.mount)

    def detach(self):
        cutworld.command('umount', '-l', self.mount)

    def written(self):
        """Writes that its device was given; None while one is under way."""
        with open('/sys/dev/block/7:%d/stat' % os.minor(
                os.stat(self.mount).st_dev)) as f:
            words = f.read().split()
        return None if int(words[8]) else int(words[4])

    def free(self):
        s = os.statvfs(self.mount)
        return s.f_bavail * s.f_frsize

    def fill(self, left):
        """Takes all but so many bytes."""
        with open(self.mount + '/filler', 'wb') as f:
            os.posix_fallocate(f.fileno(), 0, max(1, self.free() - left))

    def empty(self):
        os.unlink(self.mount + '/filler')


def stands_still(pid):
    """Each of its threads is stopped; none is in a call."""
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/stat' % (pid, task)) as f:
            if f.read().rsplit(')', 1)[1].split()[0] != 'T':
                return False
    return True


def copy_moment(scene, load, image, to):
    """What had been answered 250 before the copy was begun."""
    child = scene.filter.child
    for _ in range(50):
        child.send_signal(19)       # SIGSTOP
        try:
            if not wait_for(lambda: stands_still(child.pid), 60, 0.001):
                raise AssertionError('it does not stop')
            known, before = load.known(), image.written()
            cutworld.command('cp', '--sparse=always', image.path, to)
            if before is not None and image.written() == before:
                return known
        finally:
            child.send_signal(18)   # SIGCONT
    raise AssertionError('the image is never quiet')


def looked_at(image, copy, known):
    """Problems of one copy."""
    at = copy + '.mount'
    os.makedirs(at, exist_ok=True)
    cutworld.command('mount', '-o', cutworld.MOUNT[image.fs], copy, at)
    try:
        if known:
            yield from is_whole(at + '/archives/main', known, True)
    finally:
        cutworld.command('umount', at)


def foreign(where, accepted):
    """The same by a reader that shares no code with us."""
    there = {r[6] for r in reader.records(where)}
    if accepted - there:
        yield '%d are not there for the foreign reader' % len(accepted - there)


def cut(place, base, fs):
    """Half of the copies are taken at once after a number of answers, half a
    little later."""
    r = random.Random(setting('SEED', 1))
    copies, messages = setting('COPIES', 6), setting('MESSAGES', 600)
    image = Image(base + '/cut-' + fs, fs, 400 if fs == 'xfs' else 200)
    scene, problems, known = Scene(place, image.where), [], set()
    at = sorted(r.randrange(messages) for _ in range(copies - 1))
    with Load(scene, 20) as load:
        for n in (*at, messages):
            load.reaches(n)
            time.sleep(r.choice((0, r.uniform(0, 0.02))))
            known = copy_moment(scene, load, image, base + '/copy')
            problems += ['copy at %d: %s' % (len(known), p) for p in
                         looked_at(image, base + '/copy', known)]
    print('# %s: %d copies, %d answered 250 before the last, %d in all; '
          'other answers: %s' % (fs, copies, len(known), len(load.accepted),
                                 dict(load.refused)))
    problems += differs('other answers', dict(load.refused), {})
    if len(known) < messages:
        problems.append('only %d messages' % len(known))
    problems += is_whole(scene.dir, load.accepted)
    problems += foreign(scene.dir, load.accepted)
    problems += scene.close()
    image.detach()
    check('power cut, ' + fs, problems)


# --- no room ---------------------------------------------------------------

def full(place, base, fs):
    image = Image(base + '/full-' + fs, fs, 400 if fs == 'xfs' else 100)
    scene = Scene(place, image.where, free=8)
    image.fill(20 * MIB)
    problems, least = [], []
    with Load(scene, 8, 60000) as load:
        if not wait_for(lambda: load.refused[FULL] >= 20, 120):
            problems.append('nobody was told that it is full')
        least.append(image.free())
    # The file system's own blocks come on top.
    if least[0] < 8 * MIB - OWN:
        problems.append('%d bytes are left of 8 MiB' % least[0])
    problems += differs('answers', set(load.refused), {FULL})
    # More than there is: it waits in a file of the archive's file system.
    big = letter('big', random.Random(1), 40 * MIB)
    problems += differs('big', scene.send(big)[0], 452)
    if not wait_for(lambda: image.free() >= least[0] - OWN, 20):
        problems.append('its room is not given back: %d bytes of %d' % (
            image.free(), least[0]))
    problems += is_whole(scene.dir, load.accepted)
    image.empty()
    before = len(load.accepted)
    problems += differs('big, with room', scene.send(big)[0], 250)
    load.accepted.add(sha256(big))
    print('# %s: %d answered 250, then %d times 452 4.3.1, %d KiB left' % (
        fs, before, load.refused[FULL], least[0] >> 10))
    problems += is_whole(scene.dir, load.accepted)
    problems += scene.close()
    image.detach()
    check('full disk, ' + fs, problems)


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
    yield from differs('other answers', dict(load.refused), {})
    # One for the start, one because nothing follows what failed; a segment
    # whose own flush failed was never there.
    yield from differs('segments', segments(scene) - before,
                       1 if (name, number) == ('fsync', 2) else 2)
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


def counted(flushes, letter_):
    with open(os.path.join(flushes, 'count'), 'rb') as f:
        return f.read().count(letter_)


def slow_scene(place, **how):
    flushes = place.folder('flushes', NOBODY)
    scene = Scene(place, place.folder('archives', NOBODY, 0o700), **how)
    scene.again(preload='tests/milter/flushes.so',
                environment={'FLUSHES': flushes})
    return scene, flushes


def together(scene, r, barrier, rounds, accepted, problems):
    """One of many who play Postfix: all end their messages at once."""
    with Session(scene.filter.socket) as s:
        s.begin()
        for i in range(rounds):
            name = '%x' % r.getrandbits(64)
            head, _, body = letter(name, r, 500).partition(b'\r\n\r\n')
            s.mail()
            s.rcpt()
            s.data()
            for field in head.split(b'\r\n'):
                s.header(*field.split(b':', 1))
            s.eoh()
            s.body(body)
            barrier.wait(120)
            said = s.eom(i='4%d' % i)[1]
            if said != CONTINUE:
                problems.append(repr(said))
            accepted.append(sha256(head + b'\r\n\r\n' + body))


def all_together(scene, sessions, rounds):
    """(hashes of what was answered 250, problems)"""
    accepted, problems = [], []
    barrier = threading.Barrier(sessions)
    threads = [threading.Thread(target=together, args=(
        scene, random.Random(i), barrier, rounds, accepted, problems))
        for i in range(sessions)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return set(accepted), problems


def group(place):
    """Group commit is one: a flush answers all who came while the one before
    was under way. Behind a Postfix on a busy machine they come one by one, so
    that is a figure only; sessions that end together leave no doubt."""
    scene, flushes = slow_scene(place)
    scene.send(letter('first', random.Random(0), 500))
    plan(flushes, 5)
    before, many = counted(flushes, b'd'), setting('GROUPED', 1000)
    with Load(scene, 50) as load:
        load.reaches(many)
    middle = counted(flushes, b'd')
    accepted, problems = all_together(scene, 50, many // 50)
    flushed = counted(flushes, b'd') - middle
    for words, n, f in (('by Postfix', len(load.accepted), middle - before),
                        ('that end together', len(accepted), flushed)):
        print('# 50 sessions %s, 5 ms a flush: %d messages, %d flushes' % (
            words, n, f))
        problems += ['a flush for each' for _ in 'x' if f > n * 2 / 3]
    if flushed > len(accepted) / 5:
        problems.append('more than one flush for five messages')
    problems += differs('messages', len(accepted), many // 50 * 50)
    problems += is_whole(scene.dir, load.accepted | accepted)
    problems += scene.close()
    check('group commit', problems)


def hang(place):
    scene, flushes = slow_scene(place, main={'milter_content_timeout': '7s'})
    mails = [letter('h%d' % i, random.Random(i), 500) for i in range(3)]
    scene.send(mails[0])
    plan(flushes, 9000)
    check('a flush of 9 s, Postfix waits for 7', differs(
        'answer', scene.send(mails[1])[0], 250))
    plan(flushes)
    scene.again(preload='tests/milter/flushes.so', wait=6,
                environment={'FLUSHES': flushes})
    scene.send(mails[0])
    plan(flushes, 15000)
    said = scene.send(mails[2])
    plan(flushes)
    check('a flush that does not end', differs('answer', said[0], 451))
    check('the same message again', differs(
        'answer', scene.send(mails[2])[0], 250))
    check('what was answered 250', is_whole(
        scene.dir, {sha256(m) for m in mails}))
    check('ends well', scene.close())


def with_images(parts):
    """Power cuts and full disks, each in a Postfix of its own."""
    names = [p for p in (cut, full) if p.__name__ in parts]
    if not names:
        return
    base, why = cutworld.make_place()
    if base is None:
        for p in names:
            skip(p.__name__, why)
        return
    try:
        for fs in os.environ.get('POWERCUT_FS', 'ext4').split():
            for part in names:
                with Place() as place:
                    part(place, base, fs)
    finally:
        cutworld.remove_place(base)


def main():
    need('openssl')
    parts = os.environ.get('PARTS', 'cut full fail group hang').split()
    for part in fail, group, hang:
        if part.__name__ in parts:
            with Place() as place:
                part(place)
    with_images(parts)
    done()


main()

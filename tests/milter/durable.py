#!/usr/bin/python3
"""Every 250 has its copy, by a real Postfix: power cuts under 20 sessions, and
a disk that fills up.

	PARTS="cut full"
	COPIES=6	of the image, at random moments
	MESSAGES=600	at least so many by the last copy
	POWERCUT_FS=ext4	"ext4 xfs"
	SEED=1

As root; needs Postfix and loop devices.

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

import os
import random
import sys
import time

sys.dont_write_bytecode = True

from archives import Load, Scene, is_whole, letter, sha256  # noqa: E402
from stage import (HERE, NOBODY, Place, check, differs, done, need, setting,
                   skip, wait_for)                          # noqa: E402

sys.path[1:1] = [HERE + '/../powercut', HERE + '/../journal']

import cutworld                                             # noqa: E402
import reader                                               # noqa: E402

FULL = (452, '4.3.1')
MIB = 1 << 20
OWN = 1 << 18       # bytes that a file system may take for itself


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

    def ahead(self, folder):
        """Bytes that files there have behind their ends: xfs gives a file that
        grows more than it asked for, and takes it back some time later."""
        found = [os.stat(folder + '/' + name) for name in os.listdir(folder)]
        return sum(max(0, s.st_blocks * 512 - s.st_size) for s in found)

    def fill(self, left):
        """Takes all but so many bytes."""
        with open(self.mount + '/filler', 'wb') as f:
            os.posix_fallocate(f.fileno(), 0, max(1, self.free() - left))

    def empty(self):
        os.unlink(self.mount + '/filler')


def copy_moment(scene, load, image, to):
    """What had been answered 250 before the copy was begun."""
    child = scene.filter.child
    for _ in range(50):
        child.send_signal(19)       # SIGSTOP
        try:
            if not wait_for(lambda: cutworld.stands_still(child.pid),
                            every=0.001):
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
    # Each flush begins 2 ms late: an answer that does not wait for it is seen.
    os.makedirs(base + '/flushes', exist_ok=True)
    with open(base + '/flushes/plan', 'w') as f:
        f.write('2 0\n')
    scene, problems, known = Scene(
        place, image.where, preload='tests/milter/flushes.so',
        environment={'FLUSHES': base + '/flushes'}), [], set()
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
        least.append(image.free() + image.ahead(scene.dir))
    # The file system's own blocks come on top.
    if least[0] < 8 * MIB - OWN:
        problems.append('%d bytes are left of 8 MiB' % least[0])
    problems += differs('answers', set(load.refused), {FULL})
    # More than there is: it waits in a file of the archive's file system.
    big = letter('big', random.Random(1), 40 * MIB)
    problems += differs('big', scene.send(big)[0], 452)
    if not wait_for(lambda: image.free() >= least[0] - OWN):
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
    with_images(os.environ.get('PARTS', 'cut full').split())
    done()


main()

#!/usr/bin/python3
"""Somebody else at work, as fast as it goes, until SECONDS are over.

  race.py swap SECONDS A B     exchanges A and B, an even number of times
  race.py pool SECONDS DIR FILE
      puts one file of DIR after the other in FILE's place; what stood there
      goes back to DIR, so that this destroys nothing; says when all are gone
"""
import ctypes
import errno
import os
import sys
import time

NOREPLACE, EXCHANGE = 1, 2
AT_FDCWD = -100
libc = ctypes.CDLL(None, use_errno=True)


def rename(a, b, flags):
    if libc.renameat2(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b),
                      flags) == 0:
        return True
    if ctypes.get_errno() in (errno.ENOENT, errno.EEXIST):
        return False
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), a)


def swap(end, a, b):
    n = 0
    while time.monotonic() < end or (n % 2 and os.path.lexists(a)):
        n += rename(a, b, EXCHANGE)
    print('swapped', n)


def pool(end, where, target):
    n = 0
    while time.monotonic() < end:
        waiting = sorted(os.listdir(where))
        if not waiting:
            break
        path = os.path.join(where, waiting[n % len(waiting)])
        n += rename(path, target, EXCHANGE) or rename(path, target, NOREPLACE)
        time.sleep(0.0005)
    print('replaced', n)


{'swap': swap, 'pool': pool}[sys.argv[1]](
    time.monotonic() + float(sys.argv[2]), *sys.argv[3:])

#!/usr/bin/python3
"""memory.py COMMAND... - runs it; peak of anonymous and shared memory.

Samples the command and its descendants: the sum of RssAnon, and the memfds
that they hold, each once. One that waits in a socket is held by nobody: those
count as much as the largest seen. Who may not look into the descriptors (the
deliverer is closed to its own user) gets the growth of Shmem of the whole
machine in their place, which others at work there can only make greater.

Prints "peak_kib=N anon_kib=N shmem_kib=N samples=N" on stderr's last line (the
parts at the time of the peak); ends with the command's exit code.
"""
import os
import re
import subprocess
import sys
import time


def number(path, field):
    with open(path) as f:
        m = re.search(r'^%s:\s*(\d+)' % field, f.read(), re.M)
    return int(m[1]) if m else 0


def family(pid):
    yield pid
    try:
        for task in os.listdir('/proc/%d/task' % pid):
            with open('/proc/%d/task/%s/children' % (pid, task)) as f:
                for child in f.read().split():
                    yield from family(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass


def anonymous(pid):
    try:
        return number('/proc/%d/status' % pid, 'RssAnon')
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Memfds:
    def __init__(self):
        self.largest = 0

    def size(self, pids):
        """KiB of all; PermissionError when one cannot be asked."""
        found, waiting = {}, 0
        for pid in pids:
            try:
                for name in os.listdir('/proc/%d/fd' % pid):
                    waiting += self.look(found, pid, name)
            except (FileNotFoundError, ProcessLookupError):
                pass
        self.largest = max([self.largest] + list(found.values()))
        return sum(found.values()) + waiting * self.largest

    @staticmethod
    def look(found, pid, name):
        path = '/proc/%d/fd/%s' % (pid, name)
        target = os.readlink(path)
        if target.startswith('/memfd:'):
            st = os.stat(path)
            found[st.st_dev, st.st_ino] = st.st_blocks // 2
        if target.startswith('socket:'):
            return number('/proc/%d/fdinfo/%s' % (pid, name), 'scm_fds')
        return 0


memfds = Memfds()
start = number('/proc/meminfo', 'Shmem')
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
peak, samples = (0, 0, 0), 0
while child.poll() is None:
    pids = list(family(child.pid))
    anon = sum(anonymous(p) for p in pids)
    try:
        shared = memfds.size(pids)
    except PermissionError:
        shared = max(0, number('/proc/meminfo', 'Shmem') - start)
    peak, samples = max(peak, (anon + shared, anon, shared)), samples + 1
    time.sleep(0.01)
print('peak_kib=%d anon_kib=%d shmem_kib=%d samples=%d' % (*peak, samples),
      file=sys.stderr)
sys.exit(child.returncode)

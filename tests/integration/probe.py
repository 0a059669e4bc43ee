#!/usr/bin/python3 -I
"""A deliverer that delivers nothing: it says what it is and what it may do.

Put in the place of fallbackmx-deliver. Writes one "name value" line each to
REPORT/PID, where REPORT stands in the file probe.where beside it.
"""
import ctypes
import os
import resource
import sys

here = os.path.dirname(os.path.abspath(sys.argv[0]))
with open(os.path.join(here, 'probe.where')) as f:
    top = f.read().strip()
out = open(os.path.join(top, 'report', str(os.getpid())), 'w')
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_DETACH = 16, 17


def say(name, value):
    print(name, value, file=out)


def attempt(name, act, *args):
    try:
        act(*args)
        say(name, 'ALLOWED')
    except (OSError, ValueError) as e:
        say(name, 'denied')


def ptrace(pid):
    if libc.ptrace(PTRACE_ATTACH, pid, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), 'ptrace')
    libc.ptrace(PTRACE_DETACH, pid, 0, 0)


def read(path):
    with open(path, 'rb') as f:
        f.read(1)


def write(path):
    with open(path, 'ab') as f:
        f.write(b'x')


def fds():
    for name in sorted(os.listdir('/proc/self/fd'), key=int):
        try:
            target = os.readlink('/proc/self/fd/' + name)
        except OSError:
            continue
        if int(name) not in (out.fileno(), directory) and \
                target != '/proc/%d/fd' % os.getpid():
            yield name + '=' + target.split(':')[0]


with open('/proc/self/status') as f:
    for line in f:
        name, value = line.split(':', 1)
        if name in ('Uid', 'Gid', 'Groups', 'NoNewPrivs') or \
                name in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb'):
            say(name, ' '.join(value.split()))
directory = -1
say('fds', ' '.join(fds()))
say('environment', len(open('/proc/self/environ', 'rb').read()))
say('argv', ' '.join(sys.argv[1:]))
say('core', resource.getrlimit(resource.RLIMIT_CORE)[0])

spawner = os.getppid()
with open('/proc/%d/task/%d/children' % (spawner, spawner)) as f:
    others = [int(p) for p in f.read().split() if int(p) != os.getpid()]
say('others', len(others))
attempt('setuid', os.setuid, 0)
attempt('setresuid', os.setresuid, 0, 0, 0)
attempt('setgid', os.setgid, 0)
attempt('setgroups', os.setgroups, [0])
attempt('chroot', os.chroot, '/')
for pid in [spawner] + others:
    attempt('kill', os.kill, pid, 0)
    attempt('ptrace', ptrace, pid)
    attempt('mem', read, '/proc/%d/mem' % pid)
    attempt('environ', read, '/proc/%d/environ' % pid)
attempt('secret', read, top + '/secret')
attempt('ledger', read, top + '/var/state/ledger.db')
attempt('state', os.listdir, top + '/var/state')
attempt('source', os.listdir, top + '/source')
attempt('other-home', os.listdir, top + '/bob')
attempt('write-other', write, top + '/bob/x')
attempt('write-above', write, top + '/x')
attempt('own-home', os.listdir, os.path.dirname(sys.argv[1]))
say('end', 1)

#!/usr/bin/python3
"""The milter and who manages it: signals that come early, and a watchdog that
is fed as long as mail would be served. No root needed."""

import os
import signal
import socket
import sys
import time

sys.dont_write_bytecode = True

from filter import Filter                                   # noqa: E402
from mta import Session                                     # noqa: E402
from stage import (Place, check, differs, done, text,
                   wait_for)                                # noqa: E402

PIPE = 1 << signal.SIGPIPE - 1


def serves(f):
    with Session(f.socket) as s:
        answer = s.begin().message()[1]
    if answer not in (b'a', b'c'):
        yield 'answer %r' % answer


def begun(f):
    """It is past its first lines: the shell's and Python's defaults are
    gone."""
    for line in text('/proc/%d/status' % f.child.pid).splitlines():
        if line.startswith('SigIgn:'):
            return int(line.split()[1], 16) & PIPE
    return 0


def early_signals(place):
    """Before the program can do what they ask for they end nothing: here it
    is still at the configuration, which is a long one."""
    f = Filter(place, 'early', targets=[
        {'target': 't' * 700 + str(i), 'action': 'skip'}
        for i in range(1000)])
    wait_for(lambda: f.tell('status')[0] == 0)
    f.stop()
    f.start(wait=False)
    wait_for(lambda: begun(f) or not f.running(), every=0.0001)
    while f.running() and not os.path.exists(f.path):
        f.child.send_signal(signal.SIGUSR1)
        f.child.send_signal(signal.SIGHUP)
        time.sleep(0.001)
    if not f.running():
        yield 'it ended with %s' % f.child.returncode
        return
    wait_for(lambda: f.tell('status')[0] == 0)
    yield from serves(f)
    yield from f.ends()


class Manager:
    """$NOTIFY_SOCKET, for programs that are started while it is entered."""

    def __init__(self, place, seconds):
        self.path = place.path('manager')
        self.seconds = seconds
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)

    def __enter__(self):
        os.environ.update(NOTIFY_SOCKET=self.path,
                          WATCHDOG_USEC=str(int(self.seconds * 1e6)))
        return self

    def __exit__(self, *what):
        del os.environ['NOTIFY_SOCKET'], os.environ['WATCHDOG_USEC']

    def hears(self, word, seconds=60):
        """Within so many seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.settimeout(max(end - time.monotonic(), 0.01))
            try:
                if word in self.socket.recv(4096).decode().split('\n'):
                    return True
            except socket.timeout:
                break
        return False

    def forget(self):
        while self.hears('WATCHDOG=1', 0.01):
            pass


def watchdog(place):
    """Fed without mail; not while libmilter keeps silent, though the main
    thread lives: somebody else listens where the beats go, and says
    nothing."""
    with Manager(place, 2) as manager:
        f = Filter(place, 'watched')
    if not manager.hears('READY=1'):
        yield 'not ready'
    for i in range(3):
        if not manager.hears('WATCHDOG=1'):
            yield 'not fed, %d' % i
    os.rename(f.path, f.path + '.own')
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(f.path)
        os.chmod(f.path, 0o777)
        mute.listen(100)
        # Beats come one by one: with the first here, the last answer is
        # there; with the third, it has been fed.
        mute.settimeout(60)
        beats = [mute.accept()[0] for _ in range(3)]
        manager.forget()
        if manager.hears('WATCHDOG=1', 4):
            yield 'fed although nobody answers'
        yield from differs('main thread', f.tell('status')[0], 0)
        for beat in beats:
            beat.close()
    os.rename(f.path + '.own', f.path)
    if not manager.hears('WATCHDOG=1'):
        yield 'not fed when it answers again'
    yield from serves(f)
    yield from f.ends()


def main():
    with Place() as place:
        check('a watchdog', watchdog(place))
        check('signals before it takes them', early_signals(place))
    done()


main()

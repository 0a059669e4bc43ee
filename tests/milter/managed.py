#!/usr/bin/python3
"""The milter and who manages it: signals that come early. No root needed."""

import os
import signal
import sys
import time

sys.dont_write_bytecode = True

from filter import Filter                                   # noqa: E402
from mta import Session                                     # noqa: E402
from stage import Place, check, done, text, wait_for        # noqa: E402

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


def main():
    with Place() as place:
        check('signals before it takes them', early_signals(place))
    done()


main()

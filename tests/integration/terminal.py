#!/usr/bin/python3
"""terminal.py [-o FILE] COMMAND... - runs it on a terminal of its own.

What it writes there comes out on stdout; with -o its stdout goes to FILE and
only its stderr is the terminal. Ends with its exit code.
"""
import os
import pty
import sys

args = sys.argv[1:]
out = None
if args[0] == '-o':
    out = args[1]
    args = args[2:]
pid, master = pty.fork()
if pid == 0:
    if out is not None:
        fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(fd, 1)
    os.execv(args[0], args)
while True:
    try:
        data = os.read(master, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

#!/usr/bin/python3
"""change.py FILE SECONDS - writes to FILE in place, again and again.

Every write changes the bytes, not the size; each is a complete state
"<counter>" repeated, so that a torn mixture of two can be told.
"""
import os
import sys
import time

size = os.path.getsize(sys.argv[1])
end = time.monotonic() + float(sys.argv[2])
n = 0
while time.monotonic() < end:
    n += 1
    line = b'%015d\n' % n
    try:
        with open(sys.argv[1], 'r+b', buffering=0) as f:
            f.write(line * (size // len(line)))
    except FileNotFoundError:
        break

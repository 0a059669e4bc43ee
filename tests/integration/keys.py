#!/usr/bin/python3
"""keys.py DIR - objects under every key that a file system allows (F25).

Prints how many. Each is a mail of its own; its bytes stay the same whatever
the key does to paths, terminals and logs.
"""
import os
import sys

import ses

KEYS = [
    b'line\nbreak', b'carriage\rreturn', b'tab\there', b'bell\a\x1b[31m',
    b'\xff\xfe\x80', b'caf\xc3\xa9', b'\xe2\x80\xaertl',
    b'x' * 255, b'-rf', b'--', b'--help', b'%2e%2e', b'%2e%2e%2fx', b'%00',
    b' leading', b'trailing ', b' ', b'a b', b'*', b'?', b'$(id)', b'`id`',
    b'"', b"'", b'\\', b'a\\b', b';', b'&', b'|', b'~', b'#',
    b'a:2,S', b'new', b'cur', b'tmp', b'..x', b'a..b', b'dir/..x/y',
    b'deep/' * 40 + b'x', b'%s%n%x', b'{user}', b'1674821960.F.fallbackmx,S=1',
]

top = os.fsencode(sys.argv[1])
made = 0
for key in KEYS:
    if os.path.basename(key).startswith(b'.') or b'/.' in key:
        continue
    path = os.path.join(top, key)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(ses.message(ses.ses_id(1000 + made)))
    except OSError:
        continue    # this file system does not allow it
    made += 1
print(made)

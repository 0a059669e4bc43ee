#!/usr/bin/python3
"""tree.py PATH... - one line for everything below: nothing can change unseen.

Type, mode, owner, inode, links, size, mtime and ctime in nanoseconds, and the
hash of the bytes or the target of the link. A missing PATH is a line, too.
"""
import hashlib
import os
import stat
import sys


def content(path, st):
    if stat.S_ISLNK(st.st_mode):
        return os.readlink(path)
    if not stat.S_ISREG(st.st_mode):
        return b'-'
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest().encode()


def show(path):
    try:
        st = os.lstat(path)
    except FileNotFoundError:
        print(repr(path), 'missing')
        return
    print(repr(path), oct(st.st_mode), st.st_uid, st.st_gid, st.st_ino,
          st.st_nlink, st.st_size, st.st_mtime_ns, st.st_ctime_ns,
          content(path, st))
    if stat.S_ISDIR(st.st_mode):
        for name in sorted(os.listdir(path)):
            show(os.path.join(path, name))


for top in sys.argv[1:]:
    show(os.fsencode(top))

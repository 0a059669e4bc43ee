#!/usr/bin/python3
"""syslogd.py SOCKET FILE - writes every datagram as one line to FILE."""
import os
import socket
import sys

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
with open(sys.argv[2], 'ab', buffering=0) as out:
    s.bind(sys.argv[1])
    os.chmod(sys.argv[1], 0o666)
    while True:
        line = s.recv(65536)
        out.write(line.replace(b'\n', b'\\n').rstrip(b'\0') + b'\n')

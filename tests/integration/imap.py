#!/usr/bin/python3
"""What an IMAP client sees of an imported Maildir.

  imap.py check PORT USER ORIGINALS   INBOX holds every original once: bytes,
                                 arrival time, oldest first
  imap.py count PORT USER             messages in INBOX
  imap.py folders PORT USER           names of all mailboxes
  imap.py idle PORT USER N            prints "ready", then waits for N messages
  imap.py noop PORT USER N            the same, asking
  imap.py use PORT USER               flags, moves and expunges the first three
"""
import imaplib
import os
import re
import sys
import time

import ses


def crlf(data):
    """As Dovecot sends it: every line ends in CRLF, NUL cannot be sent."""
    return re.sub(rb'(?<!\r)\n', b'\r\n', data).replace(b'\0', b'\x80')


def login(port, user):
    box = imaplib.IMAP4('127.0.0.1', int(port), timeout=120)
    box.login(user, 'pass')
    return box


def messages(box):
    ok, data = box.uid('fetch', '1:*', '(UID INTERNALDATE BODY.PEEK[])')
    for part in data:
        if not isinstance(part, tuple):
            continue
        uid = int(re.search(rb'UID (\d+)', part[0])[1])
        when = imaplib.Internaldate2tuple(part[0])
        yield uid, int(time.mktime(when)), part[1]


def check(box, originals):
    box.select('INBOX', readonly=True)
    objects = {}
    for path in ses.files(originals):
        obj = open(path, 'rb').read()
        objects[path] = obj, ses.arrival(obj, path)
    wrong, times, seen = [], [], set()
    for uid, when, body in sorted(messages(box)):
        ident = re.search(rb'X-FallbackMX: route=fallback; id=(\w+)', body)
        found = [p for p, (obj, t) in objects.items() if p not in seen and
                 ident and crlf(ses.expected(obj, ident[1])) == body]
        if not found:
            wrong.append('UID %d is no original: %r' % (uid, body[:300]))
            continue
        seen.add(found[0])
        arrived = objects[found[0]][1]
        if when != arrived:
            wrong.append('%r arrived %d, INTERNALDATE is %d' % (
                found[0], arrived, when))
        times.append(arrived)
    wrong += ['%r is missing' % p for p in objects if p not in seen]
    if times != sorted(times):
        wrong.append('not oldest first: %r' % times)
    print('\n'.join(wrong) if wrong else '%d right' % len(seen))
    return 1 if wrong else 0


def wait(box, n, idle):
    box.select('INBOX')
    print('ready', flush=True)
    if not idle:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            box.noop()
            exists = box.untagged_responses.get('EXISTS', [b'0'])[-1]
            if int(exists) >= n:
                return 0
            time.sleep(0.05)
        return 1
    box.send(b'A IDLE\r\n')
    while True:
        line = box.readline()
        m = re.match(rb'\* (\d+) EXISTS', line)
        if m and int(m[1]) >= n:
            box.send(b'DONE\r\n')
            return 0


def use(box):
    box.select('INBOX')
    box.create('Saved')
    box.store('1', '+FLAGS', r'(\Seen \Flagged)')
    box.copy('2', 'Saved')
    box.store('2,3', '+FLAGS', r'(\Deleted)')
    box.expunge()
    box.logout()
    return 0


def main(verb, port, user, *args):
    box = login(port, user)
    if verb == 'check':
        return check(box, args[0])
    if verb in ('idle', 'noop'):
        return wait(box, int(args[0]), verb == 'idle')
    if verb == 'use':
        return use(box)
    if verb == 'count':
        print(int(box.select('INBOX', readonly=True)[1][0]))
    elif verb == 'folders':
        print(sorted(re.search(rb'"?([^" ]+)"?$', line)[1].decode()
                     for line in box.list()[1]))
    return 0


os.environ['TZ'] = 'UTC'
time.tzset()
sys.exit(main(*sys.argv[1:]))

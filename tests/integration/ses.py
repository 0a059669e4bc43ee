#!/usr/bin/python3
"""Objects as SES writes them, and what a Maildir must hold of them.

  ses.py make FILE [ID [RECIPIENT [ARRIVAL [BODY]]]]
  ses.py many DIR COUNT [FIRST [SIZE]]     small ones, ids from FIRST on
  ses.py shapes DIR                        every odd shape, one object each
  ses.py check MAILDIR ORIGINALS [verbatim]
      new/ and cur/ hold every object of ORIGINALS once, nothing else, with
      the right bytes, name, time and mode; says what is wrong and ends with 1
  ses.py check-many MAILDIR COUNT          the same for 0 to COUNT of "many"
  ses.py ids COUNT                         the ids of the objects of "many"
"""
import collections
import datetime
import hashlib
import os
import re
import sys

START = 1674821960      # Fri, 27 Jan 2023 12:19:20 +0000
RCPT = 'alice@example.com'
HEAD = re.compile(
    rb'\AReturn-Path: <[^>\r\n]*>\r\n'
    rb'Received: from \S+ \(\S+ \[[^]]+\]\)\r\n'
    rb' by inbound-smtp\.[a-z0-9-]+\.amazonaws\.com with SMTP id (\w+)\r\n'
    rb' for ([^;\r\n]+);\r\n ([^\r\n(]+) \(UTC\)\r\n')
NAME = re.compile(
    rb'\A([0-9]+)\.F([0-9a-f]{32})\.fallbackmx,S=([0-9]+)(:2,[A-Za-z]*)?\Z')
DATE = '%a, %d %b %Y %H:%M:%S'


def ses_id(n):
    digest = hashlib.sha256(b'object %d' % n).digest()
    return ''.join('0123456789abcdefghijklmnopqrstuv'[b % 32]
                   for b in (digest + digest)[:40])


def head(ident, rcpt=RCPT, arrival=START):
    when = datetime.datetime.fromtimestamp(arrival, datetime.timezone.utc)
    return (
        'Return-Path: <sender@elsewhere.example>\r\n'
        'Received: from mx.elsewhere.example (mx.elsewhere.example'
        ' [192.0.2.7])\r\n'
        ' by inbound-smtp.us-east-1.amazonaws.com with SMTP id %s\r\n'
        ' for %s;\r\n %s +0000 (UTC)\r\n'
        'X-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: PASS\r\n'
        'Received-SPF: pass (spfCheck: domain of elsewhere.example designates'
        ' 192.0.2.7 as permitted sender) client-ip=192.0.2.7;'
        ' envelope-from=sender@elsewhere.example;\r\n'
        'Authentication-Results: amazonses.com;\r\n'
        ' spf=pass client-ip=192.0.2.7; dmarc=none;\r\n'
        'X-SES-RECEIPT: QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n'
        'From: Sender <sender@elsewhere.example>\r\nTo: %s\r\n'
        'Message-ID: <%s@elsewhere.example>\r\nSubject: test %s\r\n'
        'MIME-Version: 1.0\r\n' % (ident, rcpt, when.strftime(DATE), rcpt,
                                   ident[:24], ident[:8])).encode()


def message(ident, rcpt=RCPT, arrival=START, body='Hello.\r\n'):
    return head(ident, rcpt, arrival) + b'\r\n' + body.encode()


def expected(obj, ident, verbatim=False):
    """The file that delivery makes of an object; ident: 32 hex of its name."""
    if verbatim:
        return obj
    m = HEAD.match(obj)
    added = b''
    if m:
        added = b'Delivered-To: %s\nX-Original-To: %s\n' % (m[2], m[2])
    added += b'X-FallbackMX: route=fallback; id=' + ident
    if m:
        added += b'; ses=' + m[1]
    return added + b'\n' + obj.replace(b'\r\n', b'\n')


def arrival(obj, path):
    m = HEAD.match(obj)
    if not m:
        return int(os.stat(path).st_mtime)
    when = datetime.datetime.strptime(m[3].decode(), DATE + ' %z')
    return int(when.timestamp())


def body_of_stored(data, verbatim):
    """What is left of a stored file without the lines that we added."""
    if verbatim:
        return data
    while re.match(rb'(Delivered-To|X-Original-To): ', data):
        data = data.partition(b'\n')[2]
    return data.partition(b'\n')[2]


def borders():
    """CRLF, lone CR and lone LF around every border of a read."""
    data = bytearray(b'a' * (3 << 20))
    for k, n in enumerate(range(4096, len(data), 4096)):
        data[n - 1:n + 1] = (b'\r\n', b'\rx', b'x\n', b'\r\r')[k % 4]
    for n in range(65536, len(data), 65536):
        data[n - 1:n + 1] = b'\r\n'
    return bytes(data)


def shapes():
    n = 0
    for name, tail in (
            ('nul', b'X-Odd: a\0b\r\n\r\none\0two\0\r\n\0\0\r\n\0'),
            ('eight-bit', b'X-Odd: \xe4\xff\r\n\r\n' + bytes(range(256)) * 9),
            ('lone-cr', b'\r\none\rtwo\r\rthree\r\r\nfour\n\rfive\r\n\r'),
            ('lone-lf', b'\r\none\ntwo\n\nthree\r\n\n'),
            ('lf-headers', b'X-Odd: 1\nX-Other: 2\n\nbody\n'),
            ('ends-in-cr', b'\r\nbody\r'),
            ('no-final-newline', b'\r\nlast line'),
            ('no-final-newline-in-head', b'X-Last: x'),
            ('no-body', b''),
            ('empty-body', b'\r\n'),
            ('long-line', b'\r\n' + b'x' * 1000000 + b'\r\n'),
            ('long-header', b'X-Long: ' + b'y' * 300000 + b'\r\n\r\nz\r\n'),
            ('many-headers', b'X-N: 1\r\n' * 20000 + b'\r\nz\r\n'),
            ('forged-second-received',
             b'Received: from a (a [192.0.2.9])\r\n'
             b' by inbound-smtp.us-east-1.amazonaws.com with SMTP id zzzz\r\n'
             b' for mallory@example.com;\r\n'
             b' Sat, 28 Jan 2023 12:19:20 +0000 (UTC)\r\n\r\nbody\r\n'),
            ('dots', b'\r\n.\r\n..\r\nFrom here\r\n>From there\r\n')):
        n += 1
        yield name, head(ses_id(n), RCPT, START + n) + tail
    yield 'no-head-one-byte', b'x'
    yield 'no-head-lf', b'\n'
    yield 'no-head-cr', b'\r'
    yield 'no-head-crlf', b'\r\n\r\n'
    yield 'no-head-crlf-body', b'\r\nbody only\r\n'
    yield 'no-head-text', b'no header here\r\nat all'
    yield 'no-head-nul', b'\0' * 70000
    yield 'no-head-borders', borders()
    yield 'no-head-mbox', b'From x Fri Jan 27\r\nSubject: y\r\n\r\nz\r\n'
    yield 'no-head-other-mta', (
        b'Received: from b (b [192.0.2.8]) by mx.example.com with ESMTP\r\n'
        b' id 4711; Fri, 27 Jan 2023 10:00:00 +0000\r\n'
        b'Received: from a (a [192.0.2.9])\r\n'
        b' by inbound-smtp.us-east-1.amazonaws.com with SMTP id zzzz\r\n'
        b' for mallory@example.com;\r\n'
        b' Sat, 28 Jan 2023 12:19:20 +0000 (UTC)\r\n\r\nbody\r\n')


def numbered(n, size=20):
    line = '%d says hello to the world, once more\r\n' % n
    return message(ses_id(n), RCPT, START + n,
                   line * (size // len(line)) + line)


def check_many(maildir, count):
    """As check(), without the originals: their number tells all."""
    left, wrong = set(range(count)), 0
    for path in files(os.path.join(maildir, 'new')):
        data = open(path, 'rb').read()
        m = NAME.match(os.path.basename(path))
        number = re.search(rb'\n\n([0-9]+) says', data)
        n = int(number[1]) if number else -1
        if n not in left or not m or int(m[1]) != START + n or \
                data != expected(numbered(n), m[2]):
            print('%r: wrong or once too often' % path)
            wrong += 1
        left.discard(n)
    for n in sorted(left)[:10]:
        print('%s: not delivered' % ses_id(n))
    return 1 if wrong or left else 0


def write(path, data, when=None):
    with open(path, 'wb') as f:
        f.write(data)
    if when is not None:
        os.utime(path, (when, when))


def files(top):
    for where, dirs, names in os.walk(os.fsencode(top)):
        for name in names:
            yield os.path.join(where, name)


def check_file(path, obj, original, verbatim):
    """What is wrong with the stored file, a text each."""
    m = NAME.match(os.path.basename(path))
    if not m:
        yield 'not a name of ours'
        return
    st = os.lstat(path)
    data = open(path, 'rb').read()
    want = expected(obj, m[2], verbatim)
    if data != want:
        yield 'bytes differ from those of %r: %r not %r' % (
            original, data[:200], want[:200])
    if int(m[3]) != st.st_size:
        yield 'S=%d but has %d bytes' % (int(m[3]), st.st_size)
    when = arrival(obj, original)
    if int(m[1]) != when or int(st.st_mtime) != when:
        yield 'arrived %d, name says %d, mtime %d' % (
            when, int(m[1]), int(st.st_mtime))
    if st.st_mode & 0o7777 != 0o600 or st.st_nlink != 1:
        yield 'mode %o, %d links' % (st.st_mode & 0o7777, st.st_nlink)
    home = os.stat(os.path.dirname(os.path.dirname(path)))
    if (st.st_uid, st.st_gid) != (home.st_uid, home.st_gid):
        yield 'belongs to %d:%d' % (st.st_uid, st.st_gid)


def check(maildir, originals, verbatim):
    wrong = []
    left = collections.defaultdict(list)
    for path in files(originals):
        obj = open(path, 'rb').read()
        rest = obj if verbatim else obj.replace(b'\r\n', b'\n')
        left[hashlib.sha256(rest).digest()].append((path, obj))
    count = 0
    for sub in 'new', 'cur':
        for path in sorted(files(os.path.join(maildir, sub))):
            count += 1
            rest = body_of_stored(open(path, 'rb').read(), verbatim)
            same = left.get(hashlib.sha256(rest).digest())
            if not same:
                wrong.append('%r: no such object (or once too often)' % path)
                continue
            original, obj = same.pop()
            wrong += ['%r: %s' % (path, w)
                      for w in check_file(path, obj, original, verbatim)]
    for missing in left.values():
        wrong += ['%r: not delivered' % path for path, obj in missing]
    for sub in 'tmp', 'fallbackmx.stage':
        where = os.path.join(maildir, sub)
        if os.path.isdir(where):
            wrong += ['%r: left over' % path for path in files(where)
                      if os.path.basename(path) != b'.mark']
    print('\n'.join(wrong) if wrong else '%d right' % count)
    return 1 if wrong else 0


def main(verb, *args):
    if verb == 'make':
        path, n = args[0], args[1:]
        ident = n[0] if n else ses_id(0)
        rcpt = n[1] if len(n) > 1 else RCPT
        when = int(n[2]) if len(n) > 2 else START
        body = n[3] if len(n) > 3 else 'Hello %s.\r\n' % path
        write(path, message(ident, rcpt, when, body))
    elif verb == 'many':
        first = int(args[2]) if len(args) > 2 else 0
        size = int(args[3]) if len(args) > 3 else 20
        for n in range(first, first + int(args[1])):
            write(os.path.join(args[0], ses_id(n)), numbered(n, size),
                  START + n)
    elif verb == 'shapes':
        for n, (name, data) in enumerate(shapes()):
            write(os.path.join(args[0], name), data, START - 1000 + n)
    elif verb == 'check':
        return check(args[0], args[1], args[2:] == ('verbatim',))
    elif verb == 'check-many':
        return check_many(args[0], int(args[1]))
    elif verb == 'ids':
        for n in range(int(args[0])):
            print(ses_id(n))
    else:
        sys.exit(__doc__)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

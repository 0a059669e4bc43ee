"""kept - what bench-archive tells of an archive that is there: how large it is
beside a Maildir of the same mails, plain and packed file by file, and how long
`fallbackmx archive` takes to list and to show.

The mails (letters.py) come to the milter as Postfix would bring them, with
bench-milter's 40 rules, which are written down with each of them. Bytes on
disk are blocks of the file system, those of directories and inodes (of 256
bytes) included. What is listed was made by tests/journal/appender, nine tenths
of it 30 days ago; the files are in the page cache but for the row that says so.
"""

import os
import statistics
import subprocess
import sys
import time

import rate
import measure
import packet
import stage
from filter import CLIENT, Filter
from letters import Letters, whole
from mta import Session

INODE = 256
CHUNK = 65535       # of a body, as Postfix cuts it
SAMPLES = 25
TIMES = 5


def disk(path):
    """(bytes on disk, bytes in files, files)"""
    blocks = data = files = 0
    for where, _, names in os.walk(path):
        for s in [os.stat(where)] + [os.lstat(os.path.join(where, n))
                                     for n in names]:
            blocks += s.st_blocks * 512 + INODE
        files += len(names)
        data += sum(os.lstat(os.path.join(where, n)).st_size for n in names)
    return blocks, data, files


def bring(s, i, sender, rcpt, fields, body):
    """To the milter, in as few writes as may be."""
    s.mail(sender, 'SIZE=%d' % len(body), 'BODY=8BITMIME')
    s.rcpt(rcpt)
    s.data('%010X' % i)
    s.send(b''.join(packet.packet(packet.HEADER, packet.strings(*(
        x.replace('\r\n', '\n').encode() for x in f.split(':', 1))))
                    for f in fields) + packet.packet(packet.EOH))
    for at in range(0, len(body), CHUNK):
        s.send(packet.packet(packet.BODY, body[at:at + CHUNK]))
    said = s.eom('%010X' % i)[1]
    if said not in (packet.CONTINUE, packet.ACCEPT):
        raise SystemExit('bench-archive: a mail is answered %r' % (said,))


def fill(place, socket, maildir, count):
    """Each mail to the milter and, as Postfix would write it, to a Maildir."""
    letters = Letters()
    for n in 'cur', 'new', 'tmp':
        os.makedirs(os.path.join(maildir, n))
    samples = []
    with Session(socket, 120) as s:
        s.begin()
        for i in range(count):
            sender, rcpt, fields, body = letters.letter(i)
            bring(s, i, sender, rcpt, fields, body)
            data = whole(fields, body)
            if i % (count // SAMPLES or 1) == 0:
                samples.append((i, data))
            with open('%s/new/%d.V801I%dM%d.mx.example.com' % (
                    maildir, 1760000000 + i, i, i), 'wb') as f:
                f.write(data.replace(b'\r\n', b'\n'))
    return samples


def compare(archives, samples):
    """The samples come out of the archive as they went in."""
    said = subprocess.run([CLIENT, 'archive', 'list', '--archive', archives],
                          check=True, stdout=subprocess.PIPE, text=True)
    ids = [x.split()[0] for x in said.stdout.splitlines()]
    for i, data in samples:
        cat = subprocess.run([CLIENT, 'archive', 'cat', '--archive', archives,
                              ids[i]], check=True, stdout=subprocess.PIPE)
        if cat.stdout != data:
            raise SystemExit('bench-archive: mail %d is another one' % i)
    return len(ids)


def size(place):
    count = int(os.environ.get('BENCH_KEPT', 10000))
    archives = place.folder('archives', stage.NOBODY, 0o700)
    ours = Filter(place, files=rate.documents(traffic='ALLOW'), archive={
        'directory': archives, 'default': 'all'},
        **rate.settings(place, 'filter'))
    maildir = place.path('Maildir')
    samples = fill(place, ours.socket, maildir, count)
    ours.stop()
    if compare(archives, samples) != count:
        raise SystemExit('bench-archive: not all mails are in the archive')
    os.sync()
    sizes = [('Maildir', *disk(maildir))]
    new = maildir + '/new'
    for i in range(0, count, 1000):
        names = sorted(os.listdir(new))[i:i + 1000]
        subprocess.run(['zstd', '-q', '-3', '--rm', *names], check=True,
                       cwd=new)
    os.sync()
    sizes += [('Maildir, `zstd -3` for each file', *disk(maildir)),
              ('archive', *disk(archives))]
    report_sizes(sizes, count)


def report_sizes(sizes, count):
    print('| %d mails | MB on disk | to the Maildir | MB in files | files |' %
          count)
    print('|---|---|---|---|---|')
    for title, blocks, data, files in sizes:
        print('| %s | %.1f | %.2f | %.1f | %d |' % (
            title, blocks / 1e6, blocks / sizes[0][1], data / 1e6, files))


# --- list and show ---------------------------------------------------------

def make(place, count):
    """Nine tenths of them long ago. The id of the middle one."""
    where = place.folder('listed', mode=0o700)
    program = measure.BUILD + '/tests/journal/appender'
    for n, days in ((count * 9 // 10, 30), (count - count * 9 // 10, 0)):
        said = subprocess.run(
            [program, '--threads=50', '--count=%d' % n, '--days=%d' % days,
             where], check=True, stdout=subprocess.PIPE, text=True)
        print(said.stdout.splitlines()[-1], file=sys.stderr)
        if days:
            middle = said.stdout.splitlines()[n // 2].split()[0]
    return where, middle


def forget(where):
    """The page cache lets go of the archive."""
    for n in os.listdir(where):
        with open(os.path.join(where, n), 'rb') as f:
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def timed(where, words):
    began = time.monotonic()
    said = subprocess.run([CLIENT, 'archive', words[0], '--archive', where,
                           *words[1:]], check=True, stdout=subprocess.PIPE)
    return time.monotonic() - began, said.stdout.count(b'\n')


def latency(place):
    count = int(os.environ.get('BENCH_LISTED', 100000))
    where, middle = make(place, count)
    today = time.strftime('%Y-%m-%d', time.gmtime(time.time() - 86400))
    rows = (('list',), ('list', '--limit', '20'), ('list', '--since', today),
            ('list', '--envelope-to', 'r42@'), ('list', '--queue-id',
                                                '4b00%04X' % (count // 3)),
            ('list', '--header', 'subject=number 4242'), ('list', '--json'),
            ('show', middle), ('cat', middle), ('stats',))
    print('| archive of %d messages, %.0f MB | seconds, median (range) '
          '| lines |' % (count, disk(where)[0] / 1e6))
    print('|---|---|---|')
    for words in rows:
        timed(where, words)
        line([timed(where, words) for _ in range(TIMES)], words)
    for words in ('list',), ('show', middle):
        found = []
        for _ in range(TIMES):
            forget(where)
            found.append(timed(where, words))
        line(found, words, ', not in the page cache')


def line(found, words, more=''):
    seconds = [s for s, _ in found]
    print('| `%s`%s | %.3f (%.3f to %.3f) | %d |' % (
        ' '.join(words), more, statistics.median(seconds), min(seconds),
        max(seconds), found[0][1]), flush=True)

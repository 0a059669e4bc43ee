"""What the milter tests share: a directory of their own, programs, waiting."""

import atexit
import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(os.path.dirname(HERE), d)
                 for d in ('rules', 'policy')]

import rule                                                 # noqa: E402

check, skip = rule.check, rule.skip
SANITIZED = rule.SANITIZED
NOBODY = 'nobody'


def done():
    """Ends the program. FIGURES=1: with the line that scripts/check reads of
    what automake does not run."""
    if os.environ.get('FIGURES'):
        print('%d passed, %d failed, 0 skipped' % (
            rule._count - rule._failed, rule._failed))
    rule.done()


def setting(name, default):
    return int(os.environ.get(name, default))


def differs(what, found, expected):
    if found != expected:
        yield '%s: found %r, expected %r' % (what, found, expected)


class Place:
    """A directory that others can enter; it goes with everything in it, and
    with every process that was started through it. where: a directory for it,
    normally that of all temporary files."""

    def __init__(self, where=None):
        self.dir = tempfile.mkdtemp(prefix='fallbackmx-milter.', dir=where)
        os.chmod(self.dir, 0o755)
        self.children = []
        atexit.register(self.close)
        for n in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
            signal.signal(n, lambda *_: sys.exit(1))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def path(self, *words):
        return os.path.join(self.dir, *words)

    def folder(self, name, owner=None, mode=0o755):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        if owner is not None and os.geteuid() == 0:
            who = pwd.getpwnam(owner)
            os.chown(path, who.pw_uid, who.pw_gid)
        os.chmod(path, mode)
        return path

    def put(self, name, content):
        if isinstance(content, str):
            content = content.encode()
        path = self.path(name)
        with open(path, 'wb') as f:
            f.write(content)
        return path

    def start(self, words, log, **how):
        """A process of its own group that ends with this one."""
        with open(log, 'ab') as out:
            child = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, preexec_fn=die_with_us, **how)
        self.children.append(child)
        return child

    def stop(self, child, number=signal.SIGTERM, seconds=30):
        """Returns its exit code; one that does not go is killed."""
        if child.poll() is None:
            child.send_signal(number)
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                kill_group(child.pid)
                child.wait()
        if child in self.children:
            self.children.remove(child)
        return child.returncode

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in list(self.children):
            self.stop(child, seconds=10)
            kill_group(child.pid)
        shutil.rmtree(self.dir, ignore_errors=True)


def die_with_us():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)


def kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait_for(what, seconds=60, every=0.01):
    """The first true answer; None: it never came."""
    end = time.monotonic() + seconds
    while True:
        said = what()
        if said or time.monotonic() > end:
            return said or None
        time.sleep(every)


def ports(count):
    """So many that nobody has now, each another one, outside of those that
    connections take."""
    found = set()
    while len(found) < count:
        n = random.randrange(12000, 32000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(('127.0.0.1', n))
                found.add(n)
            except OSError:
                continue
    return found


def answers(n):
    """Somebody listens there; nobody is disturbed by the question."""
    with open('/proc/net/tcp', encoding='ascii') as f:
        return any(words[1].endswith(':%04X' % n) and words[3] == '0A'
                   for words in map(str.split, f))


def text(path):
    try:
        with open(path, encoding='utf-8', errors='backslashreplace') as f:
            return f.read()
    except FileNotFoundError:
        return ''


def why_not(*tools):
    """Why a test with real servers cannot run here, or None."""
    if os.geteuid() != 0:
        return 'needs root, which Postfix wants'
    missing = rule.needs('postconf', *tools)
    return missing and 'needs ' + missing


def need(*tools):
    """Ends the program with a word when its tests cannot run here."""
    why = why_not(*tools)
    if why:
        skip(os.path.basename(sys.argv[0]), why)
        done()


def certificate(place, name='tls', cn='mx.example.com'):
    """Self-signed; the path without .crt and .key."""
    path = place.path(name)
    if not os.path.exists(path + '.crt'):
        rule.output('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                    '-days', '2', '-subj', '/CN=' + cn, '-keyout',
                    path + '.key', '-out', path + '.crt')
    return path

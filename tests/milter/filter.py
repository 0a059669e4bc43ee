"""filter - fallbackmx-milter as a test starts it: as nobody, on a socket of
its own, with a log that is read."""

import grp
import json
import os
import shutil
import signal
import subprocess
import time

import packet
from stage import NOBODY, rule, text, wait_for

PROGRAM = os.environ.get('MILTER', rule.built('fallbackmx-milter'))
CLIENT = rule.built('fallbackmx')
TICK = os.sysconf('SC_CLK_TCK')
REPORT = ('ERROR: ', 'WARNING: ThreadSanitizer', 'runtime error:')
LINE = b'fallbackmx-milter: {'
# A sanitizer that finds something ends the program.
SANITIZERS = {
    'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=0:exitcode=99',
    'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1:exitcode=99',
    'TSAN_OPTIONS': 'exitcode=66:halt_on_error=0',
}


def as_nobody():
    """Root does not run it; who is not root has no choice."""
    if os.geteuid() != 0:
        return {}
    return {'user': NOBODY, 'group': group(), 'extra_groups': []}


def group():
    """The one that Postfix reaches the socket by."""
    if os.geteuid() != 0:
        return grp.getgrgid(os.getegid()).gr_name
    try:
        return grp.getgrnam('postfix').gr_name
    except KeyError:
        return 'nogroup'


class Filter:
    """settings: of the object "milter", more than the test's own;
    descriptors: that it may have; environment: more than ours; preload: a
    shared object of the build."""

    def __init__(self, place, name='filter', files=None, descriptors=None,
                 environment=None, preload=None, **settings):
        self.place, self.descriptors_at_most = place, descriptors
        self.environment = dict(environment or {})
        self.dir = place.folder(name, NOBODY)
        if preload:
            self.preload(preload)
        self.path = os.path.join(self.dir, 'socket')
        self.socket = 'unix:' + self.path
        self.log = os.path.join(self.dir, 'log')
        self.file = os.path.join(self.dir, 'fallbackmx.json')
        self.metrics_file = os.path.join(self.dir, 'metrics.prom')
        self.program = shutil.copy(PROGRAM, self.dir)
        self.child, self.read = None, 0
        self.put(files or {})
        self.configure(**settings)
        self.start()

    def preload(self, name):
        """From the next start on; where nobody can read it."""
        self.environment['LD_PRELOAD'] = shutil.copy(rule.built(name),
                                                     self.dir)

    def put(self, files):
        """{name: content}; JSON if it is no text."""
        for name, content in files.items():
            path = os.path.join(self.dir, name)
            with open(path + '.new', 'wb') as f:
                if not isinstance(content, (str, bytes)):
                    content = json.dumps(content)
                f.write(content.encode() if isinstance(content, str)
                        else content)
            os.rename(path + '.new', path)

    def configure(self, **settings):
        self.settings = {
            'socket': self.socket, 'socket_group': group(), 'log': 'json',
            'control_socket': os.path.join(self.dir, 'control'),
            'metrics_file': self.metrics_file, **settings}
        self.put({'fallbackmx.json': {'milter': self.settings}})

    def document(self, name):
        return os.path.join(self.dir, name)

    def start(self, wait=True):
        words = [self.program, '--verbose', '--config', self.file]
        if self.descriptors_at_most:
            words = ['sh', '-c', 'ulimit -n "$0" && exec "$@"',
                     str(self.descriptors_at_most), *words]
        self.child = self.place.start(
            words, self.log, **as_nobody(),
            env={**os.environ, **SANITIZERS, **self.environment})
        if wait and not wait_for(lambda: self.child.poll() is not None or
                                 self.listens()):
            raise RuntimeError('no socket: ' + text(self.log)[-2000:])
        if wait and self.child.poll() is not None:
            raise RuntimeError('exit %s: %s' % (
                self.child.returncode, text(self.log)[-2000:]))
        return self.child

    def listens(self):
        """Somebody answers there, and Postfix may."""
        try:
            packet.dial(self.socket).close()
            return os.stat(self.path).st_mode & 0o060 == 0o060
        except OSError:
            return False

    def running(self):
        return self.child.poll() is None

    def stop(self, number=signal.SIGTERM, seconds=60):
        return self.place.stop(self.child, number, seconds)

    def tell(self, *words):
        """`fallbackmx WORDS`; (code, stdout, stderr)."""
        r = subprocess.run([CLIENT, *words, '--config', self.file],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           stdin=subprocess.DEVNULL, timeout=180)
        return r.returncode, r.stdout.decode(), r.stderr.decode()

    def reload(self):
        """Its exit code; 0: the new configuration is in force."""
        return self.tell('reload')[0]

    def status(self):
        return json.loads(self.tell('status', '--json')[1])

    def metrics(self):
        """{series: value} of the file for Prometheus."""
        return {k: float(v) for k, v in (
            x.rsplit(' ', 1) for x in text(self.metrics_file).splitlines()
            if x and not x.startswith('#'))}

    def logged(self):
        return text(self.log)

    def messages(self):
        """The JSON lines of the log since the last time."""
        with open(self.log, 'rb') as f:
            f.seek(self.read)
            whole = f.read()
        whole = whole[:whole.rfind(b'\n') + 1]
        self.read += len(whole)
        return [json.loads(x[len(LINE) - 1:]) for x in whole.splitlines()
                if x.startswith(LINE)]

    def complaints(self):
        """What a sanitizer said, and whether it still runs."""
        if not self.running():
            yield 'it ended with %s' % self.child.returncode
        for line in self.logged().splitlines():
            if any(word in line for word in REPORT):
                yield line

    def ends(self):
        """Stops it; problems when it does not end well."""
        yield from self.complaints()
        code = self.stop()
        if code != 0:
            yield 'exit code %s: %s' % (code, self.logged()[-1500:])
        if not self._silent():
            yield self.logged()[-3000:]

    def _silent(self):
        return not any(word in self.logged() for word in REPORT)

    # What it costs

    def proc(self, name):
        return text('/proc/%d/%s' % (self.child.pid, name))

    def rss(self):
        """KiB of memory that is its own."""
        for line in self.proc('status').splitlines():
            if line.startswith('RssAnon:'):
                return int(line.split()[1])
        return 0

    def descriptors(self):
        """0: not to be seen; a process that leaves no core belongs to root
        in /proc."""
        try:
            return len(os.listdir('/proc/%d/fd' % self.child.pid))
        except PermissionError:
            return 0

    def cpu(self):
        """Seconds, of all threads."""
        words = self.proc('stat').rsplit(')', 1)[1].split()
        return (int(words[11]) + int(words[12])) / TICK

    def settled(self, seconds=20):
        """Its descriptors when connections that were closed are gone."""
        least, end = self.descriptors(), time.monotonic() + seconds
        still = time.monotonic()
        while time.monotonic() < end and time.monotonic() - still < 1:
            time.sleep(0.05)
            n = self.descriptors()
            if n < least:
                least, still = n, time.monotonic()
        return least

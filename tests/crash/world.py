"""world - a small place to import mail in: source, state, homes, programs.

A World lives in one directory and can be made anew (reset) as often as a test
likes. Three kinds: "root" (spawner, engine user, two owners without a passwd
entry), "plain" (configuration, one user), "direct" (plain, SOURCE and MAILDIR
on the command line). Root can play all three. Three more have a bucket as
their source, see bucket.py and make(): "s3" is else like plain, "s3root" like
root; "s3many" is plain, and its server does not look at If-Match.

Every mail carries an id of its own; what must be in the Maildirs is told by
transform(), which shares nothing with the program.
"""

import atexit
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PLAIN_ID = 65534
ENGINE = "nobody"
OWNERS = {"alice": 2001, "bob": 2002}
NAME = re.compile(r"(\d+)\.F([0-9a-f]{32})\.fallbackmx,S=(\d+)(:2,[A-Z]*)?")
TEST_ID = re.compile(rb"^X-Test-Id: (\S+)\r?$", re.M)
NOISE = ("mmap", "munmap", "mprotect", "brk", "rt_sigaction", "madvise",
         "rt_sigprocmask", "rseq", "set_robust_list", "set_tid_address",
         "arch_prctl", "prlimit64", "getpid", "gettid", "geteuid", "getuid",
         "getegid", "getgid", "getppid", "uname", "rt_sigreturn")


def build_dir():
    return os.environ.get("FALLBACKMX_BUILD", os.getcwd())


def tracer_path():
    return os.environ.get("FALLBACKMX_TRACER",
                          os.path.join(build_dir(), "tests/crash/tracer"))


def why_not(traced=True):
    """Why the crash tests cannot run here, or None."""
    needed = [os.path.join(build_dir(), "fallbackmx"),
              os.path.join(build_dir(), "fallbackmx-deliver")]
    for path in needed + [tracer_path()] * traced:
        if not os.access(path, os.X_OK):
            return "not built: " + path
    if not traced:
        return None
    if os.environ.get("FALLBACKMX_SANITIZERS", "no") != "no":
        return "leak checking does not work in a traced process"
    test = subprocess.run([tracer_path(), "plan", "-o", "/dev/null", "--",
                           "/bin/true"], stderr=subprocess.PIPE)
    if test.returncode == 2:
        return test.stderr.decode().strip()
    return None


class Mail:
    """One mail as SES stores it. kind: see BODIES."""

    def __init__(self, ident, rcpt="alice@example.com", kind="plain",
                 arrival=1674821960):
        digits = random.Random(ident)
        self.id, self.rcpt, self.arrival = ident, rcpt, arrival
        self.ses = "".join(digits.choice("0123456789abcdefghijklmnopqrstuv")
                           for _ in range(40))
        when = time.strftime("%a, %d %b %Y %H:%M:%S +0000 (UTC)",
                             time.gmtime(arrival))
        head = ["Return-Path: <sender@example.net>",
                "Received: from mx.example.net (mx.example.net [192.0.2.7])",
                " by inbound-smtp.us-east-1.amazonaws.com with SMTP id "
                + self.ses, " for " + rcpt + ";", " " + when,
                "X-SES-Spam-Verdict: PASS", "X-SES-Virus-Verdict: PASS",
                "From: Sender <sender@example.net>", "To: <%s>" % rcpt,
                "Subject: mail " + ident, "X-Test-Id: " + ident,
                "Message-ID: <%s@example.net>" % ident, "", ""]
        self.raw = "\r\n".join(head).encode()
        self.raw += BODIES[kind](len(self.raw), digits)

    def transform(self, name_id):
        """What the Maildir must hold for the id in the file's name."""
        lines = ["Delivered-To: " + self.rcpt, "X-Original-To: " + self.rcpt,
                 "X-FallbackMX: route=fallback; id=%s; ses=%s"
                 % (name_id, self.ses), ""]
        return "\n".join(lines).encode() + self.raw.replace(b"\r\n", b"\n")


def text(digits, lines):
    words = ["mail", "outage", "bucket", "second", "exchanger", "queue"]
    return "".join(" ".join(digits.choice(words) for _ in range(9)) + "\r\n"
                   for _ in range(lines)).encode()


def big(start, digits):
    """Over 256 KiB, with a CRLF across each likely end of a buffer."""
    body = bytearray(text(digits, 5200))
    for edge in (4096, 8192, 16384, 32768, 65536, 131072, 262144):
        body[edge - start - 1:edge - start + 1] = b"\r\n"
        body[edge - start + 8191:edge - start + 8193] = b"\r\r"
    return bytes(body)


BODIES = {
    "plain": lambda at, digits: text(digits, 12),
    "8bit": lambda at, digits: "Grüße\r\n".encode() + bytes(range(256)),
    "nul": lambda at, digits: b"a\0b\r\n\0\r\n" + text(digits, 3),
    "cr": lambda at, digits: b"one\rtwo\r\r\nthree\n\rfour\r\n\r",
    "open": lambda at, digits: text(digits, 2) + b"no final newline",
    "empty": lambda at, digits: b"",
    "big": big,
}


class Mailbox:
    def __init__(self, name, maildir, uid):
        self.name, self.maildir, self.uid = name, maildir, uid


class Ran:
    """How a command ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def counts(self):
        """The object that --json prints; {} when it is none."""
        try:
            return json.loads(self.out)
        except ValueError:
            return {}


class Traced(Ran):
    """How a traced command ended, and what the tracer did to it."""

    def __init__(self, code, out, err, log):
        super().__init__(code, out, err)
        self.log = log.splitlines()
        self.acted = code == 0 or code == 5
        self.timeout = code == 4
        self.unsuited = any(l.startswith("unsuited ") for l in self.log)
        end = self.log[-1].split() if self.log else ["end", "", "none", "0"]
        self.how, self.status = end[2], int(end[3])

    def proven(self, role):
        """True if the log shows that a process of role died by SIGKILL."""
        return (any(l.startswith("killed %s at " % role) for l in self.log) and
                any(l.startswith("exit %s " % role) and
                    l.endswith(" signal 9") for l in self.log))


class World:
    environment = {}
    # Batches are cut by time: traced runs take one way, whatever the load is.
    still = True
    early = ()          # what was removed before its mail was safe

    def __init__(self, base, kind):
        self.base, self.kind = base, kind
        self.as_root = os.geteuid() == 0
        self.spawned = kind in ("root", "s3root")
        own = PLAIN_ID if self.as_root else os.geteuid()
        self.user = PLAIN_ID if self.as_root and not self.spawned else None
        self.engine_uid = own
        self.source = base + "/source"
        self.state = base + "/state"
        self.homes = base + "/homes"
        self.bin = base + "/bin"
        self.logs = base + "/log"
        self.config = base + "/fallbackmx.json"
        names = ["alice"] if kind == "direct" else ["alice", "bob"]
        self.boxes = {n: Mailbox(n, "%s/%s/Maildir" % (self.homes, n),
                                 OWNERS[n] if self.spawned else own)
                      for n in names}
        os.makedirs(base, exist_ok=True)
        os.chmod(base, 0o755)
        self._install()

    def _install(self):
        os.makedirs(self.bin, exist_ok=True)
        # Copies: the build tree may lie where their users cannot go.
        for program in ("fallbackmx", "fallbackmx-deliver"):
            shutil.copy(os.path.join(build_dir(), program), self.bin)
        if os.path.exists(tracer_path()):
            shutil.copy(tracer_path(), self.bin + "/tracer")
        shutil.copy(os.path.join(build_dir(),
                                 "tests/integration/clockshift.so"), self.bin)
        with open(self.config, "w") as f:
            json.dump(self._settings(), f)
        self._mkdir(self.logs, self.engine_uid)

    def _settings(self):
        boxes = []
        for box in self.boxes.values():
            line = {"prefix": box.name + "/", "maildir": box.maildir}
            if self.spawned:
                line["owner"] = "%d:%d" % (box.uid, box.uid)
            boxes.append(line)
        settings = {"state_dir": self.state, "sources": [
            {**self._source(), "mailboxes": boxes}]}
        if self.spawned:
            settings["engine_user"] = ENGINE
        return settings

    def _source(self):
        return {"url": "file://%s/" % self.source, "settle": 0}

    def _mkdir(self, path, uid):
        os.makedirs(path, exist_ok=True)
        self._give(path, uid)

    def _give(self, path, uid):
        if self.as_root:
            os.chown(path, uid, uid)

    def reset(self):
        """Empty source, no state, homes without Maildirs."""
        for path in (self.source, self.state, self.homes):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.source, self.state):
            self._mkdir(path, self.engine_uid)
            os.chmod(path, 0o700)
        os.makedirs(self.homes)
        for box in self.boxes.values():
            self._mkdir(os.path.dirname(box.maildir), box.uid)

    def put(self, key, mail, age=100):
        """Stores mail under key at once, as an upload by rename does."""
        path = os.path.join(self.source, key)
        if not os.path.isdir(os.path.dirname(path)):
            folder = self.source
            for part in os.path.dirname(key).split("/"):
                folder = os.path.join(folder, part)
                self._mkdir(folder, self.engine_uid)
        fresh = os.path.join(self.base, "fresh." + key.replace("/", "_"))
        with open(fresh, "wb") as f:
            f.write(mail.raw)
        self._give(fresh, self.engine_uid)
        when = time.time() - age
        os.utime(fresh, (when, when))
        os.rename(fresh, path)

    def has(self, key):
        return os.path.exists(os.path.join(self.source, key))

    def ready(self, mail):
        """Lays mail ready for replace(), by one step that cannot be seen
        half done."""
        self.put("later", mail, 10)
        os.rename(self.source + "/later", self.logs + "/ready")

    def replace(self, key):
        """Puts what is ready() under key."""
        os.rename(self.logs + "/ready", self.source + "/" + key)

    def replacer(self, key):
        """The words of a shell that do so, and make logs/there before, if
        the key was taken."""
        path = self.source + "/" + key
        return ("test ! -e '%s' || : >'%s/there'\nexec mv -f '%s' '%s'\n"
                % (path, self.logs, self.logs + "/ready", path))

    def command(self, *options):
        argv = [self.bin + "/fallbackmx", "sync", *options]
        if self.kind != "direct":
            return argv + ["--config", self.config]
        return argv + ["--state-dir", self.state, "file://%s/" % self.source,
                       self.boxes["alice"].maildir]

    def popen(self, argv, still=False, **more):
        ids = {} if self.user is None else {
            "user": self.user, "group": self.user, "extra_groups": []}
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", **self.environment}
        if still:
            env.update(LD_PRELOAD=self.bin + "/clockshift.so",
                       CLOCK_STILL="1")
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, cwd="/", env=env,
                                stderr=subprocess.PIPE, text=True,
                                errors="replace", **ids, **more)

    def run(self, *options, limit=300):
        """A run without interference, with --json."""
        return self.finish(self.popen(self.command("--json", *options)), limit)

    def finish(self, child, limit=300):
        try:
            out, err = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            out, err = child.communicate()
            return Ran("hang", out, err)
        return Ran(child.returncode, out, err)

    def trace(self, mode, *args, limit=150, options=()):
        """A run under the tracer; args are the tracer's."""
        log = self.logs + "/trace"
        child = self.popen([self.bin + "/tracer", mode, "-o", log, "-t",
                            str(limit), "-b", self.homes + "/", *args, "--",
                            *self.command("--json", *options)], self.still)
        ran = self.finish(child, limit + 30)
        with open(log, errors="replace") as f:
            return Traced(ran.code, ran.out, ran.err, f.read())

    def plan(self, options=()):
        """[Point] in the order of time."""
        traced = self.trace("plan", options=options)
        if not traced.acted or (traced.how, traced.status) != ("status", 0):
            raise SystemExit("the clean run for the plan failed: %s %s\n%s"
                             % (traced.how, traced.status, traced.err))
        return [Point(*line.split(" ", 8)[1:]) for line in traced.log
                if line.startswith("call ")]

    def stored(self):
        """[(mailbox, folder, file name)] in new/ and cur/."""
        return [(box, folder, name) for box in self.boxes.values()
                for folder in ("new", "cur")
                for name in ls(box.maildir + "/" + folder)]

    def snapshot(self):
        return sorted((b.name, f, n, os.stat(
            "/".join((b.maildir, f, n))).st_ino) for b, f, n in self.stored())

    def left_in_source(self):
        return sorted(os.path.relpath(os.path.join(d, f), self.source)
                      for d, _, files in os.walk(self.source) for f in files)


def make(base, kind):
    """The World of this kind; those of "s3" have a bucket as their source."""
    if not kind.startswith("s3"):
        return World(base, kind)
    import bucket
    return bucket.BucketWorld(base, kind)


class Point:
    """One call of the plan: the k-th NAME of ROLE."""

    def __init__(self, role, ordinal, name, k, a0, a1, a2, detail=""):
        self.role, self.name, self.k = role, name, int(k)
        self.ordinal, self.detail = int(ordinal), detail
        self.arg = [int(a, 16) for a in (a0, a1, a2)]

    def args(self):
        return ["-r", self.role, "-c", self.name, "-n", str(self.k)]

    def __str__(self):
        return "%s %s %d" % (self.role, self.name, self.k)


def ls(path):
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []


def verify(world, expected, kept=False):
    """Compares the Maildirs with expected, [(Mail, mailbox name, counts)];
    counts is the tuple of allowed numbers of copies. kept: objects may be
    left in the source. Returns complaints, each with its class in front:
    lost, doubled, early, bytes, left."""
    found, complaints = {}, ["early: " + what for what in world.early]
    mails = {mail.id: mail for mail, _, _ in expected}
    for box, folder, name in world.stored():
        path = "/".join((box.maildir, folder, name))
        with open(path, "rb") as f:
            data = f.read()
        match = TEST_ID.search(data)
        ident = match.group(1).decode() if match else None
        if ident not in mails:
            complaints.append("bytes: %s is no mail of this test" % path)
            continue
        found[ident, box.name] = found.get((ident, box.name), 0) + 1
        complaints += check_file(path, name, data, mails[ident], box)
    for mail, box, counts in expected:
        n = found.pop((mail.id, box), 0)
        if n not in counts:
            word = "lost" if n < min(counts) else "doubled"
            complaints.append("%s: %s in %s %d times"
                              % (word, mail.id, box, n))
    complaints += ["doubled: %s in %s, where it does not belong" % where
                   for where in found]
    return complaints + leftovers(world, kept)


def check_file(path, name, data, mail, box):
    match = NAME.fullmatch(name)
    if match is None:
        return ["bytes: the name of " + path]
    status, wrong = os.stat(path), []
    if data != mail.transform(match.group(2)):
        wrong.append("bytes: the content of %s (%s)" % (path, mail.id))
    if int(match.group(3)) != len(data):
        wrong.append("bytes: S= of " + path)
    if int(match.group(1)) != mail.arrival:
        wrong.append("bytes: the arrival in the name of " + path)
    if int(status.st_mtime) != mail.arrival:
        wrong.append("bytes: the time of " + path)
    if status.st_uid != box.uid or status.st_mode & 0o777 != 0o600:
        wrong.append("bytes: owner or mode of " + path)
    return wrong


def leftovers(world, kept):
    left = []
    for box in world.boxes.values():
        left += ["left: %s/%s" % (box.maildir + "/fallbackmx.stage", name)
                 for name in ls(box.maildir + "/fallbackmx.stage")
                 if name != ".mark"]
        left += ["left: %s/tmp/%s" % (box.maildir, name)
                 for name in ls(box.maildir + "/tmp")]
    left += ["left: %s in the source" % key for key in world.left_in_source()
             if not kept or os.path.basename(key).startswith(".")]
    return left


def after(world, expected, code=0):
    """A clean run, the verification, a second run that must change nothing,
    the audit. Returns complaints."""
    first = world.run()
    complaints = []
    if first.code != code:
        complaints.append("exit: the clean run ended with %s: %s"
                          % (first.code, first.err.strip()))
    complaints += verify(world, expected)
    before = world.snapshot()
    second = world.run()
    if second.code != 0:
        complaints.append("exit: the second clean run ended with %s: %s"
                          % (second.code, second.err.strip()))
    if world.snapshot() != before:
        complaints.append("doubled: the second clean run changed a Maildir")
    audit = world.run("--audit")
    if audit.code != 0:
        complaints.append("audit: exit %s: %s"
                          % (audit.code, audit.err.strip()))
    return complaints


def make_base():
    """A directory for worlds, gone when this program ends, however that is;
    KEEP=1 leaves it."""
    base = tempfile.mkdtemp(prefix="fallbackmx-crash.")
    os.chmod(base, 0o755)
    if os.environ.get("KEEP"):
        print("kept: " + base)
    else:
        atexit.register(shutil.rmtree, base, ignore_errors=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    return base

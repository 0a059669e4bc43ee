"""place - one bucket on a scripted server, one Maildir, and the importer."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE + "/../integration"]

import scripted                                             # noqa: E402
import ses                                                  # noqa: E402

BUILD = os.environ.get("FALLBACKMX_BUILD", os.getcwd())
NOBODY = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
PATIENCE = 600          # seconds for a run, then it hangs

# A process counts what its parent had when it was forked: a small parent.
MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as f:
    f.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def plain_user():
    """For subprocess: not root."""
    return {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid,
            "extra_groups": []} if NOBODY else {}


class Base:
    """Copies of the programs where anybody may start them."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="fallbackmx-faults.", dir="/tmp")
        os.chmod(self.path, 0o755)
        os.mkdir(self.path + "/bin")
        for name in "fallbackmx", "fallbackmx-deliver":
            shutil.copy(BUILD + "/" + name, self.path + "/bin")

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Result:
    def __init__(self, code, out, err, peak):
        self.code, self.err, self.peak = code, err, peak
        try:
            self.counts = json.loads(out)
        except ValueError:
            self.counts = {}

    def __str__(self):
        return "exit %d, %s, stderr: %s" % (self.code, self.counts, self.err)


class Place:
    """secrets: what must be seen nowhere. problems: found by the way."""

    def __init__(self, base, name):
        self.base, self.path = base, base.path + "/" + name
        self.maildir = self.path + "/Maildir"
        os.mkdir(self.path)
        self.server = scripted.Server()
        self.server.store.make("mail")
        self.secrets, self.problems = [scripted.SECRET], []
        self.environment = {
            "PATH": "/usr/bin:/bin", "AWS_MAX_ATTEMPTS": "3",
            "AWS_ACCESS_KEY_ID": scripted.ACCESS,
            "AWS_SECRET_ACCESS_KEY": scripted.SECRET,
            "AWS_EC2_METADATA_DISABLED": "true"}
        self.give(self.path)

    def close(self):
        self.server.stop()

    def give(self, path):
        if NOBODY:
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)

    # --- the bucket ------------------------------------------------------

    def mail(self, n, **how):
        """Numbered mail n is an object; its key."""
        key = "in/" + ses.ses_id(n)
        self.server.store.put("mail", key, ses.numbered(n), **how)
        return key

    def mails(self, count):
        return [self.mail(n) for n in range(count)]

    def script(self, *rules):
        self.server.script.set(rules)

    def asked(self, op, key=None):
        """How often so far."""
        return len(self.server.requests(op, key))

    def forget(self):
        with self.server.lock:
            self.server.log.clear()

    # --- the importer ----------------------------------------------------

    def command(self, *options, source="s3://mail/in/"):
        return [self.base.path + "/bin/fallbackmx", "sync", "--json",
                "--state-dir", self.path + "/state", "--region", "us-east-1",
                "--endpoint-url", self.server.endpoint, *options,
                source, self.maildir]

    def sync(self, *options, source="s3://mail/in/", measured=False,
             **environment):
        """Runs it; a variable that is None is taken away. measured: the
        result has the most memory that it took."""
        small = ["python3", "-c", MEASURE, self.path + "/peak"]
        env = {n: v for n, v in {**self.environment, **environment}.items()
               if v is not None}
        with open(self.path + "/out", "w+b") as out, \
                open(self.path + "/err", "w+b") as err:
            child = subprocess.Popen(
                ["timeout", "-k", "5", str(PATIENCE), *small * measured,
                 *self.command(*options, source=source)], env=env, cwd="/",
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                **plain_user())
            child.wait()
            said = []
            for f in out, err:
                f.seek(0)
                said.append(f.read().decode("utf-8", "replace"))
        for secret in self.secrets:
            if secret in "".join(said):
                self.problems.append("a secret was told: %s" % said)
        peak = 0
        if measured:
            with open(self.path + "/peak") as f:
                peak = int(f.read()) * 1024
        return Result(child.returncode, *said, peak)

    # --- what must hold: generators of problems --------------------------

    def delivered(self, *objects):
        """The Maildir holds these bytes, each once, and nothing else."""
        left, where = list(objects), self.maildir + "/new"
        for name in sorted(os.listdir(where)) if os.path.isdir(where) else ():
            with open(where + "/" + name, "rb") as f:
                data = f.read()
            m = ses.NAME.match(name.encode())
            same = [o for o in left if m and ses.expected(o, m[2]) == data]
            if same:
                left.remove(same[0])
            else:
                yield "%s: nobody sent that, or it is there twice: %r" % (
                    name, data[-100:])
        for o in left:
            yield "not delivered: %r" % o[-60:]

    def numbered(self, *numbers):
        yield from self.delivered(*(ses.numbered(n) for n in numbers))

    def left(self, *keys):
        """The bucket lists these, and nothing else."""
        found = sorted(self.server.store.live("mail"))
        wanted = sorted(k if isinstance(k, bytes) else k.encode()
                        for k in keys)
        if found != wanted:
            yield "the bucket has %r, not %r" % (found, wanted)


def ended(result, *codes, **counts):
    """The exit code is one of these, and the counters say that."""
    if result.code not in codes:
        yield "not as expected, %s: %s" % (codes, result)
    for name, value in counts.items():
        if result.counts.get(name) != value:
            yield "%s is not %s: %s" % (name, value, result)


def says(result, *words):
    for word in words:
        if word.lower() not in result.err.lower():
            yield "nothing of %r: %s" % (word, result)


def equal(what, found, wanted):
    if found != wanted:
        yield "%s: %r, not %r" % (what, found, wanted)

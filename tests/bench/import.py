#!/usr/bin/python3
"""import - how fast `fallbackmx sync` is, in a Markdown table.

	BENCH_RUNS=5	rounds; every row once a round, medians are shown
	BENCH_MAILS=10000	objects
	BENCH_DIR=DIR	where (default: the build directory's file system)

Needs root: the mailboxes belong to users of their own. Each row starts from
fresh copies of the same objects on a tmpfs, with all disks synced. CPU
is of all processes of a row together. The peak is anonymous memory, shared
memory and memfds of all processes, sampled in a run of its own.
"""

import ctypes
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

import objects                                              # noqa: E402

OWNERS = 50
FIRST_UID = 3000
ENGINE = 65534
BUILD = os.environ.get("FALLBACKMX_BUILD", os.getcwd())
ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}


class Bench:
    def __init__(self, base, bucket, mails):
        self.base, self.n = base, mails
        self.master = base + "/objects"
        self.source = bucket + "/source"
        self.old = 0
        self.homes = base + "/homes"
        self.bin = base + "/bin"
        self.shim = self.bin + "/slow/slowflush.so"
        os.mkdir(self.master)
        self.bytes = objects.make(self.master, mails)
        self.install()

    def install(self):
        """The programs, and the same with 5 ms more for each flush."""
        tools = BUILD + "/tests/bench/"
        os.makedirs(self.bin + "/slow")
        for name in "fallbackmx", "fallbackmx-deliver":
            shutil.copy(BUILD + "/" + name, self.bin)
        shutil.copy(BUILD + "/fallbackmx", self.bin + "/slow")
        shutil.copy(BUILD + "/fallbackmx-deliver",
                    self.bin + "/slow/fallbackmx-deliver.real")
        shutil.copy(tools + "slowdeliver",
                    self.bin + "/slow/fallbackmx-deliver")
        shutil.copy(tools + "slowflush.so", self.shim)
        shutil.copy(tools + "durable", self.bin)

    def fresh(self, owners):
        """Source and homes as before the first run. Earlier mailboxes stay
        until the end: ext4 is slow to give out the inodes of files that were
        deleted less than a minute ago, which would be measured, too."""
        shutil.rmtree(self.source, ignore_errors=True)
        for path in self.homes, self.base + "/state":
            if os.path.exists(path):
                self.old += 1
                os.rename(path, "%s/old.%d" % (self.base, self.old))
        os.mkdir(self.homes)
        for i in range(max(1, owners)):
            home = "%s/u%02d" % (self.homes, i)
            os.mkdir(home)
            os.chown(home, FIRST_UID + i, FIRST_UID + i)
        self.fill(owners)
        os.sync()

    def fill(self, owners):
        os.mkdir(self.source)
        os.chown(self.source, ENGINE, ENGINE)
        for i in range(owners):
            os.mkdir("%s/u%02d" % (self.source, i))
            os.chown("%s/u%02d" % (self.source, i), ENGINE, ENGINE)
        for i, name in enumerate(sorted(os.listdir(self.master))):
            folder = "u%02d/" % (i % owners) if owners else ""
            path = "%s/%s%s" % (self.source, folder, name)
            shutil.copy2(self.master + "/" + name, path)
            os.chown(path, ENGINE, ENGINE)

    # --- rows: each returns (argv, environment) --------------------------

    def importer(self, owners, slow):
        boxes = [{"prefix": "u%02d/" % i if owners else "",
                  "maildir": "%s/u%02d/Maildir" % (self.homes, i),
                  "owner": "%d:%d" % (FIRST_UID + i, FIRST_UID + i)}
                 for i in range(max(1, owners))]
        with open(self.base + "/fallbackmx.json", "w") as f:
            json.dump({"state_dir": self.base + "/state",
                       "engine_user": "nobody",
                       "sources": [{"url": "file://%s/" % self.source,
                                    "settle": 0, "mailboxes": boxes}]}, f)
        return [self.bin + ("/slow" if slow else "") + "/fallbackmx", "sync",
                "--json", "--config", f.name], self.environment(slow)

    def environment(self, slow):
        return dict(ENV, LD_PRELOAD=self.shim) if slow else ENV

    def shell(self, slow):
        maildir = self.homes + "/Maildir"
        os.makedirs(maildir + "/new")
        return ["/bin/sh", "-ec", 'cp -r "$1/." "$2/new"; sync; rm -r "$1"',
                "sh", self.source, maildir], self.environment(slow)

    def ceiling(self, writers, slow, limit):
        maildir = self.homes + "/Maildir"
        for part in "new", "tmp":
            os.makedirs(maildir + "/" + part)
        return [self.bin + "/durable", self.source, maildir, str(writers),
                str(limit)], self.environment(slow)

    def check(self, owners):
        """Every mail is where it belongs, or the figures mean nothing."""
        counts = [len(os.listdir("%s/u%02d/Maildir/new" % (self.homes, i)))
                  for i in range(max(1, owners))]
        left = sum(len(files) for _, _, files in os.walk(self.source))
        if sum(counts) != self.n or left:
            raise SystemExit("%d of %d mails were imported, %d left"
                             % (sum(counts), self.n, left))


class Row:
    """A line of the table, and what was measured for it."""

    def __init__(self, title, owners, slow, make, mails, imports=False):
        self.title, self.owners, self.slow = title, owners, slow
        self.make, self.mails, self.imports = make, mails, imports
        self.rates, self.cpu, self.peak = [], [], 0

    def prepare(self, bench):
        bench.fresh(self.owners)
        return self.make(self.slow)

    def run(self, bench):
        argv, env = self.prepare(bench)
        before, began = cpu_seconds(), time.monotonic()
        done = subprocess.run(argv, env=env, cwd="/", text=True,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE)
        reap()
        seconds = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit("%s: exit %d" % (self.title, done.returncode))
        self.cpu.append((cpu_seconds() - before) * 1000 / self.mails)
        if self.imports:
            bench.check(self.owners)
        elif argv[0].endswith("durable"):
            # Without the time in which it reads the objects.
            seconds = float(done.stdout.split()[1])
        self.rates.append(self.mails / seconds)

    def sample(self, bench):
        argv, env = self.prepare(bench)
        child = subprocess.Popen(argv, env=env, cwd="/",
                                 stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL)
        waiter = threading.Thread(target=child.wait)
        waiter.start()
        while waiter.is_alive():
            self.peak = max(self.peak, memory(child.pid))
            time.sleep(0.01)
        reap()

    def rate(self):
        return statistics.median(self.rates)

    def line(self):
        return "| %s | %s | %.0f (%.0f to %.0f) | %s | %s |" % (
            self.title, "+5 ms" if self.slow else "as it is", self.rate(),
            min(self.rates), max(self.rates),
            "%.3f" % statistics.median(self.cpu) if self.imports or
            "cp" in self.title else "-",
            "%.1f" % (self.peak / 1048576) if self.imports else "-")


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def reap():
    """Processes whose parent did not wait for them came to us (main)."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return


def family(pid):
    """The process and all below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as f:
                    parents[int(name)] = int(f.read().rsplit(")", 1)[1]
                                             .split()[1])
            except OSError:
                continue
    found = [pid]
    for p in found:
        found += [child for child, parent in parents.items() if parent == p]
    return found


def memory(pid):
    """Bytes of anonymous and shared memory; a memfd counts once."""
    total, memfds = 0, {}
    for p in family(pid):
        try:
            with open("/proc/%d/status" % p) as f:
                total += sum(int(line.split()[1]) * 1024 for line in f
                             if line.startswith(("RssAnon:", "RssShmem:")))
            for fd in os.listdir("/proc/%d/fd" % p):
                path = "/proc/%d/fd/%s" % (p, fd)
                if os.readlink(path).startswith("/memfd:"):
                    status = os.stat(path)
                    memfds[status.st_ino] = status.st_blocks * 512
        except OSError:
            continue
    return total + sum(memfds.values())


def rows(bench):
    n, few = bench.n, min(bench.n, 1000)
    for slow in False, True:
        for owners, title in (0, "one mailbox"), (OWNERS, "50 owners"):
            yield Row("`fallbackmx sync`, " + title, owners, slow,
                      lambda s, o=owners: bench.importer(o, s), n, True)
        yield Row("`cp`, `sync`, `rm`", 0, slow, bench.shell, n)
        # One writer with 5 ms a flush takes minutes for all of them.
        for writers, mails in (1, few if slow else n), (16, n):
            yield Row("ceiling, %d writer%s" % (writers, "s" * (writers > 1)),
                      0, slow, lambda s, w=writers, m=mails:
                      bench.ceiling(w, s, m), mails)


def goal(text, value, limit, most=False):
    good = value <= limit if most else value >= limit
    print("- %s: %.2f, goal %s %s: %s" % (
        text, value, "at most" if most else "at least", limit,
        "reached" if good else "missed"))


def report(table, bench, runs):
    print("| | flush | mails/s, median (range) | CPU ms a mail | peak MiB |")
    print("|---|---|---|---|---|")
    for row in table:
        print(row.line())
    find = {(row.title, row.slow): row for row in table}
    one = find["`fallbackmx sync`, one mailbox", False]
    print("\n%d objects, %.1f MB, %d rounds, %d cores; `make bench-import`\n"
          % (bench.n, bench.bytes / 1e6, runs, os.cpu_count()))
    goal("one mailbox against sixteen writers",
         one.rate() / find["ceiling, 16 writers", False].rate(), 0.5)
    goal("CPU ms a mail, one mailbox", statistics.median(one.cpu), 0.4, True)
    goal("mails/s with 5 ms a flush, one mailbox",
         find[one.title, True].rate(), 500)


def main():
    if os.geteuid() != 0:
        print("skipped: needs root, the mailboxes have owners of their own")
        sys.exit(77)
    # Orphans become our children, so that their time counts (PR_SET_CHILD_
    # SUBREAPER).
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    for number in signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, lambda *_: sys.exit(1))
    runs = int(os.environ.get("BENCH_RUNS", 5))
    base = tempfile.mkdtemp(prefix="bench.",
                            dir=os.environ.get("BENCH_DIR", BUILD))
    # The bucket is elsewhere: what leaves it is no work for the disk measured.
    bucket = tempfile.mkdtemp(prefix="fallbackmx-bench.", dir="/dev/shm")
    os.chmod(base, 0o755)
    os.chmod(bucket, 0o755)
    try:
        bench = Bench(base, bucket,
                      int(os.environ.get("BENCH_MAILS", 10000)))
        table = list(rows(bench))
        for i in range(runs):
            for row in table:
                row.run(bench)
                print("round %d: %s%s: %.0f mails/s, %.3f ms CPU" % (
                    i + 1, row.title, ", +5 ms" * row.slow, row.rates[-1],
                    row.cpu[-1]), file=sys.stderr)
        for row in table:
            if row.imports:
                row.sample(bench)
        report(table, bench, runs)
    finally:
        shutil.rmtree(base, ignore_errors=True)
        shutil.rmtree(bucket, ignore_errors=True)


if __name__ == "__main__":
    main()

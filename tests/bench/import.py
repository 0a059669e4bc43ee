#!/usr/bin/python3
"""import - how fast `fallbackmx sync` is, in a Markdown table.

	BENCH_RUNS=5	rounds; every row once a round, medians are shown
	BENCH_MAILS=10000	objects
	BENCH_DIR=DIR	where (default: the build directory's file system)
	BENCH_ROWS=TEXT	only rows whose title has TEXT, for example "50 owners"

Needs root: the mailboxes belong to users of their own. Each row starts from
fresh copies of the same objects on a tmpfs, with all disks synced. CPU
is of all processes of a row together. The peak is anonymous memory, shared
memory and memfds of all processes, sampled in a run of its own.
"""

import json
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True

import measure                                              # noqa: E402
import objects                                              # noqa: E402
from measure import BUILD, Row, goal                        # noqa: E402

OWNERS = 50
FIRST_UID = 3000
ENGINE = 65534


class Bench:
    def __init__(self, base, bucket, mails):
        self.base, self.n = base, mails
        self.master = base + "/objects"
        self.source = bucket + "/source"
        self.old = 0
        self.homes = base + "/homes"
        self.programs = measure.Programs(base + "/bin")
        os.mkdir(self.master)
        self.bytes = objects.make(self.master, mails)

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
        return [self.programs.fallbackmx(slow), "sync", "--json", "--config",
                f.name], self.programs.environment(slow)

    def shell(self, slow):
        maildir = self.homes + "/Maildir"
        os.makedirs(maildir + "/new")
        return ["/bin/sh", "-ec", 'cp -r "$1/." "$2/new"; sync; rm -r "$1"',
                "sh", self.source, maildir], self.programs.environment(slow)

    def ceiling(self, writers, slow, limit):
        maildir = self.homes + "/Maildir"
        for part in "new", "tmp":
            os.makedirs(maildir + "/" + part)
        return [self.programs.bin + "/durable", self.source, maildir, str(writers),
                str(limit)], self.programs.environment(slow)

    def check(self, owners):
        """Every mail is where it belongs, or the figures mean nothing."""
        counts = [len(os.listdir("%s/u%02d/Maildir/new" % (self.homes, i)))
                  for i in range(max(1, owners))]
        left = sum(len(files) for _, _, files in os.walk(self.source))
        if sum(counts) != self.n or left:
            raise SystemExit("%d of %d mails were imported, %d left"
                             % (sum(counts), self.n, left))


def line(row, slow, imports):
    return "| %s | %s | %s | %s | %s |" % (
        row.title.removesuffix(SLOW), "+5 ms" if slow else "as it is",
        row.figures(), "%.3f" % row.cpu_ms() if imports or
        "cp" in row.title else "-",
        "%.1f" % (row.peak / 1048576) if imports else "-")


SLOW = ", +5 ms"


def rows(bench):
    """(row, slow, whether it is ours)"""
    n, few = bench.n, min(bench.n, 1000)

    def row(title, owners, slow, make, mails=n, check=lambda said: None):
        def prepare():
            bench.fresh(owners)
            return make()
        return Row(title + SLOW * slow, prepare, mails, check)

    for slow in False, True:
        for owners, title in (0, "one mailbox"), (OWNERS, "50 owners"):
            yield row("`fallbackmx sync`, " + title, owners, slow,
                      lambda o=owners, s=slow: bench.importer(o, s), n,
                      lambda said, o=owners: bench.check(o)), slow, True
        yield row("`cp`, `sync`, `rm`", 0, slow,
                  lambda s=slow: bench.shell(s)), slow, False
        # One writer with 5 ms a flush takes minutes for all of them. What it
        # says is the time without that in which it reads the objects.
        for writers, mails in (1, few if slow else n), (16, n):
            yield row("ceiling, %d writer%s" % (writers, "s" * (writers > 1)),
                      0, slow, lambda w=writers, s=slow, m=mails:
                      bench.ceiling(w, s, m), mails,
                      lambda said: float(said.split()[1])), slow, False


def report(table, bench, runs):
    print("| | flush | mails/s, median (range) | CPU ms a mail | peak MiB |")
    print("|---|---|---|---|---|")
    for entry in table:
        print(line(*entry))
    print("\n%d objects, %.1f MB, %d rounds, %d cores; `make bench-import`\n"
          % (bench.n, bench.bytes / 1e6, runs, os.cpu_count()))
    goals({row.title: row for row, _, _ in table})


def goals(find):
    """Of the rows that were run."""
    one, many = (find.get("`fallbackmx sync`, " + title)
                 for title in ("one mailbox", "50 owners"))
    writers = find.get("ceiling, 16 writers")
    slow = find.get("`fallbackmx sync`, one mailbox" + SLOW)
    if one and writers:
        goal("one mailbox against sixteen writers",
             one.rate() / writers.rate(), 0.5)
    for row, title in (one, "one mailbox"), (many, "50 owners"):
        if row:
            goal("CPU ms a mail, " + title, row.cpu_ms(), 0.4, True)
    if slow:
        goal("mails/s with 5 ms a flush, one mailbox", slow.rate(), 500)


def main():
    if os.geteuid() != 0:
        print("skipped: needs root, the mailboxes have owners of their own")
        sys.exit(77)
    measure.begin()
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
        wanted = os.environ.get("BENCH_ROWS", "")
        table = [entry for entry in rows(bench) if wanted in entry[0].title]
        measure.rounds([row for row, _, _ in table], runs)
        for row, _, ours in table:
            if ours:
                row.sample()
        report(table, bench, runs)
    finally:
        shutil.rmtree(base, ignore_errors=True)
        shutil.rmtree(bucket, ignore_errors=True)


if __name__ == "__main__":
    main()

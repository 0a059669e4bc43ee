#!/usr/bin/python3
"""s3 - how fast `fallbackmx sync` is from S3, in a Markdown table.

	BENCH_RUNS=5	rounds; every row once a round, medians are shown
	BENCH_MAILS=10000	objects
	BENCH_CONNECTIONS=64	at the same time, ours and rclone's
	BENCH_LOOP=10	objects of the loop of single commands
	BENCH_ROWS=REGEX	only these rows
	BENCH_DIR=DIR	where (default: the build directory's file system)

Needs root, a RADOS Gateway (tests/s3/rgw.sh) and what it compares with:
rclone, s3cmd, aws; a row whose program is missing is left out. Each row
starts from a bucket just filled and an empty directory, with all disks
synced. Whole commands are measured, from their start to their end. CPU and
memory are of the clients, not of the server.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE + "/../s3"]

import measure                                              # noqa: E402
import objects                                              # noqa: E402
import s3                                                   # noqa: E402
from measure import BUILD, ENV, Row, goal                   # noqa: E402

OWNERS = 50
FIRST_UID = 3000
RGW = HERE + "/../s3/rgw.sh"
FAR, SLOW = ", +20 ms a request", ", +5 ms a flush"
# One GET and one DELETE for each object, and no look at the destination or at
# what was written: as little as rclone can do.
RCLONE = ("--s3-no-check-bucket --s3-no-head-object --use-server-modtime "
          "--no-check-dest --ignore-checksum --fast-list "
          "--multi-thread-streams 0 --quiet").split()


class Server:
    """A RADOS Gateway, and the same 20 ms away."""

    def __init__(self, base):
        self.where, self.proxy = base + "/rgw", None
        with open(base + "/rgw.log", "w+") as log:
            code = subprocess.run([RGW, "start", self.where], stdout=log,
                                  stderr=log,
                                  stdin=subprocess.DEVNULL).returncode
            if code:
                log.seek(0)
                print(log.read().strip())
                sys.exit(code)
        with open(self.where + "/env") as f:
            self.env = dict(line.rstrip("\n").split("=", 1) for line in f)
        self.near = self.env["S3_ENDPOINT"]
        self.access = self.env["S3_ACCESS_KEY"]
        self.secret = self.env["S3_SECRET_KEY"]
        self.client = s3.Client(self.near, self.access, self.secret)
        self.client.make_bucket("mail")

    def delay(self, tool):
        """Its parent must not be us, or its time would be the clients'."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        said = subprocess.run(
            ["/bin/sh", "-c", '"$@" </dev/null >/dev/null 2>&1 & echo $!',
             "sh", tool, str(port), self.near.rsplit(":", 1)[1]],
            stdout=subprocess.PIPE, check=True)
        self.proxy = int(said.stdout)
        self.far = "http://127.0.0.1:%d" % port

    def stop(self):
        if self.proxy:
            os.kill(self.proxy, 15)
        subprocess.run([RGW, "stop", self.where], check=False)

    def fill(self, master, owners, n):
        def items():
            for i, (name, data) in enumerate(s3.below(master)):
                if i == n:
                    return
                folder = b"u%02d/" % (i % owners) if owners else b""
                yield b"in/" + folder + name, data
        self.client.empty("mail")
        self.client.put_many("mail", items())


class Bench:
    def __init__(self, base, server, mails):
        self.base, self.server, self.n = base, server, mails
        self.master, self.target = base + "/objects", base + "/target"
        self.connections = os.environ.get("BENCH_CONNECTIONS", "64")
        self.programs = measure.Programs(base + "/bin")
        self.old = 0
        os.mkdir(self.master)
        self.bytes = objects.make(self.master, mails)
        os.mkdir(base + "/home")

    def fresh(self, owners, n):
        """As in import.py, what is old stays until the end."""
        for path in self.target, self.base + "/state":
            if os.path.exists(path):
                self.old += 1
                os.rename(path, "%s/old.%d" % (self.base, self.old))
        os.mkdir(self.target)
        if owners is not None:
            for i in range(max(1, owners)):
                home = "%s/u%02d" % (self.target, i)
                os.mkdir(home)
                os.chown(home, FIRST_UID + i, FIRST_UID + i)
        self.server.fill(self.master, owners or 0, n)
        os.sync()

    def check(self, n):
        """All is where it belongs, or the figures mean nothing."""
        got = sum(name[0] != "." for _, _, names in os.walk(self.target)
                  for name in names)
        left = sum(1 for _ in self.server.client.keys_of("mail"))
        if got != n or left:
            raise SystemExit("%d of %d were moved, %d left" % (got, n, left))

    # --- what is run: each returns (argv, environment) -------------------

    def importer(self, owners, far, slow):
        boxes = [{"prefix": "u%02d/" % i if owners else "",
                  "maildir": "%s/u%02d/Maildir" % (self.target, i),
                  "owner": "%d:%d" % (FIRST_UID + i, FIRST_UID + i)}
                 for i in range(max(1, owners))]
        with open(self.base + "/fallbackmx.json", "w") as f:
            json.dump({"state_dir": self.base + "/state",
                       "engine_user": "nobody",
                       "sources": [{"url": "s3://mail/in/",
                                    "mailboxes": boxes}]}, f)
        url = self.server.far if far else self.server.near
        return [self.programs.fallbackmx(slow), "sync", "--json", "--config",
                f.name, "--endpoint-url", url,
                "--connections", self.connections], dict(
                    self.keys(), **self.programs.environment(slow))

    def keys(self):
        return dict(ENV, HOME=self.base + "/home",
                    AWS_ACCESS_KEY_ID=self.server.access,
                    AWS_SECRET_ACCESS_KEY=self.server.secret,
                    AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1",
                    AWS_EC2_METADATA_DISABLED="true")

    def rclone(self, far, slow):
        url = self.server.far if far else self.server.near
        return ["rclone", "move", "s:mail/in", self.target,
                "--transfers", self.connections,
                "--checkers", self.connections] + RCLONE, dict(
                    self.programs.environment(slow), HOME=self.base + "/home",
                    RCLONE_CONFIG="/dev/null", RCLONE_CONFIG_S_TYPE="s3",
                    RCLONE_CONFIG_S_PROVIDER="Ceph",
                    RCLONE_CONFIG_S_ENDPOINT=url,
                    RCLONE_CONFIG_S_REGION="us-east-1",
                    RCLONE_CONFIG_S_ACCESS_KEY_ID=self.server.access,
                    RCLONE_CONFIG_S_SECRET_ACCESS_KEY=self.server.secret)

    def aws(self, far, slow):
        # Never durable: it has no flush that could be slow.
        return ["aws", "--endpoint-url", self.server.near, "s3", "mv",
                "--recursive", "--only-show-errors", "s3://mail/in/",
                self.target], self.keys()

    def s3cmd(self, far, slow):
        host = self.server.near.split("//")[1]
        with open(self.base + "/s3cfg", "w") as f:
            f.write("[default]\naccess_key = %s\nsecret_key = %s\n"
                    "host_base = %s\nhost_bucket = %s\nuse_https = False\n"
                    % (self.server.access, self.server.secret, host, host))
        return ["/bin/sh", "-ec", 's3cmd -c "$1" -q get --recursive '
                's3://mail/in/ "$2/"; s3cmd -c "$1" -q del --recursive '
                '--force s3://mail/in/', "sh", f.name, self.target], \
            self.keys()

    def loop(self, far, slow):
        """As many an administrator's crontab does it."""
        return ["/bin/sh", "-ec", 'aws="aws --endpoint-url $1 s3"\n'
                "$aws ls s3://mail/in/ | while read -r day time size key; do "
                '$aws cp --only-show-errors "s3://mail/in/$key" "$2/$key" && '
                '$aws rm --only-show-errors "s3://mail/in/$key"; done',
                "sh", self.server.near, self.target], self.keys()


def rows(bench):
    def row(title, owners, tool, far=False, slow=False, n=bench.n):
        def prepare():
            bench.fresh(owners, n)
            return tool(far, slow)
        title += FAR * far + SLOW * slow
        return Row(title, prepare, n, lambda said: bench.check(n))

    def ours(title, owners, **how):
        return row("`fallbackmx sync`, " + title, owners,
                   lambda far, slow: bench.importer(owners, far, slow), **how)

    def theirs(title, tool, **how):
        return row(title, None, tool, **how)

    few = min(bench.n, int(os.environ.get("BENCH_LOOP", 10)))
    yield ours("one mailbox", 0)
    yield ours("50 owners", OWNERS)
    yield theirs("`rclone move`", bench.rclone)
    yield theirs("`aws s3 mv`", bench.aws)
    yield theirs("`s3cmd get`, `s3cmd del`", bench.s3cmd)
    yield theirs("loop of `aws s3 cp`, `aws s3 rm`", bench.loop, n=few)
    yield ours("one mailbox", 0, far=True)
    yield theirs("`rclone move`", bench.rclone, far=True)
    yield ours("one mailbox", 0, slow=True)
    yield ours("50 owners", OWNERS, slow=True)


def wanted(table):
    pattern = re.compile(os.environ.get("BENCH_ROWS", ""))
    for row in table:
        tool = re.search("`([a-z0-9]+)", row.title)[1]
        if not pattern.search(row.title):
            continue
        if tool != "fallbackmx" and not shutil.which(tool, path=ENV["PATH"]):
            print("skipped: %s: %s is not installed" % (row.title, tool))
            continue
        yield row


def report(table, bench, runs):
    find = {row.title: row for row in table}
    print("| | objects/s, median (range) | to rclone | CPU ms an object "
          "| peak MiB |")
    print("|---|---|---|---|---|")
    for row in table:
        peer = find.get("`rclone move`" + FAR * (FAR in row.title))
        print("| %s | %s | %s | %.3f | %.1f |" % (
            row.title, row.figures(),
            "%.2f" % (row.rate() / peer.rate()) if peer else "-",
            row.cpu_ms(), row.peak / 1048576))
    print("\n%d objects, %.1f MB, %s connections, %d rounds, %d cores; the "
          "loop\non fewer, %s; `make bench-s3`\n" % (
              bench.n, bench.bytes / 1e6, bench.connections, runs,
              os.cpu_count(), os.environ.get("BENCH_LOOP", 10)))
    one = find.get("`fallbackmx sync`, one mailbox")
    for name, text, limit in (
            ("`rclone move`", "one mailbox against rclone", 1.3),
            ("`rclone move`" + FAR, "the same, 20 ms a request", 1.3)):
        ours = find.get("`fallbackmx sync`, one mailbox" + FAR *
                        (FAR in name))
        if ours and name in find:
            goal(text, ours.rate() / find[name].rate(), limit)
    if one:
        goal("CPU ms an object, one mailbox", one.cpu_ms(), 0.5, True)
        goal("peak MiB, one mailbox", one.peak / 1048576, 96, True)
    slow = find.get("`fallbackmx sync`, one mailbox" + SLOW)
    if slow and "`aws s3 mv`" in find:
        goal("5 ms a flush against aws s3 mv without",
             slow.rate() / find["`aws s3 mv`"].rate(), 2)


def main():
    if os.geteuid() != 0:
        print("skipped: needs root, the mailboxes have owners of their own")
        sys.exit(77)
    runs = int(os.environ.get("BENCH_RUNS", 5))
    base = tempfile.mkdtemp(prefix="bench.",
                            dir=os.environ.get("BENCH_DIR", BUILD))
    os.chmod(base, 0o755)
    server = None
    try:
        server = Server(base)
        server.delay(BUILD + "/tests/bench/delayproxy")
        measure.begin()
        bench = Bench(base, server,
                      int(os.environ.get("BENCH_MAILS", 10000)))
        table = list(wanted(rows(bench)))
        began = time.monotonic()
        measure.rounds(table, runs)
        for row in table:
            row.sample()
        print("%.0f s" % (time.monotonic() - began), file=sys.stderr)
        report(table, bench, runs)
    finally:
        if server:
            server.stop()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()

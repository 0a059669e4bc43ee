"""measure - what the benches share: programs, rows of the table, CPU, memory.

CPU is of all processes of a row together. The peak is anonymous memory, shared
memory and memfds of all processes, sampled in a run of its own.
"""

import ctypes
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time

BUILD = os.environ.get("FALLBACKMX_BUILD", os.getcwd())
ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}


class Programs:
    """Copies that the owners of mailboxes can reach, and the same with 5 ms
    more for each flush."""

    def __init__(self, path):
        tools = BUILD + "/tests/bench/"
        self.bin, self.shim = path, path + "/slow/slowflush.so"
        os.makedirs(path + "/slow")
        for name in "fallbackmx", "fallbackmx-deliver":
            shutil.copy(BUILD + "/" + name, path)
        shutil.copy(BUILD + "/fallbackmx", path + "/slow")
        shutil.copy(BUILD + "/fallbackmx-deliver",
                    path + "/slow/fallbackmx-deliver.real")
        shutil.copy(tools + "slowdeliver", path + "/slow/fallbackmx-deliver")
        shutil.copy(tools + "slowflush.so", self.shim)
        if os.path.exists(tools + "durable"):
            shutil.copy(tools + "durable", path)

    def fallbackmx(self, slow):
        return self.bin + ("/slow" if slow else "") + "/fallbackmx"

    def environment(self, slow):
        return dict(ENV, LD_PRELOAD=self.shim) if slow else ENV


class Row:
    """A line of the table, and what was measured for it. make() prepares
    everything and returns (argv, environment); check() ends the bench when
    not all was done, and may return the seconds that count."""

    def __init__(self, title, make, mails, check):
        self.title, self.make, self.mails = title, make, mails
        self.check = check
        self.rates, self.cpu, self.peak = [], [], 0

    def run(self):
        argv, env = self.make()
        before, began = cpu_seconds(), time.monotonic()
        done = subprocess.run(argv, env=env, cwd="/", text=True,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE)
        reap()
        seconds = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit("%s: exit %d" % (self.title, done.returncode))
        self.cpu.append((cpu_seconds() - before) * 1000 / self.mails)
        self.rates.append(self.mails / (self.check(done.stdout) or seconds))

    def sample(self):
        argv, env = self.make()
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

    def cpu_ms(self):
        return statistics.median(self.cpu)

    def figures(self):
        return "%s (%s to %s)" % tuple(
            "%.0f" % r if r >= 10 else "%.1f" % r
            for r in (self.rate(), min(self.rates), max(self.rates)))


def rounds(table, runs):
    """Every row once a round, so that a slow minute meets all of them."""
    for i in range(runs):
        for row in table:
            row.run()
            print("round %d: %s: %.1f/s, %.3f ms CPU" % (
                i + 1, row.title, row.rates[-1], row.cpu[-1]),
                file=sys.stderr)


def begin():
    """Orphans become our children, so that their time counts
    (PR_SET_CHILD_SUBREAPER); a signal ends the bench with its clean-up."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    for number in signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, lambda *_: sys.exit(1))


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def reap():
    """Processes whose parent did not wait for them came to us (begin)."""
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


def goal(text, value, limit, most=False):
    good = value <= limit if most else value >= limit
    print("- %s: %.2f, goal %s %s: %s" % (
        text, value, "at most" if most else "at least", limit,
        "reached" if good else "missed"))

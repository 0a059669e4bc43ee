#!/usr/bin/python3
"""overlap - several importers on one source or one Maildir (F43, figure 9).

	KINDS="root plain direct"	KEEP=1
"""

import copy
import json
import os
import shutil
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

import world                                                # noqa: E402
from scene import Scene                                     # noqa: E402
from suite import begin, kinds                              # noqa: E402
from world import Mail, verify                              # noqa: E402

RUNS = 20
HOUR = 3600
HOOK = """#!/bin/sh
echo "$TRACER_PIDS" >'{0}/pids'
mv '{0}/pids' '{0}/held'
n=0
while [ ! -e '{0}/go' ] && [ $n -lt 30000 ]; do
	sleep 0.01
	n=$((n + 1))
done
"""


class Held:
    """A run that stands still at a point until it is let go."""

    def __init__(self, place, *point):
        self.place, self.traced = place, None
        for name in ("held", "go"):
            if os.path.exists(place.logs + "/" + name):
                os.unlink(place.logs + "/" + name)
        hook = place.base + "/hold"
        with open(hook, "w") as f:
            f.write(HOOK.format(place.logs))
        os.chmod(hook, 0o755)
        self.thread = threading.Thread(target=self._run,
                                       args=("-x", hook, *point))
        self.thread.start()

    def _run(self, *args):
        self.traced = self.place.trace("hold", *args, limit=600)

    def __enter__(self):
        while self.thread.is_alive():
            if os.path.exists(self.place.logs + "/held"):
                with open(self.place.logs + "/held") as f:
                    self.pids = dict(w.rsplit("=", 1)
                                     for w in f.read().split())
                return self
            time.sleep(0.01)
        self.__exit__()
        raise AssertionError("the run never came to the point")

    def __exit__(self, *why):
        with open(self.place.logs + "/go", "w"):
            pass
        self.thread.join()


def point(place, role, name, k):
    return ["-r", role, "-c", name, "-n", str(k)]


def many(place, *options):
    """RUNS runs at once."""
    children = [place.popen(place.command(*options)) for _ in range(RUNS)]
    return [place.finish(child) for child in children]


def silent(runs):
    return ["exit: a run beside another one ended with %s, said: %s"
            % (r.code, (r.out + r.err).strip())
            for r in runs if r.code != 0 or r.out or r.err]


def load(place, count, start=0):
    rows = []
    for i in range(start, start + count):
        box = sorted(place.boxes)[i % len(place.boxes)]
        mail = Mail("o%d" % i, box + "@example.com", arrival=1675000000 + i)
        prefix = "" if place.kind == "direct" else box + "/"
        place.put(prefix + "o%d" % i, mail)
        rows.append((mail, box, (1,)))
    return rows


def at_once(place):
    """Twenty runs at once: one works, the others have nothing to say."""
    place.reset()
    rows = load(place, 300)
    runs = many(place, "--json")
    wrong = ["exit: %s: %s" % (r.code, r.err.strip()) for r in runs
             if r.code != 0 or r.err]
    imported = [r.counts().get("imported") for r in runs]
    if sorted(imported, key=str) != [0] * (RUNS - 1) + [300]:
        wrong.append("overlap: imported %s" % imported)
    return wrong + world.after(place, rows)


def beside(place):
    """One run stands still in the middle of its work; nobody else works."""
    scene = Scene(place).fill()
    with Held(place, *point(place, "deliver:alice/Maildir", "renameat2",
                            2)) as held:
        before = place.snapshot()
        wrong = silent(many(place))
        if place.snapshot() != before:
            wrong.append("overlap: another run delivered meanwhile")
    if held.traced.status != 0 or not held.traced.acted:
        wrong.append("exit: the run that was held: %s %d"
                     % (held.traced.how, held.traced.status))
    return wrong + world.after(place, scene.expected())


def old_lock(place):
    """A run that holds its lock for more than an hour is worth a line."""
    scene = Scene(place).fill()
    with Held(place, *point(place, "deliver:alice/Maildir", "renameat2",
                            2)) as held:
        locks = [n for n in world.ls(place.state) if n.startswith("lock.")]
        wrong = [] if len(locks) == 1 else ["test: lock files: %s" % locks]
        for name in locks:
            when = time.time() - HOUR - 60
            os.utime(place.state + "/" + name, (when, when))
        ran = place.finish(place.popen(place.command()))
        if ran.code != 75 or len(ran.err.splitlines()) != 1:
            wrong.append("exit: beside an old lock: %s, said: %s"
                         % (ran.code, (ran.out + ran.err).strip()))
    if held.traced.status != 0:
        wrong.append("exit: the run that was held: %d" % held.traced.status)
    return wrong + world.after(place, scene.expected())


def orphan(place):
    """The engine (and with it the spawner) dies, a deliverer lives on."""
    scene = Scene(place).fill()
    with Held(place, *point(place, "deliver:alice/Maildir", "renameat2",
                            2)) as held:
        os.kill(int(held.pids["engine"]), 9)
        if "spawner" in held.pids:
            os.kill(int(held.pids["spawner"]), 9)
        before = place.snapshot()
        ran = place.run()
        wrong = [] if ran.code in (0, 75) else [
            "exit: beside an orphan: %s: %s" % (ran.code, ran.err.strip())]
        mine = [s for s in place.snapshot() if s[0] == "alice"]
        if mine != [s for s in before if s[0] == "alice"]:
            wrong.append("overlap: the next run delivered beside an orphan")
    return wrong + world.after(place, scene.expected())


def lost_spawner(place):
    """The process that cron sees dies alone; the engine ends its work."""
    scene = Scene(place).fill()
    with Held(place, *point(place, "engine", "unlinkat", 2)) as held:
        os.kill(int(held.pids["spawner"]), 9)
        wrong = silent(many(place))
    return wrong + world.after(place, scene.expected())


class Second:
    """A second state directory for the same source and Maildirs."""

    def __init__(self, place):
        self.place, self.first = place, place.state
        self.dir = place.base + "/state2"
        shutil.rmtree(self.dir, ignore_errors=True)
        place._mkdir(self.dir, place.engine_uid)
        os.chmod(self.dir, 0o700)

    def run(self, *options):
        self.place.state = self.dir
        try:
            if self.place.kind != "direct":
                options += ("--state-dir", self.dir)
            return self.place.run(*options)
        finally:
            self.place.state = self.first


def refused(ran):
    if ran.code == 78 and "--take-over" in ran.err:
        return []
    return ["exit: a foreign Maildir: %s, said: %s" % (ran.code,
                                                       ran.err.strip())]


def second_state(place):
    """Refused for the mailbox of the other ledger, then taken over."""
    place.reset()
    rows = load(place, 4)
    second = Second(place)
    wrong = [] if place.run().code == 0 else ["exit: the first run"]
    new = load(place, 6, 4)
    if place.kind != "direct":      # a mailbox that nobody has yet
        shutil.rmtree(place.boxes["bob"].maildir)
        rows = [row for row in rows if row[1] != "bob"]
    wrong += refused(second.run())
    before = [(mail, box, (1 if box == "bob" else 0,))
              for mail, box, _ in new]
    wrong += verify(place, rows + before, kept=True)
    ran = second.run("--take-over")
    if ran.code != 0:
        wrong.append("exit: --take-over: %s: %s" % (ran.code,
                                                    ran.err.strip()))
    wrong += verify(place, rows + new)
    again = second.run()
    if again.code != 0 or again.err:
        wrong.append("exit: after --take-over: %s: %s"
                     % (again.code, again.err.strip()))
    late = [(mail, box, (0,)) for mail, box, _ in load(place, 2, 10)]
    wrong += refused(place.run())
    return wrong + verify(place, rows + new + late, kept=True)


def taken_in_the_middle(place):
    """The first run was killed between its renames; its ledger is lost."""
    wrong = []
    for k in (1, 2, 5):
        scene = Scene(place).fill()
        # Its twin may be gone, and the Maildir does not tell that.
        os.unlink("%s/%s" % (place.source, scene.key("alice", "twice")))
        second = Second(place)
        traced = place.trace("kill", "-g",
                             *point(place, "deliver:alice/Maildir",
                                    "renameat2", k))
        if not traced.proven("deliver:alice/Maildir"):
            wrong.append("proof: the kill at rename %d" % k)
        wrong += refused(second.run())
        ran = second.run("--take-over")
        if ran.code != 0:
            wrong.append("exit: --take-over: %s: %s" % (ran.code,
                                                        ran.err.strip()))
        wrong += verify(place, scene.expected())
    return wrong


def second_source(place):
    """Another source, with a lock of its own, for the same ledger and
    Maildirs."""
    other = copy.copy(place)
    other.source = place.base + "/source2"
    other.logs = place.base + "/log2"
    other.config = place.base + "/second.json"
    shutil.rmtree(other.source, ignore_errors=True)
    for path in other.source, other.logs:
        other._mkdir(path, other.engine_uid)
    with open(other.config, "w") as f:
        json.dump(other._settings(), f)
    return other


def waited(place, known, k):
    """One waits for the stage with the ledger read already; meanwhile another
    is killed behind its INTENT."""
    alice = "deliver:alice/Maildir"
    place.reset()
    other = second_source(place)
    rows = load(place, 4) if known else []
    wrong = ["exit: the first run"] if place.run().code != 0 else []
    rows += load(place, 6, 10) + load(other, 6, 20)
    with Held(other, *point(other, alice, "flock", 1)) as held:
        traced = place.trace("kill", "-g",
                             *point(place, alice, "renameat2", k))
    if not traced.proven(alice):
        wrong.append("proof: the kill at rename %d" % k)
    if held.traced.status != 0 or not held.traced.acted:
        wrong.append("exit: the run that waited: %s %d: %s"
                     % (held.traced.how, held.traced.status,
                        held.traced.err.strip()))
    wrong += world.after(place, rows)
    return wrong + ["left: %s in the other source" % key
                    for key in other.left_in_source()]


def two_sources(place):
    """Two sources for one Maildir: one finishes what the other left."""
    return ["%s (%s mailbox, rename %d)"
            % (line, "known" if known else "new", k)
            for known in (False, True) for k in (1, 2)
            for line in waited(place, known, k)]


TESTS = (at_once, beside, old_lock, orphan, lost_spawner, second_state,
         taken_in_the_middle, two_sources)


def attempt(test, place):
    """Complaints; a test that breaks is a failed test."""
    try:
        return test(place)
    except (AssertionError, OSError, KeyError,
            subprocess.SubprocessError) as e:
        return ["test: %s: %s" % (type(e).__name__, e)]


def main():
    begin()
    base, passed, failed = world.make_base(), 0, 0
    for kind in kinds():
        place = world.World(base + "/" + kind, kind)
        for test in TESTS:
            if test is lost_spawner and kind != "root":
                continue
            wrong = attempt(test, place)
            passed, failed = passed + (not wrong), failed + bool(wrong)
            print("%s %s %s" % ("not ok" if wrong else "ok", kind,
                                test.__doc__.split("\n")[0]))
            for line in wrong[:8]:
                print("\t" + line)
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""powercut - cuts the power at every durable step of an import (F29).

	POWERCUT_SAMPLE=N	about N points of each run; 0: all calls, and
				after each cut all that a user may do
	POWERCUT_FS="ext4 xfs"	JOBS=N	SHOW=N

Per point: ledger and Maildirs on two fresh images, a traced run that is held
at the point while both are copied, the copies mounted. What is visible then
must be whole. The owners leave it, delete it or file it away; then a clean run
must bring each mail to each mailbox once, never again what was taken.
Runs: from nothing; after a kill amid the renames; after a kill between renames
and their sync; after that and the loss of the ledger.
"""

import os
import signal
import sys
import threading

sys.dont_write_bytecode = True

import cutworld                                             # noqa: E402
from suite import Suite, begin, setting                     # noqa: E402

ACTS = ("delete", "leave", "file")
TRIES = 5       # beside other load a run may take another way


class CutSuite(Suite):
    def __init__(self, place):
        super().__init__("power cut")
        os.rmdir(self.base)
        self.base = place
        self.places = {}
        self.making = threading.Lock()

    def stop(self, number, frame):
        """A signal: what was begun is finished, nothing more is."""
        self.stopped = True

    def place(self, fs, n):
        """The world of a worker; made once."""
        with self.making:
            if (fs, n) not in self.places:
                self.places[fs, n] = cutworld.CutWorld(
                    "%s/%s%d" % (self.base, fs, n), fs)
            return self.places[fs, n]


def cut_test(point, scene, acts):
    def test(place):
        for _ in range(TRIES):
            if place.cut_at(point, scene):
                break
        else:
            return None
        wrong = []
        for n, act in enumerate(acts):
            if n > 0:
                place.cut_again()
            wrong += ["%s (users %s)" % (w, act)
                      for w in place.complaints(act, scene.options)]
        return wrong
    return test


def plan_of(place, scene):
    """What two runs have: batches are cut by time, and nobody can wait for a
    call that one run made and no other."""
    found = []
    for _ in range(2):
        if not any(place.start(scene) for _ in range(TRIES)):
            raise SystemExit("the scene \"%s\" cannot be made again" %
                             scene.title)
        found.append(place.plan(scene.options))
    known = {str(p) for p in found[1]}
    return [p for p in found[0] if str(p) in known]


def scenes(place):
    """The scenes, each with the plan of its run."""
    fresh = cutworld.Scene("fresh")
    fresh.plan = plan_of(place, fresh)
    yield fresh
    plan = fresh.plan
    for title, options in (("half renamed", ()), ("renamed", ()),
                           ("ledger lost", ("--take-over",))):
        for _ in range(TRIES):
            point = amid(plan, title)
            scene = cutworld.Scene(title, point, options)
            if point and place.start(scene) and scene.intents and (
                    title == "half renamed" or not scene.staged):
                break
            place.reset()
            plan = place.plan()
        else:
            raise SystemExit("the scene \"%s\" cannot be made" % title)
        scene.plan = plan_of(place, scene)
        yield scene


def amid(plan, title):
    """Where the run before is killed: half of the renames are done; or all
    are, and the engine is about to ask for the first sync. None: the plan has
    no such call."""
    renames = [i for i, p in enumerate(plan)
               if p.name == "renameat2" and p.role.startswith("deliver:")]
    if title == "half renamed":
        return plan[renames[len(renames) // 2]] if renames else None
    return next((p for p in plan[renames[-1] if renames else len(plan):]
                 if p.role == "engine" and p.name == "sendmsg"), None)


def jobs(place, n):
    for scene in scenes(place):
        points = scene.plan
        if n > 0:
            points = place.telling(points, n)
        # With the ledger lost, nobody can know what an owner took away.
        acts = ACTS[1:] if scene.options else ACTS
        for i, point in enumerate(points):
            some = acts if n == 0 else (acts[i % len(acts)],)
            yield ("%s, %s" % (scene.title, point),
                   cut_test(point, scene, some))


def main():
    begin()
    where, why = cutworld.make_place()
    if where is None:
        print("skipped: " + why)
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    suite = CutSuite(where)
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        signal.signal(number, suite.stop)
    try:
        for fs in os.environ.get("POWERCUT_FS", "ext4 xfs").split():
            todo = list(jobs(suite.place(fs, 0), setting("POWERCUT_SAMPLE",
                                                         24)))
            suite.note(fs, len(todo))
            suite.work(fs, todo)
    finally:
        for place in suite.places.values():
            place.unmount()
        cutworld.remove_place(where)
    if suite.stopped:
        sys.exit("stopped by a signal")
    suite.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""kill - ends the importer at every call it makes (F28, F43, F64).

	KILL_SAMPLE=N	about N points of each kind, evenly spread; 0: all
	KINDS="root plain direct s3root s3 s3many"	SOURCE=s3: the last three
	JOBS=N	SHOW=N	KEEP=1

Per point: a fresh world, a traced run that is ended at the point (one process,
or all at once), a key that gets a new mail, a clean run. Then each mail must
be in its Maildir once with the right bytes and nothing else anywhere, a second
run must change nothing, the audit must agree.
Smaller plans: the key gets its new mail while the run stands at the point; a
signal arrives at the point; the run that clears up after a killed one is
killed itself.
"""

import os
import signal
import sys

sys.dont_write_bytecode = True

from scene import Scene                                     # noqa: E402
from suite import Suite, begin, kinds, sample, setting  # noqa: E402
from world import after, make                               # noqa: E402

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
TRIES = 5       # beside other load a run may take another way


def reach(place, mode, point, more, prepare=None):
    """Runs into the point; again if this run took another way. None: never
    reached. Returns the scene and the traced run."""
    for _ in range(TRIES):
        scene = Scene(place).fill()
        if prepare is not None and not prepare(scene):
            continue
        traced = place.trace(mode, *point.args(), *more)
        if traced.acted or traced.timeout:
            return scene, traced
    return None, None


def sane(traced, codes):
    """Complaints about how a run ended that was not killed itself."""
    if traced.timeout:
        return ["hang: the run did not end by itself"]
    if traced.how != "status" or traced.status not in codes:
        return ["exit: %s %d: %s" % (traced.how, traced.status,
                                     traced.err.strip())]
    return []


def kill_test(point, all_at_once):
    def test(place):
        scene, traced = reach(place, "kill", point,
                              ["-g"] if all_at_once else [])
        if scene is None:
            return None
        complaints = []
        if traced.timeout:
            complaints.append("hang: the others did not end")
        elif not traced.proven(point.role):
            complaints.append("proof: the log does not show the kill")
        elif traced.how == "status" and \
                traced.status not in (0, 69, 70, 71, 74, 75):
            complaints.append("exit: %d after the kill: %s"
                              % (traced.status, traced.err.strip()))
        scene.reput()
        return complaints + after(place, scene.expected())
    return test


def reput_test(point):
    """The mail under the key is replaced while the engine stands still."""
    def prepare(scene):
        scene.prepare_reput()
        hook = scene.world.base + "/reput"
        with open(hook, "w") as f:
            f.write("#!/bin/sh\n" + scene.world.replacer(scene.reput_key()))
        os.chmod(hook, 0o755)
        scene.flag = scene.world.logs + "/there"
        if os.path.exists(scene.flag):
            os.unlink(scene.flag)
        return True

    def test(place):
        scene, traced = reach(place, "hold", point,
                              ["-x", place.base + "/reput"], prepare)
        if scene is None:
            return None
        complaints = sane(traced, (0, 75))
        if traced.code == 5:
            complaints.append("test: the mail could not be replaced")
        if os.path.exists(scene.flag):
            scene.first_counts = (0, 1)
        return complaints + after(place, scene.expected())
    return test


def interrupt(scene):
    """Leaves two mailboxes half done: staged, renamed in part, an object
    neither taken nor forgotten."""
    place, point = scene.world, scene.broken
    traced = place.trace("kill", "-g", *point.args())
    return traced.proven(point.role)


def again_test(point, broken, all_at_once):
    """The run that clears up after a killed one is killed itself."""
    def prepare(scene):
        scene.broken = broken
        return interrupt(scene)

    def test(place):
        scene, traced = reach(place, "kill", point,
                              ["-g"] if all_at_once else [], prepare)
        if scene is None:
            return None
        complaints = []
        if traced.timeout:
            complaints.append("hang: the others did not end")
        elif not traced.proven(point.role):
            complaints.append("proof: the log does not show the kill")
        return complaints + after(place, scene.expected())
    return test


def signal_test(point, number, how):
    def test(place):
        scene, traced = reach(place, "signal", point,
                              ["-s", str(int(number)), *how])
        if scene is None:
            return None
        complaints = sane(traced, (0, 75))
        return complaints + after(place, scene.expected())
    return test


def clean_test(place):
    """Without any fault; else the points below would prove little."""
    scene = Scene(place).fill()
    return after(place, scene.expected())


def jobs_for(kind, points, n):
    jobs = [("clean run", clean_test)]
    for point in sample(points, n):
        jobs.append(("kill %s" % point, kill_test(point, False)))
        jobs.append(("kill all at %s" % point, kill_test(point, True)))
    engine = [p for p in points if p.role == "engine"]
    if kind == "s3many":    # loses what comes between the look and the DELETE
        engine = []
    for point in sample(engine, n // 3):
        jobs.append(("replace at %s" % point, reput_test(point)))
    loud = [p for p in points if not p.role.startswith("child")]
    for i, point in enumerate(sample(loud, n // 3)):
        number = SIGNALS[i % 3]
        how, word = ((["-f"], "first process"), (["-g"], "all"),
                     ([], "itself"))[i // 3 % 3]
        if not how and point.role.startswith("deliver:"):
            how, word = ["-f"], "first process"
        jobs.append(("%s to %s at %s" % (number.name, word, point),
                     signal_test(point, number, how)))
    return jobs


def again_jobs(place, points, n):
    """Kills in the run after a killed one; two plans: most of a batch is
    renamed, or all of it but not synced."""
    renames = [p for p in points if p.role == "deliver:alice/Maildir" and
               p.name.startswith("rename")]
    syncs = [p for p in points if p.role == "deliver:alice/Maildir" and
             p.name in ("fsync", "fdatasync", "syncfs")]
    jobs = []
    for broken in (renames[-3], syncs[-1]):
        for _ in range(TRIES):
            scene = Scene(place).fill()
            scene.broken = broken
            if interrupt(scene):
                break
        for point in sample(place.plan(), n):
            title = "after a kill at %s, kill %%s%s" % (broken, point)
            jobs.append((title % "", again_test(point, broken, False)))
            jobs.append((title % "all at ", again_test(point, broken, True)))
    return jobs


def main():
    begin()
    suite = Suite("kill")
    n = setting("KILL_SAMPLE", 60)
    for kind in kinds():
        place = make("%s/%s-plan" % (suite.base, kind), kind)
        Scene(place).fill()
        points = place.plan()
        suite.note(kind + "-plan", len(points))
        jobs = jobs_for(kind, points, n) + again_jobs(place, points, n // 3)
        suite.work(kind, jobs)
    suite.finish()


if __name__ == "__main__":
    main()

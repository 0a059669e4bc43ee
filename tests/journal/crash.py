#!/usr/bin/python3
"""crash - what is acknowledged is in the archive, whatever happens.

	COPIES=N	of the image of a power cut, 50
	ACKNOWLEDGED=N	by the last of them, 5000
	KILLS=N		SHOW=N		PARTS="groups foreign kill busy fail full cut
			after begun maintain"

groups	flushes are shared: at 50 threads at most one for 5 messages
foreign	a reader that shares no code with us agrees on 10,000 records
kill	SIGKILL at random moments, again and again in one archive
busy	messages are erased, segments pruned, all is verified and listed again
	and again while 12 threads append
fail	each kind of call fails once, a failed flush loses its pages
full	a disk that fills up, and is emptied
cut	a file system's image is copied at random moments while 20 threads
	append; each message that was acknowledged before the copy is in it
after	killed before a flush, then the same messages again, then a power cut
begun	a power cut when nothing but the header of the last segment was flushed
maintain	erase and prune are killed at each of their calls, and the power
	goes; what is left is right, and doing it again does the rest
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + "/../powercut", HERE + "/../crash"]
import reader                                               # noqa: E402

BUILD = os.environ.get("FALLBACKMX_BUILD", os.getcwd())
APPENDER = BUILD + "/tests/journal/appender"
FALLBACKMX = BUILD + "/fallbackmx"
FLUSHES = {"fsync": "EIO", "fdatasync": "EIO", "pwritev": "EIO ENOSPC",
           "renameat2": "EIO", "openat": "EMFILE ENOSPC"}
ERRNO = {"EIO": 5, "EMFILE": 24, "ENOSPC": 28}

random.seed(int(os.environ.get("SEED", "1")))
passed = failed = skipped = 0


def result(name, complaints):
    global passed, failed
    print("%s %s" % ("not ok" if complaints else "ok", name))
    for c in complaints[:int(os.environ.get("SHOW", "5"))]:
        print("# " + c)
    sys.stdout.flush()
    failed += bool(complaints)
    passed += not complaints


def append(where, *options, env=None, **more):
    return subprocess.run([APPENDER, "--free-mib", "1", *options, where],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env=dict(os.environ, **(env or {})),
                          **more)


def acknowledged(text):
    """id -> (hash, bytes); only whole lines. And the counts, if it ended."""
    found, counts = {}, {}
    for line in text.split("\n")[:-1]:
        words = line.split(" ")
        if words[0] == "counts":
            counts = dict((w.split("=")[0], int(w.split("=")[1]))
                          for w in words[1:])
        elif words[0] not in ("failed", "appender:"):
            found[words[0]] = (words[1], int(words[2]))
    return found, counts


def archive(*words):
    return subprocess.run([FALLBACKMX, "archive", *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)


def missing(where, found):
    """Complaints: what was acknowledged and is not there with its hash."""
    there = {}
    for line in archive("list", "--archive", where, "--json").stdout.split(
            "\n")[:-1]:
        x = json.loads(line)
        there[x["id"]] = (x["sha256"], x["size"])
    return ["%s is not there, or another one" % i for i, what in found.items()
            if there.get(i) != what]


def verified(where, allow_torn=False):
    ran = archive("verify", "--archive", where)
    wrong = [line for line in ran.stderr.split("\n")
             if "not as it was written: " in line and "findings" not in line
             and not (allow_torn and "was not finished" in line)]
    if not allow_torn and ran.returncode != 0:
        wrong = wrong or ["verify ended with %d: %s" % (ran.returncode,
                                                        ran.stderr)]
    return wrong


def groups(base):
    # So slow that all threads have come before one is over, however busy the
    # machine is.
    slow = tempfile.mkdtemp(dir=base)
    with open(slow + "/plan", "w") as f:
        f.write("100 0\n")
    for threads, share in (50, 5), (20, 4):
        where = tempfile.mkdtemp(dir=base)
        ran = append(where, "--threads", str(threads), "--count", "1000",
                     env={"LD_PRELOAD": BUILD + "/tests/milter/flushes.so",
                          "FLUSHES": slow})
        found, counts = acknowledged(ran.stdout)
        result("groups: %d threads, 100 ms a flush: %d flushes for %d messages"
               % (threads, counts.get("flushes", 0), len(found)),
               missing(where, found) + verified(where) +
               ["too many flushes" for _ in "x" if counts.get(
                   "flushes", 1000) > len(found) / share] +
               ["not all" for _ in "x" if len(found) != 1000])


def foreign(base):
    where = tempfile.mkdtemp(dir=base)
    ran = append(where, "--threads", "8", "--count", "10000", "--twice", "50",
                 "--segment-kib", "2048")
    found, _ = acknowledged(ran.stdout)
    there = {r[0]: (r[6], r[7]) for r in reader.records(where)}
    result("foreign: %d records in %d segments" % (
        len(there), len(os.listdir(where)) - 1),
        ["not all" for _ in "x" if len(found) != 10000] +
        ["%s differs" % i for i in found if there.get(i) != found[i]] +
        ["there is more" for _ in "x" if len(there) != len(found)])


def started(where, log, *options, env=None):
    with open(log, "w") as f:
        return subprocess.Popen([APPENDER, "--free-mib", "1", "--count",
                                 "10000000", *options, where], stdout=f,
                                stderr=subprocess.STDOUT,
                                env=dict(os.environ, **(env or {})))


def kill(base):
    where, log = tempfile.mkdtemp(dir=base), base + "/log"
    found, rounds = {}, int(os.environ.get("KILLS", "40"))
    for _ in range(rounds):
        p = started(where, log, "--threads", "20", "--size", "1000",
                    "--segment-kib", "512")
        time.sleep(random.uniform(0.005, 0.15))
        p.kill()
        p.wait()
        found.update(acknowledged(open(log).read())[0])
    complaints = missing(where, found) + verified(where, allow_torn=True)
    append(where, "--count", "1")
    result("kill: %d times, %d acknowledged" % (rounds, len(found)),
           complaints + missing(where, found) + verified(where))


def busy(base):
    where, log = tempfile.mkdtemp(dir=base), base + "/busylog"
    append(where, "--count", "40", "--days", "400")
    append(where, "--count", "40", "--days", "300")
    with open(log, "w") as f:
        p = subprocess.Popen(
            [APPENDER, "--free-mib", "1", "--count", "12000", "--threads",
             "12", "--size", "4000", "--segment-kib", "256", where],
            stdout=f, stderr=subprocess.STDOUT)
    complaints, erased, rounds = [], set(), 0
    while p.poll() is None or rounds < 3:
        rounds += 1
        ids = sorted(set(acknowledged(open(log).read())[0]) - erased)
        for words in (("erase", "--reason", "test", *ids[-2:]),
                      ("prune", "--grace", "0"), ("verify",),
                      ("list", "--limit", "100000")):
            if words[0] == "erase":
                if not ids:
                    continue
                erased.update(ids[-2:])
            ran = archive(words[0], "--archive", where, *words[1:])
            if ran.returncode != 0:
                complaints.append("%s: %d %s" % (
                    words[0], ran.returncode, ran.stderr[-300:]))
    found = acknowledged(open(log).read())[0]
    result("busy: %d acknowledged, %d erased, %d rounds" % (
        len(found), len(erased), rounds), complaints +
        missing(where, found) + verified(where) +
        ["not all" for _ in "x" if len(found) != 12000] +
        ["nothing was pruned" for _ in "x" if os.path.exists(
            where + "/0000000001.segment")])


def fail(base):
    for call, words in FLUSHES.items():
        for word in words.split():
            for number in 1, 2, 3, 5, 9, 20:
                where = tempfile.mkdtemp(dir=base)
                append(where, "--count", "3")
                ran = append(where, "--threads", "8", "--count", "300",
                             "--keep-on", "--segment-kib", "64",
                             env={"LD_PRELOAD": BUILD +
                                  "/tests/journal/failcall.so",
                                  "FAILCALL": "%s %d %d" % (
                                      call, number, ERRNO[word])})
                found, counts = acknowledged(ran.stdout)
                append(where, "--count", "3")
                # The first two are of the end that another writer left, which
                # no new segment mends: at the start and at the first record.
                old = call == "fdatasync" and number == 2
                result("fail: %s number %d with %s: %d acknowledged, %d not" %
                       (call, number, word, len(found),
                        counts.get("failed", 0)),
                       missing(where, found) + verified(where) +
                       ["it crashed: %d" % ran.returncode
                        for _ in "x" if ran.returncode < 0] +
                       ["a failure that a new segment mends was told"
                        for _ in "x" if word == "EIO" and not old and
                        call != "openat" and counts.get("failed")] +
                       ["what another left was believed without a flush"
                        for _ in "x" if old and not counts.get("failed")])


def full(base, cutworld, fs):
    _, mount = cutworld.one_image(base, fs, 300 if fs == "xfs" else 48, "full")
    where = mount + "/a"
    with open(mount + "/filler", "wb") as f:
        free = os.statvfs(mount)
        f.write(b"x" * max(1, free.f_bavail * free.f_bsize - (12 << 20)))
    complaints, found = [], {}
    # Up to the mark; and with none, up to the end of the disk.
    for mark in "4", "1":
        ran = subprocess.run(
            [APPENDER, "--free-mib", mark, "--threads", "8", "--size", "9000",
             "--level", "-1", "--count", "100000", where],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        found.update(acknowledged(ran.stdout)[0])
        if " full " not in ran.stdout:
            complaints.append("nobody said that it is full")
        if mark == "4" and os.statvfs(mount).f_bavail * os.statvfs(
                mount).f_bsize < 4 << 20:
            complaints.append("less is free than was to stay free")
    try:
        with open(mount + "/rest", "wb", buffering=0) as f:
            while True:
                f.write(b"x" * 4096)
    except OSError:
        pass
    ran = subprocess.run([APPENDER, "--count", "1", "--free-mib", "1", where],
                         stdout=subprocess.PIPE, text=True)
    complaints += ["appended to a full disk" for _ in "x"
                   if ran.returncode == 0]
    complaints += missing(where, found) + verified(where, allow_torn=True)
    os.unlink(mount + "/filler")
    found.update(acknowledged(append(where, "--count", "10").stdout)[0])
    result("full: %s, %d acknowledged" % (fs, len(found)), complaints +
           missing(where, found) + verified(where))
    cutworld.command("umount", "-l", mount)


def cut(base, cutworld, fs):
    path, mount = cutworld.one_image(base, fs, 300, "cut")
    log = base + "/cutlog"
    # Each flush begins 2 ms late: an answer that does not wait for it is seen.
    with open(base + "/plan", "w") as f:
        f.write("2 0\n")
    p = started(mount + "/a", log, "--threads", "20", "--size", "1500",
                "--segment-kib", "4096", env={
                    "LD_PRELOAD": BUILD + "/tests/milter/flushes.so",
                    "FLUSHES": base})
    copies = int(os.environ.get("COPIES", "50"))
    needed = int(os.environ.get("ACKNOWLEDGED", "5000"))
    total = 0
    for n in range(copies):
        os.kill(p.pid, signal.SIGCONT)
        time.sleep(random.uniform(0.002, 0.03))
        while open(log).read().count("\n") < needed * (n + 1) / copies and \
                p.poll() is None:
            time.sleep(0.005)
        os.kill(p.pid, signal.SIGSTOP)
        while not cutworld.stands_still(p.pid):
            time.sleep(0.001)
        found = acknowledged(open(log).read())[0]
        at = cutworld.one_copy(base, fs, path)
        complaints = missing(at + "/a", found)
        complaints += verified(at + "/a", allow_torn=True) if found else []
        more = append(at + "/a", "--count", "20", "--threads", "4")
        found.update(acknowledged(more.stdout)[0])
        complaints += missing(at + "/a", found) + verified(at + "/a")
        cutworld.command("umount", at)
        total = max(total, len(found))
        if complaints or n + 1 == copies:
            result("cut: %s, copy %d, %d acknowledged" % (fs, n + 1,
                                                          len(found)),
                   complaints)
        if p.poll() is not None:
            break
    p.kill()
    p.wait()
    result("cut: %s, %d copies, up to %d acknowledged in each" % (
        fs, n + 1, total), ["too few" for _ in "x" if n + 1 < copies or
                            total < needed])
    cutworld.command("umount", "-l", mount)


def after(base, cutworld, fs):
    """Bytes that a dead writer has not flushed are nobody's to rely on."""
    path, mount = cutworld.one_image(base, fs, 300, "after")
    where = mount + "/a"
    append(where, "--count", "3")
    died = append(where, "--count", "8", env={
        "LD_PRELOAD": BUILD + "/tests/journal/failcall.so",
        "FAILCALL": "fdatasync 6 0"})
    ran = append(where, "--count", "8")
    found = acknowledged(ran.stdout)[0]
    at = cutworld.one_copy(base, fs, path)
    complaints = missing(at + "/a", found) + verified(at + "/a")
    for i in found:
        complaints += ["%s: %s" % (i, x.stderr) for x in (archive(
            "cat", "--archive", at + "/a", i),) if x.returncode != 0]
    result("after: %s, killed, the same again, cut: %d acknowledged" % (
        fs, len(found)), complaints +
        ["it was not killed: %d" % died.returncode for _ in "x"
         if died.returncode != -signal.SIGKILL] +
        ["not all" for _ in "x" if len(found) != 8])
    cutworld.command("umount", at)
    cutworld.command("umount", "-l", mount)


def begun(base, cutworld, fs):
    """A segment that has its name has its header: somebody can go on."""
    path, mount = cutworld.one_image(base, fs, 300, "begun")
    found, complaints = {}, []
    # The seal of one that ends in order; then killed before the flush of the
    # first record in a new segment, behind two of the end of the old one.
    for plan, end in ("none 1 0", 0), ("fdatasync 3 0", -signal.SIGKILL):
        ran = append(mount + "/a", "--count", "3", env={
            "LD_PRELOAD": BUILD + "/tests/journal/failcall.so",
            "FAILCALL": plan})
        found.update(acknowledged(ran.stdout)[0])
        at = cutworld.one_copy(base, fs, path)
        more = append(at + "/a", "--count", "1")
        there = dict(found, **acknowledged(more.stdout)[0])
        complaints += ["%s: it ended with %d, who goes on with %d: %s" % (
            plan, ran.returncode, more.returncode, more.stdout)
            for _ in "x" if (ran.returncode, more.returncode) != (end, 0)]
        complaints += missing(at + "/a", there) + verified(at + "/a")
        cutworld.command("umount", at)
    result("begun: %s, %d acknowledged, 2 cuts" % (fs, len(found)),
           complaints + ["not 3" for _ in "x" if len(found) != 3])
    cutworld.command("umount", "-l", mount)


SECRET = "never to be seen again"
CALLS = ("openat", "pwritev", "fsync", "fdatasync", "renameat2", "renameat",
         "unlinkat")


def cut_maintenance(base, cutworld, fs, words, before):
    """Killed at each call in turn, then cut; then the same again."""
    for call in CALLS:
        for number in range(1, 100):
            image_, mount = before(base)
            ran = subprocess.run(
                [FALLBACKMX, "archive", words[0], "--archive", mount + "/a",
                 *words[1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, env=dict(
                    os.environ, FAILCALL="%s %d 0" % (call, number),
                    LD_PRELOAD=BUILD + "/tests/journal/failcall.so"))
            at = cutworld.one_copy(base, fs, image_)
            cutworld.command("umount", "-l", mount)
            yield call, number, ran, at + "/a"
            cutworld.command("umount", at)
            if ran.returncode != -signal.SIGKILL:
                break


def maintain(base, cutworld, fs):
    """Erase and prune, killed at each of their calls, and the power goes."""
    path, mount = cutworld.one_image(base, fs, 300 if fs == "xfs" else 48,
                                     "maintain")
    with open(mount + "/mail", "w") as f:
        f.write("A: b\r\n\r\n" + SECRET)
    append(mount + "/a", "--count", "5", "--days", "400")
    append(mount + "/a", "--count", "5", "--days", "300")
    found = acknowledged(append(mount + "/a", "--count", "5",
                                "--level", "-1").stdout)[0]
    append(mount + "/a", "--level", "-1", mount + "/mail")
    secret = sorted(json.loads(x)["id"] for x in archive(
        "list", "--archive", mount + "/a", "--json").stdout.split("\n")[:-1]
        )[-1]
    append(mount + "/a", "--count", "1")
    cutworld.command("umount", mount)

    def before(base):
        shutil.copy(path, base + "/work")
        cutworld.command("mount", "-o", cutworld.MOUNT[fs], base + "/work",
                         mount)
        return base + "/work", mount

    for words in ("erase", "--reason", "test", secret), ("prune",), \
            ("prune", "--grace", "0"):
        complaints, n = [], 0
        if words == ("prune", "--grace", "0"):
            before(base)
            archive("prune", "--archive", mount + "/a")
            cutworld.command("umount", mount)
            shutil.copy(base + "/work", path)
        for call, number, ran, at in cut_maintenance(base, cutworld, fs,
                                                     words, before):
            n += 1
            there = "%s %d: " % (call, number)
            wrong = [w for w in verified(at, allow_torn=True)
                     if "erase it again" not in w]
            wrong += missing(at, found)
            if ran.returncode == 0 and words[0] == "erase":
                wrong += left(at)
            done = archive(words[0], "--archive", at, *words[1:])
            if done.returncode != 0:
                wrong.append("again: %d %s" % (done.returncode, done.stderr))
            if words[0] == "erase":
                wrong += left(at)
            append(at, "--count", "1")
            complaints += [there + w for w in
                           wrong + missing(at, found) + verified(at)]
        result("maintain: %s, %s, %d cuts" % (fs, " ".join(words), n),
               complaints + ["too few" for _ in "x" if n < 10])
    os.unlink(path)


def left(at):
    """Bytes that were to be erased."""
    return ["%s has the bytes" % name for name in os.listdir(at)
            if SECRET.encode() in open(os.path.join(at, name), "rb").read()]


def main():
    global skipped
    parts = os.environ.get("PARTS", "groups foreign kill busy fail full cut "
                           "after begun")
    base = tempfile.mkdtemp(prefix="fallbackmx-archive.")
    try:
        for part in (groups, foreign, kill, busy, fail):
            if part.__name__ in parts.split():
                part(base)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    if set(parts.split()) & {"full", "cut", "after", "begun", "maintain"}:
        import cutworld
        place, why = cutworld.make_place()
        if place is None:
            print("skipped: full, cut, after, begun, maintain: " + why)
            skipped += 5
        try:
            for fs in os.environ.get("POWERCUT_FS", "ext4 xfs").split() \
                    if place else ():
                for part in (full, cut, after, begun, maintain):
                    if part.__name__ in parts.split():
                        work = place + "/" + part.__name__ + fs
                        os.mkdir(work)
                        part(work, cutworld, fs)
                        shutil.rmtree(work, ignore_errors=True)
        finally:
            if place:
                cutworld.remove_place(place)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

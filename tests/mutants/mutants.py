#!/usr/bin/python3
"""mutants - shows that the crash tests can see.

	mutants.py [TEXT]	only mutants with TEXT in their name
	MUTANTS_POINTS=N	tries per test before the next one (60)
	JOBS=N

Each durable step of the source (a line marked STEP) is taken out of a copy:
its call succeeds without being made; a ledger commit becomes a rollback, the
ledger's sync is weakened in two ways. Steps are also moved behind the act that
must wait for them. Every mutant must be caught by one of: a clean run, a kill,
a power cut, a power cut in the recovery from a kill, a kill while another source
waits for the same stage; for what ext4 and xfs do of their own accord, by its
row in the model. Those of the archive, where a flush is left out or comes after
the answer, are caught by power cuts and failed flushes of
tests/journal/crash.py.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.environ.get("FALLBACKMX_SRC", HERE + "/../..")
sys.path[:0] = [HERE + "/../powercut", HERE + "/../crash"]

import cutworld                                             # noqa: E402
import overlap                                              # noqa: E402
import powercut                                             # noqa: E402
from suite import begin, setting                            # noqa: E402
from world import World, build_dir                          # noqa: E402

STEP = re.compile(r"/\* STEP ([a-z-]+) \*/")
CALL = re.compile(r"(?<![\w>.])(?!if\b|while\b|switch\b|return\b|for\b)"
                  r"[A-Za-z_]\w*(?:(?:->|\.)\w+)*\(")
# Those of the importer: no run of it comes to an archive.
DIRS = ("lib/aws", "lib/base", "lib/mail", "sync", "deliver", "cli")
PROGRAMS = ("fallbackmx", "fallbackmx-deliver")
ARCHIVE_PROGRAMS = ("fallbackmx", "tests/journal/appender",
                    "tests/journal/failcall.so", "tests/milter/flushes.so")

# Steps behind the act that must wait for them: (name, file, [(old, new)]).
COMMIT = "return ledger_commit(g->ledger, e); /* STEP %s */"
RENAME = "\trename_all(g);\n"
STAGE_SYNC = "\tsync_all(g, 0);\n"
NEW_SYNC = "\tsync_all(g, DELIVERY_RENAMED);\n"
INTENT = "\tif (write_intents(g, e) < 0)\n\t\treturn -1;\n"
DONE = "\tif (write_done(g, e) < 0)\n\t\treturn -1;\n"
FINISH = "\t\tr = batch_finish(g, e);\n"
JUDGE = "\tif (judge_rows(r, e) < 0)\n\t\treturn -1;\n"
RECORD = "\tif (record(r, e) < 0)\n\t\treturn -1;\n"
MOVED = [
    ("stage-sync after intent", "sync/batch.c",
     [(STAGE_SYNC, ""), (INTENT, INTENT + STAGE_SYNC)]),
    ("intent after rename", "sync/batch.c",
     [(COMMIT % "intent", "return 0;"),
      (RENAME, RENAME + "\tif (ledger_commit(g->ledger, e) < 0)\n"
                        "\t\treturn -1;\n")]),
    ("new-sync after done", "sync/batch.c",
     [(NEW_SYNC, ""), (DONE, DONE + NEW_SYNC)]),
    ("done after remove", "sync/batch.c",
     [(COMMIT % "done", "return 0;"),
      (FINISH, FINISH +
       "\tledger_commit(g->ledger, &(struct err){ .text = \"\" });\n")]),
    ("recover-sync after recover-done", "sync/recover.c",
     [(JUDGE, JUDGE + RECORD)]),
    ("ledger read before the lock", "sync/recover.c",
     [("\tledger_rollback(r->engine->ledger);\n", "")]),
]
# Single calls below the steps; with a row of the model for those that the
# journals of ext4 and xfs make superfluous.
FINER = [
    ("sync of each file", "deliver/maildir.c",
     "fsio_sync(m->files[i].fd)", None),
    ("sync of many files at once", "deliver/maildir.c",
     "fsio_syncfs(m->stage)", None),
    ("sync of stage/", "deliver/maildir.c", "fsio_sync(m->stage)",
     "stage-sync of the file only"),
    ("sync of new/", "deliver/maildir.c", "fsio_sync(new)", "no new-sync"),
]
LEDGER = {"fdatasync"}
# Of the archive; with the part of tests/journal/crash.py that will see it.
GROUP, WRITE = "lib/journal/group.c", "\tret = fsio_pwritev(j->fd, "
FLUSH = "ret = fsio_datasync(j->fd);"
GROW = "lib/journal/grow.c"
ARCHIVE = [
    ("archive without a flush", "cut", GROUP, [(FLUSH, "ret = 0;")]),
    ("archive, flush after the answer", "cut", GROUP, [
        (FLUSH, "ret = 0;"), (WRITE, "\tfsio_datasync(j->fd);\n" + WRITE)]),
    ("archive without a write", "cut", GROUP, [
        (WRITE, "\tret = 0 * fsio_pwritev(-1, ")]),
    ("segment-sync", "begun", GROW, [("ret = fsio_sync(j->fd);", "ret = 0;")]),
    # posix_fadvise(2) behind it starts the same writes of its own accord: no
    # copy of an image lacks them, but that they failed is not noticed.
    ("tail-sync", "fail", GROW, [
        ("int ret = fsio_datasync(s->fd);", "int ret = 0;")]),
    ("tail-sync, no fadvise", "after", GROW, [
        ("int ret = fsio_datasync(s->fd);", "int ret = 0;"),
        ("\tposix_fadvise(s->fd, 0, 0, POSIX_FADV_DONTNEED);\n", "")]),
]
# The test that will see it, and the calls right after which it will.
HINTS = {
    "rename": ("clean", cutworld.SYNCS),
    "remove": ("clean", cutworld.SYNCS),
    "done": ("clean", cutworld.SYNCS),
    "done after remove": ("cut", cutworld.REMOVALS),
    "intent after rename": ("kill", {"renameat2"}),
    "recover-sync": ("cut after kill", LEDGER),
    "recover-done": ("cut after kill", LEDGER),
    "recover-sync after recover-done": ("cut after kill", LEDGER),
    "ledger read before the lock": ("overlap", cutworld.SYNCS),
}
TESTS = ("cut", "cut after kill", "kill", "clean", "overlap")


class Mutant:
    def __init__(self, name, path, text, model=None):
        self.name, self.path, self.text = name, path, text
        self.model = model
        self.caught, self.why, self.tries, self.seconds = None, "", 0, 0


def call_at(text, start, end):
    """The span of the call that the marked statement makes."""
    match = CALL.search(text, start, end)
    if match is None:
        return None
    depth, i = 1, match.end()
    while depth > 0:
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        i += 1
    return match.start(), i


def without(name, path, text, mark):
    """Mutants of one marked statement."""
    begin_at = max(text.rfind(c, 0, mark - 2) for c in ";{}") + 1
    line_at = text.rfind("\n", 0, mark) + 1
    # A mark behind the ; or { of its own statement.
    if begin_at > line_at:
        begin_at = max(text.rfind(c, 0, line_at) for c in ";{}/") + 1
    statement = text[begin_at:mark]
    if "synchronous = FULL" in statement:
        for weak in "NORMAL", "OFF":
            yield Mutant("%s %s" % (name, weak), path,
                         text[:begin_at] + statement.replace("FULL", weak) +
                         text[mark:])
        return
    span = call_at(text, begin_at, mark)
    if span is None:
        raise SystemExit("%s: STEP %s marks no call" % (path, name))
    old, new = text[span[0]:span[1]], "0"
    if not text[begin_at:span[0]].strip():
        new = "if (0) " + old
    if old.startswith("ledger_commit("):
        # Never written, but over: another transaction may begin.
        new = "(ledger_rollback(%s), 0)" % old[14:].split(",")[0]
    yield Mutant(name, path, text[:span[0]] + new + text[span[1]:])


def replaced(path, text, pairs):
    for old, new in pairs:
        if text.count(old) != 1:
            raise SystemExit("%s: cannot make a mutant: %d times %r"
                             % (path, text.count(old), old))
        text = text.replace(old, new)
    return text


def mutants(src):
    found = []
    for top in DIRS:
        for folder, _, files in os.walk(os.path.join(src, top)):
            for name in sorted(f for f in files if f.endswith(".c")):
                path = os.path.relpath(os.path.join(folder, name), src)
                text = read(src, path)
                for mark in STEP.finditer(text):
                    found += without(mark.group(1), path, text, mark.start())
    for name, path, pairs in MOVED:
        found.append(Mutant(name, path, replaced(path, read(src, path),
                                                 pairs)))
    for name, path, call, model in FINER:
        found.append(Mutant(name, path, replaced(
            path, read(src, path), [(call, "0")]), model))
    return found


def read(src, path):
    with open(os.path.join(src, path)) as f:
        return f.read()


def copy_tree(old, new, *patterns):
    """Without what others build or pack below it at the same time; what they
    have for a moment only may go."""
    unwanted = shutil.ignore_patterns(".git", "autom4te.cache", *patterns)

    def ignored(folder, names):
        return unwanted(folder, names) | {
            n for n in names for mark in ("configure", "config.status")
            if os.path.exists(os.path.join(folder, n, mark))}

    def copy(path, to):
        try:
            return shutil.copy2(path, to)
        except FileNotFoundError:
            return to

    shutil.copytree(old, new, symlinks=True, ignore=ignored,
                    copy_function=copy)


class Build:
    """A copy of sources and objects, in which one file at a time differs."""

    def __init__(self, base, programs=PROGRAMS):
        src, build = SRC, build_dir()
        self.programs = programs
        self.original = src
        self.src, self.build = base + "/src", base + "/build"
        skip = "bench.*", "*.log", "*.trs"
        if os.path.realpath(src) == os.path.realpath(build):
            self.build = self.src
        else:
            copy_tree(build, self.build, *skip)
            skip = ("*.o",)
        copy_tree(src, self.src, *skip)
        command("chmod", "-R", "u+w", self.src, self.build)
        for folder, _, files in os.walk(self.build):
            for name in files:
                # They name headers by paths that may not hold here.
                if name.endswith(".Po"):
                    with open(os.path.join(folder, name), "w") as f:
                        f.write("# none\n")
        self.changed = None

    def make(self, mutant):
        """Complaints of the compiler, or None."""
        if self.changed is not None:
            self.write(self.changed, read(self.original, self.changed))
        self.changed = mutant.path
        if mutant.path is not None:
            self.write(mutant.path, mutant.text)
        argv = ["make", "-s", "-C", self.build, *self.programs]
        if self.src != self.build:
            argv += ["%s=%s" % (name, self.src) for name in (
                "srcdir", "top_srcdir", "abs_srcdir", "abs_top_srcdir",
                "VPATH")]
        env = {k: v for k, v in os.environ.items()
               if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        done = subprocess.run(argv, stdout=subprocess.PIPE, env=env,
                              stderr=subprocess.STDOUT, text=True)
        return done.stdout if done.returncode != 0 else None

    def write(self, path, text):
        with open(os.path.join(self.src, path), "w") as f:
            f.write(text)


def command(*argv):
    subprocess.run(argv, check=True)


def spread(items):
    """In an order in which any stretch of them is met early."""
    bits = max(1, (len(items) - 1).bit_length())
    order = (int(format(i, "0%db" % bits)[::-1], 2) for i in range(1 << bits))
    return [items[i] for i in order if i < len(items)]


class Hunter:
    """One worker: a build and a world of its own."""

    def __init__(self, place, n):
        base = "%s/hunter%d" % (place, n)
        os.mkdir(base)
        self.build = Build(base)
        self.world = cutworld.CutWorld(base + "/world", "ext4")
        self.place = World(base + "/place", "root")
        self.trouble = None

    def healthy(self):
        """Complaints about the program as it is: they would be mistaken for
        the mutants'."""
        none = Mutant("none", None, None)
        wrong = self.build.make(none)
        self.install()
        for test in TESTS:
            tries = self.complaints(test, cutworld.SYNCS)
            for (where, complaints), _ in zip(tries, range(4)):
                if complaints and wrong is None:
                    wrong = "%s, %s: %s" % (test, where, complaints[0])
        return wrong or self.trouble

    def install(self):
        for program in PROGRAMS:
            for place in self.world, self.place:
                shutil.copy(self.build.build + "/" + program, place.bin)

    def hunt(self, mutant):
        began = time.monotonic()
        wrong = self.build.make(mutant)
        if wrong is not None:
            mutant.why = "does not build: " + wrong[:300]
            return
        self.install()
        if mutant.model is not None:
            return
        first, names = HINTS.get(mutant.name, (TESTS[0], cutworld.SYNCS))
        for test in sorted(TESTS, key=lambda t: t != first):
            if self.tried(mutant, test, names):
                break
        mutant.seconds = time.monotonic() - began

    def tried(self, mutant, test, names):
        for where, wrong in self.complaints(test, names):
            mutant.tries += 1
            if wrong:
                mutant.caught = test
                mutant.why = "%s: %s" % (where, wrong[0].splitlines()[0])
                return True
        return False

    def scenes(self):
        """A program that cannot even play them is for the clean run."""
        try:
            yield from powercut.scenes(self.world)
        except SystemExit as end:
            self.trouble = " ".join(str(end).split())

    def complaints(self, test, names):
        """(where, complaints) of one try after the other."""
        world = self.world
        if test == "clean":
            world.reset()
            yield "a run", world.complaints("leave")
            return
        if test == "overlap":
            yield "two sources", overlap.two_sources(self.place)
            return
        for scene, point in self.points(test, names):
            if test == "kill":
                there = world.start(cutworld.Scene("kill", point))
            else:
                there = world.cut_at(point, scene)
            if there:
                # A mail that its owner took away must not come back.
                yield ("%s, %s" % (scene.title, point),
                       world.complaints("delete"))

    def points(self, test, names):
        """Those that the names hint at in all scenes, then others."""
        rest, limit = [], setting("MUTANTS_POINTS", 80)
        for scene in self.scenes():
            if test != "cut after kill" and scene.first is not None:
                break
            if test == "cut after kill" and scene.first is None or \
                    scene.options:
                continue
            near = spread(self.world.behind(scene.plan, names))[:limit]
            far = [p for p in spread(self.world.candidates(scene.plan))
                   if p not in near][:limit - len(near)]
            yield from ((scene, point) for point in near)
            rest += [(scene, point) for point in far]
        yield from rest


def model_sees(row):
    done = subprocess.run([sys.executable, HERE + "/../model/model.py", row],
                          stdout=subprocess.PIPE, text=True)
    tail = done.stdout.splitlines()[-1:]
    return done.returncode == 0 and tail != ["0 passed, 0 failed, 0 skipped"]


def hunt_all(place, todo):
    waiting, lock = list(todo), threading.Lock()
    hunters = []
    # A signal: what was begun is finished, nothing more is.
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        signal.signal(number, lambda *_: waiting.clear())

    def work(n):
        hunter = Hunter(place, n)
        hunters.append(hunter)
        wrong = hunter.healthy()
        if wrong is not None:
            with lock:
                print("not ok: without any mutation: " + wrong)
            return
        while True:
            with lock:
                if not waiting:
                    return
                mutant = waiting.pop(0)
            try:
                hunter.hunt(mutant)
            except Exception as error:  # a broken test catches nothing
                mutant.why = "%s: %s" % (type(error).__name__, error)
            if mutant.model is not None and model_sees(mutant.model):
                mutant.caught = "model"
                mutant.why = "row \"%s\"" % mutant.model
            with lock:
                tell(mutant)

    threads = [threading.Thread(target=work, args=(n,))
               for n in range(setting("JOBS", os.cpu_count() or 1))]
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        for hunter in hunters:
            hunter.world.unmount()


def archive_mutants():
    """(mutant, the part that will see it)."""
    return [(Mutant(name, path, replaced(path, read(SRC, path), pairs)), part)
            for name, part, path, pairs in ARCHIVE]


def spoil_archive(build, parts):
    """The first complaint of what is done to archives, or None."""
    done = subprocess.run(
        [sys.executable, HERE + "/../journal/crash.py"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=dict(os.environ, FALLBACKMX_BUILD=build, PARTS=parts,
                 POWERCUT_FS="ext4", COPIES="6", ACKNOWLEDGED="1"))
    if done.returncode == 0:
        return None
    lines = done.stdout.splitlines()
    return next((x for x in lines if x.startswith("# ")), lines[-1])


def hunt_archives(place, todo):
    """One after the other: each mounts images."""
    os.mkdir(place + "/archives")
    build = Build(place + "/archives", ARCHIVE_PROGRAMS)
    wrong = build.make(Mutant("none", None, None)) or spoil_archive(
        build.build, " ".join(sorted({part for _, part in todo})))
    if wrong is not None:
        print("not ok: without any mutation: " + wrong)
        return
    for mutant, part in todo:
        began = time.monotonic()
        mutant.why = build.make(mutant)
        if mutant.why is None:
            mutant.tries, mutant.why = 1, spoil_archive(build.build, part)
            mutant.caught = mutant.why and "archive, " + part
        mutant.seconds = time.monotonic() - began
        tell(mutant)


def tell(mutant):
    print("%-32s %-20s %-15s %4d %5.1f s  %s" % (
        mutant.name, mutant.path, mutant.caught or "NOT CAUGHT",
        mutant.tries, mutant.seconds, mutant.why))
    sys.stdout.flush()


def main():
    begin()
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    todo = [m for m in mutants(SRC) if wanted in m.name]
    archives = [m for m in archive_mutants() if wanted in m[0].name]
    place, why = cutworld.make_place()
    if place is None:
        print("skipped: " + why)
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    print("%-32s %-20s %-15s tries" % ("mutant", "file", "caught by"))
    try:
        if todo:
            hunt_all(place, todo)
        if archives:
            hunt_archives(place, archives)
    finally:
        cutworld.remove_place(place)
    todo += [m for m, _ in archives]
    caught = sum(1 for m in todo if m.caught is not None)
    print("%d of %d mutants caught" % (caught, len(todo)))
    print("%d passed, %d failed, 0 skipped" % (caught, len(todo) - caught))
    sys.exit(0 if caught == len(todo) else 1)


if __name__ == "__main__":
    main()

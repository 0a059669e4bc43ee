"""suite - points of a plan, tried by a few workers, counted and told."""

import os
import queue
import sys
import threading

import world


def setting(name, default):
    return int(os.environ.get(name, default))


def kinds():
    """The kinds of World that this user can play, SOURCE=s3: of those with a
    bucket; KINDS chooses others."""
    if "KINDS" in os.environ:
        return os.environ["KINDS"].split()
    root = os.geteuid() == 0
    if os.environ.get("SOURCE") == "s3":
        return ["s3root", "s3", "s3many"] if root else ["s3", "s3many"]
    return ["root", "plain"] if root else ["plain", "direct"]


def spread(items, n):
    """n of the items, evenly spread, the same on every run; 0: all."""
    if n == 0 or n >= len(items):
        return list(items)
    return [items[i * len(items) // n] for i in range(n)]


def sample(points, n):
    """Like spread, but with every third rename and unlink, and few of the
    calls that leave no trace on a disk."""
    if n == 0 or n >= len(points):
        return list(points)
    moves = [p for p in points if p.name.startswith(("rename", "unlink"))]
    moves = (moves[1::3] + moves[-2:])[:n // 2]
    n -= len(moves)
    loud = [p for p in points if p.name not in world.NOISE]
    quiet = [p for p in points if p.name in world.NOISE]
    some = min(len(quiet), n // 8)
    chosen = set(map(id, moves + spread(loud, max(1, n - some)) +
                     spread(quiet, max(1, some))))
    return [p for p in points if id(p) in chosen]


class Suite:
    """Counts what each test found. A test is one point in one form."""

    def __init__(self, name):
        self.name = name
        self.lock = threading.Lock()
        self.passed = self.failed = 0
        self.stopped = False
        self.unreached, self.classes, self.notes = [], {}, {}
        self.base = world.make_base()

    def note(self, word, n=1):
        with self.lock:
            self.notes[word] = self.notes.get(word, 0) + n

    def result(self, title, complaints):
        """complaints None: the point was never reached."""
        with self.lock:
            if complaints is None:
                self.unreached.append(title)
                return
            if not complaints:
                self.passed += 1
                return
            self.failed += 1
            for word in {c.split(":")[0] for c in complaints}:
                self.classes[word] = self.classes.get(word, 0) + 1
            if self.failed <= setting("SHOW", 20):
                print("not ok %s: %s" % (title, shown(complaints)))
                sys.stdout.flush()

    def work(self, kind, jobs):
        """jobs: [(title, function of a World -> complaints)]"""
        waiting = queue.Queue()
        for job in jobs:
            waiting.put(job)
        threads = [threading.Thread(target=self._worker,
                                    args=(kind, n, waiting), daemon=True)
                   for n in range(setting("JOBS", os.cpu_count() or 1))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def place(self, kind, n):
        """The world of worker n."""
        return world.make("%s/%s%d" % (self.base, kind, n), kind)

    def _worker(self, kind, n, waiting):
        place = self.place(kind, n)
        while not self.stopped:
            try:
                title, function = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self.result("%s %s" % (kind, title), function(place))
            except Exception as e:      # a broken test is a failed test
                self.result("%s %s" % (kind, title),
                            ["test: %s: %s" % (type(e).__name__, e)])

    def finish(self):
        """Prints the figures and ends the program."""
        tried = self.passed + self.failed + len(self.unreached)
        for title in self.unreached:
            print("unreached: " + title)
        figures = {"points": tried, "lost": self.classes.get("lost", 0),
                   "doubled": self.classes.get("doubled", 0),
                   "unreached": len(self.unreached)}
        figures.update((w, n) for w, n in sorted(self.classes.items())
                       if w not in figures)
        figures.update(sorted(self.notes.items()))
        print("%s: %s" % (self.name, " ".join("%s=%d" % f
                                              for f in figures.items())))
        few = len(self.unreached) * 50 < tried
        if not few:
            print("not ok: %d of %d points were never reached"
                  % (len(self.unreached), tried))
        failed = self.failed + (0 if few else 1)
        print("%d passed, %d failed, 0 skipped" % (self.passed, failed))
        sys.exit(1 if failed else 0)


def shown(complaints):
    more = len(complaints) - 4
    return "; ".join(complaints[:4]) + (
        "; and %d more" % more if more > 0 else "")


def begin(traced=True):
    """Ends the program when the tests cannot run here."""
    why = world.why_not(traced)
    if why is not None:
        print("skipped: " + why)
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(77)

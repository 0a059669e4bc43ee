#!/usr/bin/python3
"""mua - users read, flag, file and delete mail while it is being imported.

	ROUNDS=N	rounds (1000)	SEED=N	repeats the choices of a run
	KINDS="root plain"		KEEP=1

A process per mailbox, with its owner's rights, lists new/ again and again,
notes what it sees and moves, flags, files or deletes it. Meanwhile mails
arrive in the source and the importer runs, and is killed now and then. In the
end each mail must have been seen exactly once, with the right bytes.
"""

import json
import os
import random
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True

import world                                                # noqa: E402
from suite import begin, kinds, setting                     # noqa: E402

KINDS_OF_MAIL = ("plain", "8bit", "nul", "cr", "open", "empty")


def make(ident):
    """The mail of an id "NUMBER-KIND-MAILBOX"."""
    number, kind, box = ident.split("-")
    return world.Mail(ident, box + "@example.com", kind,
                      1674000000 + int(number))


class User:
    """One mail program at work in one Maildir."""

    def __init__(self, maildir, seed):
        self.maildir, self.dice = maildir, random.Random(seed)
        self.where, self.ids, self.wrong, self.acts = {}, {}, [], {}

    def path(self, place):
        return self.maildir + "/" + place

    def look(self, place):
        """Notes the mail at place; returns its id, None if it is a double."""
        name = place.rsplit("/", 1)[1].split(":")[0]
        if name not in self.ids:
            with open(self.path(place), "rb") as f:
                data = f.read()
            match = world.TEST_ID.search(data)
            ident = match.group(1).decode() if match else "?"
            parts = world.NAME.fullmatch(name)
            if ident == "?" or parts is None or \
                    data != make(ident).transform(parts.group(2)):
                self.wrong.append("bytes: %s (%s)" % (place, ident))
            self.ids[name] = ident
        ident = self.ids[name]
        if self.where.setdefault(ident, place) != place:
            double = "doubled: %s was %s, came as %s" % (
                ident, self.where[ident], place)
            if double not in self.wrong:
                self.wrong.append(double)
            return None
        return ident

    def move(self, ident, target, word):
        os.rename(self.path(self.where[ident]), self.path(target))
        self.where[ident] = target
        self.did(word)

    def did(self, word):
        self.acts[word] = self.acts.get(word, 0) + 1

    def act(self, ident):
        place = self.where[ident]
        name = place.rsplit("/", 1)[1].split(":")[0]
        choice = self.dice.random()
        if choice < 0.3:
            flags = "".join(f for f in "DFRST" if self.dice.random() < 0.4)
            self.move(ident, "cur/%s:2,%s" % (name, flags), "flagged")
        elif choice < 0.5:
            self.move(ident, ".Archive/cur/%s:2,S" % name, "filed")
        elif choice < 0.8:
            os.unlink(self.path(place))
            self.where[ident] = "deleted"
            self.did("deleted")

    def step(self):
        if not os.path.isdir(self.path("new")):
            return
        for folder in ("cur", "new", "tmp"):
            os.makedirs(self.path(".Archive/" + folder), exist_ok=True)
        for name in world.ls(self.path("new")):
            ident = self.look("new/" + name)
            if ident is not None and self.dice.random() < 0.7:
                self.act(ident)
        read = world.ls(self.path("cur"))
        if read and self.dice.random() < 0.5:
            ident = self.look("cur/" + self.dice.choice(read))
            if ident is not None:
                self.act(ident)

    def report(self):
        """After the last look at everything: what was seen, what was wrong."""
        for folder in ("new", "cur", ".Archive/cur"):
            for name in world.ls(self.path(folder)):
                self.look(folder + "/" + name)
        return {"seen": sorted(self.where), "wrong": self.wrong,
                "acts": self.acts}


class Process:
    """A User in a process with the rights of the owner."""

    def __init__(self, box, seed, as_root, others):
        self.out, tell = os.pipe()
        hold, self.stop = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                # A copy of another one's "stop" would keep it going.
                for p in others + [self]:
                    os.close(p.out)
                    os.close(p.stop)
                code = self.live(box, seed, as_root, hold, tell)
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(tell)
        os.close(hold)

    @staticmethod
    def live(box, seed, as_root, hold, tell):
        if as_root:
            os.setgroups([])
            os.setgid(box.uid)
            os.setuid(box.uid)
        os.set_blocking(hold, False)
        user = User(box.maildir, seed)
        while True:
            try:
                if os.read(hold, 1) == b"":
                    break
            except BlockingIOError:
                pass
            user.step()
            time.sleep(0.002)
        with os.fdopen(tell, "w") as f:
            json.dump(user.report(), f)
        return 0

    def end(self):
        os.close(self.stop)
        with os.fdopen(self.out) as f:
            text = f.read()
        _, status = os.waitpid(self.pid, 0)
        if status != 0:
            return {"seen": [], "wrong": ["test: the user's process ended "
                                          "with %d" % status], "acts": {}}
        return json.loads(text)


def family(pid):
    """pid and its living descendants."""
    found = [pid]
    for parent in found:
        try:
            with open("/proc/%d/task/%d/children" % (parent, parent)) as f:
                found += [int(n) for n in f.read().split()]
        except OSError:
            pass
    return found


def disturb(child, dice, usual):
    """Kills all of a run or one process of it, at some moment."""
    time.sleep(dice.random() * usual)
    pids = family(child.pid)
    for pid in pids if dice.random() < 0.5 else [dice.choice(pids)]:
        if pid == child.pid and child.poll() is not None:
            continue
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def feed(place, dice, sent):
    for _ in range(dice.randint(1, 3)):
        box = dice.choice(sorted(place.boxes))
        ident = "%d-%s-%s" % (len(sent), dice.choice(KINDS_OF_MAIL),
                              box)
        prefix = "" if place.kind == "direct" else box + "/"
        sent.append(ident)
        # A few keys over and over: a key is used again once it is free.
        key = prefix + "k%d" % dice.randint(0, 20)
        if place.has(key):
            key = prefix + ident
        place.put(key, make(ident))
        if dice.random() < 0.1:
            place.put(prefix + "twice-" + ident, make(ident))


def play(place, rounds, seed):
    """Returns (complaints, figures)."""
    dice, sent, killed, complaints = random.Random(seed), [], 0, []
    place.reset()
    users = []
    for i, box in enumerate(place.boxes.values()):
        users.append(Process(box, seed + i, place.as_root, users))
    usual = 0.02
    for _ in range(rounds):
        feed(place, dice, sent)
        begun = time.monotonic()
        child = place.popen(place.command())
        spare = dice.random() < 0.5
        if not spare:
            disturb(child, dice, usual)
            killed += 1
        ran = place.finish(child)
        # Beside an orphan of the round before, a mailbox may have to wait.
        if ran.code == "hang" or (spare and ran.code not in (0, 75)):
            complaints.append("exit: %s: %s" % (ran.code, ran.err.strip()))
        if spare:
            usual += (time.monotonic() - begun - usual) / 8
    for word in ("first", "second"):
        ran = place.run()
        if ran.code != 0:
            complaints.append("exit: the %s clean run ended with %s: %s"
                              % (word, ran.code, ran.err.strip()))
    reports = [user.end() for user in users]
    seen = {i for report in reports for i in report["seen"]}
    complaints += [w for report in reports for w in report["wrong"]]
    complaints += ["lost: " + i for i in sent if i not in seen]
    complaints += world.leftovers(place, False)
    audit = place.run("--audit")
    if audit.code != 0:
        complaints.append("audit: exit %s: %s" % (audit.code,
                                                  audit.err.strip()))
    acts = {}
    for report in reports:
        for word, n in report["acts"].items():
            acts[word] = acts.get(word, 0) + n
    return complaints, {"mails": len(sent), "killed": killed, **acts}


def main():
    begin(traced=False)
    seed = setting("SEED", int.from_bytes(os.urandom(4), "big"))
    rounds = setting("ROUNDS", 1000)
    base = world.make_base()
    print("seed: SEED=%d" % seed)
    kind = os.environ.get("KINDS", kinds()[0]).split()[0]
    place = world.World(base + "/" + kind, kind)
    complaints, figures = play(place, rounds, seed)
    for line in complaints[:setting("SHOW", 20)]:
        print("not ok " + line)
    words = [c.split(":")[0] for c in complaints]
    figures = {"rounds": rounds, "lost": words.count("lost"),
               "doubled": words.count("doubled"), **figures}
    print("mua: " + " ".join("%s=%d" % f for f in figures.items()))
    failed = min(len(complaints), rounds)
    print("%d passed, %d failed, 0 skipped" % (rounds - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

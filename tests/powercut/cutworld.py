"""cutworld - a World whose ledger and Maildirs lie on two loop images.

At a point of a run all its processes are held, both images are copied as they
are (what a device had got when the power went), the run is killed, the copies
take the place of the originals, and their journals are replayed. The source is
outside: like a bucket it does not notice the cut.

Two images, because on one the ledger's own sync would also write the Maildir's
directories and so hide that theirs is missing.
"""

import ctypes
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../crash"))
from suite import sample                                    # noqa: E402
from world import Mail, TEST_ID, World, ls, verify          # noqa: E402

IMAGE_MB = {"ext4": 64, "xfs": 300}
MKFS = {"ext4": ["mkfs.ext4", "-q", "-F", "-J", "size=4", "-E",
                 "lazy_itable_init=0,lazy_journal_init=0"],
        "xfs": ["mkfs.xfs", "-q"]}
# Nothing but a sync of the program's own may bring anything to the device.
MOUNT = {"ext4": "loop,noatime,commit=600", "xfs": "loop,noatime,nouuid"}
PARTS = ("ledger", "homes")

SYNCS = {"fsync", "fdatasync", "syncfs", "sync_file_range", "msync"}
DURABLE = SYNCS | {"rename", "renameat", "renameat2", "link", "linkat",
                   "unlink", "unlinkat", "mkdir", "mkdirat", "ftruncate",
                   "fallocate"}
REMOVALS = {"unlink", "unlinkat"}
WRITES = {"write", "pwrite64", "writev", "pwritev"}


def command(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise OSError("%s: %s" % (" ".join(argv), done.stdout.strip()))


def make_place():
    """A tmpfs that vanishes with this process, however that ends: mounts and
    loop devices live in a mount namespace of our own. Returns (path, None) or
    (None, why not)."""
    if os.geteuid() != 0:
        return None, "needs root"
    for fs in MKFS:
        if shutil.which(MKFS[fs][0]) is None:
            return None, "needs %s" % MKFS[fs][0]
    if not os.path.exists("/dev/loop-control"):
        return None, "needs loop devices"
    if ctypes.CDLL(None, use_errno=True).unshare(0x00020000) != 0:
        return None, "cannot make a mount namespace"
    place = tempfile.mkdtemp(prefix="fallbackmx-cut.")
    try:
        command("mount", "--make-rprivate", "/")
        command("mount", "-t", "tmpfs", "-o", "size=2g,mode=0755", "none",
                place)
        for fs in MKFS:
            try_images(place, fs)
    except OSError as error:
        remove_place(place)
        return None, str(error)
    return place, None


def remove_place(place):
    subprocess.run(["umount", "-l", place], stderr=subprocess.DEVNULL)
    shutil.rmtree(place, ignore_errors=True)


def try_images(place, fs):
    path = place + "/try"
    os.mkdir(path)
    make_image(path + ".img", fs)
    command("mount", "-o", MOUNT[fs], path + ".img", path)
    command("umount", path)
    os.rmdir(path)
    os.unlink(path + ".img")


def one_image(base, fs, mb, name):
    """A new one, mounted: its path, and the place. /a in it is on the disk."""
    path, mount = base + "/" + name, base + "/" + name + ".mnt"
    with open(path, "wb") as f:
        f.truncate(mb << 20)
    command(*MKFS[fs], path)
    os.mkdir(mount)
    command("mount", "-o", MOUNT[fs], path, mount)
    os.mkdir(mount + "/a")
    os.sync()
    return path, mount


def one_copy(base, fs, path):
    """What a power cut leaves of an image, mounted there."""
    copy, at = base + "/copy", base + "/copy.mnt"
    os.makedirs(at, exist_ok=True)
    command("cp", "--sparse=always", path, copy)
    command("mount", "-o", MOUNT[fs], copy, at)
    return at


def make_image(path, fs):
    with open(path, "wb") as f:
        f.truncate(IMAGE_MB[fs] << 20)
    command(*MKFS[fs], path)
    command("fallocate", "--dig-holes", path)


def copy_image(old, new):
    command("cp", "--sparse=always", old, new)


def stands_still(pid):
    """None of its threads is in a call any more."""
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/stat" % (pid, task)) as f:
                state = f.read().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False    # it ended this moment
        if state not in "TZ":
            return False
    return True


class Scene:
    """What was before the run that is cut: nothing; or one that was killed at
    the point first; with options, the ledger has been lost as well."""

    def __init__(self, title, first=None, options=()):
        self.title, self.first, self.options = title, first, options
        self.plan = self.intents = self.staged = None


def text(value):
    return value.decode() if isinstance(value, bytes) else value


class CutWorld(World):
    """Every mail of alice goes to two mailboxes: the catch_all, bob's, gets a
    copy of all. So bob's batch is synced as a whole and hers file by file. Two
    sources make two batches: only in the first is the mark new as well."""

    def __init__(self, base, fs):
        self.fs, self.mounted, self.forgotten = fs, [], set()
        super().__init__(base, "root")
        self.state = base + "/ledger/state"
        self._install()
        self.hook = base + "/hook"
        with open(self.hook, "w") as f:
            f.write("#!/bin/sh\nset -e\n" + "".join(
                "cp --sparse=always %s/%s.live %s/%s.cut\n"
                % (base, part, base, part) for part in PARTS))
        os.chmod(self.hook, 0o755)
        self._make_images()
        self.mails, self.expected = self._mails()

    def _settings(self):
        alice, bob = self.boxes["alice"], self.boxes["bob"]
        source = {
            "settle": 0, "recipients": "received",
            "mailboxes": [{"recipient": "alice@example.com",
                           "maildir": alice.maildir,
                           "owner": "%d:%d" % (alice.uid, alice.uid)}],
            "catch_all": {"maildir": bob.maildir,
                          "owner": "%d:%d" % (bob.uid, bob.uid)}}
        return {"state_dir": self.state, "engine_user": "nobody", "sources": [
            dict(source, url="file://%s/%s/" % (self.source, part))
            for part in ("one", "two")]}

    def _make_images(self):
        for part in PARTS:
            image = "%s/%s" % (self.base, part)
            os.makedirs(image, exist_ok=True)
            make_image(image + ".base", self.fs)
            command("mount", "-o", MOUNT[self.fs], image + ".base", image)
            os.chmod(image, 0o755)
            for box in self.boxes.values() if part == "homes" else ():
                self._mkdir(os.path.dirname(box.maildir), box.uid)
            command("umount", image)

    def _mails(self):
        kinds = ("plain", "8bit", "cr", "open")
        mails = [("%s/m%d" % ("one" if i < 8 else "two", i),
                  Mail("m%d" % i, "alice@example.com" if i in (0, 2, 8)
                       else "carol@example.com", kinds[i % 4],
                       1674821960 + i)) for i in range(10)]
        mails.append(("one/big", Mail("big", "alice@example.com", "big")))
        expected = [(mail, "bob") for _, mail in mails]
        expected += [(mail, "alice") for _, mail in mails
                     if mail.rcpt.startswith("alice")]
        # Two rules of SES stored one mail twice.
        mails.append(("one/m2-again", mails[2][1]))
        return mails, expected

    # --- life of the images ---------------------------------------------

    def _mount(self, kind):
        self.unmount()
        for part in PARTS:
            path = "%s/%s" % (self.base, part)
            command("mount", "-o", MOUNT[self.fs], path + kind, path)
            self.mounted.append(path)

    def unmount(self):
        while self.mounted:
            for _ in range(600):    # a killed process may not be gone yet
                if subprocess.run(["umount", self.mounted[-1]],
                                  stderr=subprocess.DEVNULL).returncode == 0:
                    break
                time.sleep(0.1)
            else:
                command("umount", self.mounted[-1])
            self.mounted.pop()

    def reset(self):
        self.unmount()
        for part in PARTS:
            path = "%s/%s" % (self.base, part)
            copy_image(path + ".base", path + ".live")
        self._mount(".live")
        shutil.rmtree(self.source, ignore_errors=True)
        for path in ("", "/one", "/two"):
            self._mkdir(self.source + path, self.engine_uid)
        for age, (key, mail) in enumerate(reversed(self.mails)):
            self.put(key, mail, 100 + age)

    def start(self, scene):
        """A fresh world as the scene wants it; False if that went wrong."""
        for _ in range(3):      # a run may take another way
            self.reset()
            if scene.first is None:
                break
            if not self.trace("kill", "-g", *scene.first.args()).acted:
                continue
            intents = self.intents()
            if scene.intents is None:
                scene.intents, scene.staged = intents, self.staged()
            # Batches are cut by time: the same call may be another step.
            if scene.intents == intents:
                break
        else:
            return False
        self.forgotten = set()
        if scene.options:
            shutil.rmtree(self.state)
            # Its twin may be gone, and the Maildir does not tell that.
            if self.has("one/m2-again"):
                os.unlink(self.source + "/one/m2-again")
            self.forgotten = {key for key, _ in self.mails
                              if not self.has(key)}
        return True

    def cut_at(self, point, scene):
        """False if the run did not come to the point."""
        if not self.start(scene):
            return False
        traced = self.trace("stop", "-x", self.hook, *point.args(),
                            options=scene.options)
        if traced.code == 3:
            return False
        if traced.code != 0:
            raise OSError("the tracer ended with %s: %s" % (
                traced.code, traced.err.strip()))
        self.cut_again()
        return True

    def cut_again(self):
        """The same cut once more, before anything was done about it."""
        self.unmount()
        for part in PARTS:
            path = "%s/%s" % (self.base, part)
            copy_image(path + ".cut", path + ".live")
        self._mount(".live")

    # --- points ---------------------------------------------------------

    def candidates(self, plan):
        """The calls that make or lose something, and, since a point is the
        entry of a call, the next call of the same process after each."""
        chosen, after = [], set()
        for point in plan:
            ours = point.detail.startswith(self.base)
            acts = (point.name in DURABLE or
                    ours and point.name in WRITES or
                    ours and point.name.startswith("open") and
                    any(arg & os.O_CREAT for arg in point.arg[1:]))
            if acts or point.role in after:
                chosen.append(point)
            (after.add if acts else after.discard)(point.role)
        return chosen

    def telling(self, plan, n):
        """About n points: most right behind a sync or a removal."""
        near = sample(self.behind(plan, SYNCS | REMOVALS), n * 2 // 3)
        rest = [p for p in self.candidates(plan) if p not in near]
        return near + sample(rest, n - len(near))

    def behind(self, plan, names):
        """The calls of any process right after one of these: where a step
        that is missing or comes too late shows first."""
        chosen = []
        for i, point in enumerate(plan):
            if point.name in names:
                chosen += [p for p in plan[i + 1:i + 4] if p not in chosen]
        return chosen

    # --- after the cut --------------------------------------------------

    def user_acts(self, act):
        """What the owners do before the next run, with what they can see.
        Returns what they took away."""
        taken = []
        for box in self.boxes.values():
            new = box.maildir + "/new"
            for name in ls(new):
                with open(new + "/" + name, "rb") as f:
                    found = TEST_ID.search(f.read())
                if act == "file":
                    os.makedirs(box.maildir + "/cur", exist_ok=True)
                    os.rename(new + "/" + name,
                              "%s/cur/%s:2,S" % (box.maildir, name))
                elif act == "delete":
                    os.unlink(new + "/" + name)
                    taken.append((found.group(1).decode() if found else name,
                                  box.name))
        return taken

    def complaints(self, act, options=()):
        """What is wrong after the cut, what the user does, a clean run."""
        wrong = self.partial() + self.unrecorded()
        taken = self.user_acts(act)
        wrong += ["doubled: %s in %s, seen twice" % where
                  for where in set(taken) if taken.count(where) > 1]
        ran = self.run(*options)
        if ran.code != 0:
            wrong.append("exit: the clean run ended with %s: %s"
                         % (ran.code, ran.err.strip()))
        return wrong + verify(self, [
            (mail, box, (0,) if (mail.id, box) in taken else (1,))
            for mail, box in self.expected])

    def partial(self):
        """A file in new/ or cur/ is whole the moment it can be seen."""
        whole = {(mail.id, box) for mail, box in self.expected}
        wrong = []
        for box, folder, name in self.stored():
            path = "/".join((box.maildir, folder, name))
            with open(path, "rb") as f:
                data = f.read()
            found = TEST_ID.search(data)
            key = (found.group(1).decode() if found else "", box.name)
            mail = dict(((m.id, b), m) for m, b in self.expected).get(key)
            if key not in whole or data != mail.transform(name.split(".F")[1]
                                                          [:32]):
                wrong.append("partial: " + path)
        return wrong

    def unrecorded(self):
        """An object may only be gone if the ledger knows that it is home."""
        there = set(self.left_in_source())
        for folder, _, files in os.walk(self.source):
            for name in files:
                if name.startswith("."):        # a removal was under way
                    with open(os.path.join(folder, name), "rb") as f:
                        there.add(TEST_ID.search(f.read()).group(1).decode())
        gone = [(key, mail) for key, mail in self.mails
                if key not in there and mail.id not in there
                and key not in self.forgotten]
        if not gone:
            return []
        done = self.rows_done()
        return ["unrecorded: %s was removed with %d of %d deliveries DONE"
                % (key, done.get(key, 0), self.copies(mail))
                for key, mail in gone if done.get(key, 0) < self.copies(mail)]

    def copies(self, mail):
        return sum(1 for m, _ in self.expected if m.id == mail.id)

    def rows_done(self):
        """{key: deliveries DONE or DUPLICATE}"""
        return {text(key): n for key, n in self.ask_ledger(
            "SELECT substr(url, -4) || key, sum(state IN (2, 3))"
            " FROM source JOIN object ON object.source = source.id"
            " JOIN delivery ON delivery.object = object.id"
            " GROUP BY object.id")}

    def intents(self):
        """[(owner, arrival)] of the deliveries that were interrupted: the same
        in the worlds of all workers."""
        return sorted((text(path).split("/")[-2], text(name).split(".")[0])
                      for path, name in self.ask_ledger(
                          "SELECT path, name FROM delivery JOIN mailbox"
                          " ON mailbox.id = mailbox WHERE state = 1"))

    def staged(self):
        return [name for box in self.boxes.values()
                for name in ls(box.maildir + "/fallbackmx.stage")
                if name != ".mark"]

    def ask_ledger(self, question):
        """Of a copy: to read it would repair it."""
        copy = self.base + "/ledger.copy"
        shutil.rmtree(copy, ignore_errors=True)
        os.mkdir(copy)
        for name in "ledger.db", "ledger.db-wal":
            if os.path.exists(self.state + "/" + name):
                shutil.copy(self.state + "/" + name, copy)
        db = sqlite3.connect(copy + "/ledger.db")
        try:
            return db.execute(question).fetchall()
        except sqlite3.DatabaseError:
            return []
        finally:
            db.close()

"""bucket - a World whose source is a bucket on a scripted server.

The server lives in the test, so that a key can be looked at and replaced
without a request that could be late. It verifies every signature, and looks
before it deletes: is the mail in its Maildir, and settled in the ledger?
"""

import os
import shutil
import socketserver
import sqlite3
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE + "/../faults", HERE + "/../s3"]

import scripted                                             # noqa: E402
from world import TEST_ID, World                            # noqa: E402

PREFIX = "in/"
SETTLED = (2, 3)        # DONE, DUPLICATE


class Watcher(scripted.Server):
    """Tells of each object that it deletes before its mail is safe."""

    def __init__(self, world):
        super().__init__()
        self.world = world

    def scripted(self, op, bucket, key, ask):
        if op not in ("delete", "delete-key"):
            return super().scripted(op, bucket, key, ask)
        with self.store.lock:
            there = self.store.find(bucket, key)
            name = key.decode()[len(PREFIX):]
            unsafe = there and self.world.unsafe(name, there)
            answer = super().scripted(op, bucket, key, ask)
            if unsafe and self.store.find(bucket, key) is not there:
                self.world.early.append("%s was deleted while %s"
                                        % (name, unsafe))
            return answer


class BucketWorld(World):
    """Two mailboxes. Two connections: with more of them no two runs would
    make their calls in the same order."""

    still = False       # a retry waits
    environment = {"AWS_ACCESS_KEY_ID": scripted.ACCESS,
                   "AWS_SECRET_ACCESS_KEY": scripted.SECRET,
                   "AWS_MAX_ATTEMPTS": "2",
                   "AWS_EC2_METADATA_DISABLED": "true"}

    def __init__(self, base, kind):
        self.server = Watcher(self)
        self.store = self.server.store
        if kind == "s3many":
            self.store.delete_if_match = "ignored"
        self.next = None
        self.asked = socketserver.ThreadingTCPServer(
            ("127.0.0.1", 0), self._replacing())
        self.asked.daemon_threads = True
        threading.Thread(target=self.asked.serve_forever,
                         daemon=True).start()
        super().__init__(base, kind)

    def _source(self):
        return {"url": "s3://mail/" + PREFIX, "aws": {
            "endpoint_url": self.server.endpoint, "region": "us-east-1",
            "connections": 2}}

    def reset(self):
        super().reset()
        self.store.buckets["mail"] = {}
        self.early = []

    def put(self, key, mail, age=100):
        self.store.put("mail", PREFIX + key, mail.raw, time.time() - age)

    def has(self, key):
        return (PREFIX + key).encode() in self.store.live("mail")

    def left_in_source(self):
        return [key.decode()[len(PREFIX):] for key in self.store.live("mail")]

    def ready(self, mail):
        self.next = mail

    def replace(self, key):
        self.put(key, self.next, 10)

    def replacer(self, key):
        """Connects, tells the key, and waits until the test has closed."""
        return ("exec python3 -c 'import socket\n"
                's = socket.create_connection(("127.0.0.1", %d), 120)\n'
                's.sendall(b"%s\\n")\n'
                "assert s.recv(9) == b\"done\"'\n" % (
                    self.asked.server_address[1], key))

    def _replacing(self):
        world = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                key = self.rfile.readline().decode().rstrip("\n")
                with world.store.lock:
                    if world.has(key):
                        open(world.logs + "/there", "w").close()
                    world.replace(key)
                self.wfile.write(b"done")

        return Handler

    def unsafe(self, key, version):
        """What speaks against deleting this version now, or None."""
        ident = b"\nX-Test-Id: %s\n" % TEST_ID.search(version.data).group(1)
        files = ("/".join((box.maildir, folder, name))
                 for box, folder, name in self.stored()
                 if key.startswith(box.name + "/"))
        if not any(ident in start_of(path) for path in files):
            return "its mail was in no Maildir"
        states = [state for etag, state in self.rows(key)
                  if etag.strip('"') == version.etag.strip('"')]
        if not states or not set(states) <= set(SETTLED):
            return "its states were %s" % states
        return None

    def rows(self, key):
        """[(ETag, state)] of its deliveries in the ledger, which is copied:
        a reader more would change what the importer does."""
        with tempfile.TemporaryDirectory(dir=self.logs) as where:
            copy_ledger(self.state, where)
            ledger = sqlite3.connect(where + "/ledger.db")
            try:
                ledger.execute("PRAGMA synchronous = OFF")
                return ledger.execute(
                    "SELECT etag, state FROM object JOIN delivery"
                    " ON object = id WHERE key = ?",
                    (key.encode(),)).fetchall()
            except sqlite3.Error:       # no ledger settles nothing
                return []
            finally:
                ledger.close()


def start_of(path):
    with open(path, "rb") as f:
        return f.read(4096)


def copy_ledger(state, where):
    """Database and log of one moment."""
    names = ("ledger.db", "ledger.db-wal")

    def seen():
        there = [state + "/" + n for n in names
                 if os.path.exists(state + "/" + n)]
        return there, [(s.st_ino, s.st_size, s.st_mtime_ns)
                       for s in map(os.stat, there)]

    while True:
        try:
            before = seen()
            for path in before[0]:
                shutil.copyfile(path, os.path.join(
                    where, os.path.basename(path)))
            if seen() == before:
                return
        except FileNotFoundError:       # the importer has ended
            pass
        for name in names:
            if os.path.exists(where + "/" + name):
                os.unlink(where + "/" + name)

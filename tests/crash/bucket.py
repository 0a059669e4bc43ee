"""bucket - a World whose source is a bucket on a scripted server.

The server lives in the test, so that a key can be looked at and replaced
without a request that could be late. It verifies every signature.
"""

import os
import socketserver
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE + "/../faults", HERE + "/../s3"]

import scripted                                             # noqa: E402
from world import World                                     # noqa: E402


class BucketWorld(World):
    """Two mailboxes of one user. Two connections: with more of them no two
    runs would make their calls in the same order."""

    environment = {"AWS_ACCESS_KEY_ID": scripted.ACCESS,
                   "AWS_SECRET_ACCESS_KEY": scripted.SECRET,
                   "AWS_MAX_ATTEMPTS": "2",
                   "AWS_EC2_METADATA_DISABLED": "true"}

    def __init__(self, base, kind):
        self.server = scripted.Server()
        self.store = self.server.store
        self.next = None
        self.asked = socketserver.ThreadingTCPServer(
            ("127.0.0.1", 0), self._replacing())
        self.asked.daemon_threads = True
        threading.Thread(target=self.asked.serve_forever,
                         daemon=True).start()
        super().__init__(base, kind)

    def _source(self):
        return {"url": "s3://mail/in/", "aws": {
            "endpoint_url": self.server.endpoint, "region": "us-east-1",
            "connections": 2}}

    def reset(self):
        super().reset()
        self.store.buckets["mail"] = {}

    def put(self, key, mail, age=100):
        self.store.put("mail", "in/" + key, mail.raw, time.time() - age)

    def has(self, key):
        return ("in/" + key).encode() in self.store.live("mail")

    def left_in_source(self):
        return [key.decode()[3:] for key in self.store.live("mail")]

    def ready(self, mail):
        self.next = mail

    def replace(self, key):
        self.put(key, self.next, 10)

    def replacer(self, key):
        """Connects, tells the key, and waits until the test has closed."""
        return ("exec python3 -c 'import socket\n"
                's = socket.create_connection(("127.0.0.1", %d), 20)\n'
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

"""scene - the objects that the crash tests import.

Two mailboxes, twelve objects of all kinds, one mail stored twice, one key that
gets a second mail. Enough small mails for alice that her batch is synced as a
whole, few enough for bob that his is synced file by file.
"""

from world import Mail

REPUT = "r"


class Scene:
    """Fills a World; knows what must come out of it."""

    def __init__(self, world):
        self.world = world
        self.two = "bob" in world.boxes
        self.mails = []
        self.first = self.second = None
        self.first_counts = (1,)

    def key(self, box, name):
        return "%s/%s" % (box, name) if self.two else name

    def box(self, name):
        return name if self.two else "alice"

    def fill(self):
        world, age = self.world, 1000
        world.reset()
        kinds = ["plain", "8bit", "big", "empty", "plain", "nul", "open",
                 "plain"]
        for i, kind in enumerate(kinds):
            mail = Mail("a%d" % i, kind=kind, arrival=1674821960 + 60 * i)
            world.put(self.key("alice", "a%d" % i), mail, age - i)
            self.mails.append((mail, "alice"))
        world.put(self.key("alice", "twice"), self.mails[1][0], age - 50)
        for i, kind in enumerate(["cr", "plain"]):
            mail = Mail("b%d" % i, "bob@example.com", kind,
                        1674821990 + 60 * i)
            world.put(self.key("bob", "2024/b%d" % i), mail, age - 60 - i)
            self.mails.append((mail, self.box("bob")))
        self.first = Mail("r1", "bob@example.com", arrival=1674825000)
        world.put(self.reput_key(), self.first, age - 70)
        return self

    def reput_key(self):
        return self.key("bob", REPUT)

    def prepare_reput(self):
        """The second mail, ready for one step over the key."""
        self.second = Mail("r2", "bob@example.com", "open", 1674826000)
        self.world.ready(self.second)

    def reput(self):
        """Replaces the mail under the key, between two runs. What was not
        taken yet may be gone with it, what was taken must have arrived."""
        self.prepare_reput()
        if self.world.has(self.reput_key()):
            self.first_counts = (0, 1)
        self.world.replace(self.reput_key())

    def expected(self):
        rows = [(mail, box, (1,)) for mail, box in self.mails]
        rows.append((self.first, self.box("bob"), self.first_counts))
        if self.second is not None:
            rows.append((self.second, self.box("bob"), (1,)))
        return rows

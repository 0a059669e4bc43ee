"""archives - a milter that archives all that is taken, a Postfix in front of
it, sessions that send, and whether each 250 has its copy."""

import collections
import hashlib
import json
import random
import subprocess
import threading

from filter import CLIENT, Filter
from postfix import Postfix
from smtp import Hung
from stage import setting, wait_for

HEAD = 'From: bob@example.net\r\nTo: alice@null.example\r\n' \
    'Subject: %s\r\nDate: Sat, 1 Jun 2024 10:00:00 +0000\r\n' \
    'Message-ID: <%s@example.net>\r\n\r\n'


def letter(name, r, size):
    """Nothing that packs well."""
    body = ''.join('%0128x\r\n' % r.getrandbits(512)
                   for _ in range(1 + size // 130))
    return (HEAD % (name, name) + body).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Scene:
    """A milter that archives all that is taken in `where`/main, and Postfix,
    which then throws it away."""

    def __init__(self, place, where, main=None, preload=None,
                 environment=None, **archive):
        self.place, self.where = place, where
        self.dir = where + '/main'
        self.filter = Filter(place, preload=preload, environment=environment,
                             **self.settings(**archive))
        self.postfix = Postfix(place, smtpd_milters=self.filter.socket,
                               **(main or {}))

    def settings(self, wait=60, **archive):
        return {'wait': wait, 'ingress_points': [{'name': 'inbound'}],
                'archive': {'directory': self.where, 'default': 'main',
                            'free': 1, **archive}}

    def again(self, preload=None, environment=None, **archive):
        """Ends the milter and starts it anew."""
        self.filter.stop()
        self.filter.environment = dict(environment or {})
        if preload:
            self.filter.preload(preload)
        self.filter.configure(**self.settings(**archive))
        self.filter.start()
        # It listens before it has opened what it needs.
        wait_for(lambda: self.filter.tell('status')[0] == 0)

    def send(self, mail):
        with self.postfix.client(timeout=300) as c:
            c.sure('EHLO client.example.net')
            said = c.mail(mail, ['alice@null.example'])[1]
            c.quit()
        return said

    def close(self):
        yield from self.filter.ends()
        self.postfix.stop()


class Load:
    """Sessions that send one message after the other, and what was answered.
    accepted: {hash of what was sent}."""

    def __init__(self, scene, sessions, size=2000):
        self.scene, self.size, self.last = scene, size, 0
        self.lock, self.ends = threading.Lock(), threading.Event()
        self.accepted, self.refused = set(), collections.Counter()
        self.threads = [threading.Thread(target=self.session, args=(
            random.Random('%d %d' % (setting('SEED', 1), i)),))
            for i in range(sessions)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *what):
        self.ends.set()
        for t in self.threads:
            t.join()

    def session(self, r):
        while not self.ends.is_set():
            try:
                with self.scene.postfix.client(timeout=300) as c:
                    c.sure('EHLO client.example.net')
                    for _ in range(r.randrange(1, 40)):
                        if not self.ends.is_set():
                            self.one(c, r)
                    c.quit()
            except (Hung, OSError) as e:
                self.note(None, (421, str(e)))

    def one(self, c, r):
        with self.lock:
            self.last += 1
            name = 'd%06d' % self.last
        mail = letter(name, r, r.randrange(2 * self.size))
        self.note(mail, c.mail(mail, ['alice@null.example'])[1])

    def note(self, mail, said):
        with self.lock:
            if said[0] == 250:
                self.accepted.add(sha256(mail))
            else:
                self.refused[(said[0], said[1].split(' ')[0])] += 1

    def known(self):
        with self.lock:
            return set(self.accepted)

    def reaches(self, n):
        return wait_for(lambda: len(self.accepted) >= n, 300)


def archive(*words):
    return subprocess.run([CLIENT, 'archive', *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)


def without_copy(where, accepted):
    """What was answered 250 and is not there, by the archive's own list."""
    listed = archive('list', '--archive', where, '--json').stdout
    there = {json.loads(x)['sha256'] for x in listed.splitlines()}
    lost = accepted - there
    if lost:
        yield '%d of %d without a copy: %s' % (len(lost), len(accepted),
                                               sorted(lost)[:3])


def verified(where, torn=False):
    """What `archive verify` finds wrong: each hash is compared with bytes.
    torn: an append that was cut off is no fault."""
    ran = archive('verify', '--archive', where)
    wrong = [x for x in ran.stderr.splitlines()
             if 'not as it was written: ' in x and 'findings' not in x]
    if torn:
        wrong = [x for x in wrong if 'was not finished' not in x]
    elif ran.returncode != 0 and not wrong:
        wrong = ['verify ended with %d: %s' % (ran.returncode, ran.stderr)]
    return wrong


def is_whole(where, accepted, torn=False):
    yield from without_copy(where, accepted)
    yield from verified(where, torn)

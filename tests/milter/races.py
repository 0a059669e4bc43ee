#!/usr/bin/python3
"""Races: a build with ThreadSanitizer under load, its configuration read again
every 100 ms, now and then a bad one. Two archives are written meanwhile, one of
them of all that is taken. Nothing is reported, every message is answered as it
should be, and what was taken is in the archive. No root needed.

	SECONDS=10	at least, and until there was a load
"""

import json
import os
import random
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

from filter import CLIENT, Filter                           # noqa: E402
from mta import TLS, Session                                # noqa: E402
from packet import ACCEPT, CONTINUE, REPLYCODE              # noqa: E402
from stage import (NOBODY, Place, check, differs, done, rule, setting,
                   wait_for)                                # noqa: E402

GOOD = (ACCEPT, CONTINUE)
RULES = {'RuleSetName': 'races', 'Rules': [
    {'Name': 'tag', 'Conditions': [{'StringExpression': {
        'Evaluate': {'Attribute': 'SUBJECT'}, 'Operator': 'CONTAINS',
        'Values': ['hello', 'x']}}],
     'Actions': [{'AddHeader': {'HeaderName': 'X-Tag',
                                'HeaderValue': 'yes'}},
                 {'Archive': {'TargetArchive': 'a-tagged'}}]},
    {'Name': 'bob', 'Conditions': [{'StringExpression': {
        'Evaluate': {'Attribute': 'RECIPIENT'}, 'Operator': 'STARTS_WITH',
        'Values': ['bob']}}],
     'Actions': [{'Bounce': {
         'RoleArn': 'arn:aws:iam::123456789012:role/MailManager',
         'Sender': 'postmaster@example.com', 'SmtpReplyCode': '550',
         'StatusCode': '5.7.1', 'DiagnosticMessage': 'no bob here'}}]}]}
TRAFFIC = {'TrafficPolicyName': 'races', 'DefaultAction': 'DENY',
           'PolicyStatements': [{'Action': 'ALLOW', 'Conditions': [{
               'StringExpression': {'Evaluate': {'Attribute': 'RECIPIENT'},
                                    'Operator': 'ENDS_WITH',
                                    'Values': ['@example.com']}}]}]}


class Load:
    def __init__(self, place):
        self.ends, self.lock = threading.Event(), threading.Lock()
        self.problems, self.messages, self.reloads = [], 0, 0
        self.taken = 0
        self.where = place.folder('archives', NOBODY)
        self.ingress = [
            {'name': 'inbound', 'rule_set': place.path('filter/rules.json'),
             'traffic_policy': place.path('filter/traffic.json')},
            {'name': 'other', 'daemon_name': 'other',
             'rule_set': place.path('filter/rules.json'),
             'rule_set_mode': 'shadow'}]
        self.filter = Filter(place, files={'rules.json': RULES,
                                           'traffic.json': TRAFFIC},
                             ingress_points=self.ingress, concurrency=2,
                             **self.archives(1))

    def archives(self, free):
        """Another mark opens them anew."""
        return {'targets': [{'target': 'a-tagged', 'action': 'carry'}],
                'archive': {'directory': self.where, 'default': 'all',
                            'free': free}}

    def archived(self, name):
        """Messages in it, if verify finds nothing wrong."""
        r = subprocess.run([CLIENT, 'archive', 'verify', '--archive',
                            os.path.join(self.where, name), '--json'],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if r.returncode != 0:
            return r.stderr.decode()
        found = json.loads(r.stdout)
        return found['messages'] + found['again']

    def client(self, number):
        r = random.Random(number)
        while not self.ends.is_set():
            try:
                with Session(self.filter.socket) as s:
                    s.negotiate()
                    s.connect(words={'{daemon_name}': 'smtpd'} if r.random() <
                              0.7 else {'{daemon_name}': 'other'})
                    s.helo(words=TLS if r.random() < 0.5 else {})
                    for _ in range(r.randrange(1, 6)):
                        self.one(s, r)
            except (EOFError, OSError) as e:
                self.problems.append(repr(e))

    def one(self, s, r):
        if r.random() < 0.1:
            s.mail()
            s.abort()
            return
        who = r.choice(('alice@example.com', 'bob@example.com',
                        'carol@example.org'))
        _, said = s.message([who], body=b'x' * r.randrange(9999))
        with self.lock:
            self.messages += 1
            self.taken += said in GOOD
        if said not in GOOD and not (isinstance(said, tuple) and
                                     said[0] == REPLYCODE and
                                     who[:5] != 'alice' and
                                     said[1].startswith('550')):
            self.problems.append('%s: %r' % (who, said))

    def reload(self):
        n = 0
        while not self.ends.is_set():
            n += 1
            self.filter.configure(
                ingress_points=self.ingress if n % 5 else [{'name': '-'}],
                concurrency=2 + n % 3, **self.archives(1 + n % 9 // 8))
            self.filter.child.send_signal(10)       # SIGUSR1
            if n % 7 == 0:
                self.filter.tell('status')
            self.reloads += 1
            time.sleep(0.1)

    def is_enough(self):
        return self.messages > 50 and self.reloads > 10

    def run(self, seconds):
        threads = [threading.Thread(target=self.client, args=(i,))
                   for i in range(8)]
        threads.append(threading.Thread(target=self.reload))
        for t in threads:
            t.start()
        time.sleep(seconds)
        wait_for(self.is_enough, 300)
        self.ends.set()
        for t in threads:
            t.join()


def main():
    with Place() as place:
        load = Load(place)
        load.run(setting('SECONDS', 10))
        print('# %d messages, %d reloads%s' % (
            load.messages, load.reloads,
            '' if rule.SANITIZED else ', without a sanitizer'))
        check('answers', load.problems[:20])
        check('there was a load', [] if load.is_enough() else [
            '%d messages, %d reloads' % (load.messages, load.reloads)])
        reports = load.filter.logged().count('WARNING: ThreadSanitizer')
        check('reports', differs('reports', reports, 0))
        check('archived', differs('messages', load.archived('all'),
                                  load.taken))
        check('ends well', load.filter.ends())
    done()


main()

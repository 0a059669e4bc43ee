#!/usr/bin/python3
"""Flat: many messages through Postfix and the milter; its memory and its
descriptors are the same at the end as after the first tenth.

	MESSAGES=100000

As root; needs Postfix.
"""

import subprocess
import sys

sys.dont_write_bytecode = True

from filter import Filter                                   # noqa: E402
from postfix import Postfix                                 # noqa: E402
from stage import (Place, check, differs, done, need,
                   setting)                                 # noqa: E402

RULES = {'RuleSetName': 'flat', 'Rules': [
    {'Name': 'rule-%d' % i, 'Conditions': [{'StringExpression': {
        'Evaluate': {'Attribute': a}, 'Operator': 'CONTAINS',
        'Values': ['none', 'such', '@example']}}],
     'Actions': [{'AddHeader': {'HeaderName': 'X-%d' % i,
                                'HeaderValue': 'yes'}}]}
    for i, a in enumerate(('SUBJECT', 'FROM', 'TO', 'MAIL_FROM', 'RECIPIENT'))]
}
MORE = 2048     # KiB


def send(postfix, count):
    subprocess.run(['smtp-source', '-s', '20', '-l', '4096', '-m', str(count),
                    '-f', 'bob@example.net', '-t', 'alice@null.example',
                    '127.0.0.1:%d' % postfix.ports['mx']], check=True)
    postfix.idle(600)


def main():
    need('openssl', 'smtp-source')
    with Place() as place:
        f = Filter(place, files={'rules.json': RULES}, log='text',
                   trusted_networks=[], ingress_points=[
                       {'name': 'inbound', 'rule_set': place.path(
                           'filter/rules.json')}])
        postfix = Postfix(place, smtpd_milters=f.socket)
        count = setting('MESSAGES', 100000)
        sizes = []
        for _ in range(10):
            send(postfix, count // 10)
            sizes.append((f.rss(), f.settled()))
            print('# %d KiB, %d descriptors' % sizes[-1])
        grown = max(s[0] for s in sizes) - sizes[0][0]
        check('memory', ['%d KiB more' % grown] if grown > MORE else [])
        check('descriptors', differs('descriptors', sizes[-1][1],
                                     sizes[0][1]))
        check('log', differs('lines', sum(
            1 for x in f.logged().splitlines() if 'result=accepted' in x),
            count // 10 * 10))
        check('ends well', f.ends())
    done()


main()

#!/usr/bin/python3
"""Each durable step of the protocol is one marked line; the mutants and the
crash tests find it by its name."""

import collections
import re

import rule

STEP = re.compile(r'/\*\s*STEP\s+([^*]*?)\s*\*/')
MUST = ('stage-sync', 'rename', 'new-sync', 'ledger-sync', 'intent', 'done',
        'remove', 'recover-sync', 'recover-done', 'segment-sync',
        'segment-name', 'segment-name-sync', 'tail-sync', 'archive-write',
        'archive-sync', 'erase-sync', 'erase-name', 'erase-name-sync', 'prune',
        'prune-sync', 'prune-remove')

found = collections.defaultdict(list)
spoiled = []
for n in rule.files('.c', '.h'):
    if n.startswith('tests/'):
        continue
    for number, line in enumerate(rule.text(n).split('\n'), 1):
        m = STEP.search(line)
        at = '%s:%d' % (n, number)
        if m:
            found[m.group(1)].append(at)
            if not re.match(r'^[a-z]+(-[a-z]+)*$', m.group(1)):
                spoiled.append('%s: "%s" is not a step\'s name' % (
                    at, m.group(1)))
            if not line[:m.start()].strip():
                spoiled.append('%s: the mark stands beside no code' % at)
        elif re.search(r'/\*\s*STEP\b', line):
            spoiled.append('%s: a mark that does not end on its line' % at)

rule.check('every step has a name of its own', (
    '%s: %s' % (s, ', '.join(at)) for s, at in sorted(found.items())
    if len(at) > 1))
rule.check('every mark is well formed', spoiled)
rule.check('every step of the protocol is marked', (
    s for s in MUST if s not in found))
rule.done()

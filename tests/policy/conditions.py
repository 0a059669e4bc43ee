#!/usr/bin/python3
"""Each attribute with each operator, yes and no and unknown: what stands in
the tables of condition_tables.py, asked of `policy test`, as JSON and in
words, in Conditions and in Unless."""

import json
import re
import sys

sys.dont_write_bytecode = True

import condition_tables as tables                           # noqa: E402
from place import LIST, Place, check, differs, done         # noqa: E402

RULES = 20      # of each sort; a rule set has 40
TAG = [{'AddHeader': {'HeaderName': 'X-Tag', 'HeaderValue': 'yes'}}]
ALICE = 'alice@example.com'


def words(out, after):
    """The answer of the first condition behind the line that begins so."""
    m = re.search(r'^ +%s.*\n +(yes|no|unknown) ' % re.escape(after), out,
                  re.M)
    return m.group(1) if m else 'nothing'


def arguments(group):
    args = ['test', *group.get('facts', ['--rcpt', ALICE])]
    if '--rcpt' not in args:
        args += ['--rcpt', ALICE]
    return args


def lists(place, group):
    if 'list' not in group:
        return []
    place.put('list.json', {'items': [{'address': a} for a in group['list']]})
    return ['--address-list', LIST + '=list.json']


def rule_set(rows):
    rules = []
    for i, (condition, _) in enumerate(rows):
        rules.append({'Name': 'if-%d' % i, 'Conditions': [condition],
                      'Actions': TAG})
        rules.append({'Name': 'unless-%d' % i, 'Unless': [condition],
                      'Actions': TAG})
    return {'RuleSetName': 'conditions', 'Rules': rules}


def ask_rules(place, group, rows):
    """Yields (title, problems) for each row."""
    place.put('rules.json', rule_set(rows))
    args = arguments(group) + ['--rule-set', 'rules.json',
                               *lists(place, group)]
    said = place.run(*args, '--json', 'message')
    told = place.run(*args, 'message')
    if said.code or told.code:
        yield 'runs', [said.err, told.err]
        return
    rules = json.loads(said.out)['recipients'][0]['rules']
    for i, (condition, wanted) in enumerate(rows):
        pair = (rules[2 * i]['matched'], rules[2 * i + 1]['matched'])
        problems = list(differs('Conditions, Unless', pair, (
            wanted == 'yes', wanted != 'yes')))
        problems += differs('in words', words(
            told.out, 'rule %d "if-%d"' % (2 * i, i)), wanted)
        problems += differs('in words, Unless', words(
            told.out, 'rule %d "unless-%d"' % (2 * i + 1, i)), wanted)
        yield json.dumps(condition, ensure_ascii=False), problems


def ask_statement(place, group, condition, wanted):
    """A statement decides, so each condition has a policy of its own."""
    place.put('traffic.json', {
        'TrafficPolicyName': 'conditions', 'DefaultAction': 'DENY',
        'PolicyStatements': [{'Action': 'ALLOW', 'Conditions': [condition]}]})
    args = arguments(group) + ['--traffic-policy', 'traffic.json',
                               *lists(place, group)]
    said = place.run(*args, '--json', 'message')
    told = place.run(*args, 'message')
    if said.code or told.code:
        return [said.err, told.err]
    wants = {'verdict': 'ALLOW', 'by': 'STATEMENT', 'statement': 0}
    if wanted != 'yes':
        wants = {'verdict': 'DENY', 'by': 'DEFAULT', 'statement': None}
    return [*differs('traffic', json.loads(said.out)['recipients'][0][
        'traffic'], wants),
        *differs('in words', words(told.out, 'statement 0'), wanted)]


def ask(group):
    rows = group['rows']
    with Place() as place:
        place.put('message', group.get('message', tables.PLAIN))
        if group.get('traffic'):
            for condition, wanted in rows:
                check('%s: %s' % (group['name'], json.dumps(condition)),
                      ask_statement(place, group, condition, wanted))
            return
        for i in range(0, len(rows), RULES):
            for title, problems in ask_rules(place, group, rows[i:i + RULES]):
                check('%s: %s' % (group['name'], title), problems)


for group in tables.GROUPS:
    ask(group)
done()

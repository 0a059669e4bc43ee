#!/usr/bin/python3
"""Each folder beside this file is a case:

  args     of `fallbackmx policy`, one on a line, run in the folder
  stdin    if there is any
  verdict  the wanted verdicts: for each message its "recipients" as --json has
	   them; the words of the output without --json are looked at, too
  out      or the wanted output, to the byte
  err      the wanted stderr; else nothing may be there
  code     the wanted exit code, if it is not 0
"""

import json
import os
import sys

sys.dont_write_bytecode = True

from place import HERE, check, differs, done, run           # noqa: E402

MEMBERS = {
    'top': ['message', 'recipients'],
    'recipient': ['recipient', 'traffic', 'rules', 'disposition',
                  'recipients_after'],
    'traffic': ['verdict', 'by', 'statement'],
    'rule': ['name', 'index', 'matched', 'actions'],
}


class Case:
    def __init__(self, name):
        self.folder = os.path.join(HERE, name)
        self.args = self.text('args').split('\n')[:-1]
        self.code = int(self.text('code') or 0)

    def bytes(self, name):
        try:
            with open(os.path.join(self.folder, name), 'rb') as f:
                return f.read()
        except FileNotFoundError:
            return b''

    def text(self, name):
        return self.bytes(name).decode()

    def has(self, name):
        return os.path.exists(os.path.join(self.folder, name))

    def run(self, args):
        return run(args, self.folder, self.bytes('stdin'))


def order(line):
    """The members are those of the issue, in that order, and no blanks."""
    m = json.loads(line)
    yield from differs('as JSON', json.dumps(
        m, separators=(',', ':'), ensure_ascii=False), line)
    yield from differs('members', list(m), MEMBERS['top'])
    for r in m['recipients']:
        yield from differs('members', list(r), MEMBERS['recipient'])
        yield from differs('members', list(r['traffic']), MEMBERS['traffic'])
        for x in r['rules']:
            yield from differs('members', list(x), MEMBERS['rule'])


def pretty(verdict):
    return json.dumps(verdict, indent=1, ensure_ascii=False)


def in_words(case, wanted):
    """The same case without --json: the words agree with the verdict."""
    a = case.run([x for x in case.args if x != '--json'])
    yield from differs('exit code, in words', a.code, case.code)
    for recipients in wanted:
        for r in recipients:
            yield from says(a.out, '\n%s:\n  %s, ' % (
                r['recipient'], r['disposition']))
            for x in r['rules']:
                yield from says(a.out, '  rule %d "%s" %s' % (
                    x['index'], x['name'],
                    'matches: ' + ', '.join(x['actions'])
                    if x['matched'] else 'does not match'))


def says(text, words):
    if words not in text:
        yield 'in words: no %r in\n#  %s' % (
            words, text.replace('\n', '\n#  '))


def judge_verdict(case, a):
    wanted = json.loads(case.text('verdict'))
    lines = a.out.split('\n')[:-1]
    for line in lines:
        yield from order(line)
    found = [json.loads(line)['recipients'] for line in lines]
    if found != wanted:
        yield 'found %s' % pretty(found).replace('\n', '\n#  ')
        yield 'expected %s' % pretty(wanted).replace('\n', '\n#  ')
    yield from in_words(case, wanted)


def again(case, a):
    """What was printed is read, and printed again the same."""
    b = run([*case.args[:-1], '-'], case.folder, a.out.encode())
    yield from differs('printed again', (b.code, b.out, b.err), (
        0, a.out, a.err.replace(case.args[-1], 'standard input')))


def judge(case):
    a = case.run(case.args)
    yield from differs('exit code', a.code, case.code)
    yield from differs('stderr', a.err.split('\n'),
                       case.text('err').split('\n'))
    if case.has('verdict'):
        yield from judge_verdict(case, a)
    else:
        yield from differs('stdout', a.out.split('\n'),
                           case.text('out').split('\n'))
    if '--print' in case.args and case.code == 0:
        yield from again(case, a)


names = sorted(n for n in os.listdir(HERE)
               if os.path.exists(os.path.join(HERE, n, 'args')))
check('there are cases', [] if names else ['none in ' + HERE])
for name in names:
    check(name, judge(Case(name)))
done()

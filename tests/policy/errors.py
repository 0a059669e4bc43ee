#!/usr/bin/python3
"""Each mistake of a document is told with its place and what was found there;
documents without one are understood. The rows are in error_tables.py."""

import copy
import json
import re
import sys

sys.dont_write_bytecode = True

import error_tables as tables                             # noqa: E402
from place import LIST, Place, check, differs, done               # noqa: E402

EX_CONFIG = 78
STEP = re.compile(r'(\w+)|\[(\d+)\]')


def changed(document, path, value):
    """A copy with another value at one place; GONE takes it away."""
    copied = copy.deepcopy(document)
    steps = [int(m[2]) if m[2] else m[1] for m in STEP.finditer(path)]
    at = copied
    for s in steps[:-1]:
        at = at[s]
    if value is tables.GONE:
        del at[steps[-1]]
    elif isinstance(at, dict) and steps[-1] not in at and len(at) == 1 and \
            re.search(r'(Conditions|Unless|Actions)\[\d+\]\.\w+$', path):
        # A condition or an action has one member: another one instead.
        at.clear()
        at[steps[-1]] = value
    else:
        at[steps[-1]] = value
    return copied


def told(place, document, *options):
    place.put('document', document)
    a = place.run('check', *options, 'document')
    return a, [line for line in a.err.split('\n')[:-2]]


def one(place, document, path, value, found, where=None):
    a, lines = told(place, changed(document, path, value))
    want = 'fallbackmx: document: %s: found %s' % (where or path, found or '')
    yield from differs('exit code', a.code, EX_CONFIG)
    yield from differs('stdout', a.out, '')
    yield from differs('last line', a.err.split('\n')[-2:], [
        'fallbackmx: cannot use document: 1 mistake', ''])
    yield from differs('lines', len(lines), 1)
    if lines and not (lines[0].startswith(want) and
                      re.search(r', expected \S', lines[0])):
        yield from differs('line', lines[0], want + ', expected ...')


def understood(place, document, *options):
    a, _ = told(place, document, *options)
    yield from differs('exit code', a.code, 0)
    if not a.out.startswith('document: '):
        yield 'stdout: %r, stderr: %r' % (a.out, a.err)


def marked(place, content):
    """Windows writes a mark in front."""
    a, _ = told(place, b'\xef\xbb\xbf' + content)
    yield from differs('answer', (a.code, a.err), (0, ''))
    a, _ = told(place, ('\ufeff' + content.decode()).encode('utf-16-le'))
    yield from differs('UTF-16', (a.code, a.err), (
        EX_CONFIG, 'fallbackmx: document: found UTF-16, expected UTF-8\n'
        'fallbackmx: cannot use document: 1 mistake\n'))


def marked_list(place, content):
    """The same where an address list is expected."""
    place.put('list', b'\xef\xbb\xbf' + content)
    a = place.run('check', '--address-list', LIST + '=list', 'rules')
    yield from differs('answer', (a.code, a.err), (0, ''))


def refused(place):
    a, lines = told(place, tables.OURS, '--aws')
    yield from differs('exit code', a.code, EX_CONFIG)
    yield from differs('places', [line.split(': ')[2] for line in lines],
                       list(tables.REFUSED))


def text(place, content, pattern):
    a, _ = told(place, content)
    yield from differs('stdout', a.out, '')
    if a.code not in (65, EX_CONFIG):
        yield 'exit code %d' % a.code
    if not re.match(r'fallbackmx: (cannot read )?document' + pattern, a.err):
        yield 'found %r' % a.err[:300]
    if a.err.count('\n') > 2:
        yield 'found %d lines' % a.err.count('\n')


def all_of_them(place):
    """Not the first one alone."""
    document = copy.deepcopy(tables.RULES)
    document['Rules'][0]['Name'] = ''
    document['Rules'][1]['Actions'][2]['Send'] = {}
    document['Rules'][3]['Actions'] = []
    a, lines = told(place, document)
    yield from differs('places', [line.split(': ')[2] for line in lines], [
        'Rules[0].Name', 'Rules[1].Actions[2].Send.RoleArn',
        'Rules[3].Actions'])
    yield from differs('last line', a.err.split('\n')[-2],
                       'fallbackmx: cannot use document: 3 mistakes')


def name(document):
    return next(iter(document))


with Place() as here:
    for base in (tables.TRAFFIC, tables.RULES, tables.RELAY, tables.ARCHIVE,
                 tables.ITEMS):
        check('understood, also for Amazon: ' + name(base),
              understood(here, base, '--aws'))
    check('understood: extensions', understood(here, tables.OURS))
    check('extensions are refused for Amazon', refused(here))
    check('all mistakes are told', all_of_them(here))
    here.put('rules', {'Rules': [dict(tables.RULES['Rules'][0],
                                      Actions=[{'Drop': {}}])]})
    for what in (b'{"items": [{"address": "bob@example.com"}]}',
                 b'address\nbob@example.com\n'):
        check('with a byte order mark: %r' % what, marked(here, what))
        check('a list with one: %r' % what, marked_list(here, what))
    for base, path, value, *found in tables.ROWS:
        shown = 'gone' if value is tables.GONE else json.dumps(value)[:40]
        check('%s %s' % (path, shown), one(here, base, path, value, *found))
    for what, content, pattern in tables.TEXTS:
        check('text: ' + what, text(here, content, pattern))
done()

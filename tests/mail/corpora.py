#!/usr/bin/python3
"""Messages that Debian's packages ship as test data, read by lib/mail and by
python3's email package: the same fields, decoded texts and addresses. Each
difference is explained in differences.py, or is a failure."""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'rules'))

import differences
import reference
import rule

# Package -> which of its files are messages.
CORPORA = (
    ('libpython3.%d-testsuite' % sys.version_info[1],
     r'/test_email/data/.*\.txt$'),
    ('python3-flufl.bounce', r'/bounce/tests/data/.*\.txt$'),
    ('golang-github-jhillyerd-enmime-dev', r'/testdata/.*\.(eml|raw)$'),
)


def shipped(package, pattern):
    r = subprocess.run(['dpkg-query', '-L', package], stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return sorted(n for n in r.stdout.decode().split('\n')
                  if re.search(pattern, n) and os.path.isfile(n))


def read_all(paths):
    r = subprocess.run([rule.built('tests/mail/headers')],
                       input='\n'.join(paths) + '\n', encoding='ascii',
                       stdout=subprocess.PIPE, timeout=600)
    if r.returncode != 0:
        raise SystemExit('Bail out! tests/mail/headers ended with %d' %
                         r.returncode)
    return [json.loads(line) for line in r.stdout.split('\n') if line]


def compare_field(ours, name, value):
    """(what, ours, theirs) of each difference of one field."""
    our_name, text, found, malformed = ours
    if our_name != name:
        yield 'name', our_name, name
        return
    try:
        theirs = reference.decoded(value)
        if text != theirs:
            yield 'text', text, theirs
    except reference.Unknown as e:
        yield 'no-opinion', text, str(e)
    if found is None:
        return
    try:
        theirs, broken = reference.addresses(name, value)
    except reference.Unknown as e:
        yield 'no-opinion', found, str(e)
        return
    if malformed != broken:
        yield 'malformed' if malformed else 'wellformed', value, broken
    if reference.both_forms(found) != reference.both_forms(theirs):
        yield 'addresses', found, theirs


def compare(path, ours):
    theirs = reference.fields(path)
    if len(ours['fields']) != len(theirs):
        yield ('count', '', [f[0] for f in ours['fields']],
               [f[0] for f in theirs])
        return
    for field, (name, value) in zip(ours['fields'], theirs):
        for what, a, b in compare_field(field, name, value):
            yield what, name, a, b


def problems(paths, answers):
    for path, ours in zip(paths, answers):
        if ours is None:
            yield path + ': cannot be read'
            continue
        for what, name, a, b in compare(path, ours):
            if not differences.explains(os.path.basename(path), what, name):
                yield '%s: %s %s: here %r, there %r' % (
                    path, name, what, a, b)


for package, pattern in CORPORA:
    title = 'messages of %s read as python3 reads them' % package
    paths = shipped(package, pattern)
    if not paths:
        rule.skip(title, 'it is not installed')
        continue
    answers = read_all(paths)
    rule.check('%s: %d messages, %d fields' % (
        package, len(paths), sum(len(a['fields']) for a in answers if a)),
        [] if len(answers) == len(paths) else ['%d answers' % len(answers)])
    rule.check(title, problems(paths, answers))
rule.done()

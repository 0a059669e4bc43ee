#!/usr/bin/python3
"""Size, layout and words: what a reader meets first."""

import os
import re

import rule

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
WIDEST = 80

TOP = ('.ci', '.clang-format', '.gitignore', 'LICENSE', 'Makefile.am',
       'README', 'README.md', 'cli', 'configure.ac', 'deliver', 'docs', 'lib',
       'm4', 'milter', 'policy', 'postfix', 'postfix-conf', 'scripts',
       'sync', 'tests')
STRAY = re.compile(r'(\.(orig|rej|log|bak|swp|o|a|so|pyc|gcda|gcno|tmp|core)'
                   r'|~|/core|/a\.out|/nohup\.out)$')
FORBIDDEN = re.compile(
    r'(?<![\w.>])(system|popen|strcpy|stpcpy|strcat|sprintf|vsprintf|gets'
    r'|mktemp|tmpnam|tempnam)\s*\(')
UNFINISHED = re.compile(r'\b(TODO|FIXME|XXX|HACK)\b')
# Written so that this file does not hold what it looks for.
ELSEWHERE = re.compile('|'.join((
    r'(?<![\w.$}/])/(work|farm)' + r'/', r'/root' + r'/[\w.]', '/tmp/' + r'fb\b',
    r'/home/(?!alice|bob|carol|dave|admin|%|\$|user|\{)\w+/src' + '/',
    r'deb\.' + r'debian\.org', 'registry' + r'\.npmjs', 'pypi' + r'\.org')))
SECRET = re.compile(
    r'\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b'
    r'|-----BEGIN [A-Z ]*PRIVATE' + r' KEY-----')

# Files whose bytes are the point of them.
DATA = ('tests/fuzz/corpus/', 'tests/data/')


def c_files():
    return rule.files('.c', '.h')


def written():
    """Text of ours: everything but data and the licence."""
    for n in rule.files():
        if not n.startswith(DATA) and n != 'LICENSE':
            yield n


def too_long():
    for n in written():
        if n.endswith(('.c', '.h', '.py', '.sh', '.bash', '.bats', '.am')):
            count = rule.text(n).count('\n')
            if count > LONGEST_FILE:
                yield '%s: %d lines' % (n, count)


def functions(name):
    """(name, first line, lines) of each function body."""
    lines = rule.code(name).split('\n')
    start = title = None
    for i, line in enumerate(lines, 1):
        m = re.match(r'^(\w+)\(', line)
        if m:
            title = m.group(1)
        if line == '{':
            start = i
        elif line.startswith('}') and start:
            yield title, start, i - start - 1
            start = None


def long_functions():
    for n in c_files():
        for title, start, count in functions(n):
            if count > LONGEST_FUNCTION:
                yield '%s:%d: %s has %d lines' % (n, start, title, count)


def layout():
    for n in c_files():
        for i, line in enumerate(rule.text(n).split('\n'), 1):
            at = '%s:%d: ' % (n, i)
            if len(line.expandtabs(8)) > WIDEST:
                yield at + 'wider than %d' % WIDEST
            if re.match(r'^\t* {8}', line):
                yield at + 'eight spaces where a tab belongs'
            if re.match(r'^ +\t', line):
                yield at + 'spaces before a tab'


def line_ends():
    for n in written():
        s = rule.text(n)
        if '\r' in s:
            yield n + ': carriage return'
        if s and not s.endswith('\n'):
            yield n + ': no newline at the end'
        if s.endswith('\n\n'):
            yield n + ': empty line at the end'
        for i, line in enumerate(s.split('\n'), 1):
            if line.rstrip(' \t') != line:
                yield '%s:%d: blanks at the end of the line' % (n, i)


def forbidden():
    for n in c_files():
        for i, line in enumerate(rule.code(n).split('\n'), 1):
            m = FORBIDDEN.search(line)
            if m:
                yield '%s:%d: %s()' % (n, i, m.group(1))
            if re.search(r'\btypedef\s+(struct|union|enum)\b', line):
                yield '%s:%d: typedef' % (n, i)


def words(pattern, what):
    for n in written():
        for i, line in enumerate(rule.text(n).split('\n'), 1):
            m = pattern.search(line)
            if m and n != 'tests/rules/style.py':
                yield '%s:%d: %s (%s)' % (n, i, what, m.group(0))


def stray():
    for n in rule.files():
        if n.split('/')[0] not in TOP:
            yield n + ': what is this at the top?'
        elif STRAY.search(n):
            yield n + ': left behind'


# What automake takes along by itself, and what only a clone needs.
UNLISTED = re.compile(r'^(\.ci/|\.gitignore$|configure\.ac$|Makefile\.am$'
                      r'|m4/|tests/(journal|milter|policy|tests)\.am$)')


def forgotten():
    """Neither built nor shipped: make dist would lack it."""
    listed = set(rule.listed())
    for n in rule.files():
        if n not in listed and not UNLISTED.match(n):
            yield n + ': in no makefile'


def executables():
    for n in rule.files():
        if os.access(os.path.join(rule.SRC, n), os.X_OK) and \
                not rule.text(n).startswith('#!'):
            yield n + ': executable without #!'


rule.check('no file over %d lines' % LONGEST_FILE, too_long())
rule.check('no function over %d lines' % LONGEST_FUNCTION, long_functions())
rule.check('tabs of 8, %d columns' % WIDEST, layout())
rule.check('line ends', line_ends())
rule.check('no forbidden call, no typedef', forbidden())
rule.check('nothing unfinished by its own words', words(UNFINISHED, 'a note'))
rule.check('no path or host of one machine', words(ELSEWHERE, 'elsewhere'))
rule.check('no secret', words(SECRET, 'looks like a secret'))
if rule.CLONE:
    rule.check('no stray file', stray())
    rule.check('every file is built or shipped', forgotten())
    rule.check('what can be run says how', executables())
rule.done()

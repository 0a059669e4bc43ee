"""What the house rules share: where things are, which files count, TAP."""

import os
import re
import shutil
import subprocess
import sys

SRC = os.environ.get('FALLBACKMX_SRC') or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('FALLBACKMX_BUILD') or os.getcwd()
SANITIZED = os.environ.get('FALLBACKMX_SANITIZERS', 'no') != 'no'
PROGRAMS = ('fallbackmx', 'fallbackmx-deliver', 'fallbackmx-milter')

_count = 0
_failed = 0


def check(name, problems):
    """One test: it passes when the list of problems is empty."""
    global _count, _failed
    problems = list(problems)
    _count += 1
    _failed += bool(problems)
    print('%s %d - %s' % ('not ok' if problems else 'ok', _count, name))
    for p in problems:
        print('# ' + str(p).rstrip('\n').replace('\n', '\n# '))


def skip(name, why):
    global _count
    _count += 1
    print('ok %d - %s # SKIP %s' % (_count, name, why))


def done():
    print('1..%d' % _count)
    sys.stdout.flush()
    sys.exit(1 if _failed else 0)


def needs(*tools):
    """The first of these programs that is not here, else None."""
    return next((t for t in tools if not shutil.which(t)), None)


def output(*words):
    r = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, timeout=120)
    if r.returncode != 0:
        raise SystemExit('Bail out! %s: %s' % (
            ' '.join(words), r.stderr.decode('utf-8', 'replace').strip()))
    return r.stdout.decode('utf-8', 'replace')


def built(name):
    return os.path.join(BUILD, name)


CLONE = os.path.exists(os.path.join(SRC, '.git'))


def listed():
    """The files that the makefiles name."""
    words = set(re.findall(r'[\w./-]+', text('Makefile.am') +
                           ''.join(text('tests/%s.am' % n) for n in (
                               'fuzz', 'journal', 'milter', 'policy',
                               'tests'))))
    # A unit test is listed as a program.
    words |= {w + '.c' for w in words if w.startswith('tests/')}
    for w in words:
        path = os.path.join(SRC, w)
        if os.path.isfile(path):
            yield w
        elif w in ('tests/fuzz/corpus', 'tests/policy'):
            for folder, _, names in os.walk(path):
                for n in names:
                    yield os.path.relpath(os.path.join(folder, n), SRC)


def files(*suffixes):
    """Our own files, relative to the top: what git has or would take. In an
    unpacked release, where people may build, what the makefiles name."""
    if CLONE:
        said = output('git', '-c', 'safe.directory=*', '-C', SRC, 'ls-files',
                      '-z', '--cached', '--others', '--exclude-standard')
        names = set(said.split('\0')) - {''}
    else:
        names = set(listed())
    for n in sorted(names):
        if os.path.isfile(os.path.join(SRC, n)) and \
                (not suffixes or n.endswith(suffixes)):
            yield n


def text(name):
    with open(os.path.join(SRC, name), 'rb') as f:
        return f.read().decode('utf-8', 'surrogateescape')


def code(name):
    """The file's C with comments and strings blanked, line numbers kept."""
    return strip_c(text(name))


def strip_c(s):
    out, i, state = [], 0, ''
    while i < len(s):
        two, c = s[i:i + 2], s[i]
        if state == '':
            if two in ('/*', '//'):
                state, i = two, i + 2
                out.append('  ')
                continue
            if c in '"\'':
                state = c
            out.append(c)
        elif state == '/*':
            if two == '*/':
                state, i = '', i + 2
                out.append('  ')
                continue
            out.append(c if c == '\n' else ' ')
        elif state == '//':
            if c == '\n':
                state = ''
            out.append(c if c == '\n' else ' ')
        else:
            if c == '\\':
                out.append('  ')
                i += 2
                continue
            if c == state:
                state = ''
                out.append(c)
            else:
                out.append(c if c == '\n' else ' ')
        i += 1
    return ''.join(out)

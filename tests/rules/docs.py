#!/usr/bin/python3
"""What --help says and what the man page says are the same: each command has
its page, each option stands in both; so does each key of fallbackmx.json."""

import os
import re
import subprocess

import rule

ARCHIVE_PAGE = 'docs/man/fallbackmx-archive.1'
# The words of the command line -> the page that describes them.
PAGES = {
    (): 'docs/man/fallbackmx.1',
    ('sync',): 'docs/man/fallbackmx-sync.1',
    ('check',): 'docs/man/fallbackmx-check.1',
    ('config',): 'docs/man/fallbackmx.1',
    ('config', 'check'): 'docs/man/fallbackmx.1',
    ('config', 'show'): 'docs/man/fallbackmx.1',
    ('status',): 'docs/man/fallbackmx-status.1',
    ('reload',): 'docs/man/fallbackmx-status.1',
    ('policy',): 'docs/man/fallbackmx-policy.1',
    ('policy', 'check'): 'docs/man/fallbackmx-policy.1',
    ('policy', 'test'): 'docs/man/fallbackmx-policy.1',
    ('archive',): ARCHIVE_PAGE,
    ('archive', 'cat'): ARCHIVE_PAGE,
    ('archive', 'erase'): ARCHIVE_PAGE,
    ('archive', 'export'): ARCHIVE_PAGE,
    ('archive', 'list'): ARCHIVE_PAGE,
    ('archive', 'prune'): ARCHIVE_PAGE,
    ('archive', 'show'): ARCHIVE_PAGE,
    ('archive', 'stats'): ARCHIVE_PAGE,
    ('archive', 'verify'): ARCHIVE_PAGE,
}
MILTER_PAGE = 'docs/man/fallbackmx-milter.8'
CONFIG_PAGE = 'docs/man/fallbackmx.json.5'
CONFIG_SOURCES = ('sync/settings.c', 'milter/settings.c')
VARIABLES_PAGE = 'docs/man/fallbackmx-sync.1'
VARIABLES_SOURCE = 'lib/aws/aws-env.c'

LONG = re.compile(r'(?<![\w-])--[a-z][a-z-]*[a-z]')
SHORT = re.compile(r'(?<![\w-])-[A-Za-z](?![\w-])')


def help_text(words, program='fallbackmx'):
    r = subprocess.run([rule.built(program), *words, '--help'],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, timeout=60)
    said = r.stdout.decode('utf-8', 'replace')
    if r.returncode != 0 or not said.strip():
        raise SystemExit('Bail out! %s %s --help ended with %d' % (
            program, ' '.join(words), r.returncode))
    return said


def page(name):
    """The page without its markup."""
    s = rule.text(name)
    s = re.sub(r'^\.?\\".*$', '', s, flags=re.M)
    s = re.sub(r'\\f(\[\w*\]|\(\w\w|\w)', '', s)
    s = re.sub(r'\\&|\\/', '', s)
    s = re.sub(r'^\.(?:BI|IB|BR|RB|IR|RI)\s+(.*)$',
               lambda m: m.group(1).replace(' ', ''), s, flags=re.M)
    # mdoc: .Fl -config, .Op Fl n
    s = re.sub(r'\bFl\s+(?=-?\w)', '-', s)
    return s.replace('\\-', '-').replace('\\(hy', '-').replace('"', ' ')


def options(text):
    return set(LONG.findall(text)) | set(SHORT.findall(text))


def differences(words, name):
    said, written = options(help_text(words)), options(page(name))
    for o in sorted(said - written):
        yield '%s is in the help and not in %s' % (o, name)
    # A page may speak of the other commands.
    for other in PAGES:
        said |= options(help_text(other))
    for o in sorted(written - said):
        yield '%s is in %s and in no help' % (o, name)


def of_milter():
    said = options(help_text((), 'fallbackmx-milter'))
    # Behind its own options the page speaks of other programs.
    own = page(MILTER_PAGE).split('Set-up')[0]
    written = options(own)
    for o in sorted(said - written):
        yield '%s is in the help and not in %s' % (o, MILTER_PAGE)
    for o in sorted(written - said):
        yield '%s is in %s and in no help' % (o, MILTER_PAGE)


def commands(words):
    written = page(PAGES[words])
    for line in help_text(words).split('\n'):
        m = re.match(r'^ +([a-z][a-z-]+) {2,}\S', line)
        if m and not re.search(r'\b%s\b' % m.group(1), written):
            yield '%s is not in %s' % (m.group(1), PAGES[words])


def keys():
    """The words of the configuration's own tables."""
    return set(k for name in CONFIG_SOURCES for k in re.findall(
        r'^\s*\{\s*(?:\.\w+\s*=\s*)?"([a-z_]+)"\s*,',
        rule.text(name), re.M))


def described():
    """Keys that the page defines: the words of its tagged paragraphs."""
    s = rule.text(CONFIG_PAGE)
    found = set()
    for m in re.finditer(r'^\.TP.*\n(.*)$|^\.It\s+(.*)$', s, re.M):
        line = page_line(m.group(1) or m.group(2) or '')
        found |= set(re.findall(r'\b[a-z][a-z_]+\b', line.split(':')[0]
                                if ':' in line else line.split(' ')[0]))
    return found


def variables():
    """Differences between the environment's table and its section."""
    taken = set(re.findall(r'^\s*\{\s*"([A-Z0-9_]+)"\s*,',
                           rule.text(VARIABLES_SOURCE), re.M))
    section = re.search(r'^\.Sh ENVIRONMENT\n(.*?)^\.El$',
                        rule.text(VARIABLES_PAGE), re.M | re.S)
    written = set(re.findall(r'\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b',
                             section.group(1) if section else ''))
    for v in sorted(taken - written):
        yield '%s is read and not in %s' % (v, VARIABLES_PAGE)
    for v in sorted(written - taken):
        yield '%s is in %s and not read' % (v, VARIABLES_PAGE)
    if not taken:
        yield 'none in ' + VARIABLES_SOURCE


def page_line(s):
    s = re.sub(r'^\.\w+\s+', '', s)
    s = re.sub(r'\\f(\[\w*\]|\(\w\w|\w)', '', s)
    return s.replace('"', '').replace('\\-', '-').strip()


for words, name in PAGES.items():
    title = 'options of "%s" are those of its page' % ' '.join(
        ('fallbackmx',) + words)
    if os.path.exists(os.path.join(rule.SRC, name)):
        rule.check(title, differences(words, name))
    else:
        rule.check(title, [name + ' is missing'])
rule.check('options of fallbackmx-milter are those of its page', of_milter())
if os.path.exists(os.path.join(rule.SRC, 'docs/man/fallbackmx.1')):
    rule.check('every command is in fallbackmx(1)', commands(()))
    rule.check('every command of policy is in its page', commands(('policy',)))
    rule.check('every command of archive is in its page',
               commands(('archive',)))
if os.path.exists(os.path.join(rule.SRC, VARIABLES_SOURCE)):
    rule.check('variables that are read are those of fallbackmx-sync(1)',
               variables())
rule.check('there are keys', [] if keys() else [
    'none in ' + ', '.join(CONFIG_SOURCES)])
if os.path.exists(os.path.join(rule.SRC, CONFIG_PAGE)):
    rule.check('every key is in fallbackmx.json(5)', (
        k for k in sorted(keys())
        if not re.search(r'\b%s\b' % k, page(CONFIG_PAGE))))
    rule.check('fallbackmx.json(5) defines no other key', sorted(
        described() - keys()))
else:
    rule.check('every key is in fallbackmx.json(5)',
               [CONFIG_PAGE + ' is missing'])
rule.done()

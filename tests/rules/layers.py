#!/usr/bin/python3
"""Folder = layer: what a folder includes lies in itself or below it, and each
outside library is known to few files."""

import os
import re

import rule

MAY = {
    'lib/base': (),
    'lib/journal': ('lib/base',),
    'lib/mail': ('lib/base',),
    'lib/aws': ('lib/base',),
    'policy': ('lib/mail', 'lib/base'),
    'milter': ('lib/journal', 'policy', 'lib/mail', 'lib/base'),
    'sync': ('lib/aws', 'lib/mail', 'lib/base'),
    'postfix': ('lib/base',),
    'deliver': ('lib/base',),
    'cli': ('sync', 'milter', 'postfix', 'policy', 'lib/aws', 'lib/journal',
            'lib/mail', 'lib/base'),
}

# Outside header -> the only files (prefix of the path) that know it.
FENCE = {
    'sqlite3.h': ('sync/ledger',),
    'curl/': ('lib/aws/http',),
    'jansson.h': ('lib/base/config', 'lib/aws/cred-json',
                  'cli/archive-', 'cli/cmd-archive-',
                  'policy/document', 'policy/addresslist-document',
                  'policy/policy.c'),
    'libmilter/': ('milter/apply', 'milter/callbacks', 'milter/main.c'),
    'pcre2.h': ('policy/regex.c',),
    'zstd.h': ('lib/journal/payload.c',),
    'openssl/': ('lib/base/hash', 'lib/aws/aws.c', 'lib/aws/checksum',
                 'lib/aws/s3-delete', 'lib/aws/secret', 'lib/aws/sigv4'),
    'gmime/': ('lib/mail/address', 'lib/mail/decode'),
    'expat.h': ('lib/aws/cred-sts', 'lib/aws/xml'),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def sources():
    for n in rule.files('.c', '.h'):
        if not n.startswith('tests/'):
            yield n, os.path.dirname(n)


def included(name):
    s = rule.text(name)
    for m in INCLUDE.finditer(s):
        yield s.count('\n', 0, m.start()) + 1, m.group(1), m.group(2)


def folders():
    for n, folder in sources():
        if folder not in MAY:
            yield '%s: no layer has the folder %s' % (n, folder or '.')


def downwards():
    for n, folder in sources():
        for line, kind, what in included(n):
            if kind == '<':
                continue
            at = '%s:%d: "%s"' % (n, line, what)
            if '..' in what.split('/'):
                yield at + ': a path from the top, not ..'
                continue
            if os.path.exists(os.path.join(rule.SRC, folder, what)):
                target = os.path.dirname(os.path.join(folder, what))
            elif os.path.exists(os.path.join(rule.SRC, what)):
                target = os.path.dirname(what)
            else:
                yield at + ': no such file'
                continue
            if target != folder and target not in MAY.get(folder, ()):
                yield '%s: %s may not use %s' % (at, folder, target)


def config_first():
    for n, _ in sources():
        if n.endswith('.c'):
            first = next(included(n), (0, '', ''))
            if first[2] != 'config.h':
                yield n + ': includes something before <config.h>'


def fenced():
    for n, _ in sources():
        for line, kind, what in included(n):
            for head, owners in FENCE.items():
                if what.startswith(head) and not n.startswith(owners):
                    yield '%s:%d: <%s> is for %s' % (
                        n, line, what, ', '.join(owners))


rule.check('every source lies in a layer', folders())
rule.check('includes point downwards', downwards())
rule.check('config.h comes first', config_first())
rule.check('outside libraries stay behind their fence', fenced())
rule.done()

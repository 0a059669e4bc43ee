#!/usr/bin/python3
"""systemd's own measure of what the sync unit could do to the machine."""

import os
import re
import subprocess

import rule

LIMIT = 2.2
UNIT = rule.built('scripts/systemd/fallbackmx-sync.service')


def exposure():
    env = dict(os.environ, SYSTEMD_COLORS='0', LC_ALL='C.UTF-8')
    r = subprocess.run(
        ['systemd-analyze', 'security', '--offline=true', '--no-pager', UNIT],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, timeout=60)
    said = r.stdout.decode('utf-8', 'replace')
    m = re.search(r'exposure level for \S+: (\d+\.\d+)', said)
    if not m:
        yield 'no level in what it said: ' + said.strip()[-300:]
    elif float(m.group(1)) > LIMIT:
        yield 'exposure %s, allowed %s' % (m.group(1), LIMIT)
    # It passes over a word that it does not know.
    for line in said.split('\n'):
        if re.search(r'Unknown|Failed to parse|ignoring', line):
            yield line


def leftovers():
    for made in ('scripts/systemd/fallbackmx-sync.service',
                 'scripts/systemd/sysusers.d/fallbackmx.conf',
                 'scripts/systemd/tmpfiles.d/fallbackmx.conf'):
        with open(rule.built(made)) as f:
            for m in re.finditer(r'@\w+@|\$\{\w+\}', f.read()):
                yield '%s: %s was not replaced' % (made, m.group(0))


name = 'the sync unit stays at or below %s' % LIMIT
missing = rule.needs('systemd-analyze')
if missing:
    rule.skip(name, 'there is no ' + missing)
else:
    rule.check(name, exposure())
rule.check('the made files have their paths', leftovers())
rule.done()

#!/usr/bin/python3
"""systemd's own measure of what the units could do to the machine."""

import os
import re
import subprocess

import rule

MADE = 'scripts/systemd/'
# The one for sync begins as root and has the network; those of the milter's
# user have neither.
LIMITS = {'fallbackmx-sync.service': 2.2, 'fallbackmx-milter.service': 0.5,
          'fallbackmx-prune.service': 0.5}


def exposure(unit, limit):
    env = dict(os.environ, SYSTEMD_COLORS='0', LC_ALL='C.UTF-8')
    r = subprocess.run(
        ['systemd-analyze', 'security', '--offline=true', '--no-pager',
         rule.built(MADE + unit)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, timeout=60)
    said = r.stdout.decode('utf-8', 'replace')
    m = re.search(r'exposure level for \S+: (\d+\.\d+)', said)
    if not m:
        yield 'no level in what it said: ' + said.strip()[-300:]
    elif float(m.group(1)) > limit:
        yield 'exposure %s, allowed %s' % (m.group(1), limit)
    # It passes over a word that it does not know.
    for line in said.split('\n'):
        if re.search(r'Unknown|Failed to parse|ignoring', line):
            yield line


def leftovers():
    for made in (*LIMITS, 'fallbackmx-milter.socket',
                 'sysusers.d/fallbackmx.conf',
                 'sysusers.d/fallbackmx-milter.conf',
                 'tmpfiles.d/fallbackmx.conf',
                 'tmpfiles.d/fallbackmx-milter.conf'):
        with open(rule.built(MADE + made)) as f:
            for m in re.finditer(r'@\w+@|\$\{\w+\}', f.read()):
                yield '%s: %s was not replaced' % (made, m.group(0))


def settings(unit):
    """The lines of a unit; a name given again keeps the last one."""
    with open(rule.built(MADE + unit)) as f:
        return dict(line.rstrip('\n').split('=', 1) for line in f
                    if re.match(r'[A-Z]\w+=', line))


def milter():
    """What the two units and the program's own default must agree on."""
    service = settings('fallbackmx-milter.service')
    socket = settings('fallbackmx-milter.socket')
    wanted = {
        'Type': 'notify', 'NotifyAccess': 'main',
        'User': 'fallbackmx-milter', 'Group': 'fallbackmx-milter',
        'PrivateNetwork': 'yes', 'RestrictAddressFamilies': 'AF_UNIX',
        'CapabilityBoundingSet': '',
    }
    for name, value in wanted.items():
        if service.get(name) != value:
            yield '%s=%s' % (name, service.get(name))
    if 'HUP' in service['ExecReload']:
        yield 'libmilter stops at SIGHUP'
    wanted = {'SocketGroup': 'postfix', 'SocketMode': '0660',
              'SocketUser': 'fallbackmx-milter'}
    for name, value in wanted.items():
        if socket.get(name) != value:
            yield '%s=%s' % (name, socket.get(name))
    if not socket['ListenStream'].endswith(
            '/spool/postfix/fallbackmx/milter.sock'):
        yield 'ListenStream=' + socket['ListenStream']


for unit, limit in LIMITS.items():
    name = '%s stays at or below %s' % (unit, limit)
    missing = rule.needs('systemd-analyze')
    if missing:
        rule.skip(name, 'there is no ' + missing)
    else:
        rule.check(name, exposure(unit, limit))
rule.check('the made files have their paths', leftovers())
rule.check('socket and service of the milter fit together', milter())
rule.done()

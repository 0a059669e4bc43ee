#!/usr/bin/python3
"""Which shared libraries each program asks for, by name and by ldd."""

import re

import rule

# ld-linux: on some machines the stack guard lives there.
LIBC = re.compile(r'^(libc\.so\.6|ld-linux\S*\.so\.\d+|ld64\.so\.\d+)$')
MAY = {
    'fallbackmx': re.compile(
        r'^(libsqlite3\.so\.0|libjansson\.so\.4|libcrypto\.so\.3'
        r'|libcurl\.so\.4|libexpat\.so\.1|libpcre2-8\.so\.0|libzstd\.so\.1'
        r'|libgmime-3\.0\.so\.0|libgobject-2\.0\.so\.0|libglib-2\.0\.so\.0)$'),
    # Strangers talk to it: no HTTP client, no TLS, no database. Of libcrypto it
    # has the hashes.
    'fallbackmx-milter': re.compile(
        r'^(libmilter\.so\.1\.0\.1|libjansson\.so\.4|libpcre2-8\.so\.0'
        r'|libcrypto\.so\.3|libzstd\.so\.1'
        r'|libgmime-3\.0\.so\.0|libgobject-2\.0\.so\.0|libglib-2\.0\.so\.0)$'),
    'fallbackmx-deliver': re.compile(r'^$'),
}
VDSO = re.compile(r'^linux-(vdso|gate)\S*$')


def needed(program):
    for line in rule.output('readelf', '-d', '-W', program).split('\n'):
        m = re.search(r'\(NEEDED\).*\[(.+)\]', line)
        if m:
            yield m.group(1)


def loaded(program):
    for line in rule.output('ldd', program).split('\n'):
        if line.strip():
            yield line.split()[0].rsplit('/', 1)[-1]


for p in rule.PROGRAMS:
    name = p + ' asks for no other library than those named'
    missing = rule.needs('readelf', 'ldd')
    if missing:
        rule.skip(name, 'there is no ' + missing)
    elif rule.SANITIZED:
        # The sanitizers' own libraries are asked for as well.
        rule.check(name + ' (and the sanitizers)', (
            s for s in needed(rule.built(p))
            if not LIBC.match(s) and not MAY[p].match(s) and
            not re.match(r'^lib(asan|ubsan|tsan|m|gcc_s|dl|rt|pthread)\.so', s)))
    else:
        rule.check(name, (s for s in needed(rule.built(p))
                          if not LIBC.match(s) and not MAY[p].match(s)))
if not rule.SANITIZED and not rule.needs('ldd'):
    rule.check('fallbackmx-deliver loads the C library and nothing else', (
        s for s in loaded(rule.built('fallbackmx-deliver'))
        if not LIBC.match(s) and not VDSO.match(s)))
    rule.check('fallbackmx-milter loads no HTTP client, TLS or database', (
        s for s in loaded(rule.built('fallbackmx-milter'))
        if re.match(r'lib(curl|ssl|gnutls|sqlite|expat|db-)', s)))
# Its library must not lean on what it may not be linked with, either.
missing = rule.needs('nm')
if missing:
    rule.skip('milter asks neither sync nor lib/aws', 'there is no ' + missing)
else:
    theirs = set()
    for archive in ('libsync.a', 'libaws.a'):
        for line in rule.output('nm', '-P', '-g', '--defined-only',
                                rule.built(archive)).split('\n'):
            theirs |= set(line.split()[:1]) if ' T ' in line else set()
    rule.check('milter asks neither sync nor lib/aws', sorted(set(
        line.split()[0] for line in rule.output(
            'nm', '-P', '-g', '-u', rule.built('libfilter.a')).split('\n')
        if line.split()[:1] and line.split()[0] in theirs)))
rule.done()

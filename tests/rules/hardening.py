#!/usr/bin/python3
"""What the flags were for is in the programs: readelf says so."""

import re

import rule


def problems(program):
    head = rule.output('readelf', '-h', '-W', program)
    segments = rule.output('readelf', '-l', '-W', program)
    dynamic = rule.output('readelf', '-d', '-W', program)
    symbols = rule.output('readelf', '-s', '-W', program)
    if not re.search(r'Type:\s+DYN', head):
        yield 'not position independent (PIE)'
    if 'GNU_RELRO' not in segments:
        yield 'no RELRO'
    if not re.search(r'BIND_NOW|Flags:.*\bNOW\b', dynamic):
        yield 'no BIND_NOW'
    stack = re.search(r'GNU_STACK\s.*', segments)
    if not stack or re.search(r'\bRWE\b', stack.group(0)):
        yield 'executable stack'
    if re.search(r'LOAD\s.*\sRWE\s', segments):
        yield 'a segment that can be written and executed'
    if re.search(r'\((RPATH|RUNPATH)\)', dynamic):
        yield 'RPATH'
    if '__stack_chk_fail' not in symbols:
        yield 'no stack protector'
    if not re.search(r'__\w+_chk\b', symbols):
        yield 'no _FORTIFY_SOURCE'


def macro(flag):
    """Did configure find that the compiler takes the flag?"""
    with open(rule.built('Makefile')) as f:
        return re.search(r'^FMX_CFLAGS =.*%s' % re.escape(flag), f.read(), re.M)


for p in rule.PROGRAMS:
    name = p + ' is hardened'
    missing = rule.needs('readelf')
    if missing:
        rule.skip(name, 'there is no ' + missing)
    elif not rule.SANITIZED:
        rule.check(name, problems(rule.built(p)))
rule.check('configure took the flags that every supported compiler has', (
    flag for flag in ('-Wall', '-Wextra', '-Wconversion', '-Wsign-conversion',
                      '-fstack-protector-strong', '-fPIE',
                      '-Werror=format-security')
    if not macro(flag)))
rule.done()

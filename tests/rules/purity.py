#!/usr/bin/python3
"""lib/mail only computes: no disk, clock, log, network, process or
environment, neither itself nor through what it takes from lib/base."""

import collections
import re

import rule

# All that pure code may ask of the C library; the rest is refused.
PURE = re.compile(
    r'^_*(mem\w+|str\w+|rawmemchr|explicit_bzero|bcmp'
    r'|is(alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space'
    r'|upper|xdigit)|to(upper|lower)|ctype_\w+|(v?sn?|v?as)printf|sscanf'
    r'|isoc\d+_(sscanf|strto\w+)|malloc|calloc|realloc|reallocarray|free'
    r'|abort|assert_fail|errno_location|stack_chk_(fail|guard)|bsearch|qsort'
    r'|timegm|gmtime_r|abs|labs|chk_fail|GLOBAL_OFFSET_TABLE_'
    r'|asan_\w+|ubsan_\w+|tsan_\w+|sanitizer_\w+|sancov_\w+)(_chk)?$')


def members(archive):
    """member -> (symbols it defines, symbols it asks for)"""
    table = collections.OrderedDict()
    member = None
    for line in rule.output('nm', '-P', '-g', rule.built(archive)).split('\n'):
        m = re.match(r'^\S*\[(.+)\]:$', line)
        if m:
            member = m.group(1)
            table[member] = (set(), set())
        elif line:
            name, kind = line.split()[:2]
            table[member][kind in 'Uvw'].add(name)
    return table


def impure():
    mail, base = members('libmail.a'), members('libbase.a')
    home = {s: m for m, (defined, _) in base.items() for s in defined}
    own = set().union(*(d for d, _ in mail.values()))
    seen = set()
    todo = [('lib/mail/' + m, asks - own) for m, (_, asks) in mail.items()]
    while todo:
        who, asks = todo.pop()
        for s in sorted(asks):
            m = home.get(s)
            if m is None:
                if not PURE.match(s):
                    yield '%s calls %s' % (who, s)
            elif m not in seen:
                seen.add(m)
                todo.append(('lib/base/' + m, base[m][1] - base[m][0]))


missing = rule.needs('nm')
if missing:
    rule.skip('lib/mail is pure', 'there is no ' + missing)
else:
    rule.check('lib/mail has members',
               [] if members('libmail.a') else ['libmail.a is empty'])
    rule.check('lib/mail is pure', impure())
rule.done()

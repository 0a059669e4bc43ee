#!/usr/bin/python3
"""lib/mail, policy and the computing parts of lib/aws and milter: no disk,
clock, log, network, process or environment, neither themselves nor through
what they take from lib/base."""

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
    r'|timegm|gmtime_r|inet_pton|inet_ntop|abs|labs|chk_fail|GLOBAL_OFFSET_TABLE_'
    r'|asan_\w+|ubsan_\w+|tsan_\w+|sanitizer_\w+|sancov_\w+)(_chk)?$')


# An arena that has run out says why it aborts.
ABORTS = r'fputs|fwrite|stderr|strcasecmp|strncasecmp'
MEMORY = re.compile(r'^(%s)$' % ABORTS)
# What signs and hashes may ask of OpenSSL.
CRYPTO = re.compile(
    r'^(EVP_(MAC|MD|Digest|EncodeBlock)\w*|OPENSSL_cleanse|OSSL_PARAM_construct_\w+'
    r'|%s)$' % ABORTS)
# What decoding may ask of GMime and of the C library's charsets.
GMIME = re.compile(
    r'^(g_mime_(init|iconv_open|iconv_close)|iconv'
    r'|internet_address_\w+|g_type_check_instance_(cast|is_a)|g_object_unref'
    r'|g_utf8_validate|transfer_\w+|%s)$' % ABORTS)
# What the parts of a mail may ask of the rest of lib/mail.
MAIL = re.compile(r'^((decode|head|transfer)_\w+|%s)$' % ABORTS)

# What policy may ask of jansson (text in memory), PCRE2 and lib/mail.
POLICY = re.compile(
    r'^(json_(?!load_file|load_callback|loadf|dump_file|dump_callback|dumpf)'
    r'[a-z_]+|pcre2_\w+_8|(head|decode|address)_\w+|%s)$' % ABORTS)

# What deciding about one message may ask: the policy engine, lib/mail, and
# words of tables. What it is told to do is elsewhere.
FILTER = re.compile(
    r'^((facts|range|policy|verdict|action|head|relayed)_\w+|strcasecmp'
    r'|message_(add_recipient|count)|(trouble|refusal)_words'
    r'|json_(string|integer|real)_\w+|%s)$' % ABORTS)

# Folder, archive, its pure members (all if none are named), what else they may.
PARTS = (
    ('lib/mail', 'libmail.a', (
        'authres.o', 'head.o', 'received.o', 'relayed.o', 'span.o',
        'transfer.o'), MEMORY),
    ('lib/mail', 'libmail.a', ('address.o', 'decode.o'), GMIME),
    ('lib/mail', 'libmail.a', ('mime.o', 'parameter.o'), MAIL),
    ('policy', 'libpolicy.a', (), POLICY),
    ('milter', 'libfilter.a', (
        'envelope.o', 'ingress.o', 'judge.o', 'plan.o', 'plan-envelope.o',
        'plan-header.o', 'reply.o', 'settings-check.o', 'tag.o'), FILTER),
    ('lib/journal', 'libjournal.a', ('format.o', 'format-text.o'), CRYPTO),
    ('lib/aws', 'libaws.a', (
        'checksum.o', 'http-header.o', 'retry.o', 'sigv4.o',
        'sigv4-target.o'), CRYPTO),
)


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


def impure(folder, archive, names, more):
    part, base = members(archive), members('libbase.a')
    if names:
        part = {m: part[m] for m in names}
    home = {s: m for m, (defined, _) in base.items() for s in defined}
    own = set().union(*(d for d, _ in part.values()))
    seen = set()
    todo = [('%s/%s' % (folder, m), asks - own)
            for m, (_, asks) in part.items()]
    while todo:
        who, asks = todo.pop()
        for s in sorted(asks):
            m = home.get(s)
            if m is None:
                if not PURE.match(s) and not (more and more.match(s)):
                    yield '%s calls %s' % (who, s)
            elif m not in seen:
                seen.add(m)
                todo.append(('lib/base/' + m, base[m][1] - base[m][0]))


missing = rule.needs('nm')
for folder, archive, names, more in PARTS:
    name = '%s is pure' % ' '.join((folder,) + names)
    if missing:
        rule.skip(name, 'there is no ' + missing)
        continue
    rule.check(name + ': there is something to look at', (
        '%s has no %s' % (archive, m) for m in names or ('member',)
        if not (m in members(archive) if names else members(archive))))
    if all(m in members(archive) for m in names):
        rule.check(name, impure(folder, archive, names, more))
if not missing:
    looked_at = set(m for p in PARTS if p[0] == 'lib/mail' for m in p[2])
    rule.check('all of lib/mail is looked at', sorted(
        set(members('libmail.a')) - looked_at))
rule.done()

#!/usr/bin/python3
"""Options that are wrong, and messages whose bytes are the point of them: the
answer and the exit code of each. The rest is in the folders of cases.py."""

import json
import os
import sys

sys.dont_write_bytecode = True

from place import Place, check, differs, done               # noqa: E402

EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_CONFIG = 64, 65, 66, 78
RULES = {'Rules': [{'Name': 'tag', 'Actions': [
    {'AddHeader': {'HeaderName': 'X-Tag', 'HeaderValue': 'yes'}}]}]}
SIZE = {'Rules': [{'Name': 'size', 'Conditions': [{'NumberExpression': {
    'Evaluate': {'Attribute': 'MESSAGE_SIZE'}, 'Operator': 'EQUALS',
    'Value': 11}}], 'Actions': [{'Drop': {}}]}]}
MAIL = 'Subject: Hello\n\nText.\n'
LARGEST = 134217728
TEST = ('test', '--rule-set', 'rules')
ADDRESS = (': expected an address', ': expected an address, or <> for the '
           'null sender')

# Arguments, exit code, how the first line of stderr begins.
WRONG = (
    ((), EX_USAGE, 'cannot run policy: expected check or test'),
    (('tset',), EX_USAGE, 'cannot run policy tset: expected check or test '
     '(did you mean test?)'),
    (('--hepl',), EX_USAGE, 'cannot use --hepl: no such option'),
    (('check',), EX_USAGE, 'cannot check: expected FILE'),
    (('check', '-', '-'), EX_USAGE, 'cannot check: standard input can be '
     'read only once'),
    (('check', '--address-list', 'x=-', '-'), EX_USAGE,
     'cannot check: standard input can be read only once'),
    (('check', '--print', 'rules', 'rules'), EX_USAGE,
     'cannot use --print: expected one FILE; found 2'),
    (('check', '--pront', 'rules'), EX_USAGE, 'cannot use --pront: no such '
     'option (did you mean --print?)'),
    (('check', 'missing'), EX_NOINPUT, 'cannot read missing: No such file'),
    (('check', 'rules', '.'), EX_NOINPUT, 'cannot read .: Is a directory'),
    (('check', '--address-list', 'x', 'rules'), EX_USAGE,
     'cannot use --address-list x: expected NAME=FILE'),
    (('check', '--address-list', 'x=missing', 'rules'), EX_NOINPUT,
     'cannot read missing: '),
    (('test', 'mail'), EX_USAGE,
     'cannot test: expected --traffic-policy, --rule-set or both'),
    (TEST, EX_USAGE, 'cannot test: expected MESSAGE'),
    ((*TEST, '-', '-'), EX_USAGE, 'cannot test: standard input can be read '
     'only once'),
    (('test', '--rule-set', '-', '-'), EX_USAGE,
     'cannot test: standard input can be read only once'),
    (('test', '--rule-set', '-', '--traffic-policy', '-', 'mail'), EX_USAGE,
     'cannot test: standard input can be read only once'),
    ((*TEST, '--address-list', 'x=-', '--address-list', 'y=-', 'mail'),
     EX_USAGE, 'cannot test: standard input can be read only once'),
    (('test', '--rule-set', 'missing', 'mail'), EX_NOINPUT,
     'cannot read missing: '),
    (('test', '--traffic-policy', 'rules', 'mail'), EX_CONFIG, 'rules: '),
    ((*TEST, '--client-ip', '192.0.2', 'mail'), EX_USAGE,
     'cannot use --client-ip 192.0.2: expected an IP address, as 192.0.2.1 '
     'or 2001:db8::1'),
    ((*TEST, '--rcpt', '', 'mail'), EX_USAGE,
     'cannot use --rcpt ' + ADDRESS[0]),
    ((*TEST, '--rcpt', 'alice', 'mail'), EX_USAGE,
     'cannot use --rcpt alice' + ADDRESS[0]),
    ((*TEST, '--rcpt', '<>', 'mail'), EX_USAGE,
     'cannot use --rcpt <>' + ADDRESS[0]),
    ((*TEST, '--rcpt', 'a@b c@d', 'mail'), EX_USAGE,
     'cannot use --rcpt a@b c@d' + ADDRESS[0]),
    ((*TEST, '--rcpt', 'a@b', '--rcpt', '@b', 'mail'), EX_USAGE,
     'cannot use --rcpt @b' + ADDRESS[0]),
    ((*TEST, '--rcpt', 'a\n@b', 'mail'), EX_USAGE,
     'cannot use --rcpt a\\x0a@b' + ADDRESS[0]),
    ((*TEST, '--mail-from', 'a@', 'mail'), EX_USAGE,
     'cannot use --mail-from a@' + ADDRESS[1]),
    ((*TEST, '--tls-version', '1.3', 'mail'), EX_USAGE,
     'cannot use --tls-version 1.3: expected TLSv1.3, TLSv1.2, TLSv1.1, '
     'TLSv1 or none'),
    ((*TEST, '--tls-wrapped', '--tls-version', 'none', 'mail'), EX_USAGE,
     'cannot use --tls-wrapped: --tls-version says that there is no TLS'),
    ((*TEST, '--analysis', 'a.b', 'mail'), EX_USAGE,
     'cannot use --analysis a.b: expected NAME.FIELD=VALUE'),
    ((*TEST, '--analysis', '.b=c', 'mail'), EX_USAGE,
     'cannot use --analysis .b=c: expected NAME.FIELD=VALUE'),
    ((*TEST, '--analysis', 'a.=c', 'mail'), EX_USAGE,
     'cannot use --analysis a.=c: expected NAME.FIELD=VALUE'),
)


def wrong(place, args, code, begin):
    a = place.run(*args)
    yield from differs('exit code', a.code, code)
    if not a.err.startswith('fallbackmx: ' + begin):
        yield 'found %r' % a.err
    if code == EX_USAGE and 'fallbackmx: try: fallbackmx policy' not in a.err:
        yield 'no hint at --help: %r' % a.err


def message(place, content, code, err, rules='rules'):
    """The odd one, and another one that is tested in any case."""
    place.put('odd', content)
    a = place.run('test', '--json', '--rule-set', rules, '--rcpt', 'a@b',
                  'odd', 'mail')
    yield from differs('exit code', a.code, code)
    yield from differs('stderr', a.err, err and 'fallbackmx: ' + err + '\n')
    names = [json.loads(line)['message'] for line in a.out.split('\n')[:-1]]
    yield from differs('tested', names, ['mail'] if code else ['odd', 'mail'])


def size(place, content):
    yield from message(place, content, 0, '', 'size')
    a = place.run('test', '--json', '--rule-set', 'size', '--rcpt', 'a@b',
                  'odd')
    yield from differs('size is 11', '"matched":true' in a.out, True)


def between(place):
    """A blank line stands between two messages, and nowhere else."""
    a = place.run(*TEST, '--rcpt', 'a@b', 'missing', 'mail', '.', 'mail',
                  'missing')
    yield from differs('exit code', a.code, EX_NOINPUT)
    first, _, second = a.out.partition('\n\nmail: ')
    yield from differs('both', 'mail: ' + second, first + '\n')


def targets(place):
    """What is not loaded is told when it is needed, once."""
    place.put('targets', {'Rules': [
        {'Conditions': [{'StringExpression': {
            'Evaluate': {'Attribute': 'SUBJECT'}, 'Operator': 'EQUALS',
            'Values': ['Hello']}}],
         'Actions': [{'Relay': {'Relay': 'r-1'}}]},
        {'Actions': [{'Archive': {'TargetArchive': 'a-1'}}]}]})
    place.put('other', 'Subject: x\n\n')
    begin, end = 'fallbackmx: warning: ', ' is not loaded\n'
    for mails, wanted in ((('other',), ('archive a-1',)),
                          (('other', 'mail', 'other'),
                           ('archive a-1', 'relay r-1'))):
        a = place.run('test', '--rule-set', 'targets', '--rcpt', 'a@b',
                      '--json', *mails)
        yield from differs('stderr', a.err, ''.join(
            begin + w + end for w in wanted))


def standard_input(place):
    """Once is well, for a document too."""
    a = place.run('test', '--json', '--rule-set', '-', '--rcpt', 'a@b', 'mail',
                  stdin=json.dumps(RULES).encode())
    yield from differs('exit code', (a.code, a.err), (0, ''))
    yield from differs('lines', a.out.count('\n'), 1)


def sparse(place, n):
    path = os.path.join(place.dir, 'odd')
    with open(path, 'wb') as f:
        f.truncate(n)
    a = place.run(*TEST, '--json', '--rcpt', 'a@b', 'odd', 'mail')
    yield from differs('exit code', a.code, EX_DATAERR)
    yield from differs('stderr', a.err, 'fallbackmx: cannot read odd: found '
                       'more than %d bytes, expected at most that\n' % LARGEST)
    yield from differs('lines', a.out.count('\n'), 1)
    os.unlink(path)


def odd_name(place):
    """A file may be called anything; the line stays JSON in UTF-8."""
    name = b'a"\\\n\x7f\xc2\x9b2J\xc3\xa4\xff'
    with open(os.path.join(os.fsencode(place.dir), name), 'wb') as f:
        f.write(MAIL.encode())
    a = place.run(*TEST, '--json', '--rcpt', 'a@b', name)
    yield from differs('exit code', a.code, 0)
    yield from differs('name', json.loads(a.out)['message'],
                       'a"\\\n\x7f\x9b2Jä\ufffd')
    yield from differs('control characters', [
        c for c in a.out[:-1] if not (' ' <= c < '\x7f' or c >= '\xa0')], [])
    yield from differs('lines', a.out.count('\n'), 1)
    a = place.run(*TEST, '--rcpt', 'a@b', name)
    yield from differs('in words', a.out.split(':')[0],
                       'a"\\x5c\\x0a\\x7f\\xc2\\x9b2J\\xc3\\xa4\\xff')


def both_policies(place):
    """The mistakes of all documents are told at once."""
    place.put('bad-1', {'Rules': {}})
    place.put('bad-2', {'PolicyStatements': [], 'DefaultAction': 'x'})
    a = place.run('test', '--traffic-policy', 'bad-2', '--rule-set', 'bad-1',
                  'mail')
    yield from differs('exit code', a.code, EX_CONFIG)
    for begin in ('bad-1: Rules: ', 'bad-2: DefaultAction: ',
                  'cannot use bad-1: 1 mistake', 'cannot use bad-2: 1'):
        if '\nfallbackmx: ' + begin not in '\n' + a.err:
            yield 'no %r in %r' % (begin, a.err)
    yield from differs('stdout', a.out, '')


def helps(place, *words):
    a = place.run(*words, '--help')
    yield from differs('exit code', a.code, 0)
    if not a.out.startswith('Usage: fallbackmx policy ' + ' '.join(words)):
        yield repr(a.out)


with Place() as here:
    here.put('rules', RULES)
    here.put('size', SIZE)
    here.put('mail', MAIL)
    for row in WRONG:
        check('policy %s' % ' '.join(row[0]), wrong(here, *row))
    for what in ((), ('check',), ('test',)):
        check('help: ' + ' '.join(what), helps(here, *what))
    check('blank lines', between(here))
    check('targets that are not loaded', targets(here))
    check('a rule set from standard input', standard_input(here))
    check('NUL in the header', message(
        here, b'A: \0\n\nb\n', EX_DATAERR, 'cannot test odd: found a NUL at '
        'byte 3, expected a mail (RFC 5322, 2.2)'))
    check('NUL in the body', message(
        here, b'A: b\n\nc\0', EX_DATAERR, 'cannot test odd: found a NUL at '
        'byte 7, expected a mail (RFC 5322, 2.2)'))
    check('empty', message(
        here, b'', EX_DATAERR, 'cannot test odd: found nothing, expected a '
        'mail'))
    check('header only', message(here, b'Subject: x', 0, ''))
    check('no header', message(here, b'\r\nText.', 0, ''))
    check('no text at all', message(here, b'\xff\xfe\r\r\n\xe4', 0, ''))
    check('size with LF', size(here, b'A: b\n\nc\n'))
    check('size with CRLF', size(here, b'A: b\r\n\r\nc\r\n'))
    check('size with both', size(here, b'A: b\n\r\nc\n'))
    check('size with a lone CR', size(here, b'A: b\r\n\r\nc\r\r'))
    check('too large', sparse(here, LARGEST + 1))
    check('odd name', odd_name(here))
    check('mistakes of all documents', both_policies(here))
done()

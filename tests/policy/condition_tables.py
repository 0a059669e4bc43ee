"""The tables of conditions.py: facts, conditions, and the answers that they
must have, written by hand."""

from expressions import (
    analysis, any_header, boolean, certificate, dmarc, header, listed, login,
    mime, number, of, recipient, sender, sender6, source, string, tls, verdict)
from place import ANALYZER

YES, NO, UNKNOWN = 'yes', 'no', 'unknown'

PLAIN = '''From: bob@example.net
To: alice@example.com
Subject: Hello

Text.
'''

# One message for most of the strings.
LETTER = '''Received: from a (b [203.0.113.9]) by c with ESMTP; today
From: =?utf-8?q?B=C3=B6b_Baumeister?= <bob@Example.NET>
Sender: "Sam Sender" <sam@lists.example.org>
To: "alice@example.com" <alice@example.com>,
 Carol <carol@example.org>
Cc: board: dora@example.com, emil@example.com;
Subject: =?utf-8?q?Rechnung_47_f=C3=BCr?=
 Sie
X-Tier: Gold customer
X-Multi: one
X-Multi: two
Disposition-Notification-To: bob@example.net

Text.
'''


def five(make, whole, begin, end, inside, other='quite another'):
    """Rows of the five string operators: one that holds, one that does not."""
    return [
        (make('EQUALS', whole), YES), (make('EQUALS', other), NO),
        (make('EQUALS', other, whole), YES),
        (make('NOT_EQUALS', whole), NO), (make('NOT_EQUALS', other), YES),
        (make('NOT_EQUALS', other, whole), NO),
        (make('STARTS_WITH', begin), YES), (make('STARTS_WITH', other), NO),
        (make('ENDS_WITH', end), YES), (make('ENDS_WITH', other), NO),
        (make('CONTAINS', inside), YES), (make('CONTAINS', other), NO),
        (make('CONTAINS', other, inside), YES),
    ]


def unknown(make, value='x'):
    """No operator holds, neither does its negation."""
    return [(make(operator, value), UNKNOWN) for operator in (
        'EQUALS', 'NOT_EQUALS', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS')]


def absent(make):
    """Compared with an empty string."""
    return [(make('EQUALS', 'x'), NO), (make('NOT_EQUALS', 'x'), YES),
            (make('STARTS_WITH', 'x'), NO), (make('ENDS_WITH', 'x'), NO),
            (make('CONTAINS', 'x'), NO)]


ENVELOPE = ['--mail-from', 'Bounce@news.example.net', '--helo',
            'mx.Example.net', '--rcpt', 'alice+tag@Example.com']

STRINGS = [
    {'name': 'envelope', 'facts': ENVELOPE, 'message': LETTER, 'rows': [
        *five(of('MAIL_FROM'), 'bounce@NEWS.example.net', 'BOUNCE@',
              '.example.net', '@news.'),
        *five(of('HELO'), 'MX.example.NET', 'mx.', '.net', 'example'),
        *five(of('RECIPIENT'), 'ALICE+tag@example.com', 'alice+',
              '@example.com', '+TAG@'),
        # The sub-address is part of it.
        (string('RECIPIENT', 'EQUALS', 'alice@example.com'), NO),
    ]},
    {'name': 'header', 'message': LETTER, 'rows': [
        *five(of('SUBJECT'), 'rechnung 47 für SIE', 'Rech', ' sie', '47 f'),
        # Letters outside ASCII have no case here.
        (string('SUBJECT', 'CONTAINS', 'FÜR'), NO),
        *five(of('FROM'), 'bob@example.net', 'Böb B', 'EXAMPLE.net',
              'baumeister'),
        (string('FROM', 'EQUALS', 'Böb Baumeister <bob@example.net>'), YES),
        (string('FROM', 'STARTS_WITH', 'bob@'), YES),
        (string('FROM', 'ENDS_WITH', '>'), YES),
        *five(of('SENDER'), 'sam@lists.example.org', 'sam@',
              '@lists.example.org', 'Sam Sender'),
        *five(of('TO'), 'alice@example.com', 'carol@', 'example.org',
              'Carol <'),
        (string('TO', 'EQUALS', 'CAROL@example.org'), YES),
        (string('TO', 'NOT_EQUALS', 'carol@example.org'), NO),
        (string('TO', 'EQUALS', 'alice@example.com, carol@example.org'), NO),
        *five(of('CC'), 'emil@example.com', 'dora@', 'example.com', 'emil'),
        (string('CC', 'STARTS_WITH', 'board:'), YES),
        *five(of(mime('X-Tier')), 'gold customer', 'gold', 'CUSTOMER',
              'd c'),
        # Each instance is compared.
        (string(mime('X-Multi'), 'EQUALS', 'two'), YES),
        (string(mime('X-Multi'), 'NOT_EQUALS', 'two'), NO),
        (string(mime('X-Multi'), 'NOT_EQUALS', 'three'), YES),
        (string(mime('X-MULTI'), 'EQUALS', 'one'), YES),
    ]},
    {'name': 'no such field', 'message': 'X-Nothing: here\n\n', 'rows': [
        *absent(of('SUBJECT')), *absent(of('FROM')), *absent(of('SENDER')),
        *absent(of('TO')), *absent(of('CC')), *absent(of(mime('X-Tier')))]},
    {'name': 'null sender', 'facts': ['--mail-from', '<>'],
     'rows': absent(of('MAIL_FROM'))},
    {'name': 'not given', 'rows': [
        *unknown(of('MAIL_FROM')), *unknown(of('HELO')),
        *unknown(of(analysis('category'))),
        *unknown(of(certificate('CN')))]},
    {'name': 'certificate', 'facts': ['--cert-cn', 'mail.example.net'],
     'rows': [
         *five(of(certificate('CN')), 'MAIL.example.net', 'mail.', '.net',
               'example'),
         *unknown(of(certificate('SAN_RFC822_NAME'))),
         *unknown(of(certificate('SAN_DNS_NAME'))),
         *unknown(of(certificate('SAN_DIRECTORY_NAME'))),
         *unknown(of(certificate('SAN_UNIFORM_RESOURCE_IDENTIFIER'))),
         *unknown(of(certificate('SAN_IP_ADDRESS'))),
         *unknown(of(certificate('SAN_REGISTERED_ID'))),
         *unknown(of(certificate('SERIAL_NUMBER')))]},
    {'name': 'analysis', 'facts': [
        '--analysis', ANALYZER + '.category=Spam and scam',
        '--analysis', ANALYZER + '.addon.empty='],
     'rows': [
         *five(of(analysis('category')), 'spam and scam', 'spam', 'SCAM',
               ' and '),
         *absent(of(analysis('addon.empty'))),
         *unknown(of(analysis('another')))]},
    # A field that is not well-formed says nothing about who is not in it.
    {'name': 'malformed addresses',
     'message': 'To: alice@example.com, <carol@\n\n', 'rows': [
         (string('TO', 'EQUALS', 'alice@example.com'), YES),
         (string('TO', 'NOT_EQUALS', 'alice@example.com'), NO),
         (string('TO', 'CONTAINS', 'carol'), YES),
         (string('TO', 'EQUALS', 'dora@example.com'), UNKNOWN),
         (string('TO', 'NOT_EQUALS', 'dora@example.com'), UNKNOWN),
         (boolean(listed('TO'), 'IS_TRUE'), UNKNOWN),
         (boolean(listed('TO'), 'IS_FALSE'), UNKNOWN)],
     'list': ['dora@example.com']},
]

# 16 bytes of header with CRLF, and 84 of body.
HUNDRED = 'Subject: size\n\n' + 'x' * 81 + '\n'

NUMBERS = [{'name': 'size', 'message': HUNDRED, 'rows': [
    (number('EQUALS', 100), YES), (number('EQUALS', 100.5), NO),
    (number('NOT_EQUALS', 100), NO), (number('NOT_EQUALS', 99), YES),
    (number('LESS_THAN', 100), NO), (number('LESS_THAN', 100.5), YES),
    (number('GREATER_THAN', 100), NO), (number('GREATER_THAN', 99.5), YES),
    (number('LESS_THAN_OR_EQUAL', 100), YES),
    (number('LESS_THAN_OR_EQUAL', 99), NO),
    (number('GREATER_THAN_OR_EQUAL', 100), YES),
    (number('GREATER_THAN_OR_EQUAL', 101), NO)]}]

V4 = [
    (source('CIDR_MATCHES', '192.0.2.0/24'), YES),
    (source('CIDR_MATCHES', '198.51.100.0/24', '192.0.2.77/32'), YES),
    (source('CIDR_MATCHES', '192.0.2.76/32', '192.0.3.0/24'), NO),
    (source('CIDR_MATCHES', '0.0.0.0/0'), YES),
    # Bits of the host are no mistake.
    (source('CIDR_MATCHES', '192.0.2.99/24'), YES),
    (source('CIDR_MATCHES', '2001:db8::/32', '::/0'), NO),
    (source('NOT_CIDR_MATCHES', '192.0.2.0/24'), NO),
    (source('NOT_CIDR_MATCHES', '198.51.100.0/24', '192.0.2.0/24'), NO),
    (source('NOT_CIDR_MATCHES', '198.51.100.0/24'), YES),
    (source('NOT_CIDR_MATCHES', '2001:db8::/32'), YES)]

ADDRESSES = [
    {'name': 'client v4', 'facts': ['--client-ip', '192.0.2.77'],
     'rows': V4},
    {'name': 'client v4 in v6', 'facts': ['--client-ip',
                                          '::ffff:192.0.2.77'], 'rows': V4},
    {'name': 'client v6', 'facts': ['--client-ip', '2001:db8:0:1::7'],
     'rows': [
         (source('CIDR_MATCHES', '2001:db8::/32'), YES),
         (source('CIDR_MATCHES', '2001:db8:0:1::/64'), YES),
         (source('CIDR_MATCHES', '2001:db8:0:2::/64'), NO),
         (source('CIDR_MATCHES', '2001:db8:0:1::7/128'), YES),
         (source('CIDR_MATCHES', '0.0.0.0/0'), NO),
         (source('CIDR_MATCHES', '10.0.0.0/8', '2001:db8::/33'), YES),
         (source('NOT_CIDR_MATCHES', '2001:db8::/32'), NO),
         (source('NOT_CIDR_MATCHES', '2001:db9::/32'), YES)]},
    {'name': 'client not known', 'rows': [
        (source('CIDR_MATCHES', '0.0.0.0/0'), UNKNOWN),
        (source('NOT_CIDR_MATCHES', '0.0.0.0/0'), UNKNOWN)]},
]


def both(evaluate, answer):
    """A boolean and its negation."""
    opposite = {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[answer]
    return [(boolean(evaluate, 'IS_TRUE'), answer),
            (boolean(evaluate, 'IS_FALSE'), opposite)]


BOOLEANS = [
    {'name': 'receipt', 'message': LETTER,
     'rows': both('READ_RECEIPT_REQUESTED', YES)},
    {'name': 'no receipt', 'rows': both('READ_RECEIPT_REQUESTED', NO)},
    {'name': 'TLS 1.3', 'facts': ['--tls-version', 'TLSv1.3'],
     'rows': both('TLS', YES) + both('TLS_WRAPPED', NO)},
    {'name': 'TLS 1.0', 'facts': ['--tls-version', 'TLSv1'],
     'rows': both('TLS', YES) + both('TLS_WRAPPED', NO)},
    {'name': 'TLS first', 'facts': ['--tls-version', 'TLSv1.2',
                                    '--tls-wrapped'],
     'rows': both('TLS', YES) + both('TLS_WRAPPED', YES)},
    {'name': 'without TLS', 'facts': ['--tls-version', 'none'],
     'rows': both('TLS', NO) + both('TLS_WRAPPED', NO)},
    {'name': 'TLS not known',
     'rows': both('TLS', UNKNOWN) + both('TLS_WRAPPED', UNKNOWN)},
    {'name': 'analysis', 'facts': [
        '--analysis', ANALYZER + '.passed=TRUE',
        '--analysis', ANALYZER + '.listed=no',
        '--analysis', ANALYZER + '.odd=perhaps'],
     'rows': both(analysis('passed'), YES) + both(analysis('listed'), NO) +
        both(analysis('odd'), UNKNOWN) + both(analysis('other'), UNKNOWN)},
]

# Entries of an address list, who is in it, who is not.
FORMS = (
    ('address', 'Dora@Example.com', ('dora@example.com', 'DORA@EXAMPLE.COM'),
     ('dora+x@example.com', 'dora@sub.example.com', 'xdora@example.com')),
    ('any of a domain', '*@example.com', ('a@example.com', 'B@Example.Com',
                                          'a*b@example.com'),
     ('a@sub.example.com', 'a@example.com.net')),
    ('begin', 'sales*@example.com', ('sales@example.com',
                                     'sales-eu@example.com'),
     ('*@example.com', 'xsales@example.com', 'sale@example.com',
      'sales@example.org')),
    ('end', '*-team@example.com', ('mail-team@example.com',
                                   '-team@example.com'),
     ('mail-teams@example.com', 'team@example.com')),
    ('sub-domains of one', 'info@*.example.com',
     ('info@a.example.com', 'info@a.b.example.com'),
     ('info@example.com', 'x@a.example.com', 'info@aexample.com')),
    ('sub-domains', '*.example.com', ('x@a.example.com', 'y@b.c.example.com'),
     ('x@example.com', 'x@aexample.com')),
    ('domain', 'example.com', ('x@example.com', 'y@EXAMPLE.com',
                               '*@example.com'),
     ('x@a.example.com', 'x@xexample.com')),
)

LISTS = [
    {'name': 'in a list', 'message': LETTER, 'list': [
        'alice+tag@example.com', 'bounce@news.example.net',
        'sam@lists.example.org', 'bob@example.net', 'carol@example.org',
        'emil@example.com'], 'facts': ENVELOPE, 'rows': sum((
            both(listed(a), YES) for a in (
                'RECIPIENT', 'MAIL_FROM', 'SENDER', 'FROM', 'TO', 'CC')), [])},
    {'name': 'in no list', 'message': LETTER, 'list': [
        'alice@example.com.au', 'news.example.com'], 'facts': ENVELOPE,
     'rows': sum((both(listed(a), NO) for a in (
         'RECIPIENT', 'MAIL_FROM', 'SENDER', 'FROM', 'TO', 'CC')), [])},
    {'name': 'nobody to look up', 'message': 'X-Nothing: here\n\n',
     'list': ['a@example.com'], 'facts': ['--mail-from', '<>'],
     'rows': sum((both(listed(a), NO) for a in (
         'MAIL_FROM', 'SENDER', 'FROM', 'TO', 'CC')), [])},
    {'name': 'list, sender not known', 'list': ['a@example.com'],
     'rows': both(listed('MAIL_FROM'), UNKNOWN)},
    {'name': 'list not loaded', 'rows': sum((
        both(listed(a), UNKNOWN) for a in (
            'RECIPIENT', 'SENDER', 'FROM', 'TO', 'CC')), [])},
] + [
    {'name': 'form: ' + name, 'list': [entry, 'nobody@else.example'],
     'facts': ['--rcpt', address], 'rows': both(listed('RECIPIENT'), answer)}
    for name, entry, ins, outs in FORMS
    for answer, addresses in ((YES, ins), (NO, outs))
    for address in addresses
]

VERDICTS = ('PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED')

# Authentication-Results of mx.example.com, and what they mean.
RESULTS = (
    ('spf=pass; dkim=pass', 'PASS', 'PASS'),
    ('spf=fail; dkim=fail', 'FAIL', 'FAIL'),
    ('spf=softfail; dkim=policy', 'GRAY', 'GRAY'),
    ('spf=neutral; dkim=neutral', 'GRAY', 'GRAY'),
    ('spf=none; dkim=none', 'GRAY', 'GRAY'),
    ('spf=temperror; dkim=permerror', 'PROCESSING_FAILED',
     'PROCESSING_FAILED'),
    ('dkim=fail header.d=a.example; dkim=pass header.d=b.example',
     'PROCESSING_FAILED', 'PASS'),
    ('dkim=none; dkim=fail; spf=pass', 'PASS', 'FAIL'),
    ('dkim=temperror; dkim=fail', 'PROCESSING_FAILED', 'FAIL'),
    ('none', 'PROCESSING_FAILED', 'PROCESSING_FAILED'),
)


def verdicts(evaluate, is_one):
    rows = [(verdict(evaluate, 'EQUALS', is_one), YES),
            (verdict(evaluate, 'NOT_EQUALS', is_one), NO)]
    others = [v for v in VERDICTS if v != is_one]
    return rows + [(verdict(evaluate, 'EQUALS', *others), NO),
                   (verdict(evaluate, 'NOT_EQUALS', *others), YES),
                   (verdict(evaluate, 'EQUALS', is_one, others[0]), YES),
                   (verdict(evaluate, 'NOT_EQUALS', is_one, others[0]), NO)]


def policies(is_one):
    """Rows of a DMARC policy that is published; None: not known."""
    rows = []
    for p in ('NONE', 'QUARANTINE', 'REJECT'):
        same = p == is_one
        rows += [(dmarc('EQUALS', p), UNKNOWN if not is_one else
                  YES if same else NO),
                 (dmarc('NOT_EQUALS', p), UNKNOWN if not is_one else
                  NO if same else YES)]
    return rows


def results(text, authserv='mx.example.com'):
    return 'Authentication-Results: %s; %s\n%s' % (authserv, text, PLAIN)


ID = ['--authserv-id', 'MX.example.com']
DMARC = (
    ('dmarc=fail (p=reject dis=none) header.from=a.example', 'REJECT'),
    ('dmarc=pass (p=none dis=none) header.from=a.example', 'NONE'),
    ('dmarc=fail (policy=quarantine) header.from=a.example', 'QUARANTINE'),
    ('dmarc=fail policy.dmarc=quarantine header.from=a.example',
     'QUARANTINE'),
    ('dmarc=fail (p=none) policy.dmarc=reject', 'REJECT'),
    ('dmarc=pass header.from=a.example', None),
    ('spf=pass', None),
)

VERDICT_GROUPS = [
    {'name': text, 'message': results(text), 'facts': ID,
     'rows': verdicts('SPF', spf) + verdicts('DKIM', dkim)}
    for text, spf, dkim in RESULTS
] + [
    {'name': text, 'message': results(text), 'facts': ID,
     'rows': policies(policy)} for text, policy in DMARC
] + [
    {'name': 'without --authserv-id', 'message': results('spf=pass;dkim=pass;'
                                                         'dmarc=pass (p=none)'),
     'rows': verdicts('SPF', 'PROCESSING_FAILED') +
        verdicts('DKIM', 'PROCESSING_FAILED') + policies(None)},
    {'name': 'of somebody else', 'facts': ID,
     'message': results('spf=pass; dkim=pass', 'mx.example.com.evil.example'),
     'rows': verdicts('SPF', 'PROCESSING_FAILED')},
    {'name': 'of another message', 'facts': ID,
     'message': results('spf=pass', 'mx.example.com/4bXyz1'),
     'rows': verdicts('SPF', 'PROCESSING_FAILED')},
    {'name': 'below one of another message', 'facts': ID,
     'message': 'Authentication-Results: mx.example.com/4bXyz1; spf=none\n' +
        results('spf=pass; dkim=pass; dmarc=pass (p=none)'),
     'rows': verdicts('SPF', 'PROCESSING_FAILED') +
        verdicts('DKIM', 'PROCESSING_FAILED') + policies(None)},
    {'name': 'verdict of an analyzer', 'facts': [
        '--analysis', ANALYZER + '.verdict=fail'],
     'rows': verdicts(analysis('verdict'), 'FAIL') + [
         (verdict(analysis('other'), 'EQUALS', 'FAIL'), UNKNOWN),
         (verdict(analysis('other'), 'NOT_EQUALS', 'FAIL'), UNKNOWN)]},
]


SLOW = 'List-Id: ' + 'a' * 4000 + '\n\n'

EXTENSIONS = [
    {'name': 'any header', 'message':
     'List-Id: =?utf-8?q?Caf=C3=A9?= news <news.example.org>\n'
     'Precedence: bulk\nPrecedence: list\n\n', 'rows': [
         *five(any_header('List-ID'), 'café news <NEWS.example.org>', 'CAF',
               'org>', 'news'),
         (header('List-Id', 'MATCHES', '^caf.\\s+news', 'x'), YES),
         (header('List-Id', 'MATCHES', '^news'), NO),
         (header('List-Id', 'NOT_MATCHES', '^news'), YES),
         (header('List-Id', 'NOT_MATCHES', '^x', 'EXAMPLE\\.ORG>$'), NO),
         (header('Precedence', 'EQUALS', 'list'), YES),
         (header('Precedence', 'NOT_EQUALS', 'bulk'), NO),
         (header('Auto-Submitted', 'MATCHES', '^$'), YES),
         *absent(any_header('Auto-Submitted'))]},
    {'name': 'regex over its limits', 'message': SLOW, 'rows': [
        (header('List-Id', 'MATCHES', '^(a|aa)+[0-9]$'), UNKNOWN),
        (header('List-Id', 'NOT_MATCHES', '^(a|aa)+[0-9]$'), UNKNOWN)]},
    {'name': 'login', 'facts': ['--auth-user', 'Alice@example.com'],
     'rows': five(login, 'alice@EXAMPLE.com', 'ALICE', '.com', '@')},
    {'name': 'no login', 'rows': absent(login)},
]


def versions(minimum2, minimum3, is2, is3):
    return [(tls('MINIMUM_TLS_VERSION', 'TLS1_2'), minimum2),
            (tls('MINIMUM_TLS_VERSION', 'TLS1_3'), minimum3),
            (tls('IS', 'TLS1_2'), is2), (tls('IS', 'TLS1_3'), is3)]


TRAFFIC = [
    {'name': 'recipient', 'facts': ['--rcpt', 'alice+tag@Example.com'],
     'rows': five(recipient, 'ALICE+tag@example.com', 'alice+',
                  '@example.com', '+TAG@')},
    {'name': 'analysis', 'facts': ['--analysis', ANALYZER + '.listed=True'],
     'rows': [*five(of(analysis('listed')), 'true', 'tr', 'ue', 'ru'),
              *unknown(of(analysis('another'))),
              *both(analysis('listed'), YES),
              *both(analysis('another'), UNKNOWN)]},
    {'name': 'v4', 'facts': ['--client-ip', '192.0.2.77'], 'rows': [
        (sender('CIDR_MATCHES', '198.51.100.0/24', '192.0.2.0/24'), YES),
        (sender('CIDR_MATCHES', '198.51.100.0/24'), NO),
        (sender('NOT_CIDR_MATCHES', '198.51.100.0/24', '192.0.2.0/24'), NO),
        (sender('NOT_CIDR_MATCHES', '198.51.100.0/24'), YES),
        (sender6('CIDR_MATCHES', '::/0'), UNKNOWN),
        (sender6('NOT_CIDR_MATCHES', '::/0'), UNKNOWN)]},
    {'name': 'v6', 'facts': ['--client-ip', '2001:db8::7'], 'rows': [
        (sender6('CIDR_MATCHES', '2001:db9::/32', '2001:db8::/32'), YES),
        (sender6('CIDR_MATCHES', '2001:db9::/32'), NO),
        (sender6('NOT_CIDR_MATCHES', '2001:db8::/32'), NO),
        (sender6('NOT_CIDR_MATCHES', '2001:db9::/32'), YES),
        (sender('CIDR_MATCHES', '0.0.0.0/0'), UNKNOWN),
        (sender('NOT_CIDR_MATCHES', '0.0.0.0/0'), UNKNOWN)]},
    {'name': 'no client', 'rows': [
        (sender('CIDR_MATCHES', '0.0.0.0/0'), UNKNOWN),
        (sender('NOT_CIDR_MATCHES', '0.0.0.0/0'), UNKNOWN),
        (sender6('CIDR_MATCHES', '::/0'), UNKNOWN),
        (sender6('NOT_CIDR_MATCHES', '::/0'), UNKNOWN)]},
    {'name': 'TLS 1.3', 'facts': ['--tls-version', 'TLSv1.3'],
     'rows': versions(YES, YES, NO, YES)},
    {'name': 'TLS 1.2', 'facts': ['--tls-version', 'tlsv1.2'],
     'rows': versions(YES, NO, YES, NO)},
    {'name': 'TLS 1.1', 'facts': ['--tls-version', 'TLSv1.1'],
     'rows': versions(NO, NO, NO, NO)},
    {'name': 'without TLS', 'facts': ['--tls-version', 'none'],
     'rows': versions(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)},
    {'name': 'TLS not known',
     'rows': versions(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)},
    {'name': 'in a list', 'list': ['*@example.com'],
     'rows': both(listed('RECIPIENT'), YES)},
    {'name': 'in no list', 'list': ['*@example.org'],
     'rows': both(listed('RECIPIENT'), NO)},
    {'name': 'list not loaded', 'rows': both(listed('RECIPIENT'), UNKNOWN)},
]

GROUPS = STRINGS + NUMBERS + ADDRESSES + BOOLEANS + LISTS + VERDICT_GROUPS + \
    EXTENSIONS + [dict(g, name='traffic, ' + g['name'], traffic=True)
                  for g in TRAFFIC]

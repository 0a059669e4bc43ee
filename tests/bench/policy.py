#!/usr/bin/python3
"""policy - how many mails a second the policy engine judges, in Markdown.

	BENCH_RUNS=5	rounds; medians are shown
	BENCH_MAILS=10000	mails of 8 KB

40 rules of 10 conditions of 10 values. Nine conditions of each rule hold, by
their tenth value, and the last one does not: so all is evaluated and no rule
matches. One process with one thread; each mail is different. Reading the mail
and judging it are shown apart, by the CPU time of that process.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import measure                                              # noqa: E402

RULES, SIZE = 40, 8192
FILL = 'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do. '


def text(attribute, operator, holds, kind='Attribute'):
    """A condition whose tenth value decides; no value before it matches."""
    def make(i, fits):
        values = ['%s-%d-%d.invalid' % (holds[:6].strip(), i, k)
                  for k in range(9)]
        return {'StringExpression': {
            'Evaluate': {kind: attribute}, 'Operator': operator,
            'Values': values + [holds if fits else 'none of them']}}
    return make


def networks(i, fits):
    return {'IpExpression': {
        'Evaluate': {'Attribute': 'SOURCE_IP'}, 'Operator': 'CIDR_MATCHES',
        'Values': ['10.%d.%d.0/24' % (i, k) for k in range(9)] +
        ['192.0.2.0/24' if fits else '203.0.113.0/24']}}


CONDITIONS = (
    text('SUBJECT', 'CONTAINS', 'quarterly f\xfcr Sie'),
    text('FROM', 'ENDS_WITH', '@example.net'),
    text('TO', 'EQUALS', 'carol@example.com'),
    text('CC', 'CONTAINS', 'team@'),
    text('SENDER', 'STARTS_WITH', 'bounce+'),
    text('MAIL_FROM', 'ENDS_WITH', '@example.net'),
    text('RECIPIENT', 'EQUALS', 'sales@example.com'),
    text('HELO', 'EQUALS', 'mail.example.net'),
    text('X-Mailer', 'STARTS_WITH', 'Mailer ', 'MimeHeaderAttribute'),
    networks)


def rule_set():
    """Each rule ends with another condition, so that none is favoured."""
    rules = []
    for i in range(RULES):
        at = i % len(CONDITIONS)
        order = CONDITIONS[at:] + CONDITIONS[:at]
        rules.append({
            'Name': 'rule-%d' % i, 'Actions': [{'Drop': {}}],
            'Conditions': [make(i, k < len(order) - 1)
                           for k, make in enumerate(order)]})
    return {'RuleSetName': 'bench', 'Rules': rules}


def mail(r):
    word = '%08x' % r.getrandbits(32)
    head = [
        'Received: from relay%d.example.net (relay.example.net [192.0.2.%d])\r\n'
        '\tby mx.example.com (Postfix) with ESMTPS id %s\r\n'
        '\tfor <sales@example.com>; Sat, 1 Jun 2024 10:%02d:00 +0000 (UTC)' % (
            i, i, word, i) for i in range(4)]
    head += [
        'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net;\r\n'
        '\ts=s1; h=from:to:subject; bh=%s=;\r\n\tb=%s=' % (
            word * 5, '\r\n\t'.join([word * 8] * 5)),
        'Authentication-Results: mx.example.com; dkim=pass (2048-bit key)\r\n'
        '\theader.d=example.net header.i=@example.net; spf=pass\r\n'
        '\tsmtp.mailfrom=bob@example.net; dmarc=pass (p=reject dis=none)',
        'From: "Bob %s" <bob.%s@example.net>' % (word, word),
        'Sender: bounce+%s@example.net' % word,
        'To: =?utf-8?q?Verk=C3=A4ufe?= <sales@example.com>, '
        '"C. %s" <carol@example.com>,\r\n dave@example.org' % word,
        'Cc: Team %s <team@example.com>, erin@example.org' % word,
        'Subject: =?utf-8?q?quarterly_f=C3=BCr?= Sie =?utf-8?b?4oKs?= %s' % word,
        'Message-ID: <%s@example.net>' % word,
        'Date: Sat, 1 Jun 2024 10:00:00 +0000', 'MIME-Version: 1.0',
        'X-Mailer: Mailer 1.%d' % r.randrange(10),
        'Content-Type: text/plain; charset=utf-8']
    start = '\r\n'.join(head) + '\r\n\r\n'
    body = (FILL + word + '\r\n') * (SIZE // len(FILL))
    return (start + body)[:SIZE - 2] + '\r\n'


def mails(path, count):
    r = random.Random(1)
    with open(path, 'w', newline='') as f:
        for _ in range(count):
            one = mail(r)
            f.write('%d\n%s' % (len(one), one))


def figures(rates):
    return '%.0f (%.0f to %.0f)' % (statistics.median(rates), min(rates),
                                    max(rates))


def report(rounds, count):
    each = RULES * len(CONDITIONS)
    parse = [count / float(r[0]) for r in rounds]
    judge = [count / float(r[1]) for r in rounds]
    print('| | a second of one core, median (range) | microseconds each |')
    print('|---|---|---|')
    for title, rates in ('mails read', parse), ('mails judged', judge):
        print('| %s | %s | %.1f |' % (title, figures(rates),
                                      1e6 / statistics.median(rates)))
    print('\n%d mails of %d bytes, %d conditions each, %d rounds; '
          '`make bench-policy`\n' % (count, SIZE, each, len(rounds)))
    measure.goal('evaluations/s', statistics.median(judge), 20000)


def main():
    count = int(os.environ.get('BENCH_MAILS', 10000))
    with tempfile.TemporaryDirectory(prefix='bench.',
                                     dir=measure.BUILD) as where:
        with open(where + '/rules.json', 'w') as f:
            json.dump(rule_set(), f)
        mails(where + '/mails', count)
        said = subprocess.run(
            [measure.BUILD + '/tests/bench/policy', f.name, where + '/mails',
             os.environ.get('BENCH_RUNS', '5')], check=True, text=True,
            stdout=subprocess.PIPE).stdout
    rounds = [line.split() for line in said.splitlines()]
    for r in rounds:
        if int(r[2]) != count * RULES * len(CONDITIONS):
            raise SystemExit('%s conditions were evaluated, expected %d' % (
                r[2], count * RULES * len(CONDITIONS)))
    report(rounds, count)


if __name__ == '__main__':
    main()

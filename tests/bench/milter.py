#!/usr/bin/python3
"""milter - what the milter costs a Postfix, in Markdown.

	BENCH_RUNS=20	rounds; every row once a round
	BENCH_MAILS=1	times the messages of a run
	BENCH_CELLS=REGEX	only these, "4 KB, 10 sessions" for example

smtp-source sends to a private Postfix that throws everything away. The rows: no
milter, one that reads whole messages and adds a header (nullmilter.c),
OpenDKIM that verifies, and ours with a traffic policy and 40 rules of three
conditions, two of which hold. Ratios are to the row without a milter of the
same round; their median, with the interval that has the true median with 95 %.
CPU is of the milter's process. The end of a message is timed by a client of
its own that sends one after the other, from the last dot to the answer.

As root; needs Postfix and OpenDKIM.
"""

import os
import re
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + '/../milter']

import measure                                              # noqa: E402
import openers                                              # noqa: E402
import stage                                                # noqa: E402
from filter import Filter                                   # noqa: E402
from postfix import Postfix                                 # noqa: E402

SENDER, RECIPIENT = 'bob@example.net', 'alice@null.example'
NULL, OURS = 'do-nothing milter', 'fallbackmx-milter, 40 rules'
ROWS = ('no milter', NULL, 'OpenDKIM, verifying', OURS)
# bytes, sessions, messages
CELLS = ((4096, 1, 400), (4096, 10, 1600), (4096, 50, 1600),
         (102400, 1, 150), (102400, 10, 500), (102400, 50, 500))
ENDS = 100      # messages whose end is timed, in each round


def text(attribute, operator, *values):
    return {'StringExpression': {'Evaluate': {'Attribute': attribute},
                                 'Operator': operator,
                                 'Values': list(values)}}


def documents():
    """All that can be evaluated is, and nothing matches."""
    rules = [{'Name': 'rule-%d' % i, 'Conditions': [
        text('FROM', 'CONTAINS', 'none', 'example'),
        text('RECIPIENT', 'ENDS_WITH', '@none.example', '@null.example'),
        text('SUBJECT', 'CONTAINS', 'none-%d' % i, 'such-%d' % i)],
        'Actions': [{'Drop': {}}]} for i in range(40)]
    return {
        'rules.json': {'RuleSetName': 'bench', 'Rules': rules},
        'traffic.json': {
            'TrafficPolicyName': 'bench', 'DefaultAction': 'DENY',
            'PolicyStatements': [{'Action': 'ALLOW', 'Conditions': [
                text('RECIPIENT', 'ENDS_WITH', '@null.example')]}]}}


class Row:
    """A listener of Postfix and the milter behind it."""

    def __init__(self, title, postfix, listener, child):
        self.title, self.postfix, self.listener = title, postfix, listener
        self.child, self.rates, self.cpu, self.ends = child, {}, {}, []

    def used(self):
        """Seconds of CPU of the milter, to the nanosecond."""
        if self.child is None:
            return 0
        return time.clock_gettime(((~self.child.pid) << 3) | 2)

    def run(self, cell, factor):
        size, sessions, count = cell[0], cell[1], int(cell[2] * factor)
        self.postfix.idle()
        before, began = self.used(), time.monotonic()
        done = subprocess.run(
            ['smtp-source', '-s', str(sessions), '-m', str(count), '-l',
             str(size), '-f', SENDER, '-t', RECIPIENT, '127.0.0.1:%d' %
             self.postfix.ports[self.listener]], stdin=subprocess.DEVNULL)
        seconds = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit('%s: smtp-source ends with %d' % (
                self.title, done.returncode))
        self.rates.setdefault(cell, []).append(count / seconds)
        self.cpu.setdefault(cell, []).append(
            (self.used() - before) * 1000 / count)

    def time_ends(self):
        """From the dot to the answer."""
        self.postfix.idle()
        mail = b'Subject: x\r\n\r\n' + b'x' * 70 + b'\r\n'
        with self.postfix.client(self.listener) as c:
            c.sure('EHLO client.example.net')
            for _ in range(ENDS):
                c.sure('MAIL FROM:<%s>' % SENDER)
                c.sure('RCPT TO:<%s>' % RECIPIENT)
                c.sure('DATA')
                c.send(mail)
                began = time.monotonic()
                c.sure('.', 250)
                self.ends.append((time.monotonic() - began) * 1000)


def interval(values):
    """The median, and the order statistics around it that have the true one
    with at least 95 %."""
    values, n = sorted(values), len(values)
    below, k, chance = 0.5 ** n, 0, 0.5 ** n
    while chance <= 0.025 and k < n // 2:
        k += 1
        below = below * (n - k + 1) / k
        chance += below
    k = max(k - 1, 0)
    return statistics.median(values), values[k], values[n - 1 - k]


def shown(found):
    return '%.2f (%.2f to %.2f)' % found


def named(cell):
    return '%d KB, %d session%s' % (cell[0] // 1024, cell[1],
                                    's' if cell[1] > 1 else '')


def rows(place):
    files = documents()
    ours = Filter(place, files=files, log='text', trusted_networks=[],
                  ingress_points=[{
                      'name': 'inbound',
                      'rule_set': place.path('filter/rules.json'),
                      'traffic_policy': place.path('filter/traffic.json')}])
    null = place.path('null.sock')
    child = openers.started(place, 'null', [
        measure.BUILD + '/tests/bench/nullmilter', 'unix:' + null], null)
    dkim = openers.OpenDKIM(place)
    milters = (('', None), ('unix:' + null, child), (dkim.socket, dkim.child),
               (ours.socket, ours.child))
    postfix = Postfix(place, listeners={
        'mx%d' % i if i else 'mx': {'smtpd_milters': socket}
        for i, (socket, _) in enumerate(milters)})
    return [Row(title, postfix, 'mx%d' % i if i else 'mx', milters[i][1])
            for i, title in enumerate(ROWS)], ours


def rounds(table, cells, runs, factor):
    """The row that begins is another one each round."""
    for i in range(runs):
        for cell in cells:
            for k in range(len(table)):
                table[(i + k) % len(table)].run(cell, factor)
        for k in range(len(table)):
            table[(i + k) % len(table)].time_ends()
        print('round %d: %s' % (i + 1, ', '.join('%s %.0f/s' % (
            r.title, r.rates[cells[0]][-1]) for r in table)), file=sys.stderr)


def ratios(row, other, cell):
    return interval([a / b for a, b in zip(row.rates[cell],
                                           other.rates[cell])])


def report(table, cells, runs):
    bare, null, ours = table[0], table[1], table[-1]
    print('| | messages/s | to no milter | to the do-nothing milter '
          '| CPU, ms a message |')
    print('|---|---|---|---|---|')
    for cell in cells:
        for row in table:
            print('| %s: %s | %.0f | %s | %s | %s |' % (
                named(cell), row.title, statistics.median(row.rates[cell]),
                shown(ratios(row, bare, cell)),
                shown(ratios(row, null, cell)),
                '%.3f' % statistics.median(row.cpu[cell]) if row.child
                else '-'))
    print('\n| | end of a message, median, ms | p99, ms |')
    print('|---|---|---|')
    for row in table:
        ends = sorted(row.ends)
        print('| %s | %.2f | %.2f |' % (
            row.title, statistics.median(ends), ends[len(ends) * 99 // 100]))
    print('\n%d rounds; `make bench-milter`\n' % runs)
    for cell in cells:
        measure.goal('%s: messages/s to the do-nothing milter' % named(cell),
                     ratios(ours, null, cell)[0], 0.95)
        measure.goal('%s: CPU above the do-nothing milter, ms a message' %
                     named(cell), statistics.median(
                         a - b for a, b in zip(ours.cpu[cell],
                                               null.cpu[cell])), 0.15, True)


def main():
    why = stage.why_not('opendkim', 'openssl', 'smtp-source')
    if why:
        raise SystemExit('bench-milter: ' + why)
    only = re.compile(os.environ.get('BENCH_CELLS', ''))
    cells = [c for c in CELLS if only.search(named(c))]
    runs = int(os.environ.get('BENCH_RUNS', 20))
    with stage.Place() as place:
        table, ours = rows(place)
        for row in table:       # once, for what happens the first time only
            row.time_ends()
            row.ends.clear()
        rounds(table, cells, runs, float(os.environ.get('BENCH_MAILS', 1)))
        report(table, cells, runs)
        said = ours.tell('status')
        print('\n'.join(x for x in said[1].splitlines() if 'eom' in x))


if __name__ == '__main__':
    main()

"""rate - how many messages a second a Postfix takes: what bench-milter and
bench-archive share. smtp-source sends to a private Postfix; ratios are of one
round, and their median comes with the interval that has the true median with
95 %.
"""

import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + '/../milter']

import measure                                              # noqa: E402
import stage                                                # noqa: E402

TICK = os.sysconf('SC_CLK_TCK')
SENDER, RECIPIENT = 'bob@example.net', 'alice@null.example'
ENDS = 100      # messages whose end is timed, in each round


def process_cpu(pid):
    """Seconds, to the nanosecond; 0: it has gone this moment."""
    try:
        return time.clock_gettime(((~pid) << 3) | 2)
    except OSError:
        return 0


def text(attribute, operator, *values):
    return {'StringExpression': {'Evaluate': {'Attribute': attribute},
                                 'Operator': operator,
                                 'Values': list(values)}}


def documents(traffic='DENY'):
    """All that can be evaluated is, and nothing matches. traffic: what becomes
    of other recipients."""
    rules = [{'Name': 'rule-%d' % i, 'Conditions': [
        text('FROM', 'CONTAINS', 'none', 'example'),
        text('RECIPIENT', 'ENDS_WITH', '@none.example', '@null.example'),
        text('SUBJECT', 'CONTAINS', 'none-%d' % i, 'such-%d' % i)],
        'Actions': [{'Drop': {}}]} for i in range(40)]
    return {
        'rules.json': {'RuleSetName': 'bench', 'Rules': rules},
        'traffic.json': {
            'TrafficPolicyName': 'bench', 'DefaultAction': traffic,
            'PolicyStatements': [{'Action': 'ALLOW', 'Conditions': [
                text('RECIPIENT', 'ENDS_WITH', '@null.example')]}]}}


def settings(place, name):
    """Of our milter, which finds documents() in its directory."""
    return {'log': 'text', 'trusted_networks': [], 'ingress_points': [{
        'name': 'inbound', 'rule_set': place.path(name, 'rules.json'),
        'traffic_policy': place.path(name, 'traffic.json')}]}


class Row:
    """A listener of Postfix and the milter behind it, or None."""

    def __init__(self, title, postfix, listener, child):
        self.title, self.postfix, self.listener = title, postfix, listener
        self.child, self.ends, self.sent = child, [], 0
        # By cell: messages/s until all are accepted, until all are delivered;
        # ms of CPU a message, of the milter, of it and Postfix.
        self.rates, self.through, self.cpu, self.all_cpu = {}, {}, {}, {}

    def used(self):
        """Seconds of CPU of the milter."""
        return process_cpu(self.child.pid) if self.child else 0

    def used_by_all(self):
        """The same with all processes of Postfix, those that ended, too."""
        master = self.postfix.master.pid
        words = stage.text('/proc/%d/stat' % master).rsplit(')', 1)[1].split()
        return self.used() + sum(map(int, words[13:15])) / TICK + sum(
            map(process_cpu, measure.family(master)))

    def run(self, cell, factor):
        size, sessions, count = cell[0], cell[1], int(cell[2] * factor)
        self.postfix.idle()
        before, of_all = self.used(), self.used_by_all()
        began = time.monotonic()
        done = subprocess.run(
            ['smtp-source', '-s', str(sessions), '-m', str(count), '-l',
             str(size), '-f', SENDER, '-t', RECIPIENT, '127.0.0.1:%d' %
             self.postfix.ports[self.listener]], stdin=subprocess.DEVNULL)
        seconds = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit('%s: smtp-source ends with %d' % (
                self.title, done.returncode))
        self.sent += count
        self.rates.setdefault(cell, []).append(count / seconds)
        self.cpu.setdefault(cell, []).append(
            (self.used() - before) * 1000 / count)
        if not self.postfix.idle():
            raise SystemExit('%s: Postfix does not deliver' % self.title)
        self.through.setdefault(cell, []).append(
            count / (time.monotonic() - began))
        self.all_cpu.setdefault(cell, []).append(
            (self.used_by_all() - of_all) * 1000 / count)

    def time_ends(self):
        """From the dot to the answer."""
        self.postfix.idle()
        mail = b'Subject: x\r\n\r\n' + b'x' * 70 + b'\r\n'
        with self.postfix.client(self.listener) as c:
            c.sure('EHLO client.example.net')
            for i in range(ENDS):
                c.sure('MAIL FROM:<%s>' % SENDER)
                c.sure('RCPT TO:<%s>' % RECIPIENT)
                c.sure('DATA')
                c.send(b'Message-ID: <%d.%d@x>\r\n' % (self.sent, i) + mail)
                began = time.monotonic()
                c.sure('.', 250)
                self.ends.append((time.monotonic() - began) * 1000)
        self.sent += ENDS

    def warm(self):
        """Once, for what happens the first time only."""
        self.time_ends()
        self.ends.clear()


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


def chosen(cells, default=''):
    """Those that BENCH_CELLS names."""
    only = re.compile(os.environ.get('BENCH_CELLS', default))
    return [c for c in cells if only.search(named(c))]


def factor():
    return float(os.environ.get('BENCH_MAILS', 1))


def rounds(table, cells, runs):
    """The row that begins is another one each round."""
    for i in range(runs):
        for cell in cells:
            for k in range(len(table)):
                table[(i + k) % len(table)].run(cell, factor())
        for k in range(len(table)):
            table[(i + k) % len(table)].time_ends()
        print('round %d: %s' % (i + 1, ', '.join('%s %.0f/s' % (
            r.title, r.rates[cells[0]][-1]) for r in table)), file=sys.stderr)


def ratios(row, other, cell, what='rates'):
    """Of each round; what: which of a row's figures."""
    return interval([a / b for a, b in zip(getattr(row, what)[cell],
                                           getattr(other, what)[cell])])


def cpu(row, cell):
    return '%.3f' % statistics.median(row.cpu[cell]) if row.child else '-'


def report_ends(table):
    print('\n| | end of a message, median, ms | p99, ms |')
    print('|---|---|---|')
    for row in table:
        ends = sorted(row.ends)
        print('| %s | %.2f | %.2f |' % (
            row.title, statistics.median(ends), ends[len(ends) * 99 // 100]))

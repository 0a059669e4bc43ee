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
import statistics
import sys

sys.dont_write_bytecode = True

import rate                                                 # noqa: E402
import measure                                              # noqa: E402
import openers                                              # noqa: E402
import stage                                                # noqa: E402
from filter import Filter                                   # noqa: E402
from postfix import Postfix                                 # noqa: E402
from rate import Row, named, ratios, shown                  # noqa: E402

NULL, OURS = 'do-nothing milter', 'fallbackmx-milter, 40 rules'
ROWS = ('no milter', NULL, 'OpenDKIM, verifying', OURS)
# bytes, sessions, messages
CELLS = ((4096, 1, 400), (4096, 10, 1600), (4096, 50, 1600),
         (102400, 1, 150), (102400, 10, 500), (102400, 50, 500))


def rows(place):
    ours = Filter(place, files=rate.documents(),
                  **rate.settings(place, 'filter'))
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
                shown(ratios(row, null, cell)), rate.cpu(row, cell)))
    rate.report_ends(table)
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
    cells = rate.chosen(CELLS)
    runs = int(os.environ.get('BENCH_RUNS', 20))
    with stage.Place() as place:
        table, ours = rows(place)
        for row in table:
            row.warm()
        rate.rounds(table, cells, runs)
        report(table, cells, runs)
        said = ours.tell('status')
        print('\n'.join(x for x in said[1].splitlines() if 'eom' in x))


if __name__ == '__main__':
    main()

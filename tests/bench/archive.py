#!/usr/bin/python3
"""archive - what it costs to archive all mail, in Markdown.

	BENCH_RUNS=9	rounds; every row once a round
	BENCH_MAILS=1	times the messages of a run
	BENCH_CELLS=REGEX	only these; default: sessions ("1 session" too:
			.)
	BENCH_PARTS=REGEX	only these of rate, size, list
	BENCH_KEPT=10000	messages whose size on disk is looked at
	BENCH_LISTED=100000	messages in the archive that is listed
	BENCH_DIR=DIR	where (default: /var/tmp); a real disk

rate: smtp-source sends to a private Postfix that throws everything away. The
rows: no milter, ours without an archive, ours that archives all mail
(archive.default), and always_bcc into a Maildir, without a milter and with
ours. Ours has a traffic policy and 40 rules in all. Queues, archives and
Maildirs are on one disk. All of it a second time with 5 ms more for each flush
of Postfix and of ours (slowflush.c). A message is accepted when it was
answered; always_bcc's copy is there later, when Postfix has delivered it:
delivered/s goes until the queue is empty, and is what always_bcc is compared
by. Ratios are of one round; their median, with the interval that has the true
median with 95 %. CPU is of all processes of Postfix and the milter, and of the
milter alone; it tells more than the rates when something else runs.

size, list: kept.py.

As root; needs Postfix, and zstd for size.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from statistics import median

sys.dont_write_bytecode = True

import rate                                                 # noqa: E402
import measure                                              # noqa: E402
import stage                                                # noqa: E402
import kept                                                 # noqa: E402
from filter import CLIENT, Filter                           # noqa: E402
from postfix import Postfix, default                        # noqa: E402
from rate import Row, named, ratios, shown                  # noqa: E402

ROWS = ('no milter', 'archive off', 'archive on', 'always_bcc',
        'archive off and always_bcc')
# bytes, sessions, messages
CELLS = ((4096, 1, 300), (4096, 10, 1500), (4096, 50, 1500))
FLUSHES = ('as it is', '+5 ms')


class Side:
    """A Postfix, two milters and what they share: whether flushes are slow."""

    def __init__(self, place, flush, shim):
        self.place, self.flush = place, flush
        self.name = 'slow' if shim else 'fast'
        self.environment = {'LD_PRELOAD': shim} if shim else {}
        self.archives = place.folder(self.name + '-archives', stage.NOBODY,
                                     0o700)
        off = self.milter('off')
        on = self.milter('on', archive={
            'directory': self.archives, 'default': 'all'})
        self.postfix = Postfix(
            place, self.name, listeners={
                'off': {'smtpd_milters': off.socket},
                'on': {'smtpd_milters': on.socket},
                'bcc': {'cleanup_service_name': 'copy'},
                'both': {'cleanup_service_name': 'copy',
                         'smtpd_milters': off.socket}},
            services='copy unix n - n - 0 cleanup\n'
                     '    -o always_bcc=copy@kept.example\n',
            import_environment=' '.join([default('import_environment'), *(
                '%s=%s' % p for p in self.environment.items())]))
        self.rows = [Row(title, self.postfix, listener, child)
                     for title, listener, child in zip(
                         ROWS, ('mx', 'off', 'on', 'bcc', 'both'),
                         (None, off.child, on.child, None, off.child))]

    def milter(self, word, **settings):
        name = '%s-%s' % (self.name, word)
        return Filter(self.place, name, files=rate.documents(),
                      environment=self.environment,
                      **rate.settings(self.place, name), **settings)

    def look(self):
        """All of it flushes as it is said to."""
        for pid in measure.family(self.postfix.master.pid)[1:] + [
                self.rows[1].child.pid, self.rows[2].child.pid]:
            slow = 'slowflush' in stage.text('/proc/%d/maps' % pid)
            if slow != bool(self.environment):
                raise SystemExit('process %d: slow flushes: %s' % (pid, slow))

    def count(self):
        """Every message has its copy."""
        self.postfix.idle()
        said = subprocess.run(
            [CLIENT, 'archive', 'stats', '--json', '--archive', self.archives],
            check=True, stdout=subprocess.PIPE)
        there = json.loads(said.stdout)
        print(there, file=sys.stderr)
        for copies, rows in (
                (there['messages'] + there['again'], self.rows[2:3]),
                (len(os.listdir(self.postfix.maildir + '/new')),
                 self.rows[3:])):
            sent = sum(r.sent for r in rows)
            if copies != sent:
                raise SystemExit('%d copies of %d' % (copies, sent))


def report(sides, cells, runs):
    print('| flush | | accepted/s | to no milter | to archive off '
          '| delivered/s | to always_bcc | CPU, ms a message: all '
          '| the milter |')
    print('|---|---|---|---|---|---|---|---|---|')
    for side in sides:
        bare, off, _, bcc, _ = side.rows
        for cell in cells:
            for row in side.rows:
                print('| %s | %s: %s | %.0f | %s | %s | %.0f | %s | %.2f '
                      '| %s |' % (
                          side.flush, named(cell), row.title,
                          median(row.rates[cell]),
                          shown(ratios(row, bare, cell)),
                          shown(ratios(row, off, cell)),
                          median(row.through[cell]),
                          shown(ratios(row, bcc, cell, 'through')),
                          median(row.all_cpu[cell]), rate.cpu(row, cell)))
    for side in sides:
        print('\nFlushes %s:' % side.flush)
        rate.report_ends(side.rows)
    print('\n%d rounds; `make bench-archive`\n' % runs)


def goals(sides, cells):
    for side in sides:
        _, off, on, bcc, both = side.rows
        for cell in cells:
            where = '%s, flushes %s' % (named(cell), side.flush)
            measure.goal(where + ': accepted/s to archive off',
                         ratios(on, off, cell)[0], 0.9)
            to_bcc = ratios(on, bcc, cell, 'through')
            measure.goal(where + ': delivered/s to always_bcc, lower end',
                         to_bcc[1], 1)
            measure.goal(where + ': delivered/s to the milter and always_bcc, '
                         'lower end', ratios(on, both, cell, 'through')[1], 1)
            if side.environment and cell[1] == 50:
                measure.goal(where + ': delivered/s to always_bcc',
                             to_bcc[0], 3)


def rates(place):
    shim = shutil.copy(measure.BUILD + '/tests/bench/slowflush.so', place.dir)
    os.chmod(shim, 0o755)
    cells = rate.chosen(CELLS, 'sessions')
    runs = int(os.environ.get('BENCH_RUNS', 9))
    sides = [Side(place, flush, shim if i else None)
             for i, flush in enumerate(FLUSHES)]
    table = [row for pair in zip(*(s.rows for s in sides)) for row in pair]
    for row in table:
        row.warm()
    for side in sides:
        side.look()
    rate.rounds(table, cells, runs)
    for side in sides:
        side.look()
        side.count()
    report(sides, cells, runs)
    goals(sides, cells)


def main():
    why = stage.why_not('openssl', 'smtp-source', 'zstd')
    if why:
        raise SystemExit('bench-archive: ' + why)
    only = re.compile(os.environ.get('BENCH_PARTS', ''))
    where = os.environ.get('BENCH_DIR', '/var/tmp')
    kind = subprocess.run(['stat', '-f', '-c', '%T', where], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()
    if kind == 'tmpfs':
        raise SystemExit('bench-archive: %s is a tmpfs: expected a disk, '
                         'BENCH_DIR names a directory on one' % where)
    for name, part in (('rate', rates), ('size', kept.size),
                       ('list', kept.latency)):
        if only.search(name):
            with stage.Place(where) as place:
                part(place)
            print(flush=True)


if __name__ == '__main__':
    main()

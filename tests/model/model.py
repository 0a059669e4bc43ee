#!/usr/bin/python3
"""The protocol and its weaker variants, each searched exhaustively.

The shipped protocol must break no rule of protocol.py in any world. Each
weaker variant must break those named in its row: a model that cannot see
proves nothing.

  model.py            the table; MODEL_LONG=1: more crashes, bigger worlds
  model.py TEXT       only rows with TEXT in them, with the shortest way there
"""

import os
import sys
import time

from protocol import BATCH, COMMITS, RECOVER, SYNCS, Model, Protocol, World


def moved(order, name, after):
    order = [step for step in order if step != name]
    order.insert(order.index(after) + 1, name)
    return order


def weaker(one, two, reput, pair, wiped, race, lost):
    """(world, weaker protocol, the violations that must be found)"""
    p = Protocol
    early = moved(moved(BATCH, 'done', 'rename'), 'new-sync', 'done')
    late_sync = moved(RECOVER, 'settle-sync', 'settle-done')
    yield one, p('rename and remove, no sync', SYNCS + COMMITS), \
        'LOSS DUP CORRUPT'
    yield one, p('+ file sync', SYNCS[1:] + COMMITS), 'LOSS DUP'
    yield one, p('+ directory sync, no ledger', COMMITS), 'DUP'
    yield one, p('INTENT after the rename',
                 order=moved(BATCH, 'intent', 'rename')), 'DUP'
    yield one, p('search by name, no witness', witness='search'), 'DUP'
    for w in one, pair:
        yield w, p('no stage-sync', SYNCS[:2]), 'LOSS CORRUPT'
        yield w, p('stage-sync of stage/ only', SYNCS[:1]), 'CORRUPT'
        yield w, p('stage-sync of the file only', SYNCS[1:2]), 'LOSS'
        yield w, p('no new-sync', ['new-sync']), 'LOSS'
        yield w, p('recovery without sync', ['settle-sync']), 'LOSS'
        yield w, p('no INTENT commit', ['intent']), 'DUP'
        yield w, p('no DONE commit', ['done']), 'UNRECORDED'
        yield w, p('no DONE in recovery', ['settle-done']), 'UNRECORDED'
        yield w, p('ledger without sync', ledger_sync=False), 'DUP'
    yield one, p('INTENT before stage-sync',
                 order=moved(BATCH, 'intent', 'write')), 'LOSS'
    yield one, p('INTENT before the file is written',
                 order=moved(BATCH, 'intent', 'create')), 'CORRUPT'
    yield one, p('DONE before new-sync', order=early), 'LOSS'
    yield one, p('removal before DONE',
                 order=moved(BATCH, 'done', 'remove')), 'UNRECORDED'
    yield one, p('removal before new-sync',
                 order=moved(BATCH, 'new-sync', 'remove')), 'LOSS'
    yield one, p('DONE before the sync in recovery', recover=late_sync), 'LOSS'
    yield one, p('recovery drops INTENT files too', drop_all=True,
                 recover=['drop'] + RECOVER[:-1]), 'LOSS'
    yield one, p('a sweeper takes stage files', sweeper=True), 'LOSS'
    yield two, p('removal once any mailbox has it', gate=any), 'LOSS'
    yield reput, p('unconditional removal', conditional=False), 'LOSS'
    yield race, p('no lock', lock=False), 'LOSS'
    yield wiped, p('mark not looked at', believe_mark=True), 'LOSS'
    yield wiped, p('new mark before the reset',
                   recover=moved(RECOVER, 'mark', 'find')), 'LOSS'
    yield lost, p('adoption without sync', adopt_sync=False), 'LOSS'
    yield wiped, p('INTENT kept, stage file rewritten', reset=False), 'CORRUPT'


def trace(parent, state):
    """The shortest way to a state, one move a line."""
    labels = []
    while parent[state] is not None:
        state, label = parent[state]
        labels.append('    %s\n' % label)
    return ''.join(reversed(labels))


def table(long):
    one = World('one', crashes=5 if long else 3)
    two = World('two mailboxes', mailboxes=2, refuses=True)
    reput = World('re-put', keys='aa', crashes=4 if long else 2)
    pair = World('batch of two', keys='ab', batch=2, crashes=3 if long else 2)
    race = World('two importers', importers=2, crashes=3 if long else 2)
    wiped = World('stage removed', wipe=True, crashes=4 if long else 2)
    lost = World('ledger lost', lose=True, crashes=3)
    worlds = [one, two, reput, pair, race]
    if long:
        worlds += [
            World('three objects', keys='abc', batch=2),
            World('three in a batch', keys='abc', batch=3),
            World('two mailboxes, re-put', keys='aa', mailboxes=2),
            World('two mailboxes, batch', keys='ab', mailboxes=2, batch=2),
            World('two importers, re-put', keys='aa', importers=2)]
    yield from ((world, Protocol('SHIPPED'), '') for world in worlds)
    # Where the stage directory or the ledger is gone nothing tells for sure
    # what was delivered: a second copy is the lesser evil, and still nothing
    # is lost.
    yield wiped, Protocol('SHIPPED'), 'DUP'
    yield lost, Protocol('SHIPPED'), 'DUP'
    yield from weaker(one, two, reput, pair, wiped, race, lost)


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ''
    count, failed, began = 0, 0, time.monotonic()
    print('%-34s %-22s %8s  %s' % ('protocol', 'world', 'states', 'found'))
    for world, proto, expected in table(os.environ.get('MODEL_LONG')):
        if wanted not in proto.name:
            continue
        parent, found = Model(world, proto).explore()
        must = set(expected.split())
        good = must <= set(found)
        if proto.name == 'SHIPPED':
            good = must == set(found)
        count, failed = count + 1, failed + (not good)
        print('%-34s %-22s %8d  %s%s' % (
            proto.name, world.name, len(parent),
            ' '.join(sorted(found)) or 'none',
            '' if good else ' (WRONG: not %s)' % (expected or 'none')))
        for kind, state in found.items() if wanted or not good else ():
            print('  to %s:\n%s' % (kind, trace(parent, state)), end='')
        sys.stdout.flush()
    print('%.1f s' % (time.monotonic() - began))
    print('%d passed, %d failed, 0 skipped' % (count - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())

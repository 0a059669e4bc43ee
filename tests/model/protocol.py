"""The import protocol as a state machine, and the search through it.

Every state that a run can reach is visited, breadth first: each next step of
the importer, a user who files or deletes a mail at any instant, a sender who
replaces the object, a kill at any instant, and a power cut that keeps any
prefix of what was not yet synced and turns unsynced data into garbage.

After every move these must hold, in every state that a power cut could leave:
  LOSS        an object that was removed has a good copy in each mailbox
  DUP         no mailbox was ever given two copies of one object
  CORRUPT     no half or garbage copy was ever visible
  UNRECORDED  the ledger says DONE for every object that was removed
  STUCK       undisturbed runs bring every object home
"""

import collections
import itertools

# One run: recovery, then these per batch. Both halves of stage-sync apart.
RECOVER = 'find adopt settle-sync settle-done mark drop'.split()
BATCH = ('create write stage-data stage-dir intent rename new-sync done '
         'remove').split()
SYNCS = ('stage-data', 'stage-dir', 'settle-sync', 'new-sync')
COMMITS = ('settle-done', 'intent', 'done')

State = collections.namedtuple('State', 'bucket ledger disks imps crashes')
# bucket   per object: f not yet there, p present, r removed, o overwritten
# ledger   possible contents after a cut, newest last; a char per delivery:
#          N new, I INTENT, D DONE
# disks    per mailbox: possible contents after a cut, newest last; a disk is
#          the mark (+ or -) and per object (stage file, copies made). Data is
#          - none, h half written, u unsynced, s synced, g garbage; a copy is
#          its place (n new, c cur, x deleted) and its data
# imps     per importer: (step, memory), step -1 = not running. Memory per
#          delivery: . not ours, N to stage, s staged, x failed, I INTENT
#          found, R delivered by an earlier run, A found in the Maildir and
#          nowhere else, Q to be begun anew, D done
IDLE = (-1, '')

# What is there: objects as a string of keys (equal ones: re-put), and so on.
World = collections.namedtuple(
    'World', 'name keys mailboxes importers batch crashes wipe refuses lose',
    defaults=('a', 1, 1, 1, 2, False, False, False))

# The shipped rules; a weaker variant changes some of them.
Protocol = collections.namedtuple(
    'Protocol', 'name without order recover witness ledger_sync conditional '
    'lock gate sweeper believe_mark reset drop_all adopt_sync',
    defaults=((), BATCH, RECOVER, 'stage', True, True,
              True, all, False, False, True, False, True))


def put(items, i, value):
    return items[:i] + (value,) + items[i + 1:]


def put_char(text, i, char):
    return text[:i] + char + text[i + 1:]


def turned(disk, data, kinds, only=None):
    """The disk with data of some kinds turned into another kind."""
    def turn(kind):
        return data if kind in kinds else kind
    return (disk[0],) + tuple(
        (turn(stage), tuple(c[0] + turn(c[1]) for c in copies))
        if only in (None, o) else (stage, copies)
        for o, (stage, copies) in enumerate(disk[1:]))


class Model:
    def __init__(self, world, proto):
        self.w, self.p = world, proto
        self.objects = range(len(world.keys))
        self.rows = [(o, m) for o in self.objects
                     for m in range(world.mailboxes)]
        self.program = list(self.steps(proto.recover, self.objects))
        for i in range(0, len(world.keys), world.batch):
            self.program += self.steps(proto.order,
                                       self.objects[i:i + world.batch])

    def steps(self, names, objects):
        rows = [d for d, (o, _) in enumerate(self.rows) if o in objects]
        for name in names:
            if name in SYNCS or name == 'mark':
                args = range(self.w.mailboxes)
            elif name in COMMITS:
                args = [tuple(rows)]
            else:
                args = objects if name == 'remove' else rows
            for arg in args:
                yield name, arg

    # --- disks and ledger -----------------------------------------------

    def file(self, st, d):
        o, m = self.rows[d]
        return st.disks[m][-1][o + 1]

    def change(self, st, d, *file):
        """One more change of metadata on a disk, not synced."""
        o, m = self.rows[d]
        disk = put(st.disks[m][-1], o + 1, file)
        return st._replace(disks=put(st.disks, m, st.disks[m] + (disk,)))

    def move(self, st, d):
        stage, copies = self.file(st, d)
        data = 'g' if stage == 'h' else stage
        return self.change(st, d, '-', copies + ('n' + data,))

    def sync(self, st, m, data, metadata):
        snaps = st.disks[m][-1:] if metadata else st.disks[m]
        if data:
            snaps = tuple(turned(s, 's', 'u') for s in snaps)
        return st._replace(disks=put(st.disks, m, snaps))

    def commit(self, st, values):
        rows = st.ledger[-1]
        for d, value in values:
            rows = put_char(rows, d, value)
        if rows == st.ledger[-1]:
            return st
        kept = () if self.p.ledger_sync else st.ledger
        return st._replace(ledger=kept + (rows,))

    # --- the steps of a run: (state, memory) after it ---------------------

    def begin(self, st):
        return ''.join('.' if row == 'N' and st.bucket[o] != 'p' else row
                       for (o, _), row in zip(self.rows, st.ledger[-1]))

    def do_find(self, st, mem, d):
        if mem[d] != 'I':
            return st, mem
        stage, copies = self.file(st, d)
        if stage != '-':
            return self.move(st, d), put_char(mem, d, 'R')
        mark = st.disks[self.rows[d][1]][-1][0]
        if self.p.witness == 'stage' and (mark == '+' or self.p.believe_mark):
            return st, put_char(mem, d, 'R')
        found = any(c[0] != 'x' for c in copies)
        return st, put_char(mem, d, 'R' if found else 'Q')

    def do_adopt(self, st, mem, d):
        """Without a mark of ours the Maildir may know more than the ledger."""
        mark = st.disks[self.rows[d][1]][-1][0]
        copies = self.file(st, d)[1]
        if mem[d] == 'N' and mark == '-' and any(c[0] != 'x' for c in copies):
            mem = put_char(mem, d, 'A')
        return st, mem

    def do_settle_done(self, st, mem, rows):
        values = [(d, 'D') for d in rows if mem[d] in 'RA']
        if self.p.reset:
            values += [(d, 'N') for d in rows if mem[d] == 'Q']
        again = {'R': 'DD', 'A': 'DD', 'Q': '.N'}
        mem = ''.join(again.get(c, c + c)[st.bucket[o] == 'p']
                      for c, (o, _) in zip(mem, self.rows))
        return self.commit(st, values), mem

    def do_mark(self, st, mem, m):
        if st.disks[m][-1][0] == '+':
            return st, mem
        disk = put(st.disks[m][-1], 0, '+')
        return st._replace(disks=put(st.disks, m, (disk,))), mem

    def do_drop(self, st, mem, d):
        stage, copies = self.file(st, d)
        if stage == '-' or mem[d] in 'IR' and not self.p.drop_all:
            return st, mem
        return self.change(st, d, '-', copies), mem

    def do_create(self, st, mem, d):
        if mem[d] != 'N':
            return st, mem
        if st.bucket[self.rows[d][0]] != 'p':
            return st, put_char(mem, d, '.')
        st = self.change(st, d, 'h', self.file(st, d)[1])
        return st, put_char(mem, d, 's')

    def do_write(self, st, mem, d):
        o, m = self.rows[d]
        if mem[d] != 's' or self.file(st, d)[0] != 'h':
            return st, mem
        snaps = tuple(turned(s, 'u', 'h', o) for s in st.disks[m])
        return st._replace(disks=put(st.disks, m, snaps)), mem

    def do_stage_data(self, st, mem, m):
        return self.sync(st, m, True, False), mem

    def do_stage_dir(self, st, mem, m):
        return self.sync(st, m, False, True), mem

    def do_settle_sync(self, st, mem, m):
        which = 'IRA' if self.p.adopt_sync else 'IR'
        ours = any(c in which and row[1] == m
                   for c, row in zip(mem, self.rows))
        return (self.sync(st, m, True, True) if ours else st), mem

    def do_new_sync(self, st, mem, m):
        return self.sync(st, m, True, True), mem

    def do_intent(self, st, mem, rows):
        return self.commit(st, [(d, 'I') for d in rows if mem[d] == 's']), mem

    def do_rename(self, st, mem, d):
        if mem[d] != 's':
            return st, mem
        if self.file(st, d)[0] == '-':
            return st, put_char(mem, d, 'x')
        return self.move(st, d), mem

    def do_done(self, st, mem, rows):
        return self.commit(st, [(d, 'D') for d in rows if mem[d] == 's']), mem

    def do_remove(self, st, mem, o):
        if not self.p.gate(c in 'sD' for c, row in zip(mem, self.rows)
                           if row[0] == o):
            return st, mem
        keys, bucket = self.w.keys, st.bucket
        for i in self.objects:
            same = i == o or not self.p.conditional and keys[i] == keys[o]
            if same and bucket[i] == 'p':
                bucket = put_char(bucket, i, 'r')
        return st._replace(bucket=bucket), mem

    def running(self, st, i, pc, mem):
        return st._replace(imps=put(st.imps, i, (pc, mem)))

    def step(self, st, i):
        """The next step of an importer that changes anything."""
        pc, mem = st.imps[i]
        if pc < 0:
            return 'begin', self.running(st, i, 0, self.begin(st))
        while pc < len(self.program):
            name, arg = self.program[pc]
            act = getattr(self, 'do_' + name.replace('-', '_'))
            after, memory = act(st, mem, arg)
            if name in self.p.without:
                after = st
            pc += 1
            if after != st or memory != mem:
                return '%s %s' % (name, arg), self.running(after, i, pc,
                                                           memory)
        return 'end', self.running(st, i, *IDLE)

    # --- all moves ------------------------------------------------------

    def moves(self, st):
        for i, (pc, mem) in enumerate(st.imps):
            alone = all(q < 0 for j, (q, _) in enumerate(st.imps) if j != i)
            if pc < 0 and not (self.work(st) and (alone or not self.p.lock)):
                continue
            label, after = self.step(st, i)
            yield 'importer %d: %s' % (i, label), after
            if self.w.refuses and label.startswith('create'):
                now, tried = after.imps[i]
                mem = ''.join(b if a == b else 'x' for a, b in zip(mem, tried))
                yield 'mailbox refuses', self.running(st, i, now, mem)
        yield from self.sender_moves(st)
        yield from self.user_moves(st)
        if st.crashes > 0:
            yield from self.crash_moves(st._replace(crashes=st.crashes - 1))

    def work(self, st):
        return ('p' in st.bucket or 'I' in st.ledger[-1] or
                any(f[0] != '-' for disk in st.disks for f in disk[-1][1:]))

    def sender_moves(self, st):
        for o in self.objects:
            if st.bucket[o] == 'f':
                bucket = ''.join('o' if b == 'p' and k == self.w.keys[o] else b
                                 for b, k in zip(st.bucket, self.w.keys))
                yield ('sender puts %d' % o,
                       st._replace(bucket=put_char(bucket, o, 'p')))

    def user_moves(self, st):
        for d, (o, m) in enumerate(self.rows):
            stage, copies = self.file(st, d)
            for i, copy in enumerate(copies):
                if copy[0] == 'n':
                    for place, verb in ('c', 'files'), ('x', 'deletes'):
                        yield 'user %d %s %d' % (m, verb, o), self.change(
                            st, d, stage, put(copies, i, place + copy[1]))
            if stage != '-' and self.p.sweeper:
                yield 'sweeper %d' % d, self.change(st, d, '-', copies)
        for m, snaps in enumerate(st.disks):
            if self.w.wipe and snaps[-1][0] == '+':
                disk = ('-',) + tuple(('-', f[1]) for f in snaps[-1][1:])
                yield 'user %d removes the stage directory' % m, st._replace(
                    disks=put(st.disks, m, snaps + (disk,)))
        if self.w.lose and set(st.imps) == {IDLE} and 'I' in st.ledger[-1]:
            yield 'the ledger is lost', self.lost(st)

    def lost(self, st):
        """A new ledger; what was removed before is no matter of it."""
        rows = ''.join('N' if st.bucket[o] == 'p' else 'D'
                       for o, _ in self.rows)
        return st._replace(ledger=(rows,), disks=tuple(
            tuple(('-',) + disk[1:] for disk in snaps) for snaps in st.disks))

    def crash_moves(self, st):
        for i, (pc, _) in enumerate(st.imps):
            if pc >= 0:
                yield 'kill importer %d' % i, self.running(st, i, *IDLE)
        for ledger, *disks in itertools.product(st.ledger, *st.disks):
            yield 'power cut', st._replace(
                ledger=(ledger,), imps=(IDLE,) * self.w.importers,
                disks=tuple((turned(d, 'g', 'hu'),) for d in disks))

    # --- what must hold -------------------------------------------------

    def violation(self, st):
        for d, (o, m) in enumerate(self.rows):
            removed = st.bucket[o] == 'r'
            for disk in st.disks[m]:
                copies = disk[o + 1][1]
                if len(copies) > 1:
                    return 'DUP'
                if any(c[1] == 'g' for c in copies):
                    return 'CORRUPT'
                if removed and not any(c[1] == 's' for c in copies):
                    return 'LOSS'
            if removed and any(rows[d] != 'D' for rows in st.ledger):
                return 'UNRECORDED'
        return None

    def stuck(self, st):
        """Two whole runs with nobody near must leave no object."""
        for _ in range(2):
            st = self.step(st, 0)[1]
            while st.imps[0] != IDLE:
                st = self.step(st, 0)[1]
        return 'p' in st.bucket and self.violation(st) is None

    def explore(self):
        """All states with the move that led there; a state per violation."""
        keys = self.w.keys
        start = State(
            ''.join('f' if k in keys[:i] else 'p' for i, k in enumerate(keys)),
            ('N' * len(self.rows),),
            ((('+',) + (('-', ()),) * len(keys),),) * self.w.mailboxes,
            (IDLE,) * self.w.importers, self.w.crashes)
        parent, found = {start: None}, {}
        queue = collections.deque([start])
        while queue:
            st = queue.popleft()
            for label, after in self.moves(st):
                if after not in parent:
                    parent[after] = (st, label)
                    kind = self.violation(after)
                    if kind is None:
                        queue.append(after)
                    else:
                        found.setdefault(kind, after)
            if set(st.imps) == {IDLE} and self.stuck(st):
                found.setdefault('STUCK', st)
        return parent, found

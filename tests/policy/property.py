#!/usr/bin/python3
"""Random documents on random mails: the policy engine and the model agree.

	PROPERTY_CASES=20000	how many
	SEED=NUMBER	of all of them (default: another each time)
	CASE=NUMBER	only this one of them
	SHOW=3	differences, then it ends

tests/policy/judge is given the cases in one stream; model.py, which was
written from the text alone, says what should come back. Some documents are
broken at one place: those must be refused with a line that names it. What
differs is made as small as it can be and printed as a line for judge.
"""

import collections
import email.header
import email.utils
import itertools
import json
import os
import queue
import random
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(os.path.dirname(HERE), 'rules'))
sys.dont_write_bytecode = True

import documents                                            # noqa: E402
import messages                                             # noqa: E402
import mistakes                                             # noqa: E402
import model                                                # noqa: E402
import reading                                              # noqa: E402
import rule                                                 # noqa: E402
import shrink                                               # noqa: E402

CASES = int(os.environ.get('PROPERTY_CASES', '20000'))
SEED = int(os.environ.get('SEED') or random.SystemRandom().randrange(10 ** 9))
BATCH = 64
SHOWN = int(os.environ.get('SHOW', '3'))


# --- cases ----------------------------------------------------------------

class Dice(random.Random):
    """Twice as fast: most of the time goes into dice."""

    def choice(self, some):
        return some[int(self.random() * len(some))]

    def randrange(self, start, stop=None):
        if stop is None:
            start, stop = 0, start
        return start + int(self.random() * (stop - start))


def case(number):
    r = Dice(SEED << 32 | number)
    mail = messages.Mail(r)
    message = mail.write()
    facts = messages.facts(r)
    facts['aws'] = r.random() < 0.2
    size = len(message) + message.count('\n') - message.count('\r\n')
    make = documents.Maker(r, messages.hints(facts, mail.hints), size,
                           facts['aws'])
    made = {'traffic': make.traffic_policy() if r.random() < 0.35 else None,
            'ruleset': make.rule_set() if r.random() < 0.9 else None,
            'lists': make.lists, 'forms': make.forms, 'facts': facts,
            'message': message if r.random() < 0.97 else None}
    if r.random() < 0.1:
        spoil(r, made)
    return made


def spoil(r, made):
    """Breaks a document of the case, if there is one."""
    file = r.choice([f for f in ('traffic', 'ruleset') if made[f]] or [None])
    if file is None:
        return
    paths = mistakes.extensions(made[file]) if r.random() < 0.3 else ()
    if paths:
        made['facts']['aws'] = True
        made['broken'] = {'file': file, 'paths': paths, 'by': 'extension'}
        return
    path, by, made[file] = mistakes.broken(r, made[file])
    made['facts']['aws'] = False
    made['broken'] = {'file': file, 'paths': [path], 'by': by}


def line(made):
    """As judge takes it: address lists as files of some form."""
    forms = made['forms']
    sent = dict(made, lists={
        name: documents.WRITERS[forms[name]](entries)
        for name, entries in made['lists'].items()})
    return json.dumps(sent).encode() + b'\n'


# --- the two --------------------------------------------------------------

class Judge:
    """The engine. A thread takes its answers, so that neither waits for the
    other's full pipe."""

    def __init__(self):
        self.process = subprocess.Popen(
            [rule.built('tests/policy/judge')], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        self.answers = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        for said in self.process.stdout:
            self.answers.put(said)
        self.answers.put(None)

    def tell(self, lines):
        try:
            self.process.stdin.write(lines)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass        # the missing answer tells

    def hear(self):
        said = self.answers.get()
        if said is None:
            self.answers.put(None)
            return {'ended': self.process.wait()}
        return json.loads(said)

    def close(self):
        self.process.stdin.close()
        self.thread.join()
        return self.process.wait()


def difference(made, said):
    """None, or how the engine's answer differs from what is right."""
    if 'ended' in said:
        return 'the engine ended with %d' % said['ended']
    if 'broken' in made:
        b = made['broken']
        wrong = mistakes.told(said.get('mistakes', ()), b['file'], b['paths'],
                              b['by'] == 'extension')
        return wrong and '%s (%s): %s' % (b['paths'], b['by'], wrong)
    if 'mistakes' in said:
        return 'refused: %s' % said['mistakes']
    vectors = said.pop('vectors')
    right = model.answer(made)
    for key in right:
        if said.get(key) != right[key]:
            return '%s: found %s, expected %s' % (
                key, json.dumps(said.get(key)), json.dumps(right[key]))
    return wrong_vectors(made, right, vectors)


# --- vectors --------------------------------------------------------------

PER_MESSAGE = ('AddHeader', 'RemoveHeader', 'Quarantine', 'Reject', 'Bounce',
               'TempFail')


def wrong_vectors(made, right, vectors):
    """Recipients with equal vectors get the same done to the message."""
    rules = made['ruleset']['Rules'] if made['ruleset'] else []
    traffic = json.dumps(made['traffic'])
    # Else it has denied at RCPT, and those recipients are no more there.
    waits = '"Analysis": {' in traffic
    text = json.dumps(rules) + (traffic if waits else '')
    asked = text.count('"Attribute": "RECIPIENT"')
    if any(set(v) - {'0', '1'} or len(v) > asked for v in vectors):
        return 'vectors %s over %d conditions' % (vectors, asked)
    if not waits and any(vectors) and \
            not any('"%s": {' % name in text for name in PER_MESSAGE):
        return 'vectors %s without an action on the message' % vectors
    done = []
    for v, actions, vector in zip(right['verdict']['recipients'],
                                  right['actions'], vectors):
        if v['traffic']['verdict'] == 'ALLOW' or waits:
            done.append((v['disposition'], vector, v['recipient'],
                         [a for a in actions if a[2] in PER_MESSAGE]))
    for a, b in itertools.combinations(done, 2):
        if a[1] == b[1] and not same(a, b):
            return 'equal vectors, different ends: %s and %s' % (a, b)
    return None


def same(a, b):
    """Who is dropped does not care for the header of the others."""
    ends = {a[0], b[0]}
    if 'DROP' in ends:
        return ends <= {'DROP', 'ACCEPT', 'QUARANTINE'}
    return a[0] == b[0] and a[3] == b[3]


# --- what was met ---------------------------------------------------------

met = collections.Counter()


def label(condition):
    (kind, x), = condition.items()
    (what, which), = x.get('Evaluate', {'DMARC': 'DMARC'}).items()
    if what == 'IsInAddressList':
        which = 'in list ' + which['Attribute']
    elif what not in ('Attribute', 'DMARC', 'ClientCertificateAttribute'):
        which = what
    return '%s %s %s' % (kind.removesuffix('Expression'), which,
                         x['Operator'])


def counted(facts, envelope, condition, ask=model.ask):
    answer = ask(facts, envelope, condition)
    met[label(condition), answer] += 1
    return answer


def expected():
    d = documents
    table = [('String', a, d.STRING) for a in d.ATTRIBUTES + (
        'MimeHeaderAttribute', 'CN', 'Analysis')]
    table += [('Number', 'MESSAGE_SIZE', d.NUMBER),
              ('Ip', 'SOURCE_IP', d.CIDR), ('Ip', 'SENDER_IP', d.CIDR),
              ('Ipv6', 'SENDER_IPV6', d.CIDR),
              ('Tls', 'TLS_PROTOCOL', ('MINIMUM_TLS_VERSION', 'IS')),
              ('Dmarc', 'DMARC', d.EQUALS), ('Auth', 'AUTH_USER', d.STRING),
              ('Header', 'HeaderName', d.STRING + ('MATCHES', 'NOT_MATCHES'))]
    table += [('Boolean', a, d.BOOLEAN) for a in (
        'READ_RECEIPT_REQUESTED', 'TLS', 'TLS_WRAPPED', 'Analysis')]
    table += [('Boolean', 'in list ' + a, d.BOOLEAN) for a in d.LISTED]
    table += [('Verdict', a, d.EQUALS) for a in ('SPF', 'DKIM', 'Analysis')]
    return ['%s %s %s' % (kind, which, operator)
            for kind, which, operators in table for operator in operators]


def never_met():
    for name in expected():
        for answer in 'YN':
            if not met[name, answer]:
                yield '%s was never %s' % (name, answer)
    for name in expected_ends():
        if not met[name]:
            yield 'no recipient came to %s' % name


def expected_ends():
    return ('ACCEPT', 'DROP', 'REJECT', 'TEMPFAIL', 'QUARANTINE', 'STATEMENT',
            'DEFAULT', 'SIZE', 'replaced', 'handed on', 'equal vectors')


def note_ends(said):
    for v in said.get('verdict', {}).get('recipients', ()):
        met[v['disposition']] += 1
        met[v['traffic']['by']] += 1
        after = v['recipients_after']
        met['replaced'] += bool(after) and after != [v['recipient']]
        met['handed on'] += not after and v['disposition'] == 'ACCEPT'
    vectors = said.get('vectors', ())
    met['equal vectors'] += len(set(vectors)) < len(vectors) and any(vectors)


# --- the tests ------------------------------------------------------------

def compare(numbers):
    """Differences, each with the smallest case that has it."""
    judge, found = Judge(), 0
    for n, made, said in stream(judge, iter(numbers)):
        note_ends(said)
        wrong = difference(made, said)
        if wrong is None:
            continue
        found += 1
        yield 'SEED=%d CASE=%d: %s' % (SEED, n, wrong)
        yield from smallest(made)
        if found == SHOWN or 'ended' in said:
            yield 'the rest was not tried'
            break
    ended = judge.close()
    if ended != 0:
        yield 'the engine ended with %d' % ended


def stream(judge, numbers):
    """(number, case, answer); the engine is a batch ahead."""
    before, batch = [], True
    while batch:
        batch = [(n, case(n)) for n in itertools.islice(numbers, BATCH)]
        judge.tell(b''.join(line(made) for _, made in batch))
        for n, made in before:
            yield n, made, judge.hear()
        before = batch


def smallest(made):
    """The smallest case that still differs, as a line for judge."""
    judge = Judge()

    def differs(smaller):
        nonlocal judge
        judge.tell(line(smaller))
        said = judge.hear()
        if 'ended' in said:
            judge.close()
            judge = Judge()
        return difference(smaller, said)

    if differs(made):
        made = shrink.shrink(made, differs)
        yield 'smallest: ' + differs(made)
        yield line(made).decode().rstrip()
    else:
        yield 'not when it is asked alone'
    judge.close()


def second_opinion(count):
    """python's email package reads as reading.py does, what both read."""
    for n in range(count):
        r = Dice(SEED << 32 | n)
        for name, value in reading.fields(messages.Mail(r).write()):
            value = reading.unfold(value)
            if 'x-unknown' not in value and \
                    reading.decode(value) != their_text(value):
                yield 'text %r: %r, theirs %r' % (
                    value, reading.decode(value), their_text(value))
            ours, malformed = reading.addresses(value)
            if name.lower() in ('from', 'to', 'cc', 'sender') and \
                    not malformed and value.isascii() and \
                    not any(c in value for c in '\\:;') and \
                    [a.replace('"', '') for a in ours] != \
                    their_addresses(value):
                yield 'addresses %r: %r, theirs %r' % (
                    value, ours, their_addresses(value))


def their_text(value):
    out = ''
    for data, charset in email.header.decode_header(value):
        if isinstance(data, str):
            data = data.encode('latin-1')
        out += data.decode(charset or 'utf-8',
                           'strict' if charset else 'replace')
    return ''.join(' ' if c < ' ' else c for c in out)


def their_addresses(value):
    """Without quotes: when they are needed is a matter of taste. Newer ones
    give nothing for a comma in a comment, unless told not to be strict."""
    try:
        found = email.utils.getaddresses([value], strict=False)
    except TypeError:
        found = email.utils.getaddresses([value])
    found = [a for _, a in found if a]
    return [a.replace('"', '') if '"' in a else a.replace(' ', '')
            for a in found]


def main():
    print('# SEED=%d PROPERTY_CASES=%d' % (SEED, CASES))
    model.ask = counted
    begun = time.monotonic()
    numbers = range(CASES)
    if os.environ.get('CASE'):
        numbers = [int(os.environ['CASE'])]
    rule.check('%d random cases: engine and model agree' % len(numbers),
               compare(numbers))
    seconds = time.monotonic() - begun
    print('# %.1f s, %d conditions asked, %d of them held' % (
        seconds, sum(n for k, n in met.items() if isinstance(k, tuple)),
        sum(n for k, n in met.items() if k[1:] == ('Y',))))
    print('# ' + ', '.join('%s %d' % (e, met[e]) for e in expected_ends()))
    if len(numbers) >= 20000:
        rule.check('each condition held, and did not, with each operator',
                   never_met())
    rule.check('the model reads mail as another reader does',
               itertools.islice(second_opinion(min(CASES, 3000)), 5))
    rule.done()


if __name__ == '__main__':
    main()

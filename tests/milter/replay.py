#!/usr/bin/python3
"""The same verdict at SMTP time: the cases of tests/policy, sent through a
real Postfix, and what the milter logs beside what `policy test` says of the
same facts and of the mail as Postfix handed it over. XCLIENT says where the
client is, STARTTLS and logins are real. What the answers and the mailbox show
must fit as well.

	CASE=NAME	some of them
	RANDOM_CASES=60	random cases of tests/policy/property.py more
	SEED=NUMBER	of those

As root; needs Postfix and Dovecot.
"""

import json
import os
import sys

sys.dont_write_bytecode = True

import randoms                                              # noqa: E402
import sessions                                             # noqa: E402
from filter import Filter                                   # noqa: E402
from stage import (Place, certificate, check, differs, done, need, setting,
                   text, wait_for)                          # noqa: E402
from postfix import Postfix                                 # noqa: E402
from recorder import Recorder                               # noqa: E402
from sasl import Dovecot                                    # noqa: E402

# Of clients' certificates.
CNS = ('mail.example.net', 'mx.example.net', 'mail.example.com', 'Client CN')


class Scene:
    """A Postfix, what it hands over, and the milter."""

    def __init__(self, place):
        self.place = place
        self.filter = Filter(place, ingress_points=[{'name': 'inbound'}])
        self.recorder = Recorder(place.path('recorder'))
        self.certificates = {cn: certificate(place, 'client%d' % i, cn)
                             for i, cn in enumerate(CNS)}
        known = place.put('known.crt', ''.join(
            text(path + '.crt') for path in self.certificates.values()))
        sasl = {**Dovecot(place).postfix(), 'smtpd_tls_ask_ccert': 'yes',
                'smtpd_tls_CAfile': known}
        self.postfix = Postfix(
            place, smtpd_milters='unix:%s, %s' % (self.recorder.path,
                                                  self.filter.socket),
            listeners={'mx': sasl, 'wrapped': {
                **sasl, 'smtpd_tls_wrappermode': 'yes',
                'milter_macro_daemon_name': 'wrapped'}})
        self.wanted = {}    # of each queue id: who gets it, or 'held'
        self.tried = 0

    # --- one case -------------------------------------------------------

    def load(self, case):
        """The problems of its documents in force."""
        self.filter.put(case.files)
        self.filter.configure(**case.settings(self.filter.dir))
        code, _, said = self.filter.tell('reload')
        yield from differs('reload', (code, said), (0, ''))

    def refuse(self, case):
        """The problems of documents that the milter does not take."""
        self.filter.put(case.files)
        self.filter.configure(**case.settings(self.filter.dir))
        code, _, said = self.filter.tell('reload')
        if code != 78 or case.refusal not in said:
            yield 'reload: found %d %s, expected %r' % (code, said,
                                                        case.refusal)

    def send(self, case):
        """The envelope in as many transactions as the milter asks for, as a
        real sender does. Yields (recipients with their answers, last
        answer)."""
        waiting = list(case.rcpts)
        while waiting:
            with case.client(self.postfix, self.certificates) as c:
                answers, last = c.mail(case.mail, waiting, case.sender,
                                       case.extra())
                c.quit()
            if not answers:
                raise AssertionError('MAIL: %d %s' % last)
            said = list(zip(waiting, answers))
            yield said, last
            later = [r for r, a in said if a[1].startswith('4.5.3')]
            if len(later) == len(waiting):
                raise AssertionError('split for ever: %s' % later)
            waiting = later

    def run(self, case):
        """All that is wrong with it."""
        yield from self.load(case)
        self.filter.messages()
        for said, last in self.send(case):
            yield from self.compare(case, said, last)

    def compare(self, case, said, last):
        taken = [r for r, a in said if a[0] == 250]
        for r, a in said:
            if a[0] == 550:
                yield from refused(case, r, a)
            elif a[0] != 250 and not a[1].startswith('4.5.3'):
                yield 'RCPT %s: %d %s' % (r, *a)
        if not taken:
            return
        lines = wait_for(lambda: self.ends())
        if not lines:
            yield 'nothing is logged'
            return
        message = self.recorder.messages[lines[0]['message_id']]
        wanted = case.judge(message.bytes(), taken)
        self.tried += 1
        if last[0] == 552:
            yield from differs('reason', lines[0].get('reason'), 'size')
            yield from too_large(wanted)
            return
        found = lines[0]['verdict']['recipients']
        if found != wanted:
            yield 'found %s\n#  expected %s' % (json.dumps(found),
                                               json.dumps(wanted))
        yield from self.answered(case, lines[0]['message_id'], wanted, last)

    def ends(self):
        """Lines of messages that came to their end."""
        return [x for x in self.filter.messages() if 'message_id' in x]

    def answered(self, case, i, wanted, last):
        """The answer fits the verdict."""
        ends = [end_of(r) for r in wanted]
        code = last[0] // 100
        if 'TEMPFAIL' in ends:
            yield from differs('answer', code, 4)
        elif set(ends) == {'REJECT'}:
            if code not in (4, 5):
                yield 'answer %d %s, expected a refusal' % last
        else:
            yield from differs('answer', last[0], 250)
            kept = [r for r, end in zip(wanted, ends)
                    if end not in ('DROP', 'REJECT')]
            self.wanted[i] = ('held' if 'QUARANTINE' in ends else
                              sorted({a for r in kept
                                      for a in reached(case, r)}))

    # --- all of them ----------------------------------------------------

    def delivered(self):
        """What came of all that was answered 250."""
        self.postfix.idle()
        found = {}
        for mail in self.postfix.mails():
            head = mail.split(b'\n\n')[0].decode('utf-8', 'replace')
            i = head.split(' with ')[1].split(' id ')[1].split('\n')[0]
            to = head.split('X-Original-To: ')[1].split('\n')[0]
            found.setdefault(i.rstrip(';'), []).append(to)
        for i, wanted in self.wanted.items():
            if wanted == 'held':
                path = os.path.join(self.postfix.dir, 'queue', 'hold', i)
                if not os.path.exists(path):
                    yield '%s is not held' % i
                continue
            yield from differs(i, sorted(found.pop(i, [])), wanted)
        for i in found:
            yield '%s was delivered, and nobody knows why' % i


def end_of(recipient):
    """What Postfix does for it; a size that is too large refuses it."""
    traffic = recipient['traffic']
    return 'REJECT' if traffic['verdict'] == 'DENY' else \
        recipient['disposition']


def reached(case, recipient):
    """Who gets it: who is left, and, of a recipient that was handed on to a
    target that is skipped, those whom he stands for."""
    found = [recipient['recipient']]
    for r in recipient['rules']:
        if r['matched'] and 'ReplaceRecipient' in r['actions']:
            for action in case.actions(r['index']):
                if 'ReplaceRecipient' in action:
                    found = action['ReplaceRecipient']['ReplaceWith']
    return recipient['recipients_after'] or found


def too_large(wanted):
    """Refused at its end, by size; nothing else was looked at, not even a
    statement that refuses it, too."""
    for r in wanted:
        yield from differs('traffic', r['traffic']['verdict'], 'DENY')


def refused(case, recipient, answer):
    """At RCPT: the traffic policy says so."""
    found = case.judge(b'Subject: none\r\n\r\n', [recipient])[0]['traffic']
    if found['verdict'] != 'DENY':
        yield 'refused %s with %d %s, and `policy test` says %s' % (
            recipient, *answer, found)


def play(scene, case):
    try:
        problems = list(scene.refuse(case) if case.refusal
                        else scene.run(case))
    except Exception as e:
        problems = ['%s: %s' % (type(e).__name__, e)]
    check(case.name, problems)


def main():
    need('dovecot', 'openssl')
    only = os.environ.get('CASE', '')
    with Place() as place:
        scene = Scene(place)
        for case in sessions.all_cases():
            if only in case.name:
                play(scene, case)
        check('delivered', scene.delivered())
        for case in randoms.random_cases(setting('RANDOM_CASES', 60)):
            if only in case.name:
                play(scene, case)
        check('ends well', scene.filter.ends())
        print('# %d messages, %d of them accepted' % (scene.tried,
                                                      len(scene.wanted)))
    done()


main()

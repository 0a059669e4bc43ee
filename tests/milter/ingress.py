#!/usr/bin/python3
"""Ingress points behind a real Postfix: which session belongs to which, what
is refused when and with what words, what becomes of mail, and all the ways
that SMTP has to send it. As root; needs Postfix.
"""

import os
import re
import sys

sys.dont_write_bytecode = True

from filter import Filter                                   # noqa: E402
from postfix import Postfix                                 # noqa: E402
from smtp import dots                                       # noqa: E402
from stage import (Place, check, differs, done, need,
                   wait_for)                                # noqa: E402

MAIL = b'From: bob@example.net\r\nSubject: Hello\r\n\r\nHello.\r\n'
ALICE = 'alice@example.com'
ROLE = 'arn:aws:iam::123456789012:role/MailManager'


def text(attribute, operator, *values):
    return {'StringExpression': {'Evaluate': {'Attribute': attribute},
                                 'Operator': operator,
                                 'Values': list(values)}}


def rule(name, *actions, **conditions):
    return {'Name': name, 'Actions': list(actions), **conditions}


def to(local, name, *actions):
    return rule(name, *actions, Conditions=[
        text('RECIPIENT', 'STARTS_WITH', local)])


BOUNCE = {'Bounce': {'RoleArn': ROLE, 'Sender': 'postmaster@example.com',
                     'SmtpReplyCode': '550', 'StatusCode': '5.1.1',
                     'DiagnosticMessage': 'none', 'Message': '100% unknown'}}
FILES = {
    'rules.json': {'RuleSetName': 'rules', 'Rules': [
        to('drop', 'drop', {'Drop': {}}),
        to('bounce', 'bounce', BOUNCE),
        to('stop', 'stop', {'AddHeader': {'HeaderName': 'X-Stop',
                                          'HeaderValue': 'yes'}}),
        to('old', 'old', {'ReplaceRecipient': {
            'ReplaceWith': ['new@example.com', 'second@example.com']}}),
        rule('all', {'RemoveHeader': {'HeaderName': 'X-Gone'}}),
        rule('partner', {'RemoveHeader': {'HeaderName': 'X-Gone'}},
             Conditions=[text('MAIL_FROM', 'ENDS_WITH',
                              '@partner.example')])]},
    'outside.json': {'TrafficPolicyName': 'outside', 'DefaultAction': 'DENY',
                     'MaxMessageSizeBytes': 20000, 'PolicyStatements': [
                         {'Action': 'DENY', 'Conditions': [{
                             'IpExpression': {
                                 'Evaluate': {'Attribute': 'SENDER_IP'},
                                 'Operator': 'CIDR_MATCHES',
                                 'Values': ['203.0.113.0/24']}}]},
                         {'Action': 'ALLOW', 'Conditions': [
                             text('RECIPIENT', 'ENDS_WITH',
                                  '@example.com')]}]},
    'drop.json': {'RuleSetName': 'drop-all', 'Rules': [
        rule('all', {'Drop': {}})]},
}


class Scene:
    def __init__(self, place):
        self.place, self.secret = place, 0
        self.points = [
            {'name': 'inbound', 'traffic_policy': 'outside.json',
             'rule_set': 'rules.json', 'deny_text': 'Not here, 100% sure'},
            {'name': 'secret', 'daemon_name': 'secret',
             'tls_policy': 'REQUIRED', 'max_message_size': 5000},
            {'name': 'filtered', 'macro': '{fallbackmx_ingress}',
             'value': 'filtered', 'ip_filters': [
                 {'Policy': 'Block', 'Cidr': '192.0.2.0/24'},
                 {'Policy': 'Allow', 'Cidr': '192.0.2.7/32'}]},
            {'name': 'shadow', 'daemon_name': 'shadow',
             'rule_set': 'drop.json', 'rule_set_mode': 'shadow',
             'traffic_policy': 'outside.json',
             'traffic_policy_mode': 'shadow'}]
        self.filter = Filter(place, files=FILES, **self.settings())
        self.postfix = Postfix(place, smtpd_milters=self.filter.socket,
                               myorigin='example.com', listeners={
            'secret': {'milter_macro_daemon_name': 'secret'},
            'shadow': {'milter_macro_daemon_name': 'shadow'},
            'filtered': {'milter_macro_defaults':
                         'fallbackmx_ingress=filtered'}, 'listener': {}})
        self.points.append({
            'name': 'by-address', 'listener': '127.0.0.1:%d' %
            self.postfix.ports['listener'], 'open': False})
        self.again()

    def settings(self):
        folder = self.place.path('filter') + '/'
        return {'fallback_relays': ['198.51.100.0/24'], 'ingress_points': [
            {k: folder + v if k in ('traffic_policy', 'rule_set') else v
             for k, v in p.items()} for p in self.points]}

    def again(self):
        self.filter.configure(**self.settings())
        code, out, said = self.filter.tell('reload')
        if code != 0:
            raise AssertionError(said)

    def session(self, listener='mx', client='192.0.2.1', tls=None):
        c = self.postfix.client(listener)
        c.sure('EHLO localhost')
        c.sure('XCLIENT ADDR=%s NAME=client.example.net' % client)
        c.sure('EHLO client.example.net')
        if tls:
            c.starttls(tls)
            c.sure('EHLO client.example.net')
        return c

    def send(self, rcpts=(ALICE,), mail=MAIL, extra='', **how):
        """(code, text) of each RCPT, and of what came last."""
        with self.session(**how) as c:
            said = c.mail(mail, rcpts, extra=extra)
            c.quit()
        if how.get('listener') == 'secret' and said[1][0] == 250:
            self.secret += 1
        return said

    def arrived(self):
        """[(Delivered-To, header)] of what was delivered since the last
        time."""
        self.postfix.idle()
        found = []
        for mail in self.postfix.mails():
            head = mail.split(b'\n\n')[0].decode('utf-8', 'replace')
            found.append((re.search('^X-Original-To: (.*)$', head,
                                    re.M).group(1), head))
        self.postfix.forget()
        return sorted(found)


def refused(said, code, start):
    """Problems, unless the answer is this one."""
    if said[0] != code or not said[1].startswith(start):
        yield 'found %d %s, expected %d %s' % (*said, code, start)


def tag(head):
    return re.findall('^X-FallbackMX: (.*(?:\n[ \t].*)*)', head, re.M)


def traffic(s):
    answers, last = s.send([ALICE, 'carol@example.org'])
    yield from refused(answers[1], 550, '5.7.1 Not here, 100% sure')
    yield from differs('the other one', (answers[0][0], last[0]), (250, 250))
    found = s.arrived()
    yield from differs('delivered', [a for a, _ in found], [ALICE])
    yield from differs('tag', tag(found[0][1]),
                       ['route=direct; ingress=inbound; rules=all'])
    yield from refused(s.send(client='203.0.113.5')[1], 550, '5.7.1')


def sizes(s):
    yield from refused(s.send(extra=' SIZE=20001')[1], 552, '5.3.4')
    s.filter.messages()
    yield from refused(s.send(mail=MAIL + b'x' * 20000)[1], 552, '5.3.4')
    for line in s.filter.messages()[-1:] or [{}]:
        yield from differs('why', [line.get(k) for k in (
            'result', 'code', 'reason')], ['rejected', '552', 'size'])
    yield from differs('smaller', s.send(extra=' SIZE=20000')[1][0], 250)
    yield from refused(s.send(listener='secret', tls='TLSv1.3',
                              mail=MAIL + b'x' * 5000)[1], 552, '5.3.4')
    s.arrived()


def tls(s):
    said = s.send(listener='secret')[1]
    yield from refused(said, 530, '5.7.0')
    if 'STARTTLS' not in said[1]:
        yield 'no word of STARTTLS: %s' % said[1]
    for version in 'TLSv1.2', 'TLSv1.3':
        yield from differs(version, s.send(listener='secret',
                                           tls=version)[1][0], 250)
    for _, head in s.arrived():
        yield from differs('tag', tag(head), ['route=direct; ingress=secret'])


def filters(s):
    yield from refused(s.send(listener='filtered')[1], 550, '5.7.1')
    for client in '192.0.2.7', '198.18.0.1':
        yield from differs(client, s.send(listener='filtered',
                                          client=client)[1][0], 250)
    yield from differs('delivered', len(s.arrived()), 2)


def opened(s):
    """No word to Postfix, and in the same session."""
    with s.session('listener') as c:
        yield from refused(c.mail(MAIL)[1], 451, '4.3.2')
        s.points[-1]['open'] = True
        s.again()
        yield from differs('open', c.mail(MAIL)[1][0], 250)
        s.points[-1]['open'] = False
        s.again()
        yield from refused(c.mail(MAIL)[1], 451, '4.3.2')
        c.quit()
    yield from differs('delivered', len(s.arrived()), 1)


def splits(s):
    """Who is treated in another way comes in a message of its own."""
    answers, last = s.send([ALICE, 'drop@example.com', 'bob@example.com'])
    yield from refused(answers[1], 451, '4.5.3')
    yield from differs('others', (answers[0][0], answers[2][0], last[0]),
                       (250, 250, 250))
    yield from differs('delivered', [a for a, _ in s.arrived()],
                       [ALICE, 'bob@example.com'])
    yield from differs('drop', s.send(['drop@example.com'])[1][0], 250)
    yield from differs('dropped', s.arrived(), [])


def actions(s):
    yield from refused(s.send(['bounce@example.com'])[1], 550,
                       '5.1.1 100% unknown')
    s.send(['old@example.com'], b'X-Gone: 1\r\nx-gone:\r\n 2\r\n' + MAIL)
    found = s.arrived()
    yield from differs('replaced', [a for a, _ in found],
                       ['new@example.com', 'second@example.com'])
    for _, head in found:
        if 'gone' in head.lower():
            yield 'X-Gone is there'
        yield from differs('tag', tag(head), [
            'route=direct; ingress=inbound; rules=old,all'])
    s.send(['stop@example.com'])
    yield from differs('X-Stop', s.arrived()[0][1].count('X-Stop: yes'), 1)


def shadow(s):
    s.filter.messages()
    answers, last = s.send(['carol@example.org'], listener='shadow')
    yield from differs('answers', (answers[0][0], last[0]), (250, 250))
    yield from differs('delivered', len(s.arrived()), 1)
    if 'shadow' not in ''.join(map(str, s.filter.messages())):
        yield 'not in the log'
    counted = s.filter.tell('status')[1]
    if 'shadow' not in counted:
        yield 'not in the status: %s' % counted


def relayed(s):
    """A fallback relay's mail is judged by the client that it recorded, and
    at its end."""
    line = b'Received: from mail.example.net (mail.example.net [%s])\r\n' \
        b'\tby relay.example.com (Postfix) with ESMTP id 4bX\r\n' \
        b'\tfor <alice@example.com>; Sat, 1 Jun 2024 10:00:00 +0000\r\n'
    how = {'client': '198.51.100.25'}
    yield from differs('good', s.send(mail=line % b'192.0.2.9' + MAIL,
                                      **how)[1][0], 250)
    for _, head in s.arrived():
        yield from differs('tag', tag(head), [
            'route=fallback; ingress=inbound; rules=all'])
    answers, last = s.send(mail=line % b'203.0.113.9' + MAIL, **how)
    yield from differs('RCPT', answers[0][0], 250)
    yield from refused(last, 550, '5.7.1')
    yield from refused(s.send(**how)[1], 451, '4.')
    yield from differs('delivered', s.arrived(), [])


# --- the ways of SMTP ------------------------------------------------------

def chunks(s):
    """BDAT: one message, whatever its pieces."""
    for pieces in ([MAIL], [MAIL[:5], MAIL[5:]], [MAIL, b''],
                   [MAIL[i:i + 1] for i in range(len(MAIL))]):
        with s.session() as c:
            c.sure('MAIL FROM:<bob@example.net>')
            c.sure('RCPT TO:<%s>' % ALICE)
            yield from differs('BDAT', c.bdat(pieces)[0], 250)
            c.quit()
    found = s.arrived()
    yield from differs('delivered', len(found), 4)
    for _, head in found:
        yield from differs('tags', len(tag(head)), 1)


def pipelined(s):
    with s.session() as c:
        c.send(b'MAIL FROM:<bob@example.net>\r\nRCPT TO:<alice@example.com>'
               b'\r\nRCPT TO:<carol@example.org>\r\nDATA\r\n')
        codes = [c.answer()[0] for _ in range(4)]
        c.send(dots(MAIL) + b'RSET\r\nNOOP\r\nMAIL FROM:<>\r\n'
               b'RCPT TO:<bob@example.com>\r\nDATA\r\n')
        codes += [c.answer()[0] for _ in range(6)]
        c.send(dots(MAIL) + b'QUIT\r\n')
        codes += [c.answer()[0] for _ in range(2)]
    yield from differs('answers', codes, [250, 250, 550, 354, 250, 250, 250,
                                          250, 250, 354, 250, 221])
    yield from differs('delivered', [a for a, _ in s.arrived()],
                       [ALICE, 'bob@example.com'])


def sessions(s):
    """Twenty messages, with RSET, EHLO and STARTTLS in between, and XCLIENT:
    nothing of one is left for the next."""
    with s.session() as c:
        for i in range(20):
            if i == 10:
                c.starttls()
            if i % 5 == 0:
                c.sure('EHLO client.example.net')
            c.sure('MAIL FROM:<bob@example.net>')
            c.sure('RCPT TO:<drop@example.com>' if i % 2 else
                   'RCPT TO:<lost@example.com>')
            c.sure('RSET')
            yield from differs('mail %d' % i, c.mail(MAIL, [
                'r%d@example.com' % i])[1][0], 250)
        c.quit()
    yield from differs('delivered', [a for a, _ in s.arrived()], sorted(
        'r%d@example.com' % i for i in range(20)))


def addresses(s):
    """As odd as they may be."""
    odd = ['"john doe"@example.com', "o'neil+tag@example.com",
           'UPPER@Example.COM', 'x' * 64 + '@example.com',
           'm\xfcller@example.com', '"a\\"b"@example.com']
    for a in odd:
        answers, last = s.send([a], extra=' SMTPUTF8')
        yield from differs(a, (answers[0][0], last[0]), (250, 250))
    yield from differs('delivered', len(s.arrived()), len(odd))
    many = ['u%d@example.com' % i for i in range(500)]
    answers, last = s.send(many)
    yield from differs('500', ({a[0] for a in answers}, last[0]),
                       ({250}, 250))
    yield from differs('500 delivered', len(s.arrived()), 500)


# What Postfix takes and reads as one and the same address.
MEANT = ('%s@example.com', '%s@example.com(x)', '(x)%s@example.com',
         '\\%s@example.com', ' %s @ example.com', '%s%%example.com',
         'example.com!%s', '"%s"@example.com', '"%s@example.com"',
         '%s@example.com.', '%s@EXAMPLE.com', '@a,@b:%s@example.com',
         '%s', '@a:%s', '<%s@example.com>',
         '@a:<%s@example.com>', 'x <%s@example.com>', 'g:%s@example.com;',
         '@a (c) : %s@example.com', '@[1.2.3.4]:%s@example.com')

# Postfix keeps the inner route, and does not find such a recipient again.
ROUTE_INSIDE = ('<@a:%s@example.com>', '@a:<@b:%s@example.com>',
                'x <@a:%s@example.com>', '<@a:%s>', '@a:@b:%s@example.com',
                '(c)@a:%s@example.com', '(c)<@a:%s@example.com>')


def meanings(s):
    """However somebody is written, policies and their edits meet the mailbox
    that Postfix delivers to."""
    for form in MEANT:
        answers, last = s.send([form % 'old'])
        yield from differs(form, (answers[0][0], last[0]), (250, 250))
        yield from differs(form, [a for a, _ in s.arrived()],
                           ['new@example.com', 'second@example.com'])
        yield from refused(s.send([form % 'bounce'])[1], 550, '5.1.1')
    for form in ROUTE_INSIDE:
        answers, last = s.send([form % 'old'])
        yield from refused(last, 553, '5.1.3')
        yield from differs(form, s.arrived(), [])
        yield from differs(form, s.send([form % 'lost'])[1][0], 250)
        yield from differs(form, len(s.arrived()), 1)
    for form in 'carol@example.org(@example.com', 'carol%example.org':
        yield from refused(s.send([form])[1], 550, '5.7.1')
    with s.session() as c:
        for sender, matches in (('x@partner.example', True),
                                ('x@partner.example(y)', True),
                                ('x@evil.example(@partner.example', False),
                                ('', False)):
            yield from differs(sender, c.mail(MAIL, sender=sender)[1][0], 250)
            found = tag(s.arrived()[0][1])[0]
            yield from differs(sender, 'partner' in found, matches)
        c.quit()


def counted(s):
    """What status and the metrics say is what was done."""
    def total():
        said = s.filter.metrics()
        return sum(v for k, v in said.items() if k.startswith(
            'fallbackmx_messages_total{') and 'ingress="secret"' in k and
            'result="accepted"' in k)
    for _ in range(3):
        s.send(listener='secret', tls='TLSv1.3')
    s.arrived()
    if not wait_for(lambda: total() == s.secret, every=0.2):
        yield 'counted %d of %d' % (total(), s.secret)
    mode = os.stat(s.filter.metrics_file).st_mode & 0o777
    yield from differs('mode', mode & 0o444, 0o444)


SCENES = (
    ('traffic policy', traffic), ('sizes', sizes), ('TLS required', tls),
    ('IP filters', filters), ('open and closed', opened),
    ('recipients that differ', splits), ('actions', actions),
    ('shadow mode', shadow), ('fallback relays', relayed),
    ('BDAT', chunks), ('pipelining', pipelined),
    ('several messages', sessions), ('addresses', addresses),
    ('addresses written otherwise', meanings),
    ('counters', counted),
)


def played(scene, s):
    try:
        yield from scene(s)
    except Exception as e:
        yield '%s: %s' % (type(e).__name__, e)
        s.arrived()


def main():
    need('openssl')
    with Place() as place:
        s = Scene(place)
        for name, scene in SCENES:
            check(name, played(scene, s))
        check('ends well', s.filter.ends())
    done()


main()

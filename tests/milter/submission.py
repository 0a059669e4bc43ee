#!/usr/bin/python3
"""A policy for what comes in does not touch what goes out: an ingress point
that allows only the own domain, and a user who logs in and writes elsewhere.
As root; needs Postfix and Dovecot."""

import sys

sys.dont_write_bytecode = True

from filter import Filter                                   # noqa: E402
from stage import Place, check, differs, done, need         # noqa: E402
from postfix import Postfix                                 # noqa: E402
from sasl import Dovecot                                    # noqa: E402

MAIL = b'From: alice@example.com\r\nSubject: Hello\r\n\r\nHello.\r\n'
OWN, OUTSIDE = 'bob@example.com', 'carol@example.org'
# Allow what ends in the own domain, deny all else.
POLICY = {
    'TrafficPolicyName': 'own-domain', 'DefaultAction': 'DENY',
    'PolicyStatements': [{'Action': 'ALLOW', 'Conditions': [{
        'StringExpression': {'Evaluate': {'Attribute': 'RECIPIENT'},
                             'Operator': 'ENDS_WITH',
                             'Values': ['@example.com']}}]}]}
RULES = {'RuleSetName': 'all', 'Rules': [{
    'Name': 'drop', 'Actions': [{'Drop': {}}]}]}


def send(postfix, listener, rcpts, login=None, tls=None, client=None,
         wrapped=None):
    """The answers to RCPT, and the last one."""
    with postfix.client(listener, wrapped=wrapped) as c:
        c.sure('EHLO client.example.net')
        if tls:
            c.starttls(tls)
            c.sure('EHLO client.example.net')
        if client:
            c.sure('XCLIENT ADDR=%s NAME=client.example.net' % client)
            c.sure('EHLO client.example.net')
        if login:
            c.login(login)
        answers, last = c.mail(MAIL, rcpts, 'alice@example.com')
        c.quit()
    return [a[0] for a in answers], last[0], answers


def outbound(postfix):
    """By who has logged in, wherever he is."""
    for listener, tls, wrapped in (('submission', 'TLSv1.3', None),
                                   ('submission', 'TLSv1.2', None),
                                   ('smtps', None, 'TLSv1.3'),
                                   ('mx', 'TLSv1.3', None)):
        codes, last, _ = send(postfix, listener, [OUTSIDE, OWN], 'alice', tls,
                              '198.51.100.7', wrapped)
        yield from differs(listener, (codes, last), ([250, 250], 250))


def inbound(postfix):
    codes, last, answers = send(postfix, 'mx', [OUTSIDE, OWN],
                                client='198.51.100.7')
    yield from differs('answers', (codes, last), ([550, 250], 250))
    if not answers[0][1].startswith('5.7.1 '):
        yield 'refused with %r' % answers[0][1]


def not_logged_in(postfix):
    """Port 587 says whose it is; the client's word does not matter."""
    codes, last, _ = send(postfix, 'submission', [OUTSIDE],
                          client='198.51.100.7')
    yield from differs('answers', (codes, last), ([250], 250))


def trusted(postfix):
    codes, last, _ = send(postfix, 'mx', [OUTSIDE])
    yield from differs('from 127.0.0.1', (codes, last), ([250], 250))
    codes, last, _ = send(postfix, 'mx', [OUTSIDE], client='127.0.0.9')
    yield from differs('from 127.0.0.9', (codes, last), ([250], 250))


def delivered(postfix, wanted):
    """{recipient: mails}, as they were tagged."""
    postfix.idle()
    found = {}
    for mail in postfix.mails():
        head = mail.split(b'\n\n')[0].decode()
        to = head.split('Delivered-To: ')[1].split('\n')[0]
        found[to] = found.get(to, 0) + 1
        if head.count('\nX-FallbackMX: route=direct; ingress=') != 1:
            yield 'tag of %r' % head
    yield from differs('delivered', found, wanted)


def main():
    need('dovecot', 'openssl')
    with Place() as place:
        f = Filter(place, files={'own.json': POLICY, 'drop.json': RULES},
                   ingress_points=[{
                       'name': 'inbound', 'traffic_policy': place.path(
                           'filter/own.json')}])
        sasl = Dovecot(place).postfix()
        postfix = Postfix(place, smtpd_milters=f.socket, listeners={
            'mx': sasl,
            'submission': {**sasl, 'milter_macro_daemon_name': 'ORIGINATING'},
            'smtps': {**sasl, 'milter_macro_daemon_name': 'ORIGINATING',
                      'smtpd_tls_wrappermode': 'yes'}})
        check('logged in, to outside', outbound(postfix))
        check('from outside to outside', inbound(postfix))
        check('port 587 without a login', not_logged_in(postfix))
        check('trusted networks', trusted(postfix))
        check('delivered', delivered(postfix, {OUTSIDE: 7, OWN: 5}))
        f.configure(ingress_points=[
            {'name': 'inbound', 'traffic_policy': f.document('own.json')},
            {'name': 'submission', 'rule_set': f.document('drop.json')}])
        check('reload', differs('code', f.reload(), 0))
        postfix.forget()
        check('a submission that has rules', outbound(postfix))
        check('dropped', delivered(postfix, {}))
        check('ends well', f.ends())
    done()


main()

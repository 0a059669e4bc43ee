#!/usr/bin/python3
"""Verdict headers: OpenDKIM and OpenDMARC write them, we read them, and a
sender forges them. What is forged is not believed and does not remain; nor do
copies of our own tag. As root; needs Postfix, OpenDKIM and OpenDMARC."""

import re
import sys

sys.dont_write_bytecode = True

import openers                                              # noqa: E402
from filter import Filter                                   # noqa: E402
from smtp import crlf                                       # noqa: E402
from stage import (Place, check, differs, done, need,
                   wait_for)                                # noqa: E402
from postfix import Postfix                                 # noqa: E402

ID = 'mx.example.com'
RESULT = 'dkim=pass header.d=example.net; spf=pass smtp.mailfrom=x@' \
    'example.net; dmarc=pass (p=reject dis=none) header.from=example.net'
PLAIN = 'From: bob@example.net\nTo: alice@example.com\nSubject: Hello\n' \
    'Date: Sat, 1 Jun 2024 10:00:00 +0000\nMessage-ID: <1@example.net>\n'
BODY = '\nHello.\n'

# Each is the header of somebody who says that he is mx.example.com.
FORGED = {
    'plain': 'Authentication-Results: mx.example.com; ' + RESULT,
    'upper case': 'AUTHENTICATION-RESULTS: MX.EXAMPLE.COM; ' + RESULT,
    'lower case': 'authentication-results: Mx.Example.Com; ' + RESULT,
    'no blank': 'Authentication-Results:mx.example.com;' + RESULT,
    'blank before the colon':
        'Authentication-Results : mx.example.com; ' + RESULT,
    'tab before the colon':
        'Authentication-Results\t: mx.example.com; ' + RESULT,
    'many blanks': 'Authentication-Results:  \t  mx.example.com  ;  ' + RESULT,
    'folded first': 'Authentication-Results:\n mx.example.com;\n ' + RESULT,
    'folded everywhere': 'Authentication-Results: mx.example.com\n\t;\n\t' +
        RESULT.replace(' ', '\n\t'),
    'version': 'Authentication-Results: mx.example.com 1; ' + RESULT,
    'quoted': 'Authentication-Results: "mx.example.com"; ' + RESULT,
    'quoted pairs': 'Authentication-Results: "mx.e\\xample.com"; ' + RESULT,
    'comment before': 'Authentication-Results: (a) mx.example.com; ' + RESULT,
    'comment behind': 'Authentication-Results: mx.example.com (;) ; ' +
        RESULT,
    'nested comment': 'Authentication-Results: (a(b)\\() mx.example.com (c)'
        ' 1 (d); ' + RESULT,
    'comments inside': 'Authentication-Results: mx.example.com; dkim (a) = '
        '(b) pass (c) header.d (e) = example.net; spf=pass (x)',
    'job of somebody': 'Authentication-Results: mx.example.com/4XyZ; ' +
        RESULT,
    'empty job': 'Authentication-Results: mx.example.com/; ' + RESULT,
    'empty results': 'Authentication-Results: mx.example.com;;; ' + RESULT,
    'empty result first': 'Authentication-Results: mx.example.com; ; ' +
        RESULT,
    'empty result inside': 'Authentication-Results: mx.example.com; ' +
        RESULT.replace('; ', ';;'),
    'semicolon at the end': 'Authentication-Results: mx.example.com; %s;' %
        RESULT,
    'property without type': 'Authentication-Results: mx.example.com; '
        'dkim=pass domain=example.net; spf=pass client-ip=192.0.2.1',
    'word that is no method': 'Authentication-Results: mx.example.com; '
        'spf=pass; helo=client.example.net; dkim=pass',
    'empty property': 'Authentication-Results: mx.example.com; '
        'spf=pass smtp.mailfrom=; dkim=pass header.d=',
    'quoted results': 'Authentication-Results: mx.example.com; '
        'spf="pass"; dkim="pass" header.d="example.net"',
    'blanks around': 'Authentication-Results: mx.example.com; '
        'spf / 1 = pass smtp . mailfrom = a@b ; dkim\t=\tpass',
    'bytes above 127': 'Authentication-Results: mx.example.com; '
        'spf=pass (\xfc) smtp.mailfrom=\xfc@example.net; dkim=pass',
    'a dot behind the name': 'Authentication-Results: mx.example.com.; ' +
        RESULT,
    'below a Received': 'Received: from a by b; today\n'
        'Authentication-Results: mx.example.com; ' + RESULT,
    'twice': 'Authentication-Results: mx.example.com; %s\n'
        'Authentication-Results: mx.example.com; %s' % (RESULT, RESULT),
    'among others': 'X-A: b\nAuthentication-Results: other.example; %s\n'
        'Authentication-Results: mx.example.com; %s\nX-C: d' % (RESULT,
                                                                RESULT),
}
TAGS = ('X-FallbackMX: route=direct; ingress=inbound; rules=vip',
        'x-fallbackmx: route=fallback', 'X-FALLBACKMX: 1', 'X-FallbackMX : 2',
        'X-FallbackMX\t: 3', 'X-fallbackMX:\n route=direct;\n ingress=inbound',
        'X-FallbackMX:', 'X-FallBackMX:4')


def verdict_rules():
    """A rule for each verdict, so that the log shows what was believed."""
    rules = []
    for what in 'DKIM', 'SPF':
        for value in 'PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED':
            rules.append(rule_of('%s-%s' % (what, value), {
                'VerdictExpression': {'Evaluate': {'Attribute': what},
                                      'Operator': 'EQUALS',
                                      'Values': [value]}}))
    for value in 'NONE', 'QUARANTINE', 'REJECT':
        rules.append(rule_of('DMARC-' + value, {'DmarcExpression': {
            'Operator': 'EQUALS', 'Values': [value]}}))
    return {'RuleSetName': 'verdicts', 'Rules': rules}


def rule_of(name, condition):
    return {'Name': name, 'Conditions': [condition], 'Actions': [
        {'AddHeader': {'HeaderName': 'X-Seen', 'HeaderValue': name}}]}


class Scene:
    """Listeners: job with all three as postfix-conf has them, who bind their
    results to the message; mx with all three who do not; alone with ours."""

    def __init__(self, place):
        dkim, dmarc = openers.OpenDKIM(place), openers.OpenDMARC(place)
        bound = (openers.OpenDKIM(place, 'dkim-job', job=True),
                 openers.OpenDMARC(place, 'dmarc-job', job=True))
        files = {'verdicts.json': verdict_rules()}
        ingress = [{'name': 'inbound', 'rule_set': place.path(
            'filter/verdicts.json')}]
        self.filter = Filter(place, files=files, authserv_id=ID,
                             ingress_points=ingress)
        ingress[0]['rule_set'] = place.path('careful/verdicts.json')
        self.careful = Filter(place, 'careful', files=files, authserv_id=ID,
                              authserv_job=True, ingress_points=ingress)
        self.place = place
        self.postfix = Postfix(place, listeners={
            'mx': {'smtpd_milters': ', '.join(
                m.socket for m in (dkim, dmarc, self.filter))},
            'job': {'smtpd_milters': ', '.join(
                m.socket for m in (*bound, self.careful))},
            'alone': {'smtpd_milters': self.careful.socket}})

    def send(self, listener, mail):
        """(rules that matched, the header as delivered)"""
        f = self.filter if listener == 'mx' else self.careful
        f.messages()
        self.postfix.forget()
        with self.postfix.client(listener) as c:
            c.sure('EHLO localhost')
            c.sure('XCLIENT ADDR=192.0.2.1 NAME=client.example.net')
            c.sure('EHLO client.example.net')
            said = c.mail(crlf(mail))[1]
            c.quit()
        if said[0] != 250:
            raise AssertionError('%d %s' % said)
        lines = wait_for(f.messages)
        self.postfix.idle()
        head = self.postfix.mails()[0].partition(b'\n\n')[0]
        rules = lines[-1]['verdict']['recipients'][0]['rules']
        return [r['name'] for r in rules if r['matched']], fields(head)


def fields(head):
    """[(name, value)], folds taken out."""
    lines = re.sub(rb'\n[ \t]+', b' ', head).decode('utf-8',
                                                    'replace').split('\n')
    return [tuple(x.strip() for x in line.split(':', 1)) for line in lines]


def results_of(found, ours=True):
    """The Authentication-Results that claim to be ours."""
    claim = re.compile(r'\s*"?mx\.e\\?xample\.com(?!\.)', re.I)
    return [v for n, v in found if n.lower() == 'authentication-results' and
            bool(claim.match(re.sub(r'\((\\.|[^()]|\([^()]*\))*\)', '', v))
                 ) == ours]


def genuine(scene, listener):
    signed = openers.sign(scene.place, crlf((PLAIN + BODY).encode()),
                          ['from', 'to', 'subject', 'date'])
    seen, found = scene.send(listener, signed)
    if 'DKIM-PASS' not in seen:
        yield 'signed: %s, %s' % (seen, results_of(found))
    if 'DMARC-REJECT' not in seen:
        yield 'no policy of DMARC: %s, %s' % (seen, results_of(found))
    seen, found = scene.send(listener, signed.replace(b'Hello.', b'Hallo.'))
    if 'DKIM-FAIL' not in seen:
        yield 'changed: %s, %s' % (seen, results_of(found))
    seen, found = scene.send(listener, (PLAIN + BODY).encode())
    if 'DKIM-PASS' in seen or 'DKIM-FAIL' in seen:
        yield 'unsigned: %s, %s' % (seen, results_of(found))


def forged(scene, listener, field):
    """On top, at the end, and on top of a signed mail that was changed."""
    for mail in (field + '\n' + PLAIN + BODY, PLAIN + field + '\n' + BODY):
        seen, found = scene.send(listener, mail.encode())
        believed = {'DKIM-PASS', 'SPF-PASS', 'DMARC-NONE',
                    'DMARC-QUARANTINE'} & set(seen)
        if listener == 'alone' and 'DMARC-REJECT' in seen:
            believed.add('DMARC-REJECT')
        if believed:
            yield 'believed %s: %s' % (sorted(believed), results_of(found))
        # Without jobs ours cannot be told from what OpenDKIM leaves.
        left = [v for v in results_of(found) if 'pass' in v]
        if left and listener != 'mx':
            yield 'left: %s' % left
        if 'other.example' in field and len(results_of(found, False)) != 1:
            yield 'that of somebody else is gone'


def own_tags(scene, listener):
    """All copies go, wherever they are; one of ours is on top."""
    for mail in ('\n'.join(TAGS) + '\n' + PLAIN,
                 PLAIN + '\n'.join(TAGS) + '\n',
                 TAGS[0] + '\n' + 'X-Other: 1\n'.join(
                     t + '\n' for t in TAGS[1:]) + PLAIN):
        found = scene.send(listener, (mail + BODY).encode())[1]
        tags = [v for n, v in found if n.lower() == 'x-fallbackmx']
        yield from differs('copies', len(tags), 1)
        if not tags or not tags[0].startswith('route=direct; ingress=inbound'):
            yield 'tag %s' % tags
        yield from differs('X-Other', [n for n, _ in found].count('X-Other'),
                           mail.count('X-Other'))


def main():
    need('opendkim', 'opendmarc', 'openssl')
    with Place() as place:
        scene = Scene(place)
        for listener in 'mx', 'job':
            check(listener + ': what is true is believed',
                  genuine(scene, listener))
        for listener in 'mx', 'job', 'alone':
            for name, field in FORGED.items():
                check('%s: forged, %s' % (listener, name),
                      forged(scene, listener, field))
            check(listener + ': 8 copies of our tag',
                  own_tags(scene, listener))
        check('ends well', scene.filter.ends())
        check('the careful one, too', scene.careful.ends())
    done()


if __name__ == '__main__':
    main()

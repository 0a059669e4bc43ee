#!/usr/bin/python3
"""Bytes: mail with a DKIM signature (simple/simple) passes through Postfix and
us, who put fields in and take some out, to a second Postfix, whose OpenDKIM
says whether the signature still holds. Each mail goes the same way without us,
too: what Postfix breaks by itself proves nothing.

As root; needs Postfix and OpenDKIM.
"""

import random
import re
import sys

sys.dont_write_bytecode = True

import openers                                              # noqa: E402
from filter import Filter                                   # noqa: E402
from postfix import Postfix                                 # noqa: E402
from smtp import crlf                                       # noqa: E402
from stage import Place, check, differs, done, need         # noqa: E402

HEAD = b'From: bob@example.net\nTo: alice@example.com\nSubject: Hello\n' \
    b'Date: Sat, 1 Jun 2024 10:00:00 +0000\nMessage-ID: <1@example.net>\n'
RULES = {'RuleSetName': 'edits', 'Rules': [{'Name': 'edit', 'Actions': [
    {'AddHeader': {'HeaderName': 'X-Added', 'HeaderValue': 'one'}},
    {'AddHeader': {'HeaderName': 'X-Added', 'HeaderValue': 'a value that is '
                   'so long that it has to be folded somewhere, which is '
                   'what is done with it'}},
    {'RemoveHeader': {'HeaderName': 'X-Remove'}}]}]}
GONE = b'X-Remove: 1\nx-fallbackmx: route=fallback\nX-REMOVE:\n 2\n' \
    b'X-FallbackMX: forged\n'


def folded(count):
    r = random.Random(count)
    return b''.join(b'X-%d:%s%s\n' % (
        i, r.choice((b'', b' ', b'  ', b'\t')), b''.join(
            b'%s%s' % (b'w' * r.randrange(1, 60),
                       r.choice((b'\n ', b'\n\t', b'\n  \t ', b' ', b'  ')))
            for _ in range(r.randrange(1, 6))) + b'end')
        for i in range(count))


# name: (header, body); the body with its empty line, None: nothing behind the
# header.
MAILS = {
    'plain': (HEAD, b'\nHello.\n'),
    '8 bits': (HEAD, b'\nGr\xfc\xdfe, \xe2\x82\xac, \xff\x80.\n'),
    'all bytes': (HEAD, b'\n' + bytes(
        b for b in range(1, 256) if b not in b'\r\n') + b'\n'),
    'long line': (HEAD, b'\n' + b'long ' * 5000 + b'\n'),
    '998 bytes': (HEAD + b'X-998: ' + b'y' * 991 + b'\n',
                  b'\n' + b'x' * 998 + b'\n'),
    'no body': (HEAD, b'\n'),
    'no empty line': (HEAD, b''),
    'empty lines': (HEAD, b'\n\n\n\n\n'),
    'empty lines at both ends': (HEAD, b'\n\n\nx\n\n\n'),
    'dots': (HEAD, b'\n.\n..\n.x\n...\n'),
    'blanks': (HEAD, b'\n \n\t\nx  \n   y\t\n'),
    'looks like a header': (HEAD, b'\nX-FallbackMX: x\nX-Remove: y\n\nz\n'),
    'a header without blanks': (HEAD.replace(b': ', b':'), b'\nx\n'),
    'a header with many blanks': (HEAD.replace(b': ', b':  \t '), b'\nx\n'),
    'blanks at the end': (HEAD.replace(b'\n', b'  \n'), b'\nx\n'),
    'odd values': (HEAD + b'X-Empty:\nX-Blank: \nX-Blanks:   \nX-Colon: a:b\n'
                   b'X-Percent: 100%% %s %n\nX-8: \xfc\xe2\x82\xac\n'
                   b'X-Quote: "a\\"b" (c) <d>\n', b'\nx\n'),
    'folds': (HEAD + b'X-Fold:\n a\n\tb\n  c\nX-Next: a \n b\t\n \tc\n',
              b'\nx\n'),
    'many folded fields': (HEAD + folded(300), b'\nx\n'),
    'the same name': (HEAD + b'X-Multi: 1\nx-multi: 2\nX-MULTI: 3\n'
                      b'X-Multi: 1\n', b'\nx\n'),
    'Received': (b''.join(b'Received: from a%d by b\n\tid %d;\n Sat, 1 Jun '
                          b'2024 10:00:00 +0000\n' % (i, i)
                          for i in range(20)) + HEAD, b'\nx\n'),
    'removed on top': (GONE + HEAD, b'\nx\n'),
    'removed at the end': (HEAD + GONE, b'\nx\n'),
    'removed in between': (GONE.join((HEAD, b'X-A: b\n', b'X-C: d\n')),
                           b'\nx\n'),
    'a header of 50,000 bytes': (HEAD + b'X-Large: ' + b'\n '.join(
        [b'v' * 70] * 700) + b'\n', b'\nx\n'),
    'a megabyte': (HEAD, b'\n' + b''.join(
        b'%06d %s\n' % (i, b'z' * 70) for i in range(13000))),
    'MIME': (HEAD + b'MIME-Version: 1.0\nContent-Type: multipart/mixed;\n'
             b'\tboundary="=_b"\nContent-Transfer-Encoding: 8bit\n',
             b'\npreamble\n--=_b\nContent-Type: text/plain;charset=utf-8\n'
             b'Content-Transfer-Encoding: 8bit\n\n\xc3\xa4\n--=_b--\nend\n'),
}


def names(head):
    """Of the fields that nobody takes out, as they come."""
    found = re.findall(rb'^([^\s:]+):', head, re.M)
    return [n.decode() for n in found
            if n.lower() not in (b'x-remove', b'x-fallbackmx')]


class Scene:
    def __init__(self, place):
        self.place = place
        self.filter = Filter(
            place, files={'edits.json': RULES}, ingress_points=[
                {'name': 'inbound',
                 'rule_set': place.path('filter/edits.json')}])
        self.far = Postfix(place, 'far', smtpd_milters=openers.OpenDKIM(
            place).socket)
        self.near = Postfix(
            place, 'near', listeners={'bare': {},
                                      'mx': {'smtpd_milters':
                                             self.filter.socket}},
            transport_maps='static:{smtp:[127.0.0.1]:%d}' %
            self.far.ports['mx'], smtp_line_length_limit='0')

    def send(self, listener, mail):
        """As it lies in the far mailbox."""
        self.far.forget()
        with self.near.client(listener) as c:
            c.sure('EHLO localhost')
            c.sure('XCLIENT ADDR=192.0.2.1 NAME=client.example.net')
            c.sure('EHLO client.example.net')
            said = c.mail(mail, extra=' BODY=8BITMIME')[1]
            c.quit()
        if said[0] != 250:
            raise AssertionError('%d %s' % said)
        self.near.idle()
        self.far.idle()
        return self.far.mails()[0]


def holds(mail):
    """What OpenDKIM says."""
    found = re.findall(rb'^Authentication-Results: mx\.example\.com;'
                       rb'\s+dkim=(\w+)', mail, re.M)
    return [w.decode() for w in found]


def fields(mail, name):
    head = mail.split(b'\n\n')[0]
    return re.findall(rb'^%s:(.*(?:\n[ \t].*)*)' % name, head, re.M | re.I)


def edited(mail, head):
    yield from differs('tags', len(fields(mail, b'X-FallbackMX')), 1)
    yield from differs('X-Remove', len(fields(mail, b'X-Remove')), 0)
    values = [re.sub(rb'\n[ \t]', b' ', v) for v in fields(mail, b'X-Added')]
    wanted = [a['AddHeader']['HeaderValue'].encode()
              for a in RULES['Rules'][0]['Actions'][:2]]
    yield from differs('X-Added', sorted(v.strip() for v in values),
                       sorted(wanted))


def arrives(scene, head, body):
    mail = openers.sign(scene.place, crlf(head + body), names(head))
    yield from differs('without us', holds(scene.send('bare', mail)),
                       ['pass'])
    got = scene.send('mx', mail)
    yield from differs('with us', holds(got), ['pass'])
    yield from edited(got, head)


def main():
    need('opendkim', 'openssl')
    with Place() as place:
        scene = Scene(place)
        for name, (head, body) in MAILS.items():
            try:
                problems = list(arrives(scene, head, body))
            except Exception as e:
                problems = ['%s: %s' % (type(e).__name__, e)]
            check(name, problems)
        check('a signature can fail', differs(
            'verdict', holds(scene.send('mx', openers.sign(
                place, crlf(HEAD + b'\nHello.\n'), ['from']).replace(
                    b'Hello.', b'Hallo.'))), ['fail']))
        check('ends well', scene.filter.ends())
    done()


main()

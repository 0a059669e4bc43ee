"""messages - random mails and what a session knows of them.

What is written can be read in one way only, but for what lib/mail calls
malformed. Beside each mail go hints: what its fields say to a reader, so that
conditions can be made that hold.
"""

import base64

WORDS = ('invoice', 'Offer', 'RE:', '[List]', 'final', 'x-1', '50%', 'a_b',
         'Hello', 'report', '=?', 'now!', '(new)', 'B&C', 'Gr\xfc\xdfe',
         'na\xefve', '\u65e5\u672c\u8a9e', '\u03a9mega', '\U0001f4e7')
# Encoded words in charsets that are not UTF-8 need these.
CHARSETS = (('utf-8', 'utf-8'), ('UTF-8', 'utf-8'), ('us-ascii', 'ascii'),
            ('iso-8859-1', 'latin-1'), ('ISO-8859-15', 'iso8859-15'),
            ('windows-1252', 'cp1252'), ('koi8-r', 'koi8-r'))
LOCALS = ('alice', 'Bob', 'carol', 'dave+tag', 'info', "o'neil", 'x.y.z',
          'billing-2', 'INFO', 'm\xfcller', 'inf*', '*')
QUOTED_LOCALS = (('"alice"', 'alice'), ('"x.y.z"', 'x.y.z'),
                 ('"john doe"', '"john doe"'), ('"a@b"', '"a@b"'),
                 ('"in\\fo"', 'info'))
DOMAINS = ('example.com', 'Example.COM', 'mail.example.com', 'example.net',
           'a.b.mail.example.com', 'other.example.org',
           'xn--bcher-kva.example.net', 'b\xfccher.example.org',
           'XN--BCHER-KVA.example.net', 'B\xdcCHER.example.org')
NAMES = ('Alice', 'Bob B. Builder', 'Carol C', 'sales', 'D-Day',
         'M\xfcller Ltd')
QUOTED_NAMES = ('Alice, A', 'alice@example.com', 'Bob (home)', 'Sales; Team',
                'say \\"hi\\"', 'bob')
# Nobody can read these for certain. Values never have "zq", so that it does
# not matter what is read of them.
MALFORMED = ('zq@', '"zq', 'zq <zq@zq.invalid', 'zq@@zq.invalid', 'zq zq',
             'zq@zq.invalid>', 'zq@zq.invalid zq', 'zq (zq', 'zq',
             'zqs: zq@zq.invalid', '@zq.invalid', 'zq@zq.invalid (zq',
             'zq@zq..invalid', 'zq.@zq.invalid', '<zq>', 'zq@[zq.invalid')
X_NAMES = ('X-Tag', 'X-Spam-Flag', 'X-a')
ODD_NAMES = ('List-Id', 'Reply-To', 'Comments')
CLIENTS = ('192.0.2.1', '192.0.2.200', '198.51.100.7', '10.1.2.3',
           '2001:db8::1', '2001:db8:1::25', '2001:db9::1',
           '::ffff:192.0.2.1', '::ffff:10.9.8.7', 'IPv6:2001:db8::1')
HELOS = ('mail.example.com', 'mx1.example.net', '[192.0.2.1]', 'localhost',
         'MX1.Example.Net')
ANALYZERS = (('arn:aws:ses:eu-west-1:123456789012:addon-instance/ai-1',
              'addon.verdict'), ('rspamd', 'score'), ('clamav', 'Is clean'))
ANALYSED = ('PASS', 'fail', 'GRAY', 'true', 'No', '1', '0', 'spam', 'maybe')
AUTHSERV = 'mx.example.com'
JOB = '4bXyz1'
SWAP = {c: c ^ 32 for c in range(128) if chr(c).isalpha()}


def chance(r, p):
    return r.random() < p


def some_case(r, text):
    """ASCII letters of another case, now and then."""
    return text.translate(SWAP) if chance(r, 0.2) else text


def raw(text):
    """The characters that stand for its bytes in UTF-8."""
    return text.encode().decode('latin-1')


def encoded_word(r, text):
    charset, codec = r.choice(CHARSETS)
    try:
        data = text.encode(codec)
    except UnicodeEncodeError:
        charset, data = 'utf-8', text.encode()
    if chance(r, 0.5):
        return '=?%s?%s?%s?=' % (charset, r.choice('bB'),
                                 base64.b64encode(data).decode())
    if chance(r, 0.1):
        return '=?%s?q?=%s?=' % (charset, data.hex('=').upper())
    return '=?%s?%s?%s?=' % (charset, r.choice('qQ'), ''.join(
        chr(c) if chr(c).isalnum() and c < 128 else
        '_' if c == 32 else '=%02X' % c for c in data))


UNDECODABLE = ('=?x-unknown?q?abc?=', '=?utf-8?qabc', '=?utf-8?x?abc?=')


def text(r):
    """(as it is written, as people read it)"""
    written, read = [], []
    last_was_encoded = False
    for _ in range(r.randrange(5)):
        word = r.choice(WORDS)
        kind = r.random()
        encoded = kind < 0.25
        if encoded:
            if chance(r, 0.2):
                word += r.choice((' ', '\t', '\r\n', '\0'))
            if chance(r, 0.2):
                word = r.choice(WORDS) + ' ' + word
            out = encoded_word(r, word)
            word = ''.join(' ' if c < ' ' else c for c in word)
        elif kind < 0.28:
            out = word = r.choice(UNDECODABLE)
        elif kind < 0.31:
            out, word = 'caf\xe9', 'caf\ufffd'
        else:
            out = raw(word)
        if read and not (encoded and last_was_encoded):
            read.append(' ')
        if written:
            written.append(' ')
        written.append(out)
        read.append(word)
        last_was_encoded = encoded
    return ''.join(written), ''.join(read)


def spec(r):
    """An address: (as it is written, as it is meant)"""
    if chance(r, 0.06):
        local, meant = r.choice(QUOTED_LOCALS)
    else:
        local = meant = some_case(r, r.choice(LOCALS))
    domain = r.choice(DOMAINS)
    at = r.choice((' @ ', '@ ', '(c)@')) if chance(r, 0.03) else '@'
    return raw(local + at + domain), meant + '@' + domain


def mailbox(r):
    """An address with what people put around it."""
    written, meant = spec(r)
    kind = r.random()
    if kind < 0.35:
        return written, meant
    if kind < 0.55:
        return '%s <%s>' % (raw(r.choice(NAMES)), written), meant
    if kind < 0.7:
        return '"%s" <%s>' % (r.choice(QUOTED_NAMES), written), meant
    if kind < 0.8:
        return '%s <%s>' % (encoded_word(r, r.choice(NAMES)), written), meant
    if kind < 0.85:
        return '"%s" <%s>' % (meant if meant[0] != '"' and meant.isascii()
                              else 'bob', written), meant
    if kind < 0.9:
        return '%s (%s)' % (written, r.choice(
            ('home', 'a, b@c.example', 'x (y) z', '\\)'))), meant
    if kind < 0.93:
        return '<@relay.example,@b.example:%s>' % written, meant
    return '<%s>' % written, meant


def mailboxes(r, most):
    found = [mailbox(r) for _ in range(r.randrange(1, most + 1))]
    meant = [m for _, m in found]
    written = [w for w, _ in found]
    if chance(r, 0.08):
        at = r.randrange(len(written))
        written[at] = 'team%s: %s;' % (r.choice(('', ' A', ' (x)')),
                                       ', '.join(written[at:]))
        del written[at + 1:]
    elif chance(r, 0.03):
        written.append('undisclosed-recipients:;')
    elif chance(r, 0.03):
        written.append('')
    elif chance(r, 0.06):
        written.append(r.choice(MALFORMED))
        if chance(r, 0.3):
            written, meant = written[-1:], []
    return r.choice((', ', ', ', ',')).join(written), meant


def fold(r, value, end):
    """Folded at some of its blanks, never twice at the same place."""
    if chance(r, 0.3):
        parts = value.split(' ')
        value = parts[0] + ''.join(
            (end + ' ' if chance(r, 0.4) and p.strip(' \t') and
             parts[i].strip(' \t') else ' ') + p
            for i, p in enumerate(parts[1:]))
    return value


class Mail:
    def __init__(self, r):
        self.r, self.lines, self.hints = r, [], {}
        self.end = '\n' if chance(r, 0.2) else '\r\n'

    def add(self, name, value):
        r = self.r
        # A header line may not look like the end of the head.
        colon = r.choice((' :', ':', ':  ', ':\t')) if chance(r, 0.1) else ': '
        self.lines.append(some_case(r, name) + colon +
                          fold(r, value, self.end) +
                          ('  ' if chance(r, 0.05) else ''))

    def hint(self, name, *texts):
        self.hints.setdefault(name, []).extend(
            t for t in texts if t and 'zq' not in t)

    def text(self, name, key=None):
        written, read = text(self.r)
        self.add(name, written)
        self.hint(key or name, read)

    def addresses(self, name, most):
        r = self.r
        if chance(r, 0.03):
            written, meant = '', []
        else:
            written, meant = mailboxes(r, most)
        self.add(name, written)
        self.hint(name.upper(), *meant)
        if '=?' not in written and written.isascii():
            self.hint(name.upper(), written)

    def write(self):
        r = self.r
        for name, most in ('From', 2), ('To', 3), ('Cc', 3), ('Sender', 1):
            while chance(r, {'From': 0.85, 'To': 0.7}.get(name, 0.4)):
                self.addresses(name, most)
                if not chance(r, 0.15):
                    break
        while chance(r, 0.8):
            self.text('Subject', 'SUBJECT')
            if not chance(r, 0.15):
                break
        for name in X_NAMES + ODD_NAMES:
            if chance(r, 0.3):
                self.text(name)
        if chance(r, 0.15):
            self.add('Disposition-Notification-To',
                     r.choice(('', 'bob@example.com')))
        authentication(self)
        if chance(r, 0.05):
            self.lines.append(r.choice(('no colon here', 'Two words: x',
                                        ': nameless', 'Sub\xe9ject: x')))
        r.shuffle(self.lines)
        return self.end.join(self.lines) + self.body()

    def body(self):
        r = self.r
        if chance(r, 0.05):
            return ''
        if chance(r, 0.05):
            return self.end
        lines = r.choices(('hello', '', 'Subject: not me', 'a\rb', 'x' * 70,
                           'To: alice@example.com'), k=r.randrange(6))
        ends = (self.end, self.end, '\n') if chance(r, 0.1) else (self.end,)
        return self.end * 2 + ''.join(s + r.choice(ends) for s in lines)


RESULTS = ('pass', 'fail', 'none', 'neutral', 'softfail', 'policy',
           'temperror', 'permerror', 'bestguess')
BROKEN = ('spf=pass (open', 'spf=pass (a (b)', 'spf=pass reason="open')


def comment(r):
    return r.choice((' (ok)', ' (dkim=pass; spf=fail)', ' (a (b) c)',
                     '\t(p\\)q)')) if chance(r, 0.3) else ''


def result(r, method, said=None):
    if said is None:
        said = r.choice(RESULTS)
        if method == 'dkim' and chance(r, 0.4):
            said = 'pass'
    out = r.choice((' ', '', '  ')) + some_case(r, method)
    out += '/1' if chance(r, 0.05) else ''
    out += (' = ' if chance(r, 0.1) else '=') + some_case(r, said)
    if method == 'dmarc':
        policy = r.choice(('none', 'quarantine', 'reject'))
        out += r.choice((' policy.dmarc=' + policy, '', ' (p=other)',
                         ' (p=%s dis=none)' % policy,
                         ' (policy=%s)' % policy.upper(),
                         ' (p=none) policy.dmarc=' + policy,
                         ' (sp=none p=%s)' % policy))
    else:
        out += comment(r)
    if chance(r, 0.2):
        out += ' reason="a; b=\\"c"'
    if chance(r, 0.6):
        out += r.choice((' smtp.mailfrom=a@example.com',
                         ' header.d=example.com', ' header.i=@example.com',
                         ' smtp.helo="mx.example"',
                         ' header . d = example.com'))
        out += comment(r)
    return out


def authentication(mail):
    """A field of ours, perhaps a second one or a copy of a sender's, and
    forged ones."""
    r = mail.r
    ours = [AUTHSERV, AUTHSERV + '/' + JOB, AUTHSERV.upper(), AUTHSERV + ' 1',
            '(c) "%s" (d)' % AUTHSERV, AUTHSERV + '.',
            AUTHSERV + './' + JOB]
    if chance(r, 0.7):
        parts = [result(r, m) for m in ('spf', 'dmarc') if chance(r, 0.7)]
        parts += [result(r, 'dkim') for _ in range(r.randrange(3))]
        parts += [' x-other=pass'] if chance(r, 0.1) else []
        parts += [result(r, r.choice(('spf', 'dmarc')))] if chance(r, 0.1) \
            else []
        r.shuffle(parts)
        mail.add('Authentication-Results', r.choice(ours) + ';' + (
            ';'.join(parts) + (';' if chance(r, 0.1) else '')
            if parts else ' none'))
    if chance(r, 0.2):
        mail.add('Authentication-Results', r.choice(ours) + ';' +
                 result(r, r.choice(('dkim', 'dkim', 'spf', 'dmarc'))))
    while chance(r, 0.25):
        liar = r.choice(('mx.example.org', AUTHSERV + '/other', 'x' + AUTHSERV,
                         AUTHSERV + ' 2', AUTHSERV + '..', '"' + AUTHSERV,
                         AUTHSERV + ' x'))
        if chance(r, 0.4):
            mail.add('Authentication-Results',
                     '%s; dkim=pass; %s; dmarc=pass' % (
                         AUTHSERV, r.choice(BROKEN)))
        else:
            mail.add('Authentication-Results', '%s;%s;%s;%s' % (
                liar, result(r, 'spf'), result(r, 'dkim', 'pass'),
                result(r, 'dmarc', 'pass')))


def maybe(r, choices, p=0.85):
    return r.choice(choices) if chance(r, p) else None


def recipient(r):
    if chance(r, 0.03):
        return 'postmaster'
    return r.choice(LOCALS) + '@' + r.choice(DOMAINS)


def facts(r):
    f = {'client': maybe(r, CLIENTS, 0.95), 'helo': maybe(r, HELOS),
         'tls': maybe(r, ('none', 'older', 'TLSv1.2', 'TLSv1.3')),
         'tls_wrapped': maybe(r, (True, False)),
         'auth_user': maybe(r, ('alice', 'bob@example.com'), 0.5),
         'cert_cn': maybe(r, ('mail.example.com', 'Client CN')),
         'authserv_id': maybe(r, (AUTHSERV, AUTHSERV.title(),
                                AUTHSERV + '.'), 0.95),
         'job': maybe(r, (JOB,), 0.7)}
    f['mail_from'] = maybe(r, (recipient(r), recipient(r), ''), 0.95)
    f['recipients'] = [recipient(r) for _ in range(
        r.choice((1, 1, 1, 2, 2, 3)))]
    f['analyses'] = [a + (r.choice(ANALYSED),) for a in ANALYZERS
                     if chance(r, 0.6)]
    f['full'] = chance(r, 0.5)
    return f


def hints(f, found):
    """found: of the mail; with those of the session."""
    for name in 'mail_from', 'helo', 'auth_user', 'cert_cn':
        if f[name]:
            found.setdefault(name.upper(), []).append(f[name])
    found['RECIPIENT'] = f['recipients']
    return found

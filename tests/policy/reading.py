"""reading - how the model reads mail: fields, encoded words, addresses,
Authentication-Results.

Written from RFC 5322, 2047, 8601 and the headers in lib/mail alone, short
rather than complete: what the generator writes is read for certain. Text of a
mail is a str with one character for each byte.
"""

import binascii
import re


class Malformed(Exception):
    pass


# --- fields ---------------------------------------------------------------

def fields(mail):
    """[(name, value as it stands)] up to the first empty line."""
    found, current = [], None
    for line in mail.split('\n'):
        line = line.removesuffix('\r')
        if not line:
            break
        if line[0] in ' \t':
            if current:
                current[1] += '\n' + line
            continue
        name, colon, value = line.partition(':')
        name = name.rstrip(' \t')
        current = None
        if colon and name and all('!' <= c <= '~' for c in name):
            current = [name, value]
            found.append(current)
    return found


def unfold(value):
    value = re.sub(r'\r?\n(?=[ \t])', '', value)
    return re.sub(r'[\r\n\0]', ' ', value).strip(' \t')


def values(head, name):
    """The unfolded values of all fields of that name."""
    return [unfold(v) for n, v in head if n.lower() == name.lower()]


# --- decoded text ---------------------------------------------------------

ENCODED = re.compile(r'=\?([\w-]+)\?([qQbB])\?([!->@-~]*)\?=', re.A)
CHARSETS = {'utf-8': 'utf-8', 'us-ascii': 'ascii', 'iso-8859-1': 'latin-1',
            'iso-8859-15': 'iso8859-15', 'windows-1252': 'cp1252',
            'koi8-r': 'koi8-r'}


def encoded_word(match):
    """Its text, None if it cannot be decoded."""
    charset, how, data = match.groups()
    if charset.lower() not in CHARSETS:
        return None
    if how in 'bB':
        raw = binascii.a2b_base64(data)
    else:
        raw = re.sub('=([0-9A-Fa-f]{2})', lambda m: chr(int(m[1], 16)),
                     data.replace('_', ' ')).encode('latin-1')
    return raw.decode(CHARSETS[charset.lower()])


def decode(value):
    """What people read; value is unfolded."""
    out, at, word_before = [], 0, False
    for m in ENCODED.finditer(value):
        text = encoded_word(m)
        if text is None:
            continue
        between = value[at:m.start()]
        if not (word_before and not between.strip(' \t')):
            out.append(plain(between))
        out.append(text)
        at, word_before = m.end(), True
    out.append(plain(value[at:]))
    return re.sub('[\0-\x1f\x7f]', ' ', ''.join(out))


def plain(raw):
    return raw.encode('latin-1').decode('utf-8', 'replace')


# --- addresses ------------------------------------------------------------

SPECIALS = '()<>[]:;@\\,."'


class Scanner:
    def __init__(self, text):
        self.text, self.at = text, 0

    def peek(self):
        return self.text[self.at:self.at + 1]

    def skip(self):
        """Blanks and comments."""
        while self.peek() and self.peek() in ' \t(':
            if self.peek() == '(':
                self.comment()
            else:
                self.at += 1

    def comment(self):
        start, depth = self.at, 0
        while self.peek():
            c = self.peek()
            self.at += 2 if c == '\\' else 1
            depth += (c == '(') - (c == ')')
            if depth == 0:
                return self.text[start + 1:self.at - 1]
        raise Malformed('comment')

    def quoted(self):
        out = []
        self.at += 1
        while self.peek():
            c = self.peek()
            self.at += 1
            if c == '"':
                return ''.join(out)
            if c == '\\':
                c = self.peek()
                self.at += 1
            out.append(c)
        raise Malformed('quoted string')

    def atom(self):
        start = self.at
        while self.peek() and self.peek() not in SPECIALS and \
                self.peek() > ' ' and self.peek() != '\x7f':
            self.at += 1
        if start == self.at:
            raise Malformed('atom')
        return self.text[start:self.at]

    def take(self, c):
        self.skip()
        if self.peek() != c:
            return False
        self.at += 1
        self.skip()
        return True

    def expect(self, c):
        if not self.take(c):
            raise Malformed(c)


def words(s):
    """Words and dots up to something else: [(text, kind)], kind a, q or ."""
    found = []
    s.skip()
    while s.peek() and s.peek() not in ',<>@:;[])':
        if s.peek() == '"':
            found.append((s.quoted(), 'q'))
        elif s.peek() == '.':
            s.at += 1
            found.append(('.', '.'))
        else:
            found.append((s.atom(), 'a'))
        s.skip()
    return found


def local_part(found):
    kinds = ''.join(kind for _, kind in found)
    if not re.fullmatch(r'[aq](\.[aq])*', kinds):
        raise Malformed('local part')
    text = ''.join(t for t, _ in found)
    plain_enough = all(part and not any(c in SPECIALS or c <= ' '
                                        for c in part)
                       for part in text.split('.'))
    if plain_enough:
        return text
    return '"%s"' % re.sub(r'(["\\])', r'\\\1', text)


def domain(s):
    s.skip()
    if s.peek() == '[':
        end = s.text.find(']', s.at)
        if end < 0:
            raise Malformed('domain literal')
        text = s.text[s.at:end + 1]
        s.at = end + 1
    else:
        text = s.atom()
        while s.take('.'):
            text += '.' + s.atom()
    s.skip()
    return text


def mailbox(s, found):
    """Behind the words in front of it; its address."""
    if s.take('<'):
        if found and found[0][1] == '.':
            raise Malformed('name')
        if s.peek() == '@':         # a route, obsolete
            while s.take('@'):
                domain(s)
                s.take(',')
            s.expect(':')
        found = words(s)
        s.expect('@')
        address = local_part(found) + '@' + domain(s)
        s.expect('>')
        return address
    s.expect('@')
    return local_part(found) + '@' + domain(s)


def addresses(value):
    """(those in front of the first mistake, whether there is one)"""
    s, found, group = Scanner(value), [], False
    try:
        while True:
            name = words(s)
            if name and not group and s.take(':'):
                group = True
                continue
            if name or s.peek() == '<':
                address = mailbox(s, name)
                if s.peek() and s.peek() not in ',;' or \
                        s.peek() == ';' and not group:
                    raise Malformed('behind an address')
                found.append(address)
            if group and s.take(';'):
                group = False
                if s.peek() and s.peek() != ',':
                    raise Malformed('behind a group')
            if not s.take(','):
                if s.peek() or group:
                    raise Malformed('end')
                return found, False
    except Malformed:
        return found, True


# --- Authentication-Results -----------------------------------------------

VALUE = r'(?:\x01\d+\x01|[^\s;"()=]+)'
PROPERTY = r'(?:reason|[a-z]+\s*\.\s*[a-z][a-z0-9_-]*)\s*=\s*%s' % VALUE
RESULT = re.compile(
    r'\s*([a-z][a-z0-9-]*)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)(?:\x02(\d+)\x02|\s)*'
    r'((?:(?:\s|\x02\d+\x02)+%s)*)(?:\s|\x02\d+\x02)*' % PROPERTY, re.I)


def flatten(value):
    """Comments and quoted strings become numbers between marks; and their
    texts."""
    s, flat, kept = Scanner(value), [], []
    while s.peek():
        if s.peek() == '(':
            kept.append(s.comment())
            flat.append('\x02%d\x02' % (len(kept) - 1))
        elif s.peek() == '"':
            kept.append(s.quoted())
            flat.append('\x01%d\x01' % (len(kept) - 1))
        else:
            flat.append(re.compile('[^("]+').match(value, s.at)[0])
            s.at += len(flat[-1])
    return ''.join(flat), kept


def without_comments(flat):
    return re.sub('\x02\\d+\x02', ' ', flat)


def checker(name):
    """A domain in small letters, without the dot at its end."""
    return re.sub(r'(?<=.)\.$', '', name.lower())


def results(value, authserv_id, job):
    """Whether the field has the job, and [(method, result, comment behind it,
    properties)]; None if the field is not believed."""
    try:
        flat, kept = flatten(value)
    except Malformed:
        return None
    first, *rest = flat.split(';')

    def restore(text):
        return re.sub('\x01(\\d+)\x01', lambda m: kept[int(m[1])], text)

    m = re.fullmatch(r'\s*(%s)(?:\s+(\d+))?\s*' % VALUE,
                     without_comments(first))
    if not m or m[2] not in (None, '1'):
        return None
    name, slash, its_job = restore(m[1]).partition('/')
    if checker(name) != checker(authserv_id) or slash and its_job != job:
        return None
    if rest and rest[-1].strip() == '' and len(rest) > 1:
        rest.pop()                  # SES ends with a semicolon
    if [without_comments(r).strip().lower() for r in rest] == ['none']:
        return bool(slash), []
    found = []
    for part in rest:
        m = RESULT.fullmatch(part)
        if not m:
            return None
        properties = {
            re.sub(r'\s', '', n).lower(): restore(v) for n, v in re.findall(
                r'([a-z]+\s*\.\s*[a-z][a-z0-9_-]*)\s*=\s*(%s)' % VALUE,
                without_comments(m[4]), re.I)}
        comment = re.search('\x02(\\d+)\x02', part)
        found.append((m[1].lower(), m[2].lower(),
                      kept[int(comment[1])] if comment else '', properties))
    return bool(slash), found


def claims(value, authserv_id):
    """The field says that it is ours."""
    s = Scanner(value)
    try:
        while s.peek() == '(' or s.peek().isspace():
            if s.peek() == '(':
                s.comment()
            else:
                s.at += 1
        name = s.quoted() if s.peek() == '"' else \
            re.compile(r'[^\s;(/]*').match(value, s.at)[0]
    except Malformed:
        return False
    return checker(name.partition('/')[0]) == checker(authserv_id)


RESULTS = {'pass': 'PASS', 'fail': 'FAIL', 'none': 'GRAY', 'neutral': 'GRAY',
           'softfail': 'GRAY', 'policy': 'GRAY'}


def topmost(head, authserv_id, job):
    """{method: its results in the field that counts}: the first that has any,
    one with the job before others. Below one that lies nobody else counts."""
    best, lie = {}, False
    for value in values(head, 'Authentication-Results'):
        if not claims(value, authserv_id):
            continue
        said = results(value, authserv_id, job)
        if said is None or lie and not said[0]:
            lie = True
            continue
        has_job, found = said
        for method in {f[0] for f in found}:
            if method not in best or has_job and not best[method][0]:
                best[method] = has_job, [f[1:] for f in found
                                         if f[0] == method]
    return {method: found for method, (_, found) in best.items()}


def the_only(some):
    """What they all are."""
    return some.pop() if len(some) == 1 else None


def verdicts(head, authserv_id, job):
    """{'SPF': .., 'DKIM': .., 'DMARC': policy or None}"""
    best = {} if authserv_id is None else topmost(head, authserv_id, job)
    spf = best.get('spf', ())
    of_sender = [f for f in spf if 'smtp.mailfrom' in f[2] or
                 'smtp.helo' not in f[2]]
    dkim = {verdict(f[0]) for f in best.get('dkim', ())}
    dmarc = best.get('dmarc', ())
    same = len({verdict(f[0]) for f in dmarc}) == 1
    return {
        'SPF': the_only({verdict(f[0]) for f in of_sender or spf}) or
        'PROCESSING_FAILED',
        'DKIM': next((v for v in ('PASS', 'FAIL', 'GRAY') if v in dkim),
                     'PROCESSING_FAILED'),
        'DMARC': the_only({published(*f[1:]) for f in dmarc}) if same else
        None}


def verdict(result):
    return RESULTS.get(result, 'PROCESSING_FAILED')


def published(comment, properties):
    """The policy that a DMARC result tells."""
    policy = properties.get('policy.dmarc')
    if policy is None:
        m = re.search(r'(?:^|[\s,])(?:p|policy)=(\w+)', comment, re.I)
        policy = m and m[1]
    if policy and policy.upper() in ('NONE', 'QUARANTINE', 'REJECT'):
        return policy.upper()
    return None

"""model - what a policy says of a message, as simply as it can be written.

It knows the documents and the design, nothing of policy/: where the two
differ, one of them misreads the text. Everything is looked up anew for each
condition; documents are believed to be valid.

answer(case) takes what tests/policy/judge.c takes and gives what it gives.
"""

import functools
import ipaddress
import re

import reading

YES, NO, UNKNOWN = 'Y', 'N', '?'
HEADER_FIELDS = ('SENDER', 'FROM', 'TO', 'CC')
HAND_ON = ('Relay', 'Send', 'DeliverToMailbox')
ENDS = {'Drop': 'DROP', 'Bounce': 'REJECT', 'Reject': 'REJECT',
        'TempFail': 'TEMPFAIL', 'Stop': None}
SMALL = {c: c + 32 for c in range(ord('A'), ord('Z') + 1)}
TLS = {'TLS1_2': 2, 'TLS1_3': 3}


def fold(text):
    """ASCII case only."""
    return text.translate(SMALL)


def truth(holds):
    return YES if holds else NO


def negate(answer):
    return {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[answer]


# --- conditions -----------------------------------------------------------

COMPARE = {
    'EQUALS': lambda found, value: found == value,
    'STARTS_WITH': lambda found, value: found.startswith(value),
    'ENDS_WITH': lambda found, value: found.endswith(value),
    'CONTAINS': lambda found, value: value in found,
    'LESS_THAN': lambda found, value: found < value,
    'GREATER_THAN': lambda found, value: found > value,
    'LESS_THAN_OR_EQUAL': lambda found, value: found <= value,
    'GREATER_THAN_OR_EQUAL': lambda found, value: found >= value,
    'CIDR_MATCHES': lambda found, value: found in value,
    'MATCHES': lambda found, value: re.search(value, found, re.I) is not None,
}


def compare(operator, candidates, wanted, malformed=False):
    """candidates None: the fact is not known."""
    if candidates is None:
        return UNKNOWN
    negative = operator.startswith('NOT_')
    test = COMPARE[operator.removeprefix('NOT_')]
    hit = any(test(c, w) for c in candidates for w in wanted)
    if not hit and malformed:
        return UNKNOWN
    return truth(hit != negative)


def compare_text(operator, candidates, wanted, malformed=False):
    if operator.endswith('MATCHES'):
        return compare(operator, candidates, wanted)
    return compare(operator, candidates and [fold(c) for c in candidates],
                   [fold(w) for w in wanted], malformed)


def both_forms(address):
    """A domain that is not ASCII is known by its xn-- form too, and by the one
    that this stands for."""
    local, _, domain = address.rpartition('@')
    return [local + '@' + form for form in domain_forms(domain)]


@functools.lru_cache
def domain_forms(domain):
    try:
        ascii_form = domain.lower().encode('idna')
    except UnicodeError:        # a domain literal
        return {domain}
    return {domain, ascii_form.decode(), ascii_form.decode('idna')}


class Facts:
    def __init__(self, case):
        f = self.given = case['facts']
        self.mail = case['message']
        self.lists = case['lists']
        self.head = None if self.mail is None else reading.fields(self.mail)
        client = f.get('client')
        self.client = client and ipaddress.ip_address(
            client.removeprefix('IPv6:'))
        if self.client and self.client.version == 6 and \
                self.client.ipv4_mapped:
            self.client = self.client.ipv4_mapped

    def size(self):
        """With CRLF for each line end."""
        return len(re.sub('(?<!\r)\n', '\r\n', self.mail))

    def auth(self, name):
        """SPF, DKIM or DMARC."""
        if self.head is None:
            return None
        said = reading.verdicts(self.head, self.given.get('authserv_id'),
                                self.given.get('job'))[name]
        return said and [said]

    def texts(self, name):
        """Candidates of a header, None at RCPT."""
        if self.head is None:
            return None
        return [reading.decode(v)
                for v in reading.values(self.head, name)] or ['']

    def addresses(self, name):
        """(all of them, whether a field is malformed)"""
        found, malformed = [], False
        for value in reading.values(self.head, name):
            some, bad = reading.addresses(value)
            for a in some:
                found += both_forms(reading.plain(a))
            malformed = malformed or bad
        return found, malformed

    def analysis(self, which):
        for analyzer, field, value in self.given.get('analyses', ()):
            if (analyzer, field) == (which['Analyzer'], which['ResultField']):
                return [value]
        return None

    def single(self, name):
        value = self.given.get(name)
        return None if value is None else [value]

    def tls(self):
        """0: without, None: not known."""
        return {None: None, 'none': 0, 'older': 1, 'TLSv1.2': 2,
                'TLSv1.3': 3}[self.given.get('tls')]


def string(facts, envelope, x):
    what, operator, wanted = x['Evaluate'], x['Operator'], x['Values']
    malformed = False
    if 'Analysis' in what:
        candidates = facts.analysis(what['Analysis'])
    elif 'MimeHeaderAttribute' in what:
        candidates = facts.texts(what['MimeHeaderAttribute'])
    elif 'ClientCertificateAttribute' in what:
        candidates = None
        if what['ClientCertificateAttribute'] == 'CN':
            candidates = facts.single('cert_cn')
    elif what['Attribute'] == 'RECIPIENT':
        candidates = envelope
    elif what['Attribute'] in ('MAIL_FROM', 'HELO'):
        candidates = facts.single(what['Attribute'].lower())
    else:
        candidates = facts.texts(what['Attribute'])
        if what['Attribute'] in HEADER_FIELDS and candidates is not None:
            found, malformed = facts.addresses(what['Attribute'])
            candidates = candidates + found
    return compare_text(operator, candidates, wanted, malformed)


def number(facts, envelope, x):
    return compare(x['Operator'], None if facts.mail is None
                   else [facts.size()], [x['Value']])


@functools.lru_cache
def network(text):
    return ipaddress.ip_network(text, strict=False)


def ip(facts, envelope, x):
    candidates = facts.client and [facts.client]
    version = {'SENDER_IP': 4, 'SENDER_IPV6': 6}.get(
        x['Evaluate']['Attribute'])
    if facts.client and version not in (None, facts.client.version):
        candidates = None
    wanted = [network(v) for v in x['Values']]
    return compare(x['Operator'], candidates, wanted)


def tls(facts, envelope, x):
    version, wanted = facts.tls(), TLS[x['Value']]
    if not version:
        return UNKNOWN
    return truth(version == wanted if x['Operator'] == 'IS'
                 else version >= wanted)


def boolean(facts, envelope, x):
    what = x['Evaluate']
    if 'Analysis' in what:
        value = (facts.analysis(what['Analysis']) or [''])[0].lower()
        answer = YES if value in ('true', 'yes', '1') else \
            NO if value in ('false', 'no', '0') else UNKNOWN
    elif 'IsInAddressList' in what:
        answer = in_list(facts, envelope, what['IsInAddressList'])
    elif what['Attribute'] == 'READ_RECEIPT_REQUESTED':
        answer = UNKNOWN if facts.head is None else truth(
            reading.values(facts.head, 'Disposition-Notification-To'))
    elif what['Attribute'] == 'TLS':
        answer = UNKNOWN if facts.tls() is None else truth(facts.tls())
    else:
        known = facts.given.get('tls_wrapped')
        answer = UNKNOWN if known is None else truth(known)
    return answer if x['Operator'] == 'IS_TRUE' else negate(answer)


def in_list(facts, envelope, x):
    malformed = False
    name, attribute = x['AddressLists'][0], x['Attribute']
    if attribute == 'RECIPIENT':
        found = envelope
    elif attribute == 'MAIL_FROM':
        found = facts.single('mail_from')
    else:
        found = None
        if facts.head is not None:
            found, malformed = facts.addresses(attribute)
    if name not in facts.lists or found is None:
        return UNKNOWN
    if any(listed(a, entry) for a in found for entry in facts.lists[name]):
        return YES
    return UNKNOWN if malformed else NO


def listed(address, entry):
    address, entry = fold(address), fold(entry)
    local, at, domain = address.rpartition('@')
    if not at:
        return False
    wanted_local, at, wanted_domain = entry.rpartition('@')
    if at and '*' in wanted_local:
        first, _, last = wanted_local.partition('*')
        if not (local.startswith(first) and local.endswith(last) and
                len(local) >= len(first) + len(last)):
            return False
    elif at and local != wanted_local:
        return False
    if wanted_domain.startswith('*.'):
        return domain.endswith(wanted_domain[1:]) and \
            len(domain) >= len(wanted_domain)
    return domain == wanted_domain


def verdict(facts, envelope, x):
    what = x['Evaluate']
    if 'Analysis' in what:
        candidates = facts.analysis(what['Analysis'])
    else:
        candidates = facts.auth(what['Attribute'])
    return compare_text(x['Operator'], candidates, x['Values'])


def dmarc(facts, envelope, x):
    return compare(x['Operator'], facts.auth('DMARC'), x['Values'])


def header(facts, envelope, x):
    return compare_text(x['Operator'],
                        facts.texts(x['Evaluate']['HeaderName']), x['Values'])


def login(facts, envelope, x):
    return compare_text(x['Operator'], [facts.given.get('auth_user') or ''],
                        x['Values'])


CONDITIONS = {
    'StringExpression': string, 'NumberExpression': number,
    'IpExpression': ip, 'Ipv6Expression': ip, 'TlsExpression': tls,
    'BooleanExpression': boolean, 'VerdictExpression': verdict,
    'DmarcExpression': dmarc, 'HeaderExpression': header,
    'AuthExpression': login,
}


def ask(facts, envelope, condition):
    (kind, x), = condition.items()
    return CONDITIONS[kind](facts, envelope, x)


def matches(facts, envelope, conditions, unless):
    """(whether it matches, the answers up to the one that decided or, with
    "full", all of them; those of Unless in small letters)"""
    matched, trail, full = True, '', facts.given.get('full')
    for c in conditions:
        if matched or full:
            answer = ask(facts, envelope, c)
            trail += answer
            matched = matched and answer == YES
    for c in unless:
        if matched or full:
            answer = ask(facts, envelope, c)
            trail += answer.lower()
            matched = matched and answer != YES
    return matched, trail


# --- documents ------------------------------------------------------------

def traffic(facts, recipient, policy):
    """(ALLOW or DENY, by, statement, trail)"""
    if policy is None:
        return 'ALLOW', 'DEFAULT', None, []
    trail = []
    decision, by, at = policy['DefaultAction'], 'DEFAULT', None
    for kind in 'DENY', 'ALLOW':
        for i, s in enumerate(policy['PolicyStatements']):
            if s['Action'] != kind or at is not None:
                continue
            matched, answers = matches(facts, [recipient], s['Conditions'], [])
            trail.append([i, matched, answers])
            if matched:
                decision, by, at = kind, 'STATEMENT', i
    limit = policy.get('MaxMessageSizeBytes')
    if decision == 'ALLOW' and limit is not None and \
            facts.mail is not None and facts.size() > limit:
        decision, by, at = 'DENY', 'SIZE', None
    return decision, by, at, trail


class Recipient:
    """What the rules make of one."""

    def __init__(self, recipient):
        self.envelope = [recipient]
        self.handed_on = self.ended = False
        self.disposition = 'ACCEPT'
        self.rules, self.trail, self.actions = [], [], []

    def rule(self, facts, i, rule):
        matched, answers = matches(facts, self.envelope, rule['Conditions'],
                                   rule.get('Unless', []))
        names = []
        for j, action in enumerate(rule['Actions'] if matched else ()):
            (name, x), = action.items()
            names.append(name)
            self.actions.append([i, j, name])
            self.act(name, x)
            if self.ended:
                break
        self.rules.append({'name': rule.get('Name', ''), 'index': i,
                           'matched': matched, 'actions': names})
        self.trail.append([i, answers])

    def act(self, name, x):
        if name in ENDS:
            self.ended = True
            self.disposition = ENDS[name] or self.disposition
        elif name == 'Quarantine':
            self.disposition = 'QUARANTINE'
        elif name == 'ReplaceRecipient':
            self.envelope = x['ReplaceWith']
        elif name in HAND_ON:
            self.handed_on = True

    def after(self):
        lost = self.disposition in ('DROP', 'REJECT', 'TEMPFAIL')
        return [] if lost or self.handed_on else self.envelope


def judge(facts, recipient, policy, rules):
    """(verdict, trail, actions) of one recipient."""
    decision, by, at, statements = traffic(facts, recipient, policy)
    r = Recipient(recipient)
    if decision == 'DENY':
        r.disposition = 'REJECT'
    else:
        for i, rule in enumerate(rules):
            if not r.ended:
                r.rule(facts, i, rule)
    return {
        'recipient': recipient,
        'traffic': {'verdict': decision, 'by': by, 'statement': at},
        'rules': r.rules, 'disposition': r.disposition,
        'recipients_after': r.after(),
    }, {'statements': statements, 'rules': r.trail}, r.actions


def answer(case):
    facts = Facts(case)
    rules = case['ruleset']['Rules'] if case['ruleset'] else []
    all_of_it = [judge(facts, r, case['traffic'], rules)
                 for r in case['facts']['recipients']]
    return {'verdict': {'recipients': [v for v, _, _ in all_of_it]},
            'trail': [t for _, t, _ in all_of_it],
            'actions': [a for _, _, a in all_of_it],
            'limits': False}

"""sessions - the cases of tests/policy as sessions: what a client says, what is
configured, and what `policy test` says of the same.

What a session always knows (a client's address, a HELO, a sender, TLS or not)
is given to both sides where the case says nothing of it.
"""

import glob
import os
import re
import tempfile

import stage                        # the path of tests/policy
from smtp import Client, crlf

POLICY = os.path.join(os.path.dirname(stage.HERE), 'policy')

import json                                                 # noqa: E402
import subprocess                                           # noqa: E402

import condition_tables                                     # noqa: E402

LIST = 'arn:aws:ses:eu-west-1:123456789012:mailmanager-address-list/al-1'
TAG = [{'AddHeader': {'HeaderName': 'X-Tag', 'HeaderValue': 'yes'}}]
RULES = 20
# Which parameter of an action names something outside.
TARGETS = {'Archive': 'TargetArchive', 'Relay': 'Relay',
           'WriteToS3': 'S3Bucket', 'PublishToSns': 'TopicArn',
           'InvokeLambda': 'FunctionArn', 'DeliverToMailbox': 'MailboxArn',
           'DeliverToQBusiness': 'ApplicationId'}
# Of a client's certificate Postfix tells the CN only.
CERTIFICATE = re.compile('"ClientCertificateAttribute":\\s*"(?!CN")')
# What the milter says when it refuses a document.
NO_CERTIFICATE, NO_LIST = 'Postfix does not tell', 'is not loaded'
VERSIONS = {'tlsv1.3': 'TLSv1.3', 'tlsv1.2': 'TLSv1.2',
            'tlsv1.1': 'TLSv1.1', 'tlsv1': 'TLSv1', 'none': None}


def strip(address):
    return address[1:-1] if address[:1] == '<' else address


def meant(address):
    """What Postfix makes of it, where that is more than the case of a to z:
    policies judge the address that it delivers to. It folds those with bytes
    above 127 whole, and a postmaster without a domain is its own."""
    if address.lower() == 'postmaster':
        return address + '@mx.example.com'
    folded = address.casefold()
    same = address.encode().lower() == folded.encode()
    return address if same else folded


class Case:
    """args: those of `policy test`, without the message; files: the documents
    that they name. refusal: what the milter says that cannot have them."""

    def __init__(self, name, args, files, mail):
        self.name, self.files, self.refusal = name, files, None
        self.lists, self.analyses, self.rcpts = [], [], []
        self.documents = {}
        self.client_ip, self.helo = '192.0.2.1', 'client.example.net'
        self.sender, self.user, self.authserv = 'bob@example.net', None, None
        self.tls, self.wrapped, self.cn = None, False, None
        self.take(args)
        if self.cn and not self.tls:
            self.tls = 'TLSv1.3'
        self.rcpts = self.rcpts or ['alice@example.com']
        head = b''.join(b'X-Analysis-%d: %s\r\n' % (i, value.encode())
                        for i, (_, _, value) in enumerate(self.analyses))
        self.mail = head + crlf(mail)
        self.find_refused()

    def take(self, args):
        words = iter(args)
        for word in words:
            if word == '--json':
                continue
            if word == '--tls-wrapped':
                self.wrapped = True
                self.tls = self.tls or 'TLSv1.3'
                continue
            self.take_option(word[2:], next(words))

    def take_option(self, name, value):
        if name in ('traffic-policy', 'rule-set'):
            self.documents[name.replace('-', '_')] = value
        elif name == 'address-list':
            self.lists.append(value.rsplit('=', 1))
        elif name == 'rcpt':
            self.rcpts.append(strip(value))
        elif name == 'analysis':
            left, value = split_analysis(value)
            self.analyses.append((*left, value))
        elif name == 'cert-cn':
            self.cn = value
        elif name == 'tls-version':
            self.tls = VERSIONS[value.lower()]
        else:
            attribute = {'client-ip': 'client_ip', 'helo': 'helo',
                         'mail-from': 'sender', 'auth-user': 'user',
                         'authserv-id': 'authserv'}[name]
            setattr(self, attribute, strip(value))

    def find_refused(self):
        for content in self.files.values():
            if CERTIFICATE.search(content.decode('utf-8', 'replace')):
                self.refusal = NO_CERTIFICATE
        for name in self.documents.values():
            asked = found_of(json.loads(self.files[name]), 'AddressLists')
            if {x for names in asked for x in names} - {
                    x for x, _ in self.lists}:
                self.refusal = NO_LIST

    # --- both sides -----------------------------------------------------

    def settings(self, folder):
        """Of the milter: the same for those who log in."""
        one = {k: os.path.join(folder, v) for k, v in self.documents.items()}
        s = {'ingress_points': [
            {'name': 'inbound', **one},
            {'name': 'submission', 'tls_wrapped': self.wrapped, **one},
            {'name': 'wrapped', 'daemon_name': 'wrapped',
             'tls_wrapped': True, **one}],
            'targets': [{'target': t, 'action': 'skip'}
                        for t in sorted(set(self.targets()))],
            'address_lists': [{'name': n, 'file': os.path.join(folder, f)}
                              for n, f in self.lists],
            'analyses': [{'analyzer': a, 'result_field': f, 'header': h}
                         for (a, f), h in self.headers().items()]}
        if self.authserv:
            s['authserv_id'] = self.authserv
        return s

    def headers(self):
        """Which one has what an analyzer found; nothing, if it found
        nothing."""
        found = {(a, f): 'X-Analysis-%d' % i
                 for i, (a, f, _) in enumerate(self.analyses)}
        for name in self.documents.values():
            for x in found_of(json.loads(self.files[name]), 'Analysis'):
                found.setdefault((x['Analyzer'], x['ResultField']),
                                 'X-Not-There')
        return found

    def targets(self):
        """What rules name outside."""
        for name in self.documents.values():
            for r in json.loads(self.files[name]).get('Rules', ()):
                for action in r['Actions']:
                    for kind, parameters in action.items():
                        if kind == 'Send':
                            yield 'Send'
                        if kind in TARGETS:
                            yield parameters[TARGETS[kind]]

    def actions(self, index):
        """Of this rule."""
        rules = json.loads(self.files[self.documents['rule_set']])
        return rules['Rules'][index]['Actions']

    def client(self, postfix, certificates):
        """A session that is as far as MAIL."""
        listener = 'wrapped' if self.wrapped else 'mx'
        own = certificates.get(self.cn)
        c = Client(postfix.ports[listener], self.tls if self.wrapped else None,
                   own)
        c.sure('EHLO localhost')
        if self.tls and not self.wrapped:
            c.starttls(self.tls, own)
            c.sure('EHLO localhost')
        ip = self.client_ip
        if ':' in ip and not ip.startswith('IPv6:'):
            ip = 'IPV6:' + ip
        c.sure('XCLIENT ADDR=%s NAME=client.example.net' % ip)
        c.sure('EHLO ' + self.helo)
        if self.user:
            c.login(self.user)
        return c

    def extra(self):
        """Of MAIL: addresses may have bytes above 127."""
        plain = all(a.isascii() for a in (*self.rcpts, self.sender))
        return '' if plain else ' SMTPUTF8'

    def judge(self, mail, rcpts):
        """The recipients of `policy test`, of the facts of the session."""
        args = ['--client-ip', self.client_ip, '--helo', self.helo,
                '--mail-from', '<%s>' % meant(self.sender),
                '--tls-version', self.tls or 'none']
        for r in rcpts:
            args += ['--rcpt', meant(r)]
        if self.wrapped:
            args.append('--tls-wrapped')
        if self.user:
            args += ['--auth-user', self.user]
        if self.cn:
            args += ['--cert-cn', self.cn]
        if self.authserv:
            args += ['--authserv-id', self.authserv]
        for a, f, v in self.analyses:
            args += ['--analysis', '%s.%s=%s' % (a, f, v)]
        for name, file in self.documents.items():
            args += ['--' + name.replace('_', '-'), file]
        for name, file in self.lists:
            args += ['--address-list', '%s=%s' % (name, file)]
        return ask(args, self.files, mail)


def found_of(document, name):
    """The values of all members of that name."""
    if isinstance(document, dict):
        if name in document:
            yield document[name]
        document = document.values()
    elif not isinstance(document, list):
        return
    for x in document:
        yield from found_of(x, name)


def split_analysis(word):
    """NAME.FIELD=VALUE: the first '=' behind a field."""
    at = -1
    while True:
        at = word.index('=', at + 1)
        name, dot, field = word[:at].rpartition('.')
        if dot and field.replace('_', 'a').replace(' ', 'a').isalnum():
            break
    if name.endswith('.addon'):
        name, field = name[:-6], 'addon.' + field
    return (name, field), word[at + 1:]


def ask(args, files, mail):
    with tempfile.TemporaryDirectory(prefix='fallbackmx-case.') as folder:
        for name, content in files.items():
            with open(os.path.join(folder, name), 'wb') as f:
                f.write(content)
        r = subprocess.run([stage.rule.built('fallbackmx'), 'policy', 'test',
                            '--json', *args, '-'], cwd=folder, input=mail,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=180)
    if r.returncode != 0:
        raise AssertionError('policy test: %s' % r.stderr.decode())
    return json.loads(r.stdout)['recipients']


# --- folders ---------------------------------------------------------------

def read(path):
    with open(path, 'rb') as f:
        return f.read()


def folder_cases():
    for path in sorted(glob.glob(POLICY + '/*/args')):
        folder = os.path.dirname(path)
        name = os.path.basename(folder)
        args = read(path).decode().split('\n')[:-1]
        if args[0] != 'test':   # about the command, without a mail
            continue
        options, mails = halves(args[1:])
        files = documents(folder, options)
        found = sorted({m for m in mails if is_mail(folder, m)})
        for m in found:
            yield Case(name if len(found) == 1 else '%s (%s)' % (name, m),
                       options, files, read(os.path.join(
                           folder, 'stdin' if m == '-' else m)))


def is_mail(folder, name):
    """Some are there to be missing, empty or a directory."""
    return name == '-' or os.path.isfile(os.path.join(folder, name))


def halves(args):
    """Options and messages."""
    flags = ('--json', '--tls-wrapped')
    at = 0
    while at < len(args) and args[at].startswith('--'):
        at += 1 if args[at] in flags else 2
    return args[:at], args[at:]


def documents(folder, options):
    files = {}
    for word in options:
        name = word.rsplit('=', 1)[-1]
        path = os.path.join(folder, name)
        if not name.startswith('-') and os.path.isfile(path):
            files[name] = read(path)
    return files


# --- tables ----------------------------------------------------------------

def table_cases():
    for group in condition_tables.GROUPS:
        args = list(group.get('facts', ()))
        files = {}
        if 'list' in group:
            files['list.json'] = json.dumps({'items': [
                {'address': a} for a in group['list']]}).encode()
            args += ['--address-list', LIST + '=list.json']
        mail = group.get('message', condition_tables.PLAIN)
        mail = mail.encode() if isinstance(mail, str) else mail
        make = statements if group.get('traffic') else rule_sets
        rows = [r for r in group['rows']
                if not CERTIFICATE.search(json.dumps(r[0]))] or group['rows']
        for i, (more, content) in enumerate(make(rows)):
            yield Case('%s %d' % (group['name'], i), args + more,
                       {**files, more[1]: json.dumps(content).encode()}, mail)


def statements(rows):
    for condition, _ in rows:
        yield ['--traffic-policy', 'traffic.json'], {
            'TrafficPolicyName': 'conditions', 'DefaultAction': 'DENY',
            'PolicyStatements': [{'Action': 'ALLOW',
                                  'Conditions': [condition]}]}


def rule_sets(rows):
    for at in range(0, len(rows), RULES):
        rules = []
        for i, (condition, _) in enumerate(rows[at:at + RULES]):
            rules += [{'Name': '%s-%d' % (word.lower(), i), 'Actions': TAG,
                       word: [condition]} for word in ('Conditions',
                                                       'Unless')]
        yield ['--rule-set', 'rules.json'], {'RuleSetName': 'conditions',
                                             'Rules': rules}


def all_cases():
    yield from folder_cases()
    yield from table_cases()

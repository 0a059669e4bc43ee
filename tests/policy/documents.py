"""documents - random traffic policies, rule sets and address lists, made for
one mail: hints say what its fields hold, so that conditions often do."""

import json
import re

from messages import ANALYSED, ANALYZERS, DOMAINS, LOCALS, ODD_NAMES, WORDS, \
    X_NAMES, chance, recipient, some_case

ARN = 'arn:aws:ses:eu-west-1:123456789012:mailmanager-address-list/al-%d'
ROLE = 'arn:aws:iam::123456789012:role/mail'
STRING = ('EQUALS', 'NOT_EQUALS', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS')
NUMBER = ('EQUALS', 'NOT_EQUALS', 'LESS_THAN', 'GREATER_THAN',
          'LESS_THAN_OR_EQUAL', 'GREATER_THAN_OR_EQUAL')
CIDR = ('CIDR_MATCHES', 'NOT_CIDR_MATCHES')
BOOLEAN = ('IS_TRUE', 'IS_FALSE')
EQUALS = ('EQUALS', 'NOT_EQUALS')
VERDICTS = ('PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED')
POLICIES = ('NONE', 'QUARANTINE', 'REJECT')
ATTRIBUTES = ('MAIL_FROM', 'HELO', 'RECIPIENT', 'SENDER', 'FROM', 'SUBJECT',
              'TO', 'CC')
LISTED = ('RECIPIENT', 'MAIL_FROM', 'SENDER', 'FROM', 'TO', 'CC')
CERTIFICATE = (*('CN',) * 10, 'SAN_RFC822_NAME', 'SAN_DNS_NAME',
               'SAN_DIRECTORY_NAME', 'SAN_UNIFORM_RESOURCE_IDENTIFIER',
               'SAN_IP_ADDRESS', 'SAN_REGISTERED_ID', 'SERIAL_NUMBER')
NETWORKS_4 = ('192.0.2.0/24', '192.0.2.129/25', '192.0.2.1/32', '10.0.0.0/8',
              '0.0.0.0/0', '198.51.100.0/29', '203.0.113.0/24')
NETWORKS_6 = ('2001:db8::/32', '2001:db8::1/128', '2001:db8:1::/48', '::/0',
              '2001:db8::ff/120', 'fe80::/10', '2001:DB9::/31')
# In Python and in PCRE2 the same, on what messages.py writes.
PATTERNS = ('invoice|offer', '^re:', 'x-[0-9]+', '[A-C] ?&', 'x$',
            'final.*report', '(gr\xfc\xdfe|na\xcfve)', '^$', '^.{3,9}$',
            '(?:he)l+o', '\\[list\\]', '\ufffd', '[^ -~]', 'a_?b|50%')
PLAIN = re.compile(r"[\w.+'-]+@[\w.-]+", re.A)


class Maker:
    def __init__(self, r, found, size, aws):
        self.r, self.hints, self.size, self.aws = r, found, size, aws
        self.everything = [t for texts in found.values() for t in texts]
        self.lists, self.forms, self.sent = {}, {}, 0

    # --- values ---------------------------------------------------------

    def value(self, name, operator):
        r = self.r
        known = self.hints.get(name) or self.everything
        if chance(r, 0.2 if operator.startswith('NOT_') else 0.75):
            text = r.choice(known)
        else:
            text = r.choice((r.choice(WORDS), r.choice(LOCALS) + '@' +
                             r.choice(DOMAINS), 'none such'))
        n = len(text)
        if operator == 'STARTS_WITH':
            text = text[:r.randrange(n) + 1]
        elif operator == 'ENDS_WITH':
            text = text[r.randrange(n):]
        elif operator == 'CONTAINS':
            at = r.randrange(n)
            text = text[at:at + 1 + r.randrange(n - at)]
        return some_case(r, text)

    def values(self, name, operator):
        return [self.value(name, operator) for _ in range(self.few())]

    def few(self):
        return self.r.choice((1, 1, 1, 2, 2, 3, 10))

    def some(self, choices):
        return [self.r.choice(choices) for _ in range(self.few())]

    # --- conditions -----------------------------------------------------

    def string(self, what, name):
        operator = self.r.choice(STRING)
        return {'StringExpression': {
            'Evaluate': what, 'Operator': operator,
            'Values': self.values(name, operator)}}

    def attribute(self):
        name = self.r.choice(ATTRIBUTES)
        return self.string({'Attribute': name}, name)

    def mime(self):
        name = self.r.choice(X_NAMES)
        return self.string({'MimeHeaderAttribute': 'X-' + some_case(
            self.r, name.removeprefix('X-'))}, name)

    def certificate(self):
        return self.string({'ClientCertificateAttribute':
                            self.r.choice(CERTIFICATE)}, 'CERT_CN')

    def which_analysis(self):
        analyzer, field = self.r.choice(ANALYZERS)
        return {'Analysis': {'Analyzer': analyzer, 'ResultField': field}}

    def analysis(self):
        operator = self.r.choice(STRING)
        return {'StringExpression': {
            'Evaluate': self.which_analysis(), 'Operator': operator,
            'Values': [some_case(self.r, v) for v in self.some(ANALYSED)]}}

    def number(self):
        r = self.r
        return {'NumberExpression': {
            'Evaluate': {'Attribute': 'MESSAGE_SIZE'},
            'Operator': r.choice(NUMBER),
            'Value': r.choice((self.size, self.size, self.size - 1,
                               self.size + 0.5, 0, 1e9, 300))}}

    def ip(self, kind='IpExpression', attribute='SOURCE_IP',
           networks=NETWORKS_4 + NETWORKS_6):
        return {kind: {'Evaluate': {'Attribute': attribute},
                       'Operator': self.r.choice(CIDR),
                       'Values': self.some(networks)}}

    def tls(self):
        return {'TlsExpression': {
            'Evaluate': {'Attribute': 'TLS_PROTOCOL'},
            'Operator': self.r.choice(('MINIMUM_TLS_VERSION', 'IS')),
            'Value': self.r.choice(('TLS1_2', 'TLS1_3'))}}

    def boolean(self, what=None):
        return {'BooleanExpression': {
            'Evaluate': what or {'Attribute': self.r.choice(
                ('READ_RECEIPT_REQUESTED', 'TLS', 'TLS_WRAPPED'))},
            'Operator': self.r.choice(BOOLEAN)}}

    def verdict(self):
        r = self.r
        analysis = chance(r, 0.2)
        return {'VerdictExpression': {
            'Evaluate': self.which_analysis() if analysis else
            {'Attribute': r.choice(('SPF', 'DKIM'))},
            'Operator': r.choice(EQUALS),
            'Values': self.some(VERDICTS)}}

    def dmarc(self):
        return {'DmarcExpression': {'Operator': self.r.choice(EQUALS),
                                    'Values': self.some(POLICIES)}}

    def header(self):
        r = self.r
        name = r.choice(X_NAMES + ODD_NAMES + ('Subject', 'From', 'To'))
        operator = r.choice(STRING + ('MATCHES', 'NOT_MATCHES'))
        if operator.endswith('MATCHES'):
            wanted = self.some(PATTERNS)
        else:
            wanted = self.values(name if name in self.hints else name.upper(),
                                 operator)
        return {'HeaderExpression': {
            'Evaluate': {'HeaderName': some_case(r, name)},
            'Operator': operator, 'Values': wanted}}

    def login(self):
        operator = self.r.choice(STRING)
        return {'AuthExpression': {
            'Evaluate': {'Attribute': 'AUTH_USER'}, 'Operator': operator,
            'Values': self.values('AUTH_USER', operator)}}

    def rule_condition(self):
        x = self.r.random()
        at = 0
        for share, make in self.RULE:
            at += share
            if x < at and not (self.aws and make in self.EXTENSIONS):
                return make(self)
        return self.attribute()

    def policy_condition(self):
        r = self.r
        x = r.random()
        if x < 0.35:
            return self.string({'Attribute': 'RECIPIENT'}, 'RECIPIENT')
        if x < 0.45:
            return self.analysis()
        if x < 0.6:
            return self.ip('IpExpression', 'SENDER_IP', NETWORKS_4)
        if x < 0.7:
            return self.ip('Ipv6Expression', 'SENDER_IPV6', NETWORKS_6)
        if x < 0.85:
            return self.tls()
        if x < 0.9:
            return self.boolean(self.which_analysis())
        return self.boolean(self.address_list('RECIPIENT'))

    # --- address lists --------------------------------------------------

    def address_list(self, attribute=None):
        r = self.r
        attribute = attribute or r.choice(LISTED)
        name = ARN % r.randrange(3)
        if name not in self.lists and chance(r, 0.95):
            self.lists[name] = []
            self.forms[name] = r.choice(FORMS)
        if name in self.lists:
            self.lists[name] += [
                e for e in (self.entry(attribute) for _ in range(self.few()))
                if e not in self.lists[name]]
        return {'IsInAddressList': {'Attribute': attribute,
                                    'AddressLists': [name]}}

    def entry(self, attribute):
        """A form that covers an address of the mail, often."""
        r = self.r
        address = None
        if chance(r, 0.6):
            address = r.choice(self.hints.get(attribute) or [None])
        if not address or not PLAIN.fullmatch(address):
            address = '%s@%s' % (r.choice(LOCALS[:6]), r.choice(DOMAINS[:7]))
        local, _, domain = address.partition('@')
        labels = domain.split('.')
        above = '.'.join(labels[r.randrange(max(1, len(labels) - 2)) + 1:])
        forms = [address, address, domain, '*@' + domain]
        if len(local) >= 4:
            at = r.randrange(3, min(len(local), 19) + 1)
            forms += [local[:at] + '*@' + domain, '*' + local[-at:] + '@' +
                      domain]
        if '.' in above:
            forms += ['*.' + above, '%s@*.%s' % (local, above)]
        return some_case(r, r.choice(forms))

    # --- actions --------------------------------------------------------

    def actions(self):
        r = self.r
        names = [r.choice(ACTIONS) if chance(r, 0.8) else 'ReplaceRecipient'
                 for _ in range(r.choice((1, 1, 2, 3)))]
        self.sent += names.count('Relay') + names.count('Send')
        if self.sent > 10:      # of one rule set
            names = ['Drop']
        if not self.aws and chance(r, 0.3):
            names[r.randrange(len(names))] = r.choice(ADDED_ACTIONS)
        return [{name: self.action(name)} for name in names]

    def action(self, name):
        r = self.r
        if name == 'ReplaceRecipient':
            return {'ReplaceWith': [
                a if PLAIN.fullmatch(a) and "'" not in a
                else 'carol@example.net' for a in (
                    recipient(r) for _ in range(r.choice((1, 1, 2, 3))))]}
        x = dict(PARAMETERS[name])
        if name in WITH_FAILURE_POLICY and chance(r, 0.4):
            x['ActionFailurePolicy'] = r.choice(('CONTINUE', 'DROP'))
        return x

    # --- documents ------------------------------------------------------

    def rule(self, i):
        r = self.r
        rule = {}
        if chance(r, 0.9):
            rule['Name'] = 'rule-%d' % i
        rule['Conditions'] = [self.rule_condition() for _ in range(
            r.choice((0, 1, 1, 1, 2, 2, 3)))]
        if chance(r, 0.4):
            rule['Unless'] = [self.rule_condition() for _ in range(
                r.choice((0, 1, 1, 2)))]
        rule['Actions'] = self.actions()
        return rule

    def rule_set(self):
        r = self.r
        d = {'RuleSetName': 'set-1'} if chance(r, 0.7) else {}
        d['Rules'] = [self.rule(i) for i in range(
            r.choice((1, 1, 2, 2, 3, 4, 6)))]
        if chance(r, 0.2):
            d.update(RuleSetId='rs-1', CreatedDate=1700000000.25,
                     RuleSetArn='arn:aws:ses:eu-west-1:123456789012:x/rs-1',
                     LastModificationDate='2024-05-01T00:00:00Z')
        return d

    def traffic_policy(self):
        r = self.r
        d = {'TrafficPolicyName': 'traffic-1'} if chance(r, 0.7) else {}
        d['PolicyStatements'] = [
            {'Action': r.choice(('ALLOW', 'DENY')), 'Conditions': [
                self.policy_condition() for _ in range(r.choice((1, 1, 2)))]}
            for _ in range(r.choice((1, 2, 3)))]
        d['DefaultAction'] = r.choice(('ALLOW', 'ALLOW', 'DENY'))
        if chance(r, 0.3):
            d['MaxMessageSizeBytes'] = max(1, r.choice(
                (self.size, self.size - 1, self.size + 1, 1000000)))
        if chance(r, 0.2):
            d.update(TrafficPolicyId='tp-1', CreatedTimestamp=1700000000,
                     TrafficPolicyArn='arn:aws:ses:eu-west-1:1:x/tp-1',
                     LastUpdatedTimestamp='2024-05-01T00:00:00Z')
        return d

    RULE = (
        (0.40, attribute), (0.08, mime), (0.04, certificate),
        (0.06, analysis), (0.05, number), (0.06, ip), (0.05, boolean),
        (0.09, lambda self: self.boolean(self.address_list())),
        (0.02, lambda self: self.boolean(self.which_analysis())),
        (0.04, verdict), (0.03, dmarc), (0.05, header), (0.03, login))
    EXTENSIONS = (header, login)


def entries_json(entries):
    return json.dumps({'items': [{'address': e} for e in entries]})


def entries_aws(entries):
    return json.dumps({
        'AddressListName': 'list', 'AddressListId': 'al-1',
        'AddressListArn': ARN % 9, 'CreatedTimestamp': 1700000000,
        'LastUpdatedTimestamp': 1700000000,
        'Addresses': [{'Address': e, 'CreatedTimestamp': 1.5}
                      for e in entries]})


def entries_csv(entries):
    return ''.join(e + '\r\n' for e in ['address'] + entries)


FORMS = ('json', 'aws', 'csv')
WRITERS = {'json': entries_json, 'aws': entries_aws, 'csv': entries_csv}

PARAMETERS = {
    'AddHeader': {'HeaderName': 'X-Seen', 'HeaderValue': 'yes'},
    'Archive': {'TargetArchive': 'a-abc123'},
    'DeliverToMailbox': {
        'MailboxArn': 'arn:aws:workmail:eu-west-1:123456789012:'
        'organization/m-1/user/u-1', 'RoleArn': ROLE},
    'DeliverToQBusiness': {
        'ApplicationId': '01234567-89ab-cdef-0123-456789abcdef',
        'IndexId': '01234567-89ab-cdef-0123-456789abcdef', 'RoleArn': ROLE},
    'Drop': {},
    'PublishToSns': {'TopicArn': 'arn:aws:sns:eu-west-1:123456789012:mail',
                     'RoleArn': ROLE, 'Encoding': 'BASE64',
                     'PayloadType': 'HEADERS'},
    'Relay': {'Relay': 'r-abc123', 'MailFrom': 'PRESERVE'},
    'Send': {'RoleArn': ROLE},
    'WriteToS3': {'S3Bucket': 'mails', 'S3Prefix': 'copy/', 'RoleArn': ROLE},
    'Bounce': {'Sender': 'postmaster@example.com', 'StatusCode': '5.1.1',
               'SmtpReplyCode': '550', 'DiagnosticMessage': 'no such user',
               'RoleArn': ROLE},
    'InvokeLambda': {
        'FunctionArn': 'arn:aws:lambda:eu-west-1:123456789012:function:mail',
        'InvocationType': 'EVENT', 'RetryTimeMinutes': 60, 'RoleArn': ROLE},
    'Reject': {'SmtpReplyCode': '554', 'StatusCode': '5.7.1'},
    'TempFail': {'DiagnosticMessage': 'later'},
    'Quarantine': {'Reason': 'odd'},
    'Stop': {},
    'RemoveHeader': {'HeaderName': 'X-Tag'},
}
ADDED_ACTIONS = ('Reject', 'TempFail', 'Quarantine', 'Stop', 'RemoveHeader')
ACTIONS = tuple(a for a in PARAMETERS if a not in ADDED_ACTIONS)
WITH_FAILURE_POLICY = tuple(a for a in ACTIONS
                            if a not in ('AddHeader', 'Drop'))

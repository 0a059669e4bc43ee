"""mistakes - breaks a valid document at one place, and says where.

The loader must refuse it, and every line that it says must be about that path
or the object around it.
"""

import copy

# Member -> what AWS's API does not take there.
WRONG = {
    'RuleSetName': ('', 'n' * 101, 'a set!'),
    'TrafficPolicyName': ('ab', 'n' * 64, 'a policy!'),
    'Name': ('n' * 33, 'a rule!'),
    'Action': ('BOUNCE', 'allow'),
    'DefaultAction': ('DROP', 'Allow'),
    'MaxMessageSizeBytes': (0, -1, '100'),
    'Operator': ('EQUAL', 'equals', 'IS_NULL'),
    'Attribute': ('SUBJEKT', 'subject', 'BCC'),
    'MimeHeaderAttribute': ('Subject', 'X-', 'X-a b'),
    'ClientCertificateAttribute': ('O', 'cn'),
    'ResultField': ('a.b', ''),
    'HeaderName': ('', 'X a', 'X:'),
    'HeaderValue': ('', 'v' * 129),
    'ActionFailurePolicy': ('STOP', 'drop'),
    'MailFrom': ('KEEP',),
    'Encoding': ('UTF8',),
    'PayloadType': ('BODY',),
    'InvocationType': ('SYNC',),
    'RetryTimeMinutes': (-1, 2161, '5'),
    'StatusCode': ('2.0.0', '5.1'),
    'SmtpReplyCode': ('250', '5500'),
    'RoleArn': ('r' * 20 + '!', 'role'),
    'Value': ('TLS1_1', '1'),
}
REQUIRED = {
    'Rules', 'PolicyStatements', 'DefaultAction', 'Actions', 'Action',
    'Evaluate', 'Operator', 'Values', 'Value', 'Attribute', 'AddressLists',
    'Analyzer', 'ResultField', 'HeaderValue', 'TargetArchive', 'ReplaceWith',
    'MailboxArn', 'ApplicationId', 'IndexId', 'TopicArn', 'Relay', 'S3Bucket',
    'FunctionArn', 'InvocationType', 'Sender',
}
LONGEST = {'Rules': 40, 'Conditions': 10, 'Unless': 10, 'Actions': 10,
           'Values': 10, 'AddressLists': 1, 'ReplaceWith': 100,
           'PolicyStatements': 20}
SHORTEST = {'Actions', 'Values', 'AddressLists', 'ReplaceWith'}
IN_ANSWERS = {'RuleSetId', 'RuleSetArn', 'CreatedDate', 'LastModificationDate',
              'TrafficPolicyId', 'TrafficPolicyArn', 'CreatedTimestamp',
              'LastUpdatedTimestamp'}
UNION = {'Evaluate'}
ONE_OF = {'Conditions', 'Unless', 'Actions'}


class Place:
    def __init__(self, path, holder, key, name, union):
        self.path, self.holder, self.key = path, holder, key
        self.name, self.union = name, union     # name: of the nearest member

    @property
    def value(self):
        return self.holder[self.key]

    def set(self, value):
        self.holder[self.key] = value


def places(value, path='', name=''):
    if isinstance(value, dict):
        for k in value:
            if k in IN_ANSWERS:
                continue
            p = '%s.%s' % (path, k) if path else k
            yield Place(p, value, k, k, False)
            yield from places(value[k], p, k)
    elif isinstance(value, list):
        for i in range(len(value)):
            p = '%s[%d]' % (path, i)
            union = name in ONE_OF and isinstance(value[i], dict) and \
                len(value[i]) == 1
            yield Place(p, value, i, name, union)
            yield from places(value[i], p, name)


def wrong_value(r, place):
    wrong = WRONG.get(place.key, ())
    if place.key == 'Attribute':    # of another expression
        wrong += ('SPF' if place.value == 'MESSAGE_SIZE' else 'MESSAGE_SIZE',)
    if not wrong:
        return None
    place.set(r.choice(wrong))
    return place.path


def wrong_item(r, place):
    """In a list of values."""
    if not isinstance(place.key, int):
        return None
    if place.name == 'ReplaceWith':
        place.set(r.choice(('bob', 'a b@example.com', '@example.com',
                            'b@' + 'x' * 260)))
    elif place.name == 'Values' and '.Ip' in place.path:
        place.set(r.choice(('192.0.2.1', '192.0.2.0/33', '2001:db8::/129',
                            '300.0.0.0/8', '10.0.0.0/', 'x/8')))
    elif place.name == 'Values' and place.path.startswith('Rules'):
        place.set('x' * 4097)
    else:
        return None
    return place.path


def wrong_type(r, place):
    if not isinstance(place.key, str):
        return None
    v = place.value
    if isinstance(v, list):
        place.set({})
    elif isinstance(v, dict):
        place.set([])
    else:
        place.set(True)
    return place.path


def wrong_item_type(r, place):
    if not isinstance(place.key, int):
        return None
    place.set(r.choice((7, None, [], True)))
    return place.path


def unknown(r, place):
    if not isinstance(place.value, dict) or place.union or \
            place.name in UNION:
        return None
    place.value['Nonsense'] = 1
    return place.path + '.Nonsense'


def two_members(r, place):
    """A union has one member."""
    if place.union:
        place.value[r.choice([k for k in (
            'Nonsense', 'Drop', 'StringExpression') if k not in place.value])
        ] = {}
        return place.path
    return None


def no_member(r, place):
    if place.union or place.name in UNION:
        place.set({})
        return place.path
    return None


def missing(r, place):
    if place.key in REQUIRED:
        # What is left of a union without its one member.
        path = place.path
        if path.endswith('.Evaluate.Attribute') or place.key == 'Relay' and \
                isinstance(place.value, dict):
            path = path.rpartition('.')[0]
        del place.holder[place.key]
        return path
    return None


def too_many(r, place):
    n = LONGEST.get(place.key)
    if n is None or not place.value or place.key == 'Values' and \
            place.path.startswith('PolicyStatements'):
        return None
    place.set((place.value * (n + 1))[:n + 1])
    return place.path


def too_few(r, place):
    if place.key not in SHORTEST and not (
            place.key == 'Conditions' and
            place.path.startswith('PolicyStatements')):
        return None
    place.set([])
    return place.path


EXTENSIONS = ('HeaderExpression', 'AuthExpression', 'Reject', 'TempFail',
              'Quarantine', 'Stop', 'RemoveHeader')


KINDS = (wrong_value, wrong_item, wrong_type, wrong_item_type, unknown,
         two_members, no_member, missing, too_many, too_few)


def broken(r, document):
    """(path, the name of the mistake, the document)"""
    made = copy.deepcopy(document)
    found = list(places(made))
    r.shuffle(found)
    while True:
        kind = r.choice(KINDS)
        for place in found:
            path = kind(r, place)
            if path is not None:
                return path, kind.__name__, made


def extensions(document):
    """Paths of what AWS does not have."""
    return [p.path for p in places(document) if p.key in EXTENSIONS]


def told(lines, file, paths, near=False):
    """What is wrong with these lines; None: they name all paths and nothing
    farther away than the objects around them. near: the object around a path
    is as good."""
    named, around = set(), tuple(parent(p) for p in paths)
    for line in lines:
        if not line.startswith(file + ': '):
            return 'not about the %s: %s' % (file, line)
        rest = line.removeprefix(file + ': ')
        at = '' if rest.startswith('found ') else rest.partition(': ')[0]
        named.add(at)
        if not any((at + '.').startswith(a + '.' if a else '')
                   for a in around):
            return 'nothing is wrong there: ' + line
    for p in paths:
        if not named & {p, p + '.Nonsense', parent(p) if near else p}:
            return 'no line names ' + p
    return None


def parent(path):
    return path.rpartition('.')[0]

#!/usr/bin/python3
"""scripts/aws: the template gives nobody more than it says, and the template
that `rules` prints is the same with other users."""

import os
import re
import shutil
import subprocess
import tempfile

import plainyaml
import rule

TEMPLATE = 'scripts/aws/fallbackmx.yaml'
RULES = os.path.join(rule.SRC, 'scripts/aws/rules')
ALL_USERS = ''.join('user%d\n' % n for n in range(200))
OURS = ':receipt-rule-set/${RuleSetName}:receipt-rule/*'


def rules(users, *words):
    r = subprocess.run(['sh', RULES, *words], input=users.encode(),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=60)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def of_kind(template, kind):
    return {name: r for name, r in template['Resources'].items()
            if r['Type'] == 'AWS::' + kind}


def the_one(template, kind):
    found = list(of_kind(template, kind).values())
    if len(found) != 1:
        raise SystemExit('Bail out! %d resources AWS::%s' % (len(found), kind))
    return found[0].get('Properties', {})


def listed(x):
    return x if isinstance(x, list) else [x]


def statements(template):
    """(resource, statement) of every policy."""
    for name, r in template['Resources'].items():
        document = r.get('Properties', {}).get('PolicyDocument')
        for s in document['Statement'] if document else ():
            yield name, s


def bucket(template):
    b = the_one(template, 'S3::Bucket')
    r = next(iter(of_kind(template, 'S3::Bucket').values()))
    block = b.get('PublicAccessBlockConfiguration', {})
    for word in ('BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls',
                 'RestrictPublicBuckets'):
        if block.get(word) is not True:
            yield 'public access: %s is not true' % word
    if b.get('OwnershipControls') != {
            'Rules': [{'ObjectOwnership': 'BucketOwnerEnforced'}]}:
        yield 'ownership is not enforced'
    sse = b.get('BucketEncryption', {}).get(
        'ServerSideEncryptionConfiguration', [{}])[0].get(
        'ServerSideEncryptionByDefault', {})
    if sse.get('SSEAlgorithm') not in ('AES256', 'aws:kms'):
        yield 'it is not encrypted'
    for word in ('DeletionPolicy', 'UpdateReplacePolicy'):
        if r.get(word) != 'Retain':
            yield '%s: a lost stack would take the mail along' % word
    for word in ('BucketName', 'ObjectLockConfiguration', 'ObjectLockEnabled',
                 'AccessControl', 'WebsiteConfiguration'):
        if word in b:
            yield 'it has %s' % word


def lifecycle(template):
    b, p = the_one(template, 'S3::Bucket'), template['Parameters']
    days = []
    found = b.get('LifecycleConfiguration', {}).get('Rules', [])
    for r in found:
        if r.get('Status') != 'Enabled':
            yield '%s is not enabled' % r.get('Id')
        d = r.get('ExpirationInDays')
        if isinstance(d, dict):
            least = p[d['Ref']].get('MinValue', 0)
            if p[d['Ref']]['Default'] < least:
                yield 'the default is too small'
            d = least
        if d is not None:
            days.append(d)
    if not days or min(days) < 90:
        yield 'mail expires after %s days' % (days or 'no')
    if not any('AbortIncompleteMultipartUpload' in r for r in found):
        yield 'broken uploads stay'


def bucket_policy(template):
    said = the_one(template, 'S3::BucketPolicy')['PolicyDocument']['Statement']
    deny = [s for s in said if s['Effect'] == 'Deny']
    if not any(s['Principal'] == '*' and s['Action'] == 's3:*' and
               s['Condition'] == {'Bool': {'aws:SecureTransport': 'false'}} and
               s['Resource'] == [{'Fn::GetAtt': ['MailBucket', 'Arn']},
                                 {'Fn::Sub': '${MailBucket.Arn}/*'}]
               for s in deny):
        yield 'not denied to everybody without TLS'
    allow = [s for s in said if s['Effect'] == 'Allow']
    if [(s['Principal'], s['Action']) for s in allow] != [
            ({'Service': 'ses.amazonaws.com'}, 's3:PutObject')]:
        yield 'others than SES, or more than s3:PutObject: %s' % allow


def only_our_rules(template):
    """What SES may do, it may do for this account and this rule set."""
    count = 0
    for name, s in statements(template):
        if s.get('Principal') != {'Service': 'ses.amazonaws.com'}:
            continue
        count += 1
        c = s.get('Condition', {})
        if c.get('StringEquals', {}).get('aws:SourceAccount') != {
                'Ref': 'AWS::AccountId'}:
            yield name + ': any account'
        arn = c.get('StringLike', {}).get('aws:SourceArn', {}).get(
            'Fn::Sub', '')
        if arn != 'arn:${AWS::Partition}:ses:${AWS::Region}:' \
                '${AWS::AccountId}' + OURS:
            yield name + ': any rule set'
    if count != 2:
        yield '%d statements for SES, not one for bucket and topic' % count


def principals(template):
    for name, s in statements(template):
        p = s.get('Principal')
        if s['Effect'] == 'Allow' and (
                p == '*' or isinstance(p, dict) and
                any('*' in str(v) for x in p.values() for v in listed(x))):
            yield '%s allows %s' % (name, p)
        if 'NotPrincipal' in s or 'NotAction' in s or 'NotResource' in s:
            yield '%s says what it does not mean' % name


def importer(template):
    said = the_one(template, 'IAM::ManagedPolicy')['PolicyDocument'][
        'Statement']
    granted = {}
    for s in said:
        if s['Effect'] != 'Allow':
            yield 'a statement that is no Allow'
        for a in listed(s['Action']):
            granted[a] = s
            if '*' in a:
                yield 'all of %s' % a
        for r in listed(s['Resource']):
            # An ARN of the stack's own, or what lies below in/ there.
            if not (isinstance(r, dict) and (
                    r.get('Fn::GetAtt', [''])[-1] == 'Arn' or
                    r.get('Fn::Sub') == '${MailBucket.Arn}/in/*')):
                yield 'resource %s' % r
    need = {'s3:ListBucket', 's3:GetObject', 's3:DeleteObject',
            'sqs:ReceiveMessage', 'sqs:DeleteMessage',
            'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'}
    if 'VersioningConfiguration' in the_one(template, 'S3::Bucket'):
        need |= {'s3:DeleteObjectVersion'}
    may = {'s3:GetBucketVersioning', 's3:GetBucketObjectLockConfiguration'}
    for a in sorted(need - set(granted)):
        yield 'lacks ' + a
    for a in sorted(set(granted) - need - may):
        yield 'has no use for ' + a
    # Whoever may list only some prefixes is told 403, not 404, of a key that
    # has gone.
    if 'Condition' in granted['s3:ListBucket']:
        yield 'it cannot learn that an object has gone'
    user = the_one(template, 'IAM::User')
    if user != {'ManagedPolicyArns': [{'Ref': 'ImporterPolicy'}]}:
        yield 'the user has more than that: %s' % user
    if of_kind(template, 'IAM::AccessKey') or of_kind(template, 'IAM::Role'):
        yield 'an access key or a role in the template'


def queues(template):
    q = of_kind(template, 'SQS::Queue')
    redrive = q['MailQueue']['Properties'].get('RedrivePolicy')
    if redrive != {'deadLetterTargetArn': {
            'Fn::GetAtt': ['MailDeadLetterQueue', 'Arn']},
            'maxReceiveCount': 5}:
        yield 'redrive: %s' % redrive
    for name, r in q.items():
        if r['Properties'].get('SqsManagedSseEnabled') is not True:
            yield name + ' is not encrypted'
        if r['Properties'].get('MessageRetentionPeriod') != 14 * 86400:
            yield name + ' forgets before 14 days'
    said = the_one(template, 'SQS::QueuePolicy')['PolicyDocument']['Statement']
    if [(s['Principal'], s['Action'], s['Condition']) for s in said] != [
            ({'Service': 'sns.amazonaws.com'}, 'sqs:SendMessage',
             {'ArnEquals': {'aws:SourceArn': {'Ref': 'MailTopic'}}})]:
        yield 'others than the topic may send: %s' % said


def receipt_rules(template, users):
    """A chain of rules, one for each user and the user's prefix."""
    found = of_kind(template, 'SES::ReceiptRule')
    if len(found) != len(users):
        yield '%d rules for %d users' % (len(found), len(users))
        return
    before = ['MailBucketPolicy', 'MailTopicPolicy']
    for (name, r), (user, addresses) in zip(found.items(), users.items()):
        p = r['Properties']['Rule']
        if not re.match(r'[A-Za-z0-9]{1,255}$', name):
            yield '%s: no name for a resource' % name
        if r['DependsOn'] != before:
            yield '%s waits for %s' % (name, r['DependsOn'])
        before = [name]
        if p['Name'] != user or p['Enabled'] is not True or \
                p['ScanEnabled'] is not True or \
                p['Recipients'] != [
                    {'Fn::Sub': a} if '$' in a else a for a in addresses]:
            yield '%s is %s' % (name, p)
        if p['Actions'] != [{'S3Action': {
                'BucketName': {'Ref': 'MailBucket'},
                'ObjectKeyPrefix': 'in/' + user,
                'TopicArn': {'Ref': 'MailTopic'}}}]:
            yield '%s does %s' % (name, p['Actions'])


def references(template):
    """Each name that is used is there: cfn-lint is not everywhere."""
    known = set(template['Resources']) | set(template['Parameters'])

    def walk(x):
        if isinstance(x, list):
            for y in x:
                yield from walk(y)
        elif isinstance(x, dict):
            for k, v in x.items():
                if k == 'Ref':
                    yield v
                elif k == 'Fn::GetAtt':
                    yield v[0]
                elif k == 'Fn::Sub':
                    for word in re.findall(r'\$\{([^}]*)\}', v):
                        yield word if '::' in word else word.split('.')[0]
                elif k == 'DependsOn':
                    yield from v
                else:
                    yield from walk(v)
    for name in walk(template):
        if name not in known and not name.startswith('AWS::'):
            yield 'there is no ' + name


def same_tree(text):
    other = plainyaml.load_with_module(text)
    return [] if other == plainyaml.load(text) else ['%s' % other]


def lint(path):
    r = subprocess.run(
        ['cfn-lint', '--regions', 'us-east-1', 'eu-west-1', '--template',
         path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, timeout=120)
    if r.returncode:
        yield from r.stdout.decode('utf-8', 'replace').split('\n')


# Each changes one thing that a test of ours must notice.
SPOILED = (
    (bucket, 'BlockPublicPolicy: true', 'BlockPublicPolicy: false'),
    (bucket, 'BucketOwnerEnforced', 'ObjectWriter'),
    (bucket, 'SSEAlgorithm: AES256', 'SSEAlgorithm: none'),
    (bucket, 'DeletionPolicy: Retain', 'DeletionPolicy: Delete'),
    (lifecycle, 'MinValue: 90', 'MinValue: 14'),
    (lifecycle, 'Default: 180', 'Default: 30'),
    (bucket_policy, 'Principal: "*"', 'Principal: alice'),
    (bucket_policy, 'Action: s3:PutObject', 'Action: s3:GetObject'),
    (only_our_rules, '!Ref AWS::AccountId', '"*"'),
    (only_our_rules, ':receipt-rule-set/${RuleSetName}', ':*'),
    (principals, 'Effect: Deny', 'Effect: Allow'),
    (principals, 'Service: sns.amazonaws.com', 'AWS: "*"'),
    (importer, 's3:DeleteObject\n', 's3:*\n'),
    (importer, 'Resource: !GetAtt MailQueue.Arn\n\n  RuleSet',
     'Resource: "*"\n\n  RuleSet'),
    (importer, '            Action: s3:ListBucket\n',
     '            Action: s3:ListBucket\n            Condition: x\n'),
    (queues, 'maxReceiveCount: 5', 'maxReceiveCount: 1000'),
    (references, '!Ref ImporterPolicy', '!Ref Importers'),
)


def unnoticed(text):
    for check, old, new in SPOILED:
        if old not in text:
            yield '%s is not in it' % old
        elif not list(check(plainyaml.load(text.replace(old, new)))):
            yield '%s: %s instead of %s' % (check.__name__, new, old)


def everything(template):
    for check in (bucket, lifecycle, bucket_policy, only_our_rules, principals,
                  importer, queues, references):
        yield from check(template)


def refused():
    for users, why in (
            ('', 'no users'), ('# nobody\n', 'no users'),
            ('Alice\n', 'is no user'), ('.alice\n', 'is no user'),
            ('alice-\n', 'is no user'), ('../etc\n', 'is no user'),
            ('a' * 64 + '\n', 'is no user'), ('al\u00efce\n', 'is no user'),
            ('alice\nbob\nalice\n', 'line 3: a second line for alice'),
            ('alice\nbob ALICE\n', 'line 2: ALICE is taken by alice'),
            ('alice a@b\n', 'no address'), ('alice a"b@c.d\n', 'no address'),
            ('alice ${Domain}\n', 'no address'),
            ('alice ' + ' '.join('a%d' % n for n in range(101)) + '\n',
             'more than 100'),
            (ALL_USERS + 'more\n', '201 users')):
        code, out, err = rules(users)
        if code != 65 or out or why not in err:
            yield '%r: %d, %r, %r' % (users[:40], code, out[:40], err[:80])
    for words, code in ((('-x',), 64), (('a', 'b'), 64), (('/no/file',), 66)):
        got = rules('', *words)
        if got[0] != code or got[1]:
            yield '%s: %s' % (words, got[:2])


text = rule.text(TEMPLATE)
template = plainyaml.load(text)
for name, check in (
        ('the bucket is closed, encrypted, and stays', bucket),
        ('mail stays for 90 days or more', lifecycle),
        ('the bucket takes mail from SES, and nothing without TLS',
         bucket_policy),
        ('SES acts for this account and this rule set alone', only_our_rules),
        ('no policy allows everybody anything', principals),
        ('the importer has the least rights', importer),
        ('queue, dead-letter queue, and who may send', queues),
        ('each name that is used is there', references)):
    rule.check(name, check(template))
rule.check('one rule, for alice', receipt_rules(
    template, {'alice': ['alice@${Domain}']}))
rule.check('these tests notice what they are for', unnoticed(text))

rule.check('rules: for alice it is the template as it is', [] if rules(
    'alice\n') == (0, text, '') else ['it is not'])
MANY = {'alice': ['alice@${Domain}'],
        'dave.o-k_1': ['dave.o-k_1@${Domain}', 'dave@example.org'],
        'daveok1': ['daveok1@${Domain}'],
        '0': ['0@${Domain}'], 'no': ['no@${Domain}']}
code, many, said = rules('# users\r\nalice\n\n  dave.o-k_1 dave.o-k_1 '
                         'dave@example.org # two\ndaveok1\r\n0\nno')
rule.check('rules: several users', [said] if code else receipt_rules(
    plainyaml.load(many), MANY))
rule.check('rules: nothing else changes', [said] if code else everything(
    plainyaml.load(many)))
code, full, said = rules(ALL_USERS)
rule.check('rules: 200 users', [said] if code else receipt_rules(
    plainyaml.load(full), {u: [u + '@${Domain}'] for u in ALL_USERS.split()}))
with tempfile.TemporaryDirectory() as scratch:
    with open(os.path.join(scratch, 'a=b'), 'w') as f:
        f.write('alice\n')
    r = subprocess.run(['sh', RULES, 'a=b'], cwd=scratch, timeout=60,
                       stdout=subprocess.PIPE)
    rule.check('rules: users from a file', [] if r.stdout.decode() == text
               else ['%d' % r.returncode])
rule.check('rules: what is wrong is said, and nothing printed', refused())

TITLE = 'a YAML module reads the templates in the same way'
if plainyaml.load_with_module('a: b') is None:
    rule.skip(TITLE, 'python3-yaml is not installed')
else:
    rule.check(TITLE, same_tree(text) + same_tree(many))
TITLE = 'cfn-lint has nothing to say'
if not shutil.which('cfn-lint'):
    rule.skip(TITLE, 'cfn-lint is not installed')
else:
    with tempfile.NamedTemporaryFile('w', suffix='.yaml') as f:
        f.write(many)
        f.flush()
        rule.check(TITLE, list(lint(os.path.join(rule.SRC, TEMPLATE))) +
                   list(lint(f.name)))
rule.done()

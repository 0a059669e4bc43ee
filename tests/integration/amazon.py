#!/usr/bin/python3
"""Amazon, as far as README.md needs it: what the programs aws, swaks, dig and
systemctl would do, for the commands that stand there and no others. Bucket,
policies and the importer are real, on a RADOS Gateway.

  amazon.py aws|swaks|dig|systemctl WORD...
  amazon.py rights             tries what the importer may do and may not

FORREAL: a directory; amazon.json in it is what was made so far. S3_...: the
gateway (tests/s3/rgw.sh), of which CEPH_CONF is the configuration."""

import json
import os
import re
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True
TOP = os.environ['FB_TOP']
sys.path[1:1] = [os.path.join(TOP, 'tests', d) for d in (
    's3', 'rules', 'integration')]

import plainyaml                                            # noqa: E402
import s3                                                   # noqa: E402
import ses                                                  # noqa: E402

STATE = os.path.join(os.environ['FORREAL'], 'amazon.json')
# What README.md calls them; CloudFormation would invent such names.
NAMES = {'MailBucket': 'fallbackmx-mailbucket-1a2b3c4d5e6f',
         'Importer': 'fallbackmx-Importer-1A2B3C4D5E6F'}
USER = 'importer'
ACCOUNT = '111122223333'


def state():
    with open(STATE) as f:
        return json.load(f)


def keep(**news):
    known = state() if os.path.exists(STATE) else {}
    with open(STATE, 'w') as f:
        json.dump({**known, **news}, f)


def options(words, *known):
    """{option: value}; what nobody expects is an error."""
    found, words = {}, list(words)
    while words:
        name = words.pop(0)
        if name not in known:
            sys.exit('amazon.py: what is %s?' % name)
        found[name] = words.pop(0)
    return found


def admin(*words):
    r = subprocess.run(
        ['radosgw-admin', '-c', os.environ['CEPH_CONF'], '-n', 'client.rgw.a',
         *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL, timeout=60, check=True)
    return json.loads(r.stdout)


class Stack:
    """A template with its functions worked out."""

    def __init__(self, template, region, given):
        self.template, self.region = template, region
        self.values = {'AWS::AccountId': ACCOUNT, 'AWS::Region': region,
                       'AWS::Partition': 'aws',
                       'AWS::URLSuffix': 'amazonaws.com'}
        for name, p in template['Parameters'].items():
            self.values[name] = given.pop(name, p.get('Default'))
            if self.values[name] is None or not re.fullmatch(
                    p.get('AllowedPattern', '.*'), str(self.values[name])):
                sys.exit('amazon.py: parameter %s' % name)
        if given:
            sys.exit('amazon.py: no such parameter: %s' % given)
        for name, r in template['Resources'].items():
            self.values[name] = NAMES.get(name, name)
            if r['Type'] == 'AWS::SES::ReceiptRuleSet':
                self.values[name] = self.of(r['Properties']['RuleSetName'])
            elif r['Type'] == 'AWS::SNS::Topic':
                self.values[name] = self.arn(name)

    def arn(self, name):
        kind = self.template['Resources'][name]['Type'].split('::')[1].lower()
        where = ':' if kind == 's3' else '%s:%s' % (self.region, ACCOUNT)
        return 'arn:aws:%s:%s:%s' % (kind, where, NAMES.get(name, name))

    def name(self, word):
        return self.arn(word[:-4]) if word.endswith('.Arn') else \
            str(self.values[word])

    def of(self, x):
        if isinstance(x, list):
            return [self.of(y) for y in x]
        if not isinstance(x, dict):
            return x
        if 'Ref' in x:
            return self.values[x['Ref']]
        if 'Fn::GetAtt' in x:
            return self.name('.'.join(x['Fn::GetAtt']))
        if 'Fn::Sub' in x:
            return re.sub(r'\$\{([^}]+)\}', lambda m: self.name(m[1]),
                          x['Fn::Sub'])
        return {k: self.of(v) for k, v in x.items()}

    def all(self, kind):
        return [self.of(r['Properties'])
                for r in self.template['Resources'].values()
                if r['Type'] == 'AWS::' + kind]

    def outputs(self):
        return {k: self.of(v['Value'])
                for k, v in self.template['Outputs'].items()}


def without_queues(document):
    """The gateway knows no SQS and refuses such a statement."""
    return {**document, 'Statement': [
        s for s in document['Statement']
        if not any(a.startswith('sqs:') for a in (
            s['Action'] if isinstance(s['Action'], list) else [s['Action']]))]}


def user_policy(client, document):
    form = urllib.parse.urlencode({
        'Action': 'PutUserPolicy', 'Version': '2010-05-08', 'UserName': USER,
        'PolicyName': 'importer', 'PolicyDocument': json.dumps(document)})
    client.call('POST', '/', (), [
        ('Content-Type', 'application/x-www-form-urlencoded')],
        form.encode(), service='iam')


def deploy(words):
    given = options(words, '--region', '--stack-name', '--template-file',
                    '--capabilities', '--parameter-overrides')
    if given['--capabilities'] != 'CAPABILITY_IAM':
        sys.exit('amazon.py: it makes a user: CAPABILITY_IAM')
    with open(given['--template-file']) as f:
        template = plainyaml.load(f.read())
    stack = Stack(template, given['--region'], dict([
        given['--parameter-overrides'].split('=', 1)]))
    client = s3.of_environment()
    bucket = NAMES['MailBucket']
    client.make_bucket(bucket)
    client.policy(bucket, json.dumps(
        stack.all('S3::BucketPolicy')[0]['PolicyDocument']))
    admin('user', 'create', '--uid=' + USER, '--display-name=' + USER)
    admin('caps', 'add', '--uid=test', '--caps=user-policy=*')
    user_policy(client, without_queues(
        stack.all('IAM::ManagedPolicy')[0]['PolicyDocument']))
    # SES tries a rule when it is made.
    rules = [(r['Rule']['Recipients'], r['Rule']['Actions'][0]['S3Action'])
             for r in stack.all('SES::ReceiptRule')]
    for recipients, action in rules:
        client.put(action['BucketName'], action['ObjectKeyPrefix'] +
                   '/AMAZON_SES_SETUP_NOTIFICATION', ses.message('setup'))
    keep(outputs=stack.outputs(), rules=rules, active='')


def aws(service, verb, *words):
    if (service, verb) == ('cloudformation', 'deploy'):
        return deploy(words)
    known = {
        'describe-stacks': ['--stack-name', '--output', '--query'],
        'create-email-identity': ['--email-identity', '--query', '--output'],
        'get-email-identity': ['--email-identity', '--query'],
        'describe-active-receipt-rule-set': ['--query', '--output'],
        'set-active-receipt-rule-set': ['--rule-set-name'],
        'create-access-key': ['--user-name', '--output', '--query']}
    if verb not in known:
        sys.exit('amazon.py: aws %s %s' % (service, verb))
    given = options(words, '--region', *known[verb])
    if verb == 'describe-stacks':
        for pair in state()['outputs'].items():
            print('\t'.join(pair))
    elif verb == 'create-email-identity':
        print('\t'.join(32 * c for c in 'abc'))
    elif verb == 'get-email-identity':
        print('true')
    elif verb == 'describe-active-receipt-rule-set':
        print(state()['active'] or None)
    elif verb == 'set-active-receipt-rule-set':
        if given['--rule-set-name'] != state()['outputs']['ActiveRuleSet']:
            sys.exit('amazon.py: there is no such rule set')
        keep(active=given['--rule-set-name'])
    elif verb == 'create-access-key':
        if given['--user-name'] != state()['outputs']['Importer']:
            sys.exit('amazon.py: there is no such user')
        # It got one when it was made; a new one costs it its policy.
        made = admin('user', 'info', '--uid=' + USER)['keys'][0]
        print('%s\t%s' % (made['access_key'], made['secret_key']))


def swaks(*words):
    """SES takes a mail: each rule that names the recipient stores it."""
    given = options(words, '--server', '--to', '--from', '--body')
    known = state()
    if known['outputs']['Mx'] != '20 %s.' % given['--server'] or \
            not known['active']:
        sys.exit('amazon.py: SES is not there')
    stored = 0
    for recipients, action in known['rules']:
        if given['--to'] in recipients:
            ident = ses.ses_id(stored)
            s3.of_environment().put(
                action['BucketName'],
                '%s/%s' % (action['ObjectKeyPrefix'], ident),
                ses.message(ident, given['--to'],
                            body=given['--body'] + '\r\n'))
            stored += 1
    if stored != 1:
        sys.exit('amazon.py: 550 5.1.1 mailbox unavailable (%d)' % stored)


def dig(*words):
    if words != ('+short', 'example.com', 'mx'):
        sys.exit('amazon.py: dig %s' % (words,))
    print('10 mail.example.com.')
    print(state()['outputs']['Mx'])


def systemctl(*words):
    if words[0] == 'daemon-reload':
        return
    if words[:2] != ('enable', '--now') or len(words) != 3 or \
            not os.path.exists(os.path.join(TOP, 'scripts/systemd', words[2])):
        sys.exit('amazon.py: systemctl %s' % (words,))


def rights():
    """One line for each surprise."""
    with open(os.environ['FORREAL'] + '/etc/fallbackmx.key') as f:
        key = dict(line.strip().split(' = ') for line in f)
    owner = s3.of_environment()
    e = os.environ
    importer = s3.Client(e['S3_TLS_ENDPOINT'], key['access_key_id'],
                         key['secret_access_key'], ca=e['S3_CA'])
    bucket = NAMES['MailBucket']
    owner.put(bucket, 'other/1', b'x')
    owner.put(bucket, 'in/bob/old', b'x')
    top, listing = '/' + bucket, ('list-type', '2')
    for method, path, pairs, wanted in (
            ('GET', top, [listing, ('prefix', 'in/')], 200),
            ('GET', top, [listing, ('prefix', 'in/alice/')], 200),
            ('GET', top + '/in/bob/old', [], 200),
            ('HEAD', top + '/in/bob/old', [], 200),
            ('DELETE', top + '/in/bob/old', [], 204),
            ('GET', top, [('versioning', '')], 200),
            # Allowed, and there is none.
            ('GET', top, [('object-lock', '')], 404),
            # Who may list a part only is told 403, not 404, of what has gone.
            ('GET', top, [listing], 200),
            ('GET', top + '/in/bob/old', [], 404),
            ('PUT', top + '/in/bob/old', [], 403),
            ('GET', top + '/other/1', [], 403),
            ('DELETE', top + '/other/1', [], 403),
            ('PUT', top + '/in/alice/new', [], 403),
            ('PUT', top, [('policy', '')], 403),
            ('DELETE', top, [('policy', '')], 403),
            ('DELETE', top, [('lifecycle', '')], 403),
            ('DELETE', top, [], 403)):
        got = importer.request(method, path, pairs).status
        if got != wanted:
            yield '%s %s %s: %d, not %d' % (method, path, pairs, got, wanted)
    if list(owner.keys_of(bucket, 'in/bob/old')):
        yield 'what was removed is there'
    if list(owner.keys_of(bucket, 'other/')) != ['other/1']:
        yield 'what was not removed is not there'
    owner.delete(bucket, 'other/1')


def main(verb, *words):
    if verb == 'rights':
        surprises = list(rights())
        if surprises:
            sys.exit('\n'.join(surprises))
    else:
        {'aws': aws, 'swaks': swaks, 'dig': dig,
         'systemctl': systemctl}[verb](*words)


if __name__ == '__main__':
    main(*sys.argv[1:])

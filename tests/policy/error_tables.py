"""The tables of errors.py: documents without a mistake, what is done to them,
and the place and the finding that must be told, written by hand."""

from place import ANALYZER, LIST, ROLE

TRAFFIC = {
    'TrafficPolicyName': 'front',
    'PolicyStatements': [
        {'Action': 'DENY', 'Conditions': [
            {'StringExpression': {
                'Evaluate': {'Attribute': 'RECIPIENT'},
                'Operator': 'EQUALS', 'Values': ['old@example.com']}},
            {'IpExpression': {
                'Evaluate': {'Attribute': 'SENDER_IP'},
                'Operator': 'CIDR_MATCHES', 'Values': ['192.0.2.0/24']}},
            {'Ipv6Expression': {
                'Evaluate': {'Attribute': 'SENDER_IPV6'},
                'Operator': 'NOT_CIDR_MATCHES',
                'Values': ['2001:db8::/32']}},
            {'TlsExpression': {
                'Evaluate': {'Attribute': 'TLS_PROTOCOL'},
                'Operator': 'IS', 'Value': 'TLS1_2'}},
            {'BooleanExpression': {
                'Evaluate': {'IsInAddressList': {
                    'Attribute': 'RECIPIENT', 'AddressLists': [LIST]}},
                'Operator': 'IS_TRUE'}},
            {'BooleanExpression': {
                'Evaluate': {'Analysis': {'Analyzer': ANALYZER,
                                          'ResultField': 'addon.listed'}},
                'Operator': 'IS_FALSE'}}]},
        {'Action': 'ALLOW', 'Conditions': [
            {'StringExpression': {
                'Evaluate': {'Attribute': 'RECIPIENT'},
                'Operator': 'ENDS_WITH', 'Values': ['@example.com']}}]}],
    'DefaultAction': 'DENY',
    'MaxMessageSizeBytes': 10485760,
}

RULES = {
    'RuleSetName': 'inbound',
    'Rules': [
        {'Name': 'first', 'Conditions': [
            {'StringExpression': {
                'Evaluate': {'Attribute': 'SUBJECT'},
                'Operator': 'CONTAINS', 'Values': ['offer']}},
            {'StringExpression': {
                'Evaluate': {'MimeHeaderAttribute': 'X-Tier'},
                'Operator': 'EQUALS', 'Values': ['gold']}},
            {'StringExpression': {
                'Evaluate': {'ClientCertificateAttribute': 'CN'},
                'Operator': 'ENDS_WITH', 'Values': ['.example.com']}},
            {'NumberExpression': {
                'Evaluate': {'Attribute': 'MESSAGE_SIZE'},
                'Operator': 'GREATER_THAN', 'Value': 1000.5}},
            {'IpExpression': {
                'Evaluate': {'Attribute': 'SOURCE_IP'},
                'Operator': 'CIDR_MATCHES',
                'Values': ['192.0.2.0/24', '2001:db8::/32']}},
            {'BooleanExpression': {
                'Evaluate': {'Attribute': 'TLS'}, 'Operator': 'IS_TRUE'}},
            {'VerdictExpression': {
                'Evaluate': {'Attribute': 'SPF'},
                'Operator': 'EQUALS', 'Values': ['FAIL']}},
            {'DmarcExpression': {
                'Operator': 'EQUALS', 'Values': ['REJECT']}}],
         'Unless': [{'BooleanExpression': {
             'Evaluate': {'IsInAddressList': {
                 'Attribute': 'FROM', 'AddressLists': [LIST]}},
             'Operator': 'IS_TRUE'}}],
         'Actions': [
             {'AddHeader': {'HeaderName': 'X-Tag', 'HeaderValue': 'offer'}},
             {'Archive': {'TargetArchive': 'mail',
                          'ActionFailurePolicy': 'CONTINUE'}},
             {'WriteToS3': {'RoleArn': ROLE, 'S3Bucket': 'mail',
                            'S3Prefix': 'offers/'}},
             {'PublishToSns': {
                 'TopicArn': 'arn:aws:sns:eu-west-1:123456789012:mail',
                 'RoleArn': ROLE, 'Encoding': 'UTF-8',
                 'PayloadType': 'HEADERS'}},
             {'InvokeLambda': {
                 'FunctionArn':
                 'arn:aws:lambda:eu-west-1:123456789012:function:mail',
                 'InvocationType': 'EVENT', 'RoleArn': ROLE,
                 'RetryTimeMinutes': 60}}]},
        {'Name': 'second', 'Actions': [
            {'ReplaceRecipient': {'ReplaceWith': ['bob@example.com']}},
            {'Relay': {'Relay': 'relay-1', 'MailFrom': 'PRESERVE'}},
            {'Send': {'RoleArn': ROLE}},
            {'DeliverToMailbox': {
                'MailboxArn':
                'arn:aws:workmail:eu-west-1:123456789012:organization/m-1',
                'RoleArn': ROLE}},
            {'DeliverToQBusiness': {
                'ApplicationId': '01234567-89ab-cdef-0123-456789abcdef',
                'IndexId': '01234567-89ab-cdef-0123-456789abcdef',
                'RoleArn': ROLE}}]},
        {'Name': 'third', 'Actions': [
            {'Bounce': {'RoleArn': ROLE, 'Sender': 'postmaster@example.com',
                        'StatusCode': '5.1.1', 'SmtpReplyCode': '550',
                        'DiagnosticMessage': 'No such user.'}}]},
        {'Name': 'fourth', 'Actions': [{'Drop': {}}]}],
}

OURS = {
    'Rules': [
        {'Name': 'ours', 'Conditions': [
            {'HeaderExpression': {
                'Evaluate': {'HeaderName': 'List-Id'},
                'Operator': 'MATCHES', 'Values': ['^news']}},
            {'AuthExpression': {
                'Evaluate': {'Attribute': 'AUTH_USER'},
                'Operator': 'EQUALS', 'Values': ['alice']}}],
         'Actions': [{'RemoveHeader': {'HeaderName': 'X-Tag'}},
                     {'Quarantine': {'Reason': 'odd'}}, {'Stop': {}}]},
        {'Name': 'later', 'Actions': [
            {'TempFail': {'DiagnosticMessage': 'Later.'}}]},
        {'Name': 'never', 'Actions': [
            {'Reject': {'SmtpReplyCode': '550', 'StatusCode': '5.7.1',
                        'DiagnosticMessage': 'No.'}}]}],
}

RELAY = {'RelayName': 'inside', 'ServerName': 'mail.example.com',
         'ServerPort': 25, 'Authentication': {'NoAuthentication': {}}}

ARCHIVE = {'ArchiveName': 'mail', 'Retention': {'RetentionPeriod': 'ONE_YEAR'}}

ITEMS = {'items': [{'address': 'bob@example.com'}, {'address': '*@b.example'}]}

GONE = object()
STATEMENT = 'PolicyStatements[0].'
CONDITION = STATEMENT + 'Conditions[%d].'
RULE = 'Rules[0].'
WHEN = RULE + 'Conditions[%d].'
DO = RULE + 'Actions[%d].'
THEN = 'Rules[1].Actions[%d].'
WHEN_EVALUATE = 'Rules[0].Conditions[0].StringExpression.Evaluate'
SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:relay-AbCdEf'
LONG = 'x' * 5000


def many(item, n):
    return [item] * n


# Document, place that is changed, what stands there then, what is found; and
# where, if that is elsewhere.
ROWS = [
    (TRAFFIC, 'TrafficPolicyName', 'ab', '"ab"'),
    (TRAFFIC, 'TrafficPolicyName', 'a b c', '"a b c"'),
    (TRAFFIC, 'DefaultAction', GONE, 'nothing'),
    (TRAFFIC, 'DefaultAction', 'REJECT', '"REJECT"'),
    (TRAFFIC, 'DefaultActoin', 'DENY', 'an unknown key'),
    (TRAFFIC, 'MaxMessageSizeBytes', 0, '0'),
    (TRAFFIC, 'MaxMessageSizeBytes', '10 MB', '"10 MB"'),
    (TRAFFIC, 'PolicyStatements', {}, 'an object'),
    (TRAFFIC, 'PolicyStatements',
     many(TRAFFIC['PolicyStatements'][1], 21), 'a list of 21'),
    (TRAFFIC, 'PolicyStatements[0]', 'x', '"x"'),
    (TRAFFIC, STATEMENT + 'Action', 'BLOCK', '"BLOCK"'),
    (TRAFFIC, STATEMENT + 'Action', GONE, 'nothing'),
    (TRAFFIC, STATEMENT + 'Conditions', [], 'a list of 0'),
    (TRAFFIC, STATEMENT + 'Conditions', GONE, 'nothing'),
    (TRAFFIC, STATEMENT + 'Conditions', many(
        TRAFFIC['PolicyStatements'][0]['Conditions'][0], 11), 'a list of 11'),
    (TRAFFIC, STATEMENT + 'Actions', [], 'an unknown key'),
    (TRAFFIC, CONDITION % 0 + 'StringExpression.Evaluate.Attribute',
     'MAIL_FROM', '"MAIL_FROM"'),
    (TRAFFIC, CONDITION % 0 + 'StringExpression.Operator', 'MATCHES',
     '"MATCHES"'),
    (TRAFFIC, CONDITION % 0 + 'StringExpression.Values', 'x', '"x"'),
    (TRAFFIC, CONDITION % 1 + 'IpExpression.Values[0]', '192.0.2.0',
     '"192.0.2.0"'),
    (TRAFFIC, CONDITION % 1 + 'IpExpression.Values[0]', '192.0.2.0/33',
     '"192.0.2.0/33"'),
    (TRAFFIC, CONDITION % 1 + 'IpExpression.Values[0]', '2001:db8::/32',
     '"2001:db8::/32"'),
    (TRAFFIC, CONDITION % 1 + 'IpExpression.Evaluate.Attribute',
     'SOURCE_IP', '"SOURCE_IP"'),
    (TRAFFIC, CONDITION % 2 + 'Ipv6Expression.Values[0]', '192.0.2.0/24',
     '"192.0.2.0/24"'),
    (TRAFFIC, CONDITION % 2 + 'Ipv6Expression.Values[0]', '2001:db8::/129',
     '"2001:db8::/129"'),
    (TRAFFIC, CONDITION % 3 + 'TlsExpression.Value', 'TLS1_1', '"TLS1_1"'),
    (TRAFFIC, CONDITION % 3 + 'TlsExpression.Operator', 'EQUALS',
     '"EQUALS"'),
    (TRAFFIC, CONDITION % 4 +
     'BooleanExpression.Evaluate.IsInAddressList.Attribute', 'FROM',
     '"FROM"'),
    (TRAFFIC, CONDITION % 4 +
     'BooleanExpression.Evaluate.IsInAddressList.AddressLists',
     [LIST, LIST], 'a list of 2'),
    (TRAFFIC, CONDITION % 5 + 'BooleanExpression.Evaluate.Analysis.Analyzer',
     'with a blank', '"with a blank"'),
    (TRAFFIC, CONDITION % 5 +
     'BooleanExpression.Evaluate.Analysis.ResultField', 'a.b', '"a.b"'),
    (TRAFFIC, CONDITION % 5 + 'BooleanExpression.Operator', True, 'true'),
    (TRAFFIC, CONDITION % 0 + 'NumberExpression', {}, 'an unknown key'),
    (TRAFFIC, CONDITION % 0 + 'StringExpression.Values', [], 'a list of 0'),
    (TRAFFIC, CONDITION % 0 + 'StringExpression.Values[0]', 7, '7'),
    (TRAFFIC, CONDITION % 0 + 'StringExpression.Evaluate', GONE, 'nothing'),
    (TRAFFIC, CONDITION % 1 + 'IpExpression.Operator', 'EQUALS', '"EQUALS"'),
    (TRAFFIC, CONDITION % 1 + 'IpExpression.Values', GONE, 'nothing'),
    (TRAFFIC, CONDITION % 2 + 'Ipv6Expression.Operator', 'IS', '"IS"'),
    (TRAFFIC, CONDITION % 2 + 'Ipv6Expression.Evaluate.Attribute',
     'SENDER_IP', '"SENDER_IP"'),
    (TRAFFIC, CONDITION % 3 + 'TlsExpression.Evaluate.Attribute', 'TLS',
     '"TLS"'),
    (TRAFFIC, CONDITION % 3 + 'TlsExpression.Value', GONE, 'nothing'),
    (TRAFFIC, CONDITION % 4 +
     'BooleanExpression.Evaluate.IsInAddressList.AddressLists[0]', '', '""'),
    (TRAFFIC, CONDITION % 5 +
     'BooleanExpression.Evaluate.Analysis.ResultField', GONE, 'nothing'),
    (TRAFFIC, CONDITION % 5 + 'BooleanExpression.Evaluate', {
        'Attribute': 'TLS'}, 'an unknown key',
     CONDITION % 5 + 'BooleanExpression.Evaluate.Attribute'),

    (RULES, 'RuleSetName', 'a b', '"a b"'),
    (RULES, 'Rules', many(RULES['Rules'][3], 41), 'a list of 41'),
    (RULES, RULE + 'Name', 'x' * 33, '"%s"' % ('x' * 33)),
    (RULES, RULE + 'Name', 7, '7'),
    (RULES, RULE + 'Conditions',
     many(RULES['Rules'][0]['Conditions'][0], 11), 'a list of 11'),
    (RULES, RULE + 'Unless',
     many(RULES['Rules'][0]['Conditions'][0], 11), 'a list of 11'),
    (RULES, RULE + 'Actions', [], 'a list of 0'),
    (RULES, RULE + 'Actions', GONE, 'nothing'),
    (RULES, RULE + 'Actions', many({'Drop': {}}, 11), 'a list of 11'),
    (RULES, RULE + 'Action', 'ALLOW', 'an unknown key'),
    (RULES, WHEN % 0 + 'StringExpresion', {}, 'an unknown key'),
    (RULES, WHEN % 0 + 'StringExpression.Evaluate.Attribute', 'BODY',
     '"BODY"'),
    (RULES, WHEN % 0 + 'StringExpression.Evaluate', {}, 'nothing'),
    (RULES, WHEN % 0 + 'StringExpression.Evaluate.MimeHeaderAttribute',
     'X-A', 'several members', WHEN_EVALUATE),
    (RULES, 'Rules[0].Conditions[0]', {
        'BooleanExpression': RULES['Rules'][0]['Conditions'][5][
            'BooleanExpression'],
        'DmarcExpression': RULES['Rules'][0]['Conditions'][7][
            'DmarcExpression']}, 'several members'),
    (RULES, 'Rules[3].Actions[0]', {'Drop': {}, 'Stop': {}},
     'several members'),
    (RULES, 'Rules[3].Actions[0]', {}, 'nothing'),
    (RULES, WHEN % 0 + 'StringExpression.Operator', 'contains',
     '"contains"'),
    (RULES, WHEN % 0 + 'StringExpression.Operator', GONE, 'nothing'),
    (RULES, WHEN % 0 + 'StringExpression.Values', [], 'a list of 0'),
    (RULES, WHEN % 0 + 'StringExpression.Values', many('x', 11),
     'a list of 11'),
    (RULES, WHEN % 0 + 'StringExpression.Values[0]', '', '""'),
    (RULES, WHEN % 0 + 'StringExpression.Values[0]', LONG, None),
    (RULES, WHEN % 0 + 'StringExpression.Values[0]', None, 'null'),
    (RULES, WHEN % 1 + 'StringExpression.Evaluate.MimeHeaderAttribute',
     'List-Id', '"List-Id"'),
    (RULES, WHEN % 2 +
     'StringExpression.Evaluate.ClientCertificateAttribute', 'OU', '"OU"'),
    (RULES, WHEN % 3 + 'NumberExpression.Operator', 'CONTAINS',
     '"CONTAINS"'),
    (RULES, WHEN % 3 + 'NumberExpression.Value', '1000', '"1000"'),
    (RULES, WHEN % 4 + 'IpExpression.Values[1]', 'nowhere', '"nowhere"'),
    (RULES, WHEN % 4 + 'IpExpression.Evaluate.Attribute', 'SENDER_IP',
     '"SENDER_IP"'),
    (RULES, WHEN % 5 + 'BooleanExpression.Evaluate.Attribute', 'STARTTLS',
     '"STARTTLS"'),
    (RULES, WHEN % 5 + 'BooleanExpression.Operator', 'EQUALS', '"EQUALS"'),
    (RULES, WHEN % 6 + 'VerdictExpression.Values[0]', 'SOFTFAIL',
     '"SOFTFAIL"'),
    (RULES, WHEN % 6 + 'VerdictExpression.Evaluate.Attribute', 'DMARC',
     '"DMARC"'),
    (RULES, WHEN % 7 + 'DmarcExpression.Values[0]', 'PASS', '"PASS"'),
    (RULES, WHEN % 7 + 'DmarcExpression.Evaluate', {}, 'an unknown key'),
    (RULES, RULE + 'Unless[0].BooleanExpression.Evaluate.IsInAddressList.'
     'Attribute', 'SUBJECT', '"SUBJECT"'),

    (RULES, WHEN % 3 + 'NumberExpression.Evaluate.Attribute', 'SIZE',
     '"SIZE"'),
    (RULES, WHEN % 3 + 'NumberExpression.Value', GONE, 'nothing'),
    (RULES, WHEN % 4 + 'IpExpression.Operator', 'CONTAINS', '"CONTAINS"'),
    (RULES, WHEN % 4 + 'IpExpression.Values', many('192.0.2.0/24', 11),
     'a list of 11'),
    (RULES, WHEN % 6 + 'VerdictExpression.Operator', 'CONTAINS',
     '"CONTAINS"'),
    (RULES, WHEN % 6 + 'VerdictExpression.Values', [], 'a list of 0'),
    (RULES, WHEN % 7 + 'DmarcExpression.Operator', 'IS_TRUE', '"IS_TRUE"'),
    (RULES, WHEN % 7 + 'DmarcExpression.Values', many('NONE', 11),
     'a list of 11'),

    (RULES, DO % 0 + 'AddHeader.HeaderName', 'Subject', '"Subject"'),
    (RULES, DO % 0 + 'AddHeader.HeaderName', 'X-' + 'a' * 63, None),
    (RULES, DO % 0 + 'AddHeader.HeaderValue', '', '""'),
    (RULES, DO % 0 + 'AddHeader.ActionFailurePolicy', 'DROP',
     'an unknown key'),
    (RULES, DO % 1 + 'Archive.TargetArchive', 'a b', '"a b"'),
    (RULES, DO % 2 + 'WriteToS3.ActionFailurePolicy', 'drop', '"drop"'),
    (RULES, DO % 2 + 'WriteToS3.S3Bucket', 'b' * 63, None),
    (RULES, DO % 2 + 'WriteToS3.S3Prefix', '', '""'),
    (RULES, DO % 2 + 'WriteToS3.S3SseKmsKeyId', 'short', '"short"'),
    (RULES, DO % 3 + 'PublishToSns.ActionFailurePolicy', 1, '1'),
    (RULES, DO % 3 + 'PublishToSns.RoleArn', GONE, 'nothing'),
    (RULES, DO % 4 + 'InvokeLambda.ActionFailurePolicy', '', '""'),
    (RULES, DO % 4 + 'InvokeLambda.FunctionArn', 'f', '"f"'),
    (RULES, DO % 4 + 'InvokeLambda.RoleArn', GONE, 'nothing'),
    (RULES, DO % 4 + 'InvokeLambda.RetryTimeMinutes', -1, '-1'),
    (RULES, DO % 4 + 'InvokeLambda.RetryTimeMinutes', 1.5, '1.5'),
    (RULES, THEN % 0 + 'ReplaceRecipient.ReplaceWith', GONE, 'nothing'),
    (RULES, THEN % 0 + 'ReplaceRecipient.ReplaceWith', [], 'a list of 0'),
    (RULES, THEN % 1 + 'Relay.ActionFailurePolicy', 'STOP', '"STOP"'),
    (RULES, THEN % 1 + 'Relay.Relay', '', '""'),
    (RULES, THEN % 2 + 'Send.ActionFailurePolicy', 'STOP', '"STOP"'),
    (RULES, THEN % 3 + 'DeliverToMailbox.ActionFailurePolicy', 'STOP',
     '"STOP"'),
    (RULES, THEN % 3 + 'DeliverToMailbox.RoleArn', 'role', '"role"'),
    (RULES, THEN % 4 + 'DeliverToQBusiness.ActionFailurePolicy', 'STOP',
     '"STOP"'),
    (RULES, THEN % 4 + 'DeliverToQBusiness.ApplicationId', 'A' * 36, None),
    (RULES, THEN % 4 + 'DeliverToQBusiness.RoleArn', GONE, 'nothing'),
    (RULES, 'Rules[2].Actions[0].Bounce.ActionFailurePolicy', 'STOP',
     '"STOP"'),
    (RULES, 'Rules[2].Actions[0].Bounce.Message', '\u00e4', None),
    (RULES, 'Rules[2].Actions[0].Bounce.RoleArn', GONE, 'nothing'),
    (RULES, DO % 0 + 'AddHeader.HeaderValue', 'x' * 129, None),
    (RULES, DO % 0 + 'AddHeader.HeaderValue', 'a\r\nBcc: b', None),
    (RULES, DO % 0 + 'AddHeaders', {}, 'an unknown key'),
    (RULES, DO % 1 + 'Archive.TargetArchive', GONE, 'nothing'),
    (RULES, DO % 1 + 'Archive.ActionFailurePolicy', 'STOP', '"STOP"'),
    (RULES, DO % 2 + 'WriteToS3.S3Bucket', 'a_b', '"a_b"'),
    (RULES, DO % 2 + 'WriteToS3.S3Prefix', 'a b', '"a b"'),
    (RULES, DO % 2 + 'WriteToS3.RoleArn', 'role', '"role"'),
    (RULES, DO % 3 + 'PublishToSns.TopicArn', 'arn:aws:sqs:x', None),
    (RULES, DO % 3 + 'PublishToSns.Encoding', 'UTF8', '"UTF8"'),
    (RULES, DO % 3 + 'PublishToSns.PayloadType', 'ALL', '"ALL"'),
    (RULES, DO % 4 + 'InvokeLambda.InvocationType', 'DryRun', '"DryRun"'),
    (RULES, DO % 4 + 'InvokeLambda.RetryTimeMinutes', 2161, '2161'),
    (RULES, THEN % 0 + 'ReplaceRecipient.ReplaceWith[0]', 'bob', '"bob"'),
    (RULES, THEN % 0 + 'ReplaceRecipient.ReplaceWith',
     many('b@example.com', 101), 'a list of 101'),
    (RULES, THEN % 1 + 'Relay.MailFrom', 'KEEP', '"KEEP"'),
    (RULES, THEN % 1 + 'Relay.Relay', GONE, 'nothing'),
    (RULES, THEN % 2 + 'Send.RoleArn', GONE, 'nothing'),
    (RULES, THEN % 3 + 'DeliverToMailbox.MailboxArn', GONE, 'nothing'),
    (RULES, THEN % 4 + 'DeliverToQBusiness.IndexId', 'short', '"short"'),
    (RULES, 'Rules[2].Actions[0].Bounce.SmtpReplyCode', '250', '"250"'),
    (RULES, 'Rules[2].Actions[0].Bounce.SmtpReplyCode', 550, '550'),
    (RULES, 'Rules[2].Actions[0].Bounce.StatusCode', '2.0.0', '"2.0.0"'),
    (RULES, 'Rules[2].Actions[0].Bounce.Sender', GONE, 'nothing'),
    (RULES, 'Rules[2].Actions[0].Bounce.DiagnosticMessage', 'x\ny', None),
    (RULES, 'Rules[3].Actions[0].Drop', [], 'a list'),
    (RULES, 'Rules[3].Actions[0].Drop.Now', True, 'an unknown key'),

    (OURS, WHEN % 0 + 'HeaderExpression.Evaluate.HeaderName', 'a b',
     '"a b"'),
    (OURS, WHEN % 0 + 'HeaderExpression.Operator', 'LIKE', '"LIKE"'),
    (OURS, WHEN % 0 + 'HeaderExpression.Values[0]', '(', '"("'),
    (OURS, WHEN % 1 + 'AuthExpression.Evaluate.Attribute', 'USER',
     '"USER"'),
    (OURS, WHEN % 1 + 'AuthExpression.Operator', 'IS_TRUE', '"IS_TRUE"'),
    (OURS, DO % 0 + 'RemoveHeader.HeaderName', GONE, 'nothing'),
    (OURS, WHEN % 0 + 'HeaderExpression.Values', [], 'a list of 0'),
    (OURS, WHEN % 1 + 'AuthExpression.Values', many('x', 11),
     'a list of 11'),
    (OURS, DO % 1 + 'Quarantine.Reason', 'a\nb', None),
    (OURS, 'Rules[2].Actions[0].Reject.StatusCode', '4.7.1', '"4.7.1"'),
    (OURS, 'Rules[2].Actions[0].Reject.DiagnosticMessage', '', '""'),
    (OURS, DO % 2 + 'Stop.Now', 1, 'an unknown key'),
    (OURS, 'Rules[2].Actions[0].Reject.SmtpReplyCode', '450', '"450"'),
    (OURS, 'Rules[1].Actions[0].TempFail.DiagnosticMessage', 'a\nb', None),

    (RELAY, 'RelayName', '', '""'),
    (RELAY, 'ServerName', 'a b', '"a b"'),
    (RELAY, 'ServerPort', 65536, '65536'),
    (RELAY, 'ServerPort', GONE, 'nothing'),
    (RELAY, 'ServerName', GONE, 'nothing'),
    (RELAY, 'Authentication', GONE, 'nothing'),
    (RELAY, 'Authentication.NoAuthentication', None, 'null'),
    (RELAY, 'RelayId', 'r 1', '"r 1"'),
    (RELAY, 'Authentication', {}, 'nothing'),
    (RELAY, 'Authentication', {'SecretArn': 'arn:aws:iam::x'},
     '"arn:aws:iam::x"', 'Authentication.SecretArn'),
    (RELAY, 'Authentication.SecretArn', SECRET, 'several members',
     'Authentication'),
    (ARCHIVE, 'Retention.RetentionPeriod', 'ONE_DAY', '"ONE_DAY"'),
    (ARCHIVE, 'Retention', {}, 'nothing'),
    (ARCHIVE, 'ArchiveName', 'a-', '"a-"'),
    (ARCHIVE, 'KmsKeyArn', 'key', '"key"'),
    (ARCHIVE, 'ArchiveNam', 'x', 'an unknown key'),
    (ITEMS, 'items[1].address', '**@b.example', '"**@b.example"'),
    (ITEMS, 'items[1].address', 'a@', '"a@"'),
    (ITEMS, 'items[1].address', 'a*c@b.example', '"a*c@b.example"'),
    (ITEMS, 'items[1].address', GONE, 'nothing'),
    (ITEMS, 'items[0]', 'bob@example.com', '"bob@example.com"'),
    (ITEMS, 'items', 'bob@example.com', '"bob@example.com"'),
    (ITEMS, 'AddressListName', 'a b', '"a b"'),
    (ITEMS, 'items[1].adress', 'x@b.example', 'an unknown key'),
]

# What --aws refuses, each place of it.
REFUSED = (
    'Rules[0].Conditions[0].HeaderExpression',
    'Rules[0].Conditions[1].AuthExpression',
    'Rules[0].Actions[0].RemoveHeader', 'Rules[0].Actions[1].Quarantine',
    'Rules[0].Actions[2].Stop', 'Rules[1].Actions[0].TempFail',
    'Rules[2].Actions[0].Reject',
)

# Text that is no document, and how the only line must go on behind its name.
TEXTS = [
    ('nothing', b'', r'(:\d+:\d+: cannot read JSON|: found nothing)'),
    ('no JSON', b'{"Rules": [}', r':1:12: cannot read JSON: '),
    ('a comment', b'{"Rules": [] /* none */}', r':1:\d+: cannot read JSON: '),
    ('another column', b'email\nbob@example.com\n',
     r': found neither, expected JSON, or CSV of one column with the header '
     r'line address'),
    ('two columns', b'address,name\nbob@example.com,Bob\n',
     r': found neither, expected JSON, or CSV of one column with the header '
     r'line address'),
    ('a list', b'[]', r': found no object, expected '),
    ('an unknown kind', b'{"Buckets": []}', r': '),
    ('key given twice', b'{"Rules": [], "Rules": []}',
     r':1:\d+: cannot read JSON: duplicate'),
    ('NUL', b'{"RuleSetName": "a\\u0000b", "Rules": []}',
     r':1:\d+: cannot read JSON: '),
    ('a raw NUL', b'{"Rules": []}\0', r':1:\d+: cannot read JSON: '),
    ('no UTF-8', b'{"RuleSetName": "\xe4\xf6", "Rules": []}',
     r':1:\d+: cannot read JSON: '),
    ('too deep', b'{"Rules": ' + b'[' * 100000 + b']' * 100000 + b'}',
     r': found .* 100001 deep, expected at most 64'),
    ('too large', b' ' * 33554433, r': found more than 33554432 bytes'),
    ('a million mistakes', b'{"Rules": [' + b','.join([b'7'] * 400000) + b']}',
     r': Rules: found a list of 400000, expected '),
]

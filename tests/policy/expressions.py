"""Conditions as the API writes them, for the tables of the tests."""

from place import ANALYZER, LIST


def expression(kind, evaluate, operator, values):
    return {kind: {'Evaluate': evaluate, 'Operator': operator,
                   'Values': values}}


def string(evaluate, operator, *values):
    if isinstance(evaluate, str):
        evaluate = {'Attribute': evaluate}
    return expression('StringExpression', evaluate, operator, list(values))


def mime(name):
    return {'MimeHeaderAttribute': name}


def analysis(field):
    return {'Analysis': {'Analyzer': ANALYZER, 'ResultField': field}}


def certificate(name):
    return {'ClientCertificateAttribute': name}


def number(operator, value):
    return {'NumberExpression': {'Evaluate': {'Attribute': 'MESSAGE_SIZE'},
                                 'Operator': operator, 'Value': value}}


def source(operator, *values):
    return expression('IpExpression', {'Attribute': 'SOURCE_IP'}, operator,
                      list(values))


def boolean(evaluate, operator):
    if isinstance(evaluate, str):
        evaluate = {'Attribute': evaluate}
    return {'BooleanExpression': {'Evaluate': evaluate, 'Operator': operator}}


def listed(attribute):
    return {'IsInAddressList': {'Attribute': attribute,
                                'AddressLists': [LIST]}}


def verdict(evaluate, operator, *values):
    if isinstance(evaluate, str):
        evaluate = {'Attribute': evaluate}
    return expression('VerdictExpression', evaluate, operator, list(values))


def dmarc(operator, *values):
    return {'DmarcExpression': {'Operator': operator, 'Values': list(values)}}


def header(name, operator, *values):
    return expression('HeaderExpression', {'HeaderName': name}, operator,
                      list(values))


def login(operator, *values):
    return expression('AuthExpression', {'Attribute': 'AUTH_USER'}, operator,
                      list(values))


def of(evaluate):
    return lambda operator, *values: string(evaluate, operator, *values)


def any_header(name):
    return lambda operator, *values: header(name, operator, *values)


def recipient(operator, *values):
    return string('RECIPIENT', operator, *values)


def sender(operator, *values):
    return expression('IpExpression', {'Attribute': 'SENDER_IP'}, operator,
                      list(values))


def sender6(operator, *values):
    return expression('Ipv6Expression', {'Attribute': 'SENDER_IPV6'},
                      operator, list(values))


def tls(operator, value):
    return {'TlsExpression': {'Evaluate': {'Attribute': 'TLS_PROTOCOL'},
                              'Operator': operator, 'Value': value}}

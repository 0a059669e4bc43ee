"""randoms - the random cases of tests/policy/property.py as sessions: mails,
documents and facts that nobody thought of. What Postfix does not tell of a
certificate is left out, so are queue ids, which a sender does not know."""

import json
import os
import random

import stage    # noqa: F401: the path of tests/policy
from sessions import CERTIFICATE, Case

import documents                                            # noqa: E402
import property                                             # noqa: E402

SEED = int(os.environ.get('SEED') or random.SystemRandom().randrange(10 ** 9))
VERSIONS = {'older': 'TLSv1.1', None: 'none'}


def without_certificates(document):
    if isinstance(document, dict):
        return {k: without_certificates(v) for k, v in document.items()}
    if isinstance(document, list):
        return [without_certificates(x) for x in document
                if not (isinstance(x, dict) and len(x) == 1 and
                        CERTIFICATE.search(json.dumps(x)))]
    return document


def arguments(facts):
    args = []
    for name, option in (('client', 'client-ip'), ('helo', 'helo'),
                         ('mail_from', 'mail-from'),
                         ('auth_user', 'auth-user'), ('cert_cn', 'cert-cn'),
                         ('authserv_id', 'authserv-id')):
        if facts[name] is not None:
            args += ['--' + option, facts[name]]
    tls = VERSIONS.get(facts['tls'], facts['tls'])
    if facts['cert_cn'] and tls == 'none':
        tls = 'TLSv1.2'
    args += ['--tls-version', tls]
    if facts['tls_wrapped'] and tls != 'none':
        args.append('--tls-wrapped')
    for r in facts['recipients']:
        args += ['--rcpt', r]
    for a, f, v in facts['analyses']:
        args += ['--analysis', '%s.%s=%s' % (a, f, v.strip())]
    return args


def usable(made):
    """A whole mail, and documents that are right for the milter."""
    return made['message'] is not None and 'broken' not in made and not \
        made['facts']['aws'] and (made['traffic'] or made['ruleset'])


def files(made):
    """(documents, options that name them)"""
    found, args = {}, []
    for name, option in ('traffic', 'traffic-policy'), ('ruleset',
                                                        'rule-set'):
        if made[name]:
            found[name + '.json'] = json.dumps(without_certificates(
                made[name])).encode()
            args += ['--' + option, name + '.json']
    for i, (name, entries) in enumerate(made['lists'].items()):
        form = made['forms'][name]
        file = 'list%d.%s' % (i, 'csv' if form == 'csv' else 'json')
        found[file] = documents.WRITERS[form](entries).encode()
        args += ['--address-list', '%s=%s' % (name, file)]
    return found, args


def random_cases(count):
    property.SEED = SEED
    number = 0
    while count > 0:
        number += 1
        made = property.case(number)
        if not usable(made):
            continue
        found, args = files(made)
        one = Case('SEED=%d, random case %d' % (SEED, number),
                   args + arguments(made['facts']), found,
                   made['message'].encode())
        if not one.refusal:
            count -= 1
            yield one

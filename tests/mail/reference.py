"""What python3's email package reads in the headers of a message: a second
opinion on lib/mail, brought into the form that decode.h and address.h promise.
"""

import email
import email.errors
import email.header
import email.policy
import re

ADDRESSES = ('from', 'to', 'cc', 'bcc', 'sender', 'reply-to', 'resent-from',
             'resent-to', 'resent-cc', 'resent-sender')

# decode.h: controls become blanks, what reverses the direction is replaced.
SHOWN = {c: ' ' for c in [*range(0x20), *range(0x7f, 0xa0)]}
SHOWN.update({c: '\ufffd' for c in [*range(0x202a, 0x202f),
                                    *range(0x2066, 0x206a)]})


class Unknown(Exception):
    """Python has no opinion; the text says why."""


def raw(text):
    """Python's text of bytes that are no ASCII -> what they are in UTF-8."""
    return text.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')


def unfolded(value):
    value = re.sub(r'\r?\n(?=[ \t])', '', value)
    return re.sub(r'[\r\n\0]', ' ', value).strip(' \t')


def decoded(value):
    if '=?' not in value:
        return raw(value).translate(SHOWN)
    try:
        parts = email.header.decode_header(value)
    except email.errors.HeaderParseError as e:
        raise Unknown('decode_header: %s' % e)
    text = ''
    for part, charset in parts:
        if isinstance(part, str):
            text += raw(part)
        elif charset is None:
            text += raw(part.decode('raw-unicode-escape'))
        else:
            try:
                text += part.decode(charset.split('*')[0], 'replace')
            except LookupError:
                raise Unknown('charset %s' % charset)
    return text.translate(SHOWN)


def addresses(name, value):
    """(addresses, something is wrong with the field)"""
    try:
        header = email.policy.default.header_factory(name, raw(value))
        found = [a.addr_spec for a in header.addresses]
    except Exception as e:        # it raises IndexError and more
        raise Unknown('%s: %s' % (type(e).__name__, e))
    serious = [d for d in header.defects
               if not isinstance(d, email.errors.ObsoleteHeaderDefect)]
    return [a for a in found if re.match(r'.+@.', a)], bool(serious)


def both_forms(found):
    """The ASCII form of each domain, once for neighbours."""
    result = []
    for a in found:
        local, _, domain = a.rpartition('@')
        try:
            domain = domain.encode('idna').decode('ascii')
        except UnicodeError:
            pass
        a = '%s@%s' % (local, domain.lower())
        if not result or result[-1] != a:
            result.append(a)
    return result


def fields(path):
    """(name, value as it stands, unfolded) of each field."""
    with open(path, 'rb') as f:
        message = email.message_from_bytes(
            f.read(), policy=email.policy.compat32)
    return [(name, unfolded(value)) for name, value in message.raw_items()]

"""Where lib/mail and python3's email package differ, and why."""

# Message, what differs, field, reason.
KNOWN = (
    ('simple_42.txt', 'addresses', 'To',
     'a local part with dots side by side: both call the field broken, GMime '
     'reads nothing of it'),
    ('malformed-multiple-address-header-values.raw', 'addresses', 'From',
     'two addresses without a comma: both call the field broken, python stops '
     'at the first, GMime finds both'),
    ('qp-utf8-header-no-break.raw', 'count', '',
     'a line without colon: for python the body begins there, head goes on, '
     'so that nobody hides a field behind such a line'),
    ('qp-utf8-header-recursed.raw', 'no-opinion', 'From',
     'a line end in an encoded word: python refuses the field with an '
     'exception, here it is a blank'),
)


def explains(message, what, field):
    return any(k[:3] == (message, what, field) and k[3] for k in KNOWN)

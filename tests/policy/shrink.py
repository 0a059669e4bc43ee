"""shrink - makes a case smaller while it still differs."""

import copy

# What a document must keep one of.
KEEP_ONE = ('Rules', 'Actions', 'Values', 'PolicyStatements', 'ReplaceWith',
            'AddressLists', 'recipients')
KEEP_WHOLE = ('broken', 'forms')


def lists(value, name='', statement=False):
    """Every list in the case, with how short it may become."""
    if isinstance(value, dict):
        for k, v in value.items():
            if k not in KEEP_WHOLE:
                yield from lists(v, k, statement or k == 'PolicyStatements')
    elif isinstance(value, list):
        least = name in KEEP_ONE or name.startswith('arn:') or \
            name == 'Conditions' and statement
        yield value, int(least)
        for v in value:
            yield from lists(v, name, statement)


def without_items(made):
    n = sum(1 for _ in lists(made))
    for at in range(n):
        some, least = next(x for i, x in enumerate(lists(made)) if i == at)
        for k in range(len(some) - 1, -1, -1):
            if len(some) <= least:
                break
            smaller = copy.deepcopy(made)
            del next(x for i, x in enumerate(lists(smaller))
                     if i == at)[0][k]
            yield smaller


def without_documents(made):
    for name in 'traffic', 'ruleset':
        if made[name] is not None:
            yield dict(made, **{name: None})
    for name in made['lists']:
        yield dict(made, lists={k: v for k, v in made['lists'].items()
                                if k != name})
    for name in made['facts']:
        if name not in ('recipients', 'analyses', 'full') and \
                made['facts'][name] not in (None, False):
            yield dict(made, facts=dict(made['facts'], **{name: None}))
    if made['facts']['full']:
        yield dict(made, facts=dict(made['facts'], full=False))


def without_lines(made):
    mail = (made['message'] or '').split('\n')
    for k in range(len(mail) - 1, -1, -1):
        if len(mail) > 1:
            yield dict(made, message='\n'.join(mail[:k] + mail[k + 1:]))


def without_words(made):
    """Of the mail's lines: each blank and what stands behind it."""
    mail = (made['message'] or '').split('\n')
    for k, text in enumerate(mail):
        words = text.split(' ')
        for i in range(len(words) - 1, 0, -1):
            shorter = ' '.join(words[:i] + words[i + 1:])
            yield dict(made, message='\n'.join(
                mail[:k] + [shorter] + mail[k + 1:]))


def shrink(made, differs):
    """differs(case) is true for made, and for what is given back."""
    changed = True
    while changed:
        changed = False
        for ways in (without_documents, without_items, without_lines,
                     without_words):
            smaller = first(ways(made), differs)
            while smaller is not None:
                made, changed = smaller, True
                smaller = first(ways(made), differs)
    return made


def first(cases, differs):
    return next((c for c in cases if 'broken' not in c and differs(c)), None)

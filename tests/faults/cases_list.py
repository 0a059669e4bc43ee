"""What may go wrong with a listing. A case is a function of a Place; it yields
what is wrong. Its name begins with its number in the project's list."""

import ses
from place import ended, equal, says

MEGABYTE = 1 << 20


def clean_end(p, count):
    """Without faults the next run brings everything to its end, once."""
    p.script()
    yield from ended(p.sync(), 0)
    yield from p.numbered(*range(count))
    yield from p.left()


def f01_slow_down(p):
    """SlowDown three times, then a listing"""
    p.mails(3)
    p.script({"op": "list", "nth": [1, 2, 3], "status": 503,
              "code": "SlowDown"})
    yield from ended(p.sync(AWS_MAX_ATTEMPTS=None), 0, imported=3, deleted=3)
    yield from p.numbered(0, 1, 2)
    yield from p.left()
    yield from equal("listings", p.asked("list"), 4)


def f02_always_500(p):
    """500 to every listing: later, nothing changed"""
    keys = p.mails(2)
    p.script({"op": "list", "status": 500})
    r = p.sync()
    yield from ended(r, 75)
    yield from says(r, "mail", "500")
    yield from p.numbered()
    yield from p.left(*keys)
    yield from equal("attempts", p.asked("list"), 3)
    yield from clean_end(p, 2)


def f03_second_page(p):
    """The second page fails: the first is imported, nothing is forgotten"""
    p.server.store.page = 5
    p.mails(8)
    p.script({"op": "list", "nth": "2-", "status": 500})
    yield from ended(p.sync(), 75, imported=5, deleted=5)
    yield from equal("left", len(p.server.store.live("mail")), 3)
    p.script()
    p.forget()
    yield from ended(p.sync(), 0, imported=3, deleted=3)
    yield from p.numbered(*range(8))
    yield from p.left()


def f03_keep_second_page(p):
    """With --keep, what a cut listing lacks is not taken for gone"""
    p.server.store.page = 5
    keys = p.mails(8)
    yield from ended(p.sync("--keep"), 0, imported=8)
    p.script({"op": "list", "nth": "2-", "status": 500})
    yield from ended(p.sync("--keep"), 75, imported=0)
    p.script()
    yield from ended(p.sync("--keep"), 0, imported=0, skipped=8)
    yield from p.numbered(*range(8))
    yield from p.left(*keys)


def f04_same_token(p):
    """The same continuation token again and again"""
    keys = p.mails(2)
    p.script({"op": "list", "body": "same-token"})
    r = p.sync()
    yield from ended(r, 75)
    yield from p.numbered()
    yield from p.left(*keys)
    if p.asked("list") > 9:
        yield "%d listings" % p.asked("list")
    if not r.err:
        yield "nothing was said"


def f04_empty_pages(p):
    """Pages without an object, each with a new token, without end"""
    keys = p.mails(2)
    p.script({"op": "list", "body": "empty-page"})
    r = p.sync()
    yield from ended(r, 75)
    yield from says(r, "cannot list", "to its end")
    yield from p.numbered()
    yield from p.left(*keys)
    # Some of them are no trouble.
    p.script({"op": "list", "nth": list(range(1, 60)), "body": "empty-page"})
    yield from ended(p.sync(), 0, imported=2, deleted=2)
    yield from p.numbered(0, 1)


def f04_no_token(p):
    """Truncated without a token, or without saying whether"""
    for body in "no-token", "no-truncated":
        p.script({"op": "list", "body": body})
        yield from ended(p.sync(), 75)
        if p.asked("list") > 9:
            yield "%s: %d listings" % (body, p.asked("list"))
        p.forget()
    p.mails(1)
    yield from clean_end(p, 1)


def bad_pages(p, bodies):
    """Refused, nothing changed, nobody fetched a DTD, memory flat."""
    keys = p.mails(2)
    for body in bodies:
        p.script({"op": "list", "body": body})
        p.forget()
        r = p.sync(measured=True)
        yield from ended(r, 65, 75)
        if not r.err:
            yield "%s: nothing was said" % body
        if r.peak > 96 * MEGABYTE:
            yield "%s: %d MiB" % (body, r.peak // MEGABYTE)
        for entry in p.server.requests("list"):
            if entry["sent"] > 64 * MEGABYTE:
                yield "%s: %d bytes were taken" % (body, entry["sent"])
        yield from equal(body + ", deletions", p.asked("delete"), 0)
    yield from p.numbered()
    yield from p.left(*keys)
    yield from equal("visits to the trap", len(p.server.trapped), 0)
    yield from clean_end(p, 2)


def f21_entities(p):
    """XML with DOCTYPE, entities, an external DTD"""
    yield from bad_pages(p, ("doctype", "bomb", "external"))


def f22_huge(p):
    """XML of a gigabyte, a million deep, with a key of a gigabyte"""
    yield from bad_pages(p, ("huge", "deep", "name"))


def f22_refusals(p):
    """A gigabyte with a refusal, or with what has no body: not taken"""
    for n, (rule, code, done) in enumerate((
            ({"op": "list", "status": 403}, 77, 0),
            ({"op": "get", "status": 404}, 0, 0),
            ({"op": "delete"}, 75, 1))):
        p.mail(n)
        p.script({"body": "huge", **rule})
        yield from ended(p.sync(), code, imported=done, deleted=0)
        for entry in p.server.log:
            if entry["sent"] > 8 << 20:
                yield "%s: %d bytes were taken" % (rule, entry["sent"])
        p.script()
        p.sync()
        yield from p.left()
    yield from p.numbered(0, 1, 2)


def f23_not_a_page(p):
    """HTML, other XML, nothing, all with status 200"""
    yield from bad_pages(p, ("html", "other", "empty", "not XML at all"))


def f23_truncated(p):
    """A page without its end, cut off or complete by its length"""
    keys = p.mails(2)
    for how in {"cut": 200}, {"drop": 1}, {"drop": 30}, {"drop": 300}:
        p.script({"op": "list", **how})
        yield from ended(p.sync(), 75)
        yield from p.numbered()
        yield from p.left(*keys)
    yield from clean_end(p, 2)


def f23_error_200(p):
    """200 with <Error>, then a listing"""
    p.mails(2)
    p.script({"op": "list", "nth": 1, "body": "error"})
    yield from ended(p.sync(), 0, imported=2)
    yield from p.numbered(0, 1)


def more_pages(p):
    """Three pages; a prefix without objects; a server without encodings"""
    p.server.store.page = 2
    p.server.store.bare = True
    p.server.store.put("mail", "in/100%25", ses.numbered(0))
    p.server.store.put("mail", "in/a+b c", ses.numbered(1))
    for n in range(2, 6):
        p.mail(n)
    p.server.store.put("mail", "other/key", ses.numbered(9))
    yield from ended(p.sync(), 0, imported=6, deleted=6)
    yield from p.numbered(*range(6))
    yield from p.left("other/key")
    yield from ended(p.sync(), 0, listed=0)


def audited(p, count):
    """Bytes that it took to list so many."""
    r = p.sync("--audit", measured=True)
    if r.code != 0 or r.counts["listed"] != count:
        raise ValueError(str(r))
    return r.peak


def more_flat_memory(p):
    """100,000 objects take no more memory than 1,000"""
    peaks, data = [], ses.numbered(0)
    for first, count in (0, 1000), (1000, 100000):
        for n in range(first, count):
            p.server.store.put("mail", "in/%032x" % n, data)
        peaks.append(audited(p, count))
    yield from equal("pages", p.asked("list"), 101)
    yield from equal("reads", p.asked("get"), 0)
    if peaks[1] - peaks[0] > 4 * MEGABYTE:
        yield "%d bytes, then %d" % tuple(peaks)


def f20_stalled_list(p):
    """A listing that stops in the middle: given up, the lock is free"""
    p.mails(1)
    p.script({"op": "list", "stall": [100, 400]})
    yield from ended(p.sync(AWS_MAX_ATTEMPTS="1"), 75)
    yield from clean_end(p, 1)

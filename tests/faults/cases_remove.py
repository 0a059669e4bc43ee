"""What may go wrong with removals where the server ignores If-Match, or keeps
versions without naming them: each object is looked at again."""

import ses
from place import ended, equal, says


def ignoring(p, count=0, how="ignored"):
    p.server.store.delete_if_match = how
    return p.mails(count)


def deletions(p, key):
    """(the single ones, those among many)"""
    methods = [e["method"] for e in p.server.requests("delete", key)]
    return methods.count("DELETE"), methods.count("POST")


def looked_first(p, keys):
    """Each was looked at, by a listing or by a HEAD, after its GET and before
    it was deleted."""
    log = p.server.requests()
    for key in keys:
        got = max(i for i, e in enumerate(log)
                  if (e["op"], e["key"]) == ("get", key))
        gone = min(i for i, e in enumerate(log)
                   if (e["op"], e["key"]) == ("delete", key))
        if not any(e["op"] == "list" or
                   (e["op"], e["key"]) == ("head", key)
                   for e in log[got + 1:gone]):
            yield "%s: not looked at before it was deleted" % key


def told_once(r):
    yield from equal("told", r.err.count("does not honour If-Match"), 1)


def f15_if_match_ignored(p):
    """If-Match ignored: looked at again, then deleted at once; told once"""
    keys = ignoring(p, 3)
    r = p.sync()
    yield from ended(r, 0, imported=3, deleted=3)
    yield from told_once(r)
    yield from says(r, "looked at again")
    yield from looked_first(p, keys)
    yield from equal("listings", p.asked("list"), 2)
    for key in keys:
        yield from equal(key, deletions(p, key), (0, 1))
    yield from p.numbered(0, 1, 2)
    yield from p.left()


def f15_many(p):
    """There, more than one page and one request of them"""
    p.server.store.page = 70
    keys = ignoring(p, 200)
    yield from ended(p.sync(), 0, imported=200, deleted=200)
    yield from looked_first(p, keys)
    for key in keys:
        yield from equal(key, deletions(p, key), (0, 1))
    if p.asked("delete-many") > 50:
        yield "%d requests" % p.asked("delete-many")
    yield from p.numbered(*range(200))
    yield from p.left()


def f15_replaced(p):
    """There, replaced between GET and the second listing: not deleted"""
    key = ignoring(p, 1)[0]
    p.script({"op": "list", "nth": 2, "at": key,
              "replace": {"data": ses.numbered(1)}})
    yield from ended(p.sync(), 0, 75, imported=1, deleted=0)
    yield from p.left(key)
    yield from equal("deletions", p.asked("delete", key), 0)
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.numbered(0, 1)
    yield from p.left()


def f15_replaced_before_head(p):
    """There, no second listing, replaced between GET and HEAD: not deleted"""
    key = ignoring(p, 1)[0]
    p.script({"op": "list", "nth": "2-", "status": 403,
              "code": "AccessDenied"},
             {"op": "head", "key": key, "nth": 1,
              "replace": {"data": ses.numbered(1)}})
    yield from ended(p.sync(), 0, 75, imported=1, deleted=0)
    yield from p.left(key)
    yield from equal("deletions", p.asked("delete", key), 0)
    p.script()
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.numbered(0, 1)


def f15_gone(p):
    """There, gone when it is looked at: no deletion of it, the rest is"""
    keys = ignoring(p, 3)
    p.script({"op": "list", "nth": 2, "gone": keys[1]})
    yield from ended(p.sync(), 0, imported=3)
    yield from equal("deletions", p.asked("delete", keys[1]), 0)
    yield from p.numbered(0, 1, 2)
    yield from p.left()


def f15_stale(p):
    """There, a listing that forgets one that is there: not doubled"""
    keys = ignoring(p, 3)
    p.script({"op": "list", "nth": 2, "hidden": keys[1]})
    yield from ended(p.sync(), 0, 75, imported=3)
    yield from equal("deletions", p.asked("delete", keys[1]), 0)
    p.script()
    yield from ended(p.sync(), 0, 75)
    yield from p.numbered(0, 1, 2)
    yield from p.left()


def f15_backwards(p):
    """There, a listing in the wrong order: nothing is taken for gone"""
    keys = ignoring(p, 20)
    p.script({"op": "list", "nth": "2-", "backwards": True})
    yield from ended(p.sync(), 0, imported=20, deleted=20)
    yield from looked_first(p, keys)
    yield from p.numbered(*range(20))
    yield from p.left()


def f15_refused(p):
    """A server that refuses If-Match (501): each is looked at again"""
    keys = ignoring(p, 2, "refused")
    r = p.sync()
    yield from ended(r, 0, imported=2, deleted=2)
    yield from told_once(r)
    yield from looked_first(p, keys)
    yield from p.numbered(0, 1)
    yield from p.left()


def f15_no_listing(p):
    """There, the second listing fails: HEAD and DELETE"""
    for n, fault in enumerate(({"status": 500}, {"body": "html"},
                               {"body": "same-token"}, {"drop": 30},
                               {"status": 403, "code": "AccessDenied"})):
        ignoring(p)
        key = p.mail(n)
        p.forget()
        p.script({"op": "list", "nth": "2-", **fault})
        yield from ended(p.sync(), 0, imported=1, deleted=1)
        asked = [e["op"] for e in p.server.requests(key=key)]
        yield from equal("asked for it, %s" % fault, asked,
                         ["get", "head", "delete"])
        yield from p.left()
    yield from p.numbered(*range(5))


def f15_second_page(p):
    """There, its second page fails: HEAD for what it did not tell of"""
    keys = ignoring(p, 20)
    p.server.store.page = 15
    # 1 and 2 are the run's own.
    p.script({"op": "list", "nth": "4-", "status": 500})
    yield from ended(p.sync(), 0, imported=20, deleted=20)
    yield from looked_first(p, keys)
    yield from p.numbered(*range(20))
    yield from p.left()


def f15_one_refused(p):
    """There, one of many may not be deleted: it stays and is told"""
    keys = ignoring(p, 20)
    p.script(*({"op": op, "key": keys[7], "status": 403,
                "code": "AccessDenied"} for op in ("delete-key", "delete")))
    r = p.sync()
    yield from ended(r, 75, 77, imported=20, deleted=19)
    yield from says(r, "AccessDenied", "allow s3:DeleteObject",
                    keys[7].split("/")[1])
    yield from p.left(keys[7])
    p.forget()
    yield from ended(p.sync(), 75, 77, imported=0, deleted=0)
    yield from equal("reads", p.asked("get"), 0)
    yield from p.left(keys[7])
    p.script()
    yield from ended(p.sync(), 0, imported=0, deleted=1)
    yield from p.numbered(*range(20))
    yield from p.left()


def f15_one_failed(p):
    """There, one of many has an InternalError: it stays, and goes later"""
    keys = ignoring(p, 5)
    p.script({"op": "delete-key", "key": keys[0], "status": 500})
    r = p.sync()
    yield from ended(r, 75, imported=5, deleted=4)
    yield from says(r, "InternalError", keys[0].split("/")[1])
    yield from p.left(keys[0])
    p.script()
    yield from ended(p.sync(), 0, imported=0, deleted=1)
    yield from p.numbered(*range(5))
    yield from p.left()


def f15_unsaid(p):
    """There, the answer does not mention two: neither lost nor doubled"""
    keys = ignoring(p, 10)
    p.script({"op": "delete-key", "key": keys[3], "silent": True},
             {"op": "delete-key", "key": keys[4], "silent": True,
              "done": True})
    r = p.sync()
    yield from ended(r, 75, imported=10, deleted=8)
    yield from says(r, *(k.split("/")[1] for k in keys[3:5]))
    yield from p.left(keys[3])
    p.script()
    yield from ended(p.sync(), 0, imported=0, deleted=1)
    yield from p.numbered(*range(10))
    yield from p.left()


def f15_not_allowed(p):
    """There, nothing may be deleted: delivered once, told what to allow"""
    keys = ignoring(p, 3)
    p.script(*({"op": op, "key": key, "status": 403, "code": "AccessDenied"}
               for op, key in (("delete-many", None),
                               *(("delete", k) for k in keys))))
    r = p.sync()
    yield from ended(r, 75, 77, imported=3, deleted=0)
    yield from says(r, "AccessDenied", "allow s3:DeleteObject")
    yield from p.left(*keys)
    yield from ended(p.sync(), 75, 77, imported=0, deleted=0)
    p.script()
    yield from ended(p.sync(), 0, imported=0, deleted=3)
    yield from p.numbered(0, 1, 2)
    yield from p.left()


def f15_no_many(p):
    """There, DeleteObjects is not known or not allowed: single DELETEs"""
    faults = ((501, "NotImplemented"), (405, "MethodNotAllowed"),
              (400, "InvalidRequest"), (403, "AccessDenied"))
    for n, (status, code) in enumerate(faults):
        ignoring(p)
        key = p.mail(n)
        p.forget()
        p.script({"op": "delete-many", "status": status, "code": code})
        yield from ended(p.sync(), 0, imported=1, deleted=1)
        yield from equal("deletions", deletions(p, key), (1, 0))
        yield from equal("asked", p.asked("delete-many"), 1)
        yield from looked_first(p, [key])
        yield from p.left()
    yield from p.numbered(0, 1, 2, 3)


def f15_bad_answer(p):
    """There, HTML, 200 with <Error>, a cut one instead of what was done"""
    for n, fault in enumerate(({"body": "html"}, {"body": "error"},
                               {"body": "other"}, {"body": "doctype"},
                               {"body": "empty"}, {"cut": 100},
                               {"drop": 20})):
        for done in True, False:
            number = 2 * n + done
            ignoring(p)
            key = p.mail(number)
            p.script({"op": "delete-many", **fault,
                      **({"done": True} if done else {})})
            p.forget()
            yield from ended(p.sync(), 0, imported=1, deleted=1)
            yield from equal("%s: attempts" % fault,
                             p.asked("delete-many"), 1)
            yield from equal("%s: looked at" % fault, p.asked("head", key), 1)
            yield from p.left()
            p.script()
            yield from ended(p.sync(), 0, imported=0)
            yield from p.left()
    yield from p.numbered(*range(14))


def f16_many_done_but_500(p):
    """DeleteObjects answers 500 although it is done: each is looked at"""
    keys = ignoring(p, 5)
    p.script({"op": "delete-many", "done": True, "status": 500})
    yield from ended(p.sync(), 0, imported=5, deleted=5)
    for key in keys:
        yield from equal(key, deletions(p, key), (0, 1))
    yield from p.left()
    p.script()
    r = p.sync()
    yield from ended(r, 0, imported=0)
    yield from equal("second run", r.err.count("500"), 0)
    yield from p.numbered(*range(5))


LOST = ({"cut": -1}, {"cut": -1, "reset": True}, {"status": 500},
        {"status": 502, "body": "html"}, {"status": 503, "code": ""})
UNKNOWN = {"status": 501, "code": "NotImplemented"}


def answer_lost(p, op, prepare):
    """Deleted, but the answer is lost, and somebody puts a mail under the
    same key right then: it is not deleted, and delivered by the next run."""
    for n, fault in enumerate(LOST):
        prepare()
        key = p.mail(2 * n)
        rule = {"op": op, "nth": 1, "done": True, "at": key,
                "put": {"data": ses.numbered(2 * n + 1)}, **fault}
        if op == "delete-many":
            p.script(rule)
        else:
            p.script({**rule, "key": key},
                     {"op": "delete-many", **UNKNOWN})
        p.forget()
        yield from ended(p.sync(), 0, 75, imported=1, deleted=0)
        yield from p.left(key)
        yield from equal("%s: deletions" % fault, p.asked("delete", key), 1)
        p.script()
        yield from ended(p.sync(), 0, imported=1, deleted=1)
        yield from p.left()
    yield from p.numbered(*range(2 * len(LOST)))


def f16_lost_many(p):
    """DeleteObjects done, its answer lost, the key put again: that stays"""
    yield from answer_lost(p, "delete-many", lambda: ignoring(p))


def f16_lost_single(p):
    """The same with a DELETE behind a HEAD"""
    yield from answer_lost(p, "delete", lambda: ignoring(p))


def f16_lost_null(p):
    """The same where versions are suspended"""
    yield from answer_lost(p, "delete", lambda: suspended(p, False))


def f16_never_clear(p):
    """DELETE fails again and again: a few times, a look before each"""
    for n, fault in enumerate(LOST):
        ignoring(p)
        key = p.mail(n)
        p.script({"op": "delete-many", **fault},
                 {"op": "delete", "key": key, **fault})
        p.forget()
        if "cut" in fault:      # done all the same, and seen so
            yield from ended(p.sync(), 0, imported=1, deleted=1)
            continue
        r = p.sync()
        yield from ended(r, 75, imported=1, deleted=0)
        if n == 2:              # of those that stay, once a day
            yield from says(r, "cannot delete", key, "answers 500")
        yield from equal("%s: asked" % fault, [
            e["op"] for e in p.server.requests()
            if e["op"] == "delete-many" or e["key"] == key],
            ["get", "delete-many", "head", "delete", "head", "delete"])
        yield from p.left(key)
        p.script()
        yield from ended(p.sync(), 0, imported=0, deleted=1)
    yield from p.numbered(*range(len(LOST)))


def f01_slow_removals(p):
    """SlowDown to DELETEs without a condition: the same ones again"""
    keys = ignoring(p, 5)
    slow = {"nth": [1, 2], "status": 503, "code": "SlowDown"}
    p.script({"op": "delete-many", **slow})
    yield from ended(p.sync(), 0, imported=5, deleted=5)
    yield from equal("attempts", p.asked("delete-many"), 3)
    yield from equal("looked at", sum(p.asked("head", k) for k in keys), 0)
    ignoring(p)
    key = p.mail(5)
    p.script({"op": "delete-many", **UNKNOWN},
             {"op": "delete", "key": key, **slow})
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from equal("attempts", p.asked("delete", key), 3)
    yield from equal("looked at", p.asked("head", key), 1)
    yield from p.numbered(*range(6))
    yield from p.left()


def f25_not_in_xml(p):
    """A key that XML cannot carry has a DELETE of its own"""
    ignoring(p)
    odd = [b"in/a\x01b", b"in/line\nline", b"in/tab\t", b"in/\x7f"]
    plain = [b"in/<&>\"'", b"in/\xc3\xbc", b"in/\xf0\x9f\x93\xa7"]
    for n, key in enumerate(odd + plain):
        p.server.store.put("mail", key, ses.numbered(n))
    decoys = [b"a\x01b", b"in", b"inb"]
    for key in decoys:
        p.server.store.put("mail", key, b"not to be touched")
    yield from ended(p.sync(), 0, imported=7, deleted=7)
    for key in odd:
        yield from equal(repr(key), deletions(p, key), (1, 0))
    for key in plain:
        yield from equal(repr(key), deletions(p, key), (0, 1))
    yield from p.numbered(*range(7))
    yield from p.left(*decoys)


def f18_may_not_ask(p):
    """GetBucketVersioning is not allowed: on as without versions"""
    p.mails(3)
    p.script({"op": "versioning", "status": 403, "code": "AccessDenied"})
    yield from ended(p.sync(), 0, imported=3, deleted=3)
    yield from equal("asked", p.asked("versioning"), 1)
    ignoring(p)
    p.mail(3)
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.numbered(*range(4))
    yield from p.left()


def f18_suspended_may_not_ask(p):
    """There, GetBucketVersioning not allowed, a GET names "null": no probe"""
    suspended(p, True)
    key = p.mail(0)
    p.script({"op": "versioning", "status": 403, "code": "AccessDenied"})
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from equal("deletions", deletions(p, key), (1, 0))
    yield from nothing_kept(p)
    yield from p.numbered(0)


def f22_versioning(p):
    """A gigabyte in answer to the question for versions: not taken"""
    p.mails(2)
    p.script({"op": "versioning", "body": "huge"})
    yield from ended(p.sync(), 0, imported=2, deleted=2)
    for entry in p.server.requests("versioning"):
        if entry["sent"] > 8 << 20:
            yield "%d bytes were taken" % entry["sent"]
    yield from p.numbered(0, 1)
    yield from p.left()


def suspended(p, tells_null):
    store = p.server.store
    store.suspended.add("mail")
    store.tells_null = tells_null
    ignoring(p)


def nothing_kept(p):
    """No version, no delete marker, no key that a probe made up."""
    kept = {key: [(v.id, v.marker) for v in all_] for key, all_ in
            p.server.store.buckets["mail"].items() if all_}
    yield from equal("kept", kept, {})
    for entry in p.server.requests("delete"):
        if "fallbackmx-probe" in entry["key"]:
            yield "the probe was sent"


def f18_suspended(p):
    """Versions suspended, and a GET does not name them: no delete marker"""
    for number, tells in enumerate((False, True)):
        suspended(p, tells)
        key = p.mail(number)
        yield from ended(p.sync(), 0, imported=1, deleted=1)
        yield from nothing_kept(p)
        for entry in p.server.requests("delete", key):
            if "versionId=null" not in entry["target"]:
                yield "not the version null: " + entry["target"]
    yield from p.numbered(0, 1)


def f18_enabled_before(p):
    """Versions suspended: an older one with an id stays below"""
    store = p.server.store
    store.versioned.add("mail")
    old = store.put("mail", "in/" + ses.ses_id(0), b"old words")
    store.versioned.clear()
    suspended(p, False)
    key = p.mail(0)
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.numbered(0)
    yield from equal("versions left", [
        v.id for v in store.buckets["mail"][key.encode()]], [old.id])


def f18_null_replaced(p):
    """The version "null", replaced between GET and HEAD: not deleted"""
    for number, tells in enumerate((False, True)):
        suspended(p, tells)
        key = p.mail(2 * number)
        p.forget()
        p.script({"op": "head", "key": key, "nth": 1,
                  "replace": {"data": ses.numbered(2 * number + 1)}})
        yield from ended(p.sync(), 0, 75, imported=1, deleted=0)
        yield from p.left(key)
        yield from equal("deletions", p.asked("delete", key), 0)
        yield from ended(p.sync(), 0, imported=1, deleted=1)
        yield from nothing_kept(p)
    yield from p.numbered(*range(4))

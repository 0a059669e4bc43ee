"""What may go wrong with an object: GET, DELETE, and what is between them."""

import base64
import hashlib
import os

import odd
import ses
from cases_list import clean_end
from place import ended, equal, says


def later(p, *rules, attempts=3):
    """With these rules nothing is delivered or deleted, and the run says so;
    without them everything is, once."""
    key = p.mail(0)
    p.script(*rules)
    r = p.sync()
    yield from ended(r, 75, imported=0, deleted=0)
    if not r.err:
        yield "nothing was said"
    yield from p.numbered()
    yield from p.left(key)
    if not 1 <= p.asked("get") <= attempts:
        yield "%d attempts" % p.asked("get")
    yield from clean_end(p, 1)


def at_once(p, *rules, gets=1, **how):
    """These rules change nothing about the result."""
    p.mail(0, **how)
    p.script(*rules)
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.numbered(0)
    yield from p.left()
    yield from equal("attempts", p.asked("get"), gets)


def f05_gone(p):
    """Listed, but 404 when it is read: no DELETE for it"""
    p.mail(0)
    lost = p.mail(1)
    p.script({"op": "get", "key": lost, "status": 404, "code": "NoSuchKey"})
    yield from ended(p.sync(), 0, 75, imported=1, gone=1, deleted=1)
    yield from p.numbered(0)
    yield from equal("deletions", p.asked("delete", lost), 0)


def f06_cut(p):
    """The body ends in the middle, always: nothing in new/"""
    yield from later(p, {"op": "get", "cut": 300})


def f06_cut_once(p):
    """The body ends in the middle, or with a reset, once"""
    yield from at_once(p, {"op": "get", "nth": 1, "cut": 300, "reset": True},
                       gets=2)


def f06_no_answer(p):
    """Closed or reset without a word, twice"""
    p.mail(0)
    p.script({"op": "get", "nth": 1, "cut": -1},
             {"op": "get", "nth": 2, "cut": -1, "reset": True})
    yield from ended(p.sync(), 0, imported=1)
    yield from p.numbered(0)


def f07_longer(p):
    """More bytes than were listed"""
    yield from later(p, {"op": "get", "append": "x" * 1000})


def f07_more_than_length(p):
    """More bytes than Content-Length says: they are not the object's"""
    for n in range(3):
        p.mail(n)
    p.script({"op": "get", "append": "HTTP/1.1 200 OK\r\n\r\n",
              "length": len(ses.numbered(0))})
    yield from ended(p.sync(), 0, imported=3)
    yield from p.numbered(0, 1, 2)


def f07_shorter(p):
    """Fewer bytes than were listed"""
    yield from later(p, {"op": "get", "drop": 10})


def f08_chunked(p):
    """No length, but as many bytes as listed"""
    yield from at_once(p, {"op": "get", "framing": "chunked"})


def f08_until_close(p):
    """No length, the end of the connection is the end"""
    yield from at_once(p, {"op": "get", "framing": "close"})


def f08_chunked_wrong(p):
    """No length, and more bytes or fewer than listed"""
    yield from later(p, {"op": "get", "nth": [1, 3], "framing": "chunked",
                         "append": "x"},
                     {"op": "get", "nth": 2, "framing": "close", "drop": 1})


def f09_flipped(p):
    """One bit is another, the ETag is an MD5"""
    yield from later(p, {"op": "get", "flip": 500})


def sha256(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


KMS = {"x-amz-server-side-encryption": "aws:kms"}


def f10_kms(p):
    """An ETag that is no MD5, under KMS: not compared"""
    yield from at_once(p, etag="0" * 32, headers=KMS)


def f10_kms_checksum(p):
    """The same with a checksum that is right"""
    yield from at_once(p, etag="0" * 32, headers={
        **KMS, "x-amz-checksum-sha256": sha256(ses.numbered(0))})


def f10_kms_flipped(p):
    """The same with a bit that is another: the checksum tells"""
    p.mail(0, etag="0" * 32, headers={
        **KMS, "x-amz-checksum-sha256": sha256(ses.numbered(0))})
    p.script({"op": "get", "flip": 500})
    yield from ended(p.sync(), 75, imported=0)
    yield from p.numbered()
    yield from clean_end(p, 1)


def f11_multipart(p):
    """ETag of a multipart upload: not compared"""
    yield from at_once(p, etag="0" * 32 + "-3")


def f12_wrong_checksum(p):
    """A checksum of other bytes"""
    yield from later(p, {"op": "get", "headers": {
        "x-amz-checksum-sha256": sha256(b"other")}})


def f12_right_checksum(p):
    """The right checksum"""
    yield from at_once(p, {"op": "get", "headers": {
        "x-amz-checksum-sha256": sha256(ses.numbered(0))}})


def f12_composite(p):
    """A checksum of checksums is passed over"""
    yield from at_once(p, {"op": "get", "headers": {
        "x-amz-checksum-sha256": sha256(b"parts") + "-3",
        "x-amz-checksum-type": "COMPOSITE"}}, etag="0" * 32 + "-3")


def f12_unknown(p):
    """A checksum of a kind that nobody knows is passed over"""
    yield from at_once(p, {"op": "get", "headers": {
        "x-amz-checksum-future": "AAAA"}})


def f13_replaced(p):
    """Replaced between listing and GET: the new one, once"""
    key = p.mail(0)
    p.script({"op": "get", "key": key, "nth": 1,
              "replace": {"data": ses.numbered(1)}})
    r = p.sync()
    yield from ended(r, 0, 75)
    if r.counts.get("imported"):
        yield from p.numbered(1)
    else:
        yield from p.numbered()
        yield from p.left(key)
        yield from ended(p.sync(), 0, imported=1)
    yield from p.numbered(1)
    yield from p.left()


def f14_replaced_later(p):
    """Replaced between GET and DELETE: first one, then the other, once each"""
    key = p.mail(0)
    p.script({"op": "delete", "key": key, "nth": 1,
              "replace": {"data": ses.numbered(1)}})
    yield from ended(p.sync(), 0, 75, imported=1, deleted=0)
    yield from p.numbered(0)
    yield from p.left(key)
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.numbered(0, 1)
    yield from p.left()


def f16_done_but_500(p):
    """DELETE answers 500 although it is done"""
    key = p.mail(0)
    p.script({"op": "delete", "key": key, "done": True, "status": 500})
    yield from ended(p.sync(), 0, 75, imported=1)
    p.script()
    yield from ended(p.sync(), 0, imported=0)
    yield from p.numbered(0)
    yield from p.left()


def f17_not_allowed(p):
    """DELETE is not allowed: delivered once, told, not read again"""
    keys = p.mails(2)
    p.script({"op": "delete", "status": 403, "code": "AccessDenied"})
    r = p.sync()
    yield from ended(r, 75, 77, imported=2, deleted=0)
    yield from says(r, "AccessDenied", "s3:DeleteObject")
    yield from p.numbered(0, 1)
    p.forget()
    r = p.sync()
    yield from ended(r, 75, 77, imported=0, deleted=0)
    yield from equal("reads", p.asked("get"), 0)
    yield from p.numbered(0, 1)
    yield from p.left(*keys)
    p.script()
    yield from ended(p.sync(), 0, imported=0, deleted=2)
    yield from p.numbered(0, 1)
    yield from p.left()


def f18_versions(p):
    """Versions: the live one is imported, exactly that one deleted"""
    store = p.server.store
    store.versioned.add("mail")
    old = store.put("mail", "in/" + ses.ses_id(0), b"old words")
    key = p.mail(0)
    live = store.find("mail", key.encode())
    store.put("mail", "in/marked", ses.numbered(1))
    store.answer("DELETE", "mail", b"in/marked", {}, {}, b"")
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.numbered(0)
    yield from equal("versions left", [v.id for v in
                                       store.buckets["mail"][key.encode()]],
                     [old.id])
    yield from equal("marked", len(store.buckets["mail"][b"in/marked"]), 2)
    for entry in p.server.requests("delete", key):
        if "versionId=" + live.id not in entry["target"]:
            yield "another version: " + entry["target"]
    # The old one is live now: a mail of its own.
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.delivered(ses.numbered(0), b"old words")
    yield from p.left()


def f20_trickle(p):
    """A byte every ten seconds: given up, the lock is free"""
    p.mail(0)
    p.script({"op": "get", "trickle": 10})
    yield from ended(p.sync(AWS_MAX_ATTEMPTS="1"), 75, imported=0)
    yield from clean_end(p, 1)


def f20_drip(p):
    """Two bytes a second, for minutes: too slow, told, the lock is free"""
    data = b"Subject: long\n\n" + b"x" * 1000
    p.server.store.put("mail", "in/long", data)
    p.script({"op": "get", "trickle": 0.5})
    r = p.sync(AWS_MAX_ATTEMPTS="1")
    yield from ended(r, 75, imported=0, deleted=0)
    yield from says(r, "cannot get", "in/long", "is too slow",
                    "bytes of the answer came in", "fewer connections")
    yield from p.numbered()
    yield from p.left("in/long")
    p.script()
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.delivered(data)
    yield from p.left()


def f20_stopped(p):
    """The time is over while nothing comes: the run ends, all of it waits"""
    p.mail(0)
    # With GET, the listing is to be over before.
    for op, seconds in ("list", "1"), ("get", "20"):
        p.script({"op": op, "stall": [10, 400]})
        r = p.sync("--max-time", seconds)
        yield from ended(r, 75, imported=0, deleted=0)
        yield from says(r, "stopped by --max-time")
    yield from equal("waiting", r.counts["waiting"], 1)
    yield from clean_end(p, 1)


def f27_no_room(p):
    """An object that no disk could hold: named, not begun; others come"""
    big, key = p.mail(0), p.mail(1)
    page = p.server.store.list("mail", {"prefix": "in/"}).body.decode()
    size = "<Size>%d</Size>" % len(ses.numbered(0))
    at = page.index(size, page.index(big))
    page = page[:at] + "<Size>%d</Size>" % (1 << 50) + page[at + len(size):]
    p.script({"op": "list", "body": page},
             {"op": "get", "key": big, "length": 1 << 50})
    r = p.sync()
    yield from ended(r, 75, imported=1, deleted=1, failed=1)
    yield from says(r, "no room", big.split("/")[1])
    yield from equal("reads", (p.asked("get", big), p.asked("get", key)),
                     (1, 1))
    yield from p.numbered(1)
    yield from p.left(big)
    yield from clean_end(p, 2)


def f25_keys(p):
    """Keys of all sorts: never a path, never another object"""
    keys = [b"in/" + k for k in odd.KEYS + odd.CONTROL]
    keys.append(b"in/" + b"l" * (odd.LONGEST - 3))
    # Where a careless client would end with them.
    decoys = [b"x", b"b", b"in", b"lead", b"pctA", b"inx", b"100%"]
    for n, key in enumerate(keys):
        p.server.store.put("mail", key, ses.numbered(n))
    for key in decoys:
        p.server.store.put("mail", key, b"not to be touched")
    r = p.sync()
    yield from ended(r, 0, imported=len(keys), deleted=len(keys))
    yield from p.numbered(*range(len(keys)))
    yield from p.left(*decoys)
    for entry in p.server.requests():
        key = entry["key"].encode("latin-1")
        if entry["op"] in ("get", "head", "delete") and key in decoys:
            yield "asked for %r" % key
    names = sorted(os.listdir(p.path))
    yield from equal("files", names, ["Maildir", "err", "out", "state"])


def f25_said(p):
    """Keys of all sorts in messages: one line, no control bytes"""
    for n, key in enumerate(odd.KEYS + odd.CONTROL):
        p.server.store.put("mail", b"in/" + key, ses.numbered(n))
    p.script({"op": "get", "status": 403, "code": "AccessDenied"})
    r = p.sync()
    yield from ended(r, 75, 77, imported=0)
    bad = [c for c in r.err if ord(c) < 32 and c != "\n" or
           0x202a <= ord(c) <= 0x202e]
    yield from equal("control characters", bad, [])


def f26_left_alone(p):
    """Empty objects, folder markers, SES's note: left alone, told once"""
    p.mail(0)
    left = ["in/", "in/sub/", "in/empty", "in/AMAZON_SES_SETUP_NOTIFICATION"]
    for key in left:
        p.server.store.put("mail", key, b"" if "AMAZON" not in key
                           else b"This is a note.")
    yield from ended(p.sync(), 0, imported=1, deleted=1)
    yield from p.left(*left)
    p.forget()
    r = p.sync()
    yield from ended(r, 0, imported=0)
    yield from equal("second run", r.err, "")
    yield from equal("asked to delete", p.asked("delete", "in/*"), 0)
    yield from p.numbered(0)


def f05_not_allowed(p):
    """GET is not allowed: named with what to allow, the rest goes on"""
    p.mail(0)
    closed = p.mail(1)
    p.script({"op": "get", "key": closed, "status": 403,
              "code": "AccessDenied"})
    r = p.sync()
    yield from ended(r, 75, 77, imported=1)
    yield from says(r, "AccessDenied", "s3:GetObject")
    yield from p.numbered(0)
    yield from p.left(closed)


def f01_slow_gets(p):
    """SlowDown to every second GET and DELETE"""
    p.mails(40)
    p.script({"op": "get", "nth": list(range(1, 60, 2)), "status": 503,
              "code": "SlowDown"},
             {"op": "delete", "nth": list(range(1, 60, 2)), "status": 503,
              "code": "SlowDown"})
    yield from ended(p.sync(AWS_MAX_ATTEMPTS=None), 0, imported=40,
                     deleted=40)
    yield from p.numbered(*range(40))
    yield from p.left()

#!/usr/bin/python3
"""The scripted server does what a script says, and else what S3 does."""

import base64
import hashlib
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + "/../s3", HERE + "/../rules"]

import odd                                                  # noqa: E402
import rule                                                 # noqa: E402
import s3                                                   # noqa: E402
import scripted                                             # noqa: E402


def serving(*rules, **settings):
    server = scripted.Server(rules)
    server.store.make("mail")
    for name, value in settings.items():
        setattr(server if hasattr(server, name) else server.store, name,
                value)
    return server, s3.Client(server.endpoint, scripted.ACCESS,
                             scripted.SECRET)


def ask(client, method, key=b"k", headers=(), pairs=()):
    """(status, body), or the name of what was raised."""
    try:
        a = client.request(method, s3.where("mail", key), pairs, headers)
        return a.status, a.body
    except (OSError, EOFError, ValueError) as e:
        return type(e).__name__


def expect(title, got, want):
    if got != want:
        yield "%s: %r, not %r" % (title, got, want)


def keys():
    server, c = serving(page=7)
    wanted = sorted(odd.KEYS + odd.CONTROL)
    c.put_many("mail", ((k, k) for k in wanted))
    yield from expect("stored", sorted(server.store.live("mail")), wanted)
    yield from expect("listed", [k.encode() for k in c.keys_of("mail")],
                      wanted)
    yield from expect("pages", len(server.requests("list")),
                      (len(wanted) + 6) // 7)
    for k in wanted:
        yield from expect("get", c.get("mail", k), k)
        c.delete("mail", k)
    yield from expect("deleted", server.store.live("mail"), {})
    server.stop()


def conditions():
    server, c = serving()
    v = server.store.put("mail", "k", b"old")
    right, wrong = [("If-Match", v.etag)], [("If-Match", '"0"')]
    yield from expect("get", ask(c, "GET", headers=right), (200, b"old"))
    yield from expect("get 412", ask(c, "GET", headers=wrong)[0], 412)
    yield from expect("head 412", ask(c, "HEAD", headers=wrong), (412, b""))
    yield from expect("delete 412", ask(c, "DELETE", headers=wrong)[0], 412)
    server.store.delete_if_match = "ignored"
    yield from expect("ignored", ask(c, "DELETE", headers=wrong)[0], 204)
    server.store.delete_if_match = "honoured"
    yield from expect("gone", ask(c, "DELETE", headers=right)[0], 404)
    yield from expect("no such", ask(c, "GET")[0], 404)
    yield from expect("no condition", ask(c, "DELETE")[0], 204)
    server.stop()


def versions():
    server, c = serving()
    c.versioning("mail", "Enabled")
    old, new = c.put("mail", "k", b"1"), c.put("mail", "k", b"2")
    c.put("mail", "marked", b"3")
    c.delete("mail", "marked")
    yield from expect("all", sorted(w for _, _, w in c.versions("mail")),
                      ["live", "marker", "old", "old"])
    yield from expect("listed", list(c.keys_of("mail")), ["k"])
    yield from expect("old", c.get("mail", "k", old), b"1")
    yield from expect("marked", ask(c, "GET", b"marked")[0], 404)
    c.delete("mail", "k", new)
    yield from expect("back", server.store.live("mail"), {b"k": b"1"})
    both = ask(c, "DELETE", headers=[("If-Match", '"x"')],
               pairs=[("versionId", old)])
    yield from expect("If-Match and versionId", both[0], 501)
    server.stop()


def suspended():
    server, c = serving()
    c.versioning("mail", "Enabled")
    old = c.put("mail", "k", b"1")
    c.versioning("mail", "Suspended")
    yield from expect("status", b"Suspended" in ask(
        c, "GET", b"", pairs=[("versioning", "")])[1], True)
    for data in b"2", b"3":
        yield from expect("id", c.put("mail", "k", data), "null")
    yield from expect("kept", [v.id for v in server.store.buckets["mail"][
        b"k"]], [old, "null"])
    server.store.tells_null = False
    a = c.request("GET", "/mail/k")
    yield from expect("untold", (a.body, a.headers.get("x-amz-version-id")),
                      (b"3", None))
    c.delete("mail", "k")
    yield from expect("all", sorted(w for _, _, w in c.versions("mail")),
                      ["marker", "old"])
    c.delete("mail", "k", "null")
    yield from expect("below", server.store.live("mail"), {b"k": b"1"})
    server.stop()


def many(c, *keys, md5=None):
    """(status, keys that are deleted, codes of others, body)"""
    body = b"<Delete>%s</Delete>" % b"".join(
        b"<Object><Key>%s</Key></Object>" % k for k in keys)
    if md5 is None:
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    a = c.request("POST", "/mail", [("delete", "")],
                  [("Content-MD5", md5)] if md5 else [], body)
    return (a.status, *(re.findall(b"<%s>(?:<Key>.*?</Key>)?<%s>(.*?)<" % w,
                                   a.body) for w in (
        (b"Deleted", b"Key"), (b"Error", b"Code"))))


def delete_many():
    server, c = serving()
    for key in "a", "b&", "c", "d", "e", "f":
        server.store.put("mail", key, b"x")
    yield from expect("no MD5", many(c, b"a", md5=""),
                      (400, [], [b"InvalidRequest"]))
    yield from expect("wrong MD5", many(c, b"a", md5="AAAA"),
                      (400, [], [b"BadDigest"]))
    for keys in (b"</Key>",), (), (b"x",) * 1001:
        yield from expect("malformed", many(c, *keys),
                          (400, [], [b"MalformedXML"]))
    yield from expect("all there", len(server.store.live("mail")), 6)
    server.script.set([
        {"op": "delete-key", "key": "c", "status": 403,
         "code": "AccessDenied"},
        {"op": "delete-key", "key": "d", "silent": True},
        {"op": "delete-key", "key": "e", "silent": True, "done": True}])
    yield from expect("deleted", many(c, *b"a b&amp; c d e none".split()),
                      (200, [b"a", b"b&amp;", b"none"], [b"AccessDenied"]))
    yield from expect("left", list(server.store.live("mail")),
                      [b"c", b"d", b"f"])
    yield from expect("logged", [(e["key"], e["status"]) for e in
                                 server.requests("delete")],
                      [("a", 204), ("b&", 204), ("c", 403), ("d", 204),
                       ("e", 204), ("none", 204)])
    server.script.set([{"op": "delete-many", "status": 501}])
    yield from expect("unknown", many(c, b"c")[0], 501)
    server.script.set([{"op": "delete-many", "status": 500, "done": True}])
    yield from expect("done, but", many(c, b"c")[0], 500)
    yield from expect("left", list(server.store.live("mail")), [b"d", b"f"])
    server.stop()


def others():
    """What others do to the bucket meanwhile, and a listing that forgets."""
    server, c = serving({"nth": 2, "gone": "a"},
                        {"nth": 3, "at": "b", "replace": {"data": b"new"}},
                        {"nth": 4, "hidden": "b"},
                        {"op": "delete", "put": {"data": b"newer"}})
    for key in "a", "b", "c":
        server.store.put("mail", key, b"x")
    for wanted in ["a", "b", "c"], ["b", "c"], ["b", "c"], ["c"]:
        yield from expect("listed", list(c.keys_of("mail")), wanted)
    yield from expect("replaced", server.store.live("mail")[b"b"], b"new")
    yield from expect("delete", ask(c, "DELETE", b"c")[0], 204)
    yield from expect("put", server.store.live("mail")[b"c"], b"newer")
    server.stop()


def refusals():
    server, c = serving(skew=3600)
    yield from expect("skew", ask(c, "GET")[0], 403)
    server.skew, server.region = 0, "eu-west-3"
    status, body = ask(c, "GET")
    yield from expect("region", (status, b"<Region>eu-west-3<" in body),
                      (400, True))
    server.region, server.accounts = None, {}
    yield from expect("key", ask(c, "GET")[0], 403)
    yield from expect("told", [e["refused"].split(":")[0]
                               for e in server.requests()],
                      ["403 RequestTimeTooSkewed",
                       "400 AuthorizationHeaderMalformed",
                       "403 InvalidAccessKeyId"])
    server.stop()


# rule, method, the answers to as many requests for an object "0123456789"
WRONGS = [
    ({"nth": 2, "status": 503, "code": "SlowDown"}, "GET", [200, 503, 200]),
    ({"nth": [1, 3], "status": 500}, "GET", [500, 200, 500, 200]),
    ({"nth": "2-", "status": 500}, "GET", [200, 500, 500]),
    ({"key": "other", "status": 500}, "GET", [200]),
    ({"key": "k*", "status": 500}, "GET", [500]),
    ({"op": "list", "status": 500}, "GET", [200]),
    ({"op": "delete", "done": True, "status": 500}, "DELETE", [500]),
    ({"cut": -1}, "GET", ["EOFError"]),
    ({"cut": -1, "reset": True}, "GET", ["ConnectionResetError"]),
    ({"cut": 4}, "GET", [b"0123"]),
    ({"drop": 4}, "GET", [b"012345"]),
    ({"append": "xyz"}, "GET", [b"0123456789xyz"]),
    ({"append": "xyz", "length": 10}, "GET", [b"0123456789"]),
    ({"flip": 2}, "GET", [b"0133456789"]),
    ({"framing": "chunked"}, "GET", [b"0123456789"]),
    ({"stall": [4, 0.05]}, "GET", [b"0123456789"]),
    ({"trickle": 0.01}, "GET", [b"0123456789"]),
    ({"nth": 2, "replace": {"data": b"new"}}, "GET", [b"0123456789", b"new"]),
    ({"body": "html"}, "GET", [b"<!DOCTYPE html>"]),
    ({"body": "error"}, "GET", [b"<?xml version='1.0'?><Error>"]),
    ({"body": "bomb"}, "GET", [b'<?xml version="1.0"?>\n<!DOCTYPE x ['
                               b'<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;'])
]


def wrongs():
    for told, method, wanted in WRONGS:
        server, c = serving(told)
        server.store.put("mail", "k", b"0123456789")
        for i, want in enumerate(wanted):
            got = ask(c, method)
            c.connection().close()
            if not isinstance(got, str):
                got = got[0] if isinstance(want, int) else \
                    got[1][:len(want)] if len(want) > 13 else got[1]
            yield from expect("%r, %d" % (told, i + 1), got, want)
        if told.get("done"):
            yield from expect("done", server.store.live("mail"), {})
        server.stop()


def headers():
    server, c = serving({"headers": {"ETag": '"0"', "Last-Modified": None}})
    server.store.put("mail", "k", b"x", etag="multi-3", headers={
        "x-amz-checksum-sha256": "AAAA"})
    a = c.request("GET", "/mail/k", (), [("x-amz-checksum-mode", "ENABLED")])
    yield from expect("ETag", a.headers.get("etag"), '"0"')
    yield from expect("taken away", a.headers.get("last-modified"), None)
    yield from expect("checksum", a.headers.get("x-amz-checksum-sha256"),
                      "AAAA")
    a = c.request("GET", "/mail/k")
    yield from expect("unasked", a.headers.get("x-amz-checksum-sha256"), None)
    server.stop()


def trap():
    server, c = serving({"redirect": "trap", "status": 307})
    a = c.request("GET", "/mail/k")
    yield from expect("to the trap", a.headers["location"].startswith(
        server.trap), True)
    yield from expect("nobody yet", server.trapped, [])
    urllib.request.urlopen(a.headers["location"], timeout=60).read()
    yield from expect("caught", server.trapped[0][:11], b"GET /there ")
    server.stop()


def endless():
    """Ends when the client has had enough, and tells how much it took."""
    server, c = serving({"op": "list", "body": "huge"})
    connection, enough = c.connection(), 1 << 20
    connection.body = lambda headers: connection.file.read(enough)
    a = c.request("GET", "/mail", [("list-type", "2")])
    connection.close()
    yield from expect("taken", len(a.body), enough)
    before = -1
    # It is counted behind each piece that was sent.
    while before < enough or before != server.log[0]["sent"]:
        before = server.log[0]["sent"]
        time.sleep(0.2)
    yield from expect("sent", enough <= before < 1 << 26, True)
    server.stop()


def alone():
    """As a program, with TLS and its control."""
    with tempfile.TemporaryDirectory() as where:
        child = subprocess.Popen([sys.executable, HERE + "/scripted.py",
                                  where, "--tls"])
        try:
            for i in range(1200):
                if os.path.exists(where + "/env"):
                    break
                time.sleep(0.05)
            with open(where + "/env") as f:
                env = dict(line.strip().split("=", 1) for line in f)
            c = s3.Client(env["S3_TLS_ENDPOINT"], env["S3_ACCESS_KEY"],
                          env["S3_SECRET_KEY"], ca=env["S3_CA"])
            c.put("mail", "k", b"x")
            yield from expect("over TLS", c.get("mail", "k"), b"x")
            for what, said in (("script", [{"status": 503}]),
                               ("settings", {"page": 3, "skew": 5})):
                urllib.request.urlopen(env["S3_CONTROL"] + "/" + what,
                                       json.dumps(said).encode(), 60).read()
            yield from expect("by script", ask(c, "GET")[0], 503)
            log = urllib.request.urlopen(env["S3_CONTROL"] + "/log",
                                         timeout=60).read().splitlines()
            yield from expect("log", [json.loads(e)["status"] for e in log],
                              [200, 200, 503])
            try:
                s3.Client(env["S3_TLS_ENDPOINT"], "a", "b").get("mail", "k")
                yield "a certificate of an unknown CA was believed"
            except ssl.SSLError:
                pass
        finally:
            child.kill()
            child.wait()


for act in (keys, conditions, versions, suspended, delete_many, others,
            refusals, wrongs, headers, trap, endless, alone):
    if act is alone and rule.needs("openssl"):
        rule.skip("scripted server: alone", "openssl is not installed")
    else:
        rule.check("scripted server: " + act.__name__, act())
rule.done()

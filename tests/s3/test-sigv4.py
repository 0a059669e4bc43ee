#!/usr/bin/python3
"""The verifier of the tests against botocore, which it shares no line with:
what that signs it accepts, and nothing that was altered afterwards."""

import calendar
import hashlib
import os
import random
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + "/../rules"]

import rule                                                 # noqa: E402
import sigv4                                                # noqa: E402

try:
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    S3SigV4Auth = None

KEYS = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ACCOUNTS = {KEYS[0]: (KEYS[1], None), "WITHTOKEN": (KEYS[1], "a/b+c==")}
LETTERS = "aZ09 -._~/%+&=?#!*'();:@$,<>\"\\|^`{}[]\t\n\x01é漢😀"
HOST = "s3.example:8443"


class Signed:
    """A random request with botocore's signature, as it goes over the wire."""

    def __init__(self, r):
        text = lambda n: "".join(r.choices(LETTERS, k=r.randint(0, n)))
        self.path = "/bucket/" + text(30)
        self.pairs = [(text(6) + str(i), text(12))
                      for i in range(r.randint(0, 6))]
        self.body = r.randbytes(r.randint(0, 100))
        self.method = r.choice(["GET", "PUT", "DELETE", "HEAD", "POST"])
        self.access = r.choice(list(ACCOUNTS))
        self.region = r.choice(["us-east-1", "eu-west-3", "auto"])
        query = "&".join("%s=%s" % (urllib.parse.quote(k, safe="-_.~"),
                                    urllib.parse.quote(v, safe="-_.~"))
                         for k, v in self.pairs)
        self.target = urllib.parse.quote(self.path, safe="/~") + \
            ("?" + query if query else "")
        given = {"Host": HOST, "x-amz-meta-a": "one   two ",
                 "Content-Type": "text/plain"}
        if r.random() < 0.5:
            given["If-Match"] = '"0123456789abcdef"'
        request = AWSRequest(self.method, "http://" + HOST + self.target,
                             given, self.body)
        S3SigV4Auth(Credentials(self.access, *ACCOUNTS[self.access]), "s3",
                    self.region).add_auth(request)
        self.headers = [(n, v) for n, v in request.headers.items()]

    def verify(self, **other):
        say = {**vars(self), **other}
        return sigv4.verify(say["method"], say["target"], say["headers"],
                            say["body"], ACCOUNTS, self.region,
                            say.get("now"))

    def code(self, **other):
        try:
            self.verify(**other)
        except sigv4.Refused as e:
            return e.code
        return "accepted"

    def without(self, name):
        return [(n, v) for n, v in self.headers if n.lower() != name]

    def changed(self, name, change):
        return [(n, change(v) if n.lower() == name else v)
                for n, v in self.headers]


def accepted():
    r = random.Random(1)
    for i in range(400):
        s = Signed(r)
        try:
            path, pairs, access = s.verify()
        except sigv4.Refused as e:
            yield "%d %r: %s" % (i, s.target, e)
            continue
        if path.decode() != s.path or access != s.access or \
                [(k.decode(), v.decode()) for k, v in pairs] != s.pairs:
            yield "%d: %r was read as %r %r" % (i, s.target, path, pairs)


def alterations(s):
    """(what, the codes that are right, what is other in the request)"""
    wrong = "SignatureDoesNotMatch"
    yield "method", wrong, {"method": "OPTIONS"}
    yield "path", wrong, {"target": s.target.replace("/b", "/c", 1)}
    yield "query", wrong, {"target": s.target +
                           ("&" if "?" in s.target else "?") + "x=1"}
    yield "plus", "InvalidURI", {"target": "/bucket?a=b+c"}
    yield "body", "XAmzContentSHA256Mismatch", {"body": s.body + b"x"}
    yield "payload", "XAmzContentSHA256Mismatch", {"headers": s.changed(
        "x-amz-content-sha256", lambda v: "0" * 64)}
    yield "host", wrong, {"headers": s.changed("host", lambda v: "other")}
    yield "signed header", wrong, {"headers": s.changed(
        "x-amz-meta-a", lambda v: v + "x")}
    yield "a header lost", wrong, {"headers": s.without("x-amz-meta-a")}
    yield "unsigned x-amz-", "AccessDenied", {
        "headers": s.headers + [("x-amz-acl", "public-read")]}
    yield "two dates", "InvalidRequest", {
        "headers": s.headers + [("X-Amz-Date", "20260101T000000Z")]}
    yield "no date", "AccessDenied", {"headers": s.without("x-amz-date")}
    yield "no hash", "InvalidRequest", {
        "headers": s.without("x-amz-content-sha256")}
    yield "no signature", "AccessDenied", {
        "headers": s.without("authorization")}
    yield "other signature", wrong, {"headers": s.changed(
        "authorization", lambda v: v[:-1] + ("0" if v[-1] != "0" else "1"))}
    yield "other region", wrong, {"headers": s.changed(
        "authorization", lambda v: v.replace(s.region, "moon-1"))}
    yield "unknown key", "InvalidAccessKeyId", {"headers": s.changed(
        "authorization", lambda v: v.replace(s.access, "NOBODY"))}
    yield "other token", "InvalidToken", {
        "headers": s.without("x-amz-security-token") +
        [("x-amz-security-token", "other")]}
    yield "an hour late", "RequestTimeTooSkewed", {"now": time.time() + 3600}
    yield "an hour early", "RequestTimeTooSkewed", {"now": time.time() - 3600}
    yield "14 minutes", "accepted", {"now": time.time() + 840}


def refused():
    r = random.Random(2)
    for i in range(40):
        s = Signed(r)
        for what, right, other in alterations(s):
            code = s.code(**other)
            if code != right:
                yield "%s: %s, not %s" % (what, code, right)


def signer():
    """What the client signs botocore signs equally."""
    r = random.Random(3)
    for i in range(100):
        s = Signed(r)
        when = next(v for n, v in s.headers if n.lower() == "x-amz-date")
        given = [(n, v) for n, v in s.headers if n.lower() not in (
            "authorization", "x-amz-date", "x-amz-content-sha256",
            "x-amz-security-token")]
        ours = sigv4.sign(
            s.method, s.path.encode(), s.pairs, given,
            hashlib.sha256(s.body).hexdigest(),
            (s.access, *ACCOUNTS[s.access]), s.region, "s3",
            calendar.timegm(time.strptime(when, "%Y%m%dT%H%M%SZ")))
        theirs = next(v for n, v in s.headers if n == "Authorization")
        if ours[-1][1] != theirs:
            yield "%r: %s not %s" % (s.target, ours[-1][1], theirs)


if S3SigV4Auth is None:
    for name in "accepted", "refused", "signer":
        rule.skip(name, "python3-botocore is not installed")
else:
    rule.check("what botocore signs is accepted", accepted())
    rule.check("what was altered since is refused", refused())
    rule.check("the client's signer agrees with botocore", signer())
rule.done()

"""script - what a scripted server does wrong, and when.

A script is a list of rules, each a dictionary (JSON in a file):

  when   op       list get head delete put versioning ... ; absent: any;
		  delete-many: DeleteObjects; delete-key: each of its keys
	 key      exact, or with * at the end; absent: any
	 nth      1, [1, 3], or "2-" for the second and all later ones, counted
		  among the requests that op and key fit; absent: every one
  what   replace  {"data": TEXT}: the object is replaced before it is asked;
		  at names another key than the one that is asked for
	 gone     KEY: somebody deletes this one before
	 put      {"data": TEXT}: a new object, right after; at as above
	 done     true: what is asked happens, only the answer is another
	 status   NUMBER with code, message, extra: an error instead
	 body     TEXT instead; or a name from BODIES
	 headers  {NAME: VALUE}; null takes one away
	 flip     N: bit 0 of byte N of the body is another
	 append   TEXT behind the body; drop: N bytes less of it
	 hidden   KEY: the listing forgets it; backwards true: it gives the
		  keys of the page in the wrong order
	 length   what Content-Length says
	 framing  chunked or close instead of a length
	 cut      N: the connection ends after N bytes of the body; reset true:
		  with RST; cut -1: before the status line
	 stall    [N, SECONDS] before byte N; trickle SECONDS: for each byte
	 silent   true: delete-key is not mentioned in the answer, and not
		  done; with done: it is
	 redirect "trap" or a URL, with status 301, 302, 307 or 308
"""

import re
import threading
import uuid

import store

HTML = (b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
        b"<body><center><h1>502</h1></center><hr></body></html>\n")
PAGE = (b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="'
        b'http://s3.amazonaws.com/doc/2006-03-01/"><Name>mail</Name>')
BOMB = (b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' +
        b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % (
            (98 + i,) + (97 + i,) * 8) for i in range(9)) +
        b"]>\n<ListBucketResult><Name>&j;</Name></ListBucketResult>")
EXTERNAL = (b'<?xml version="1.0"?>\n<!DOCTYPE x SYSTEM "http://%s/dtd">\n'
            b"<ListBucketResult><IsTruncated>false</IsTruncated>"
            b"</ListBucketResult>")


def huge():
    """A gigabyte of a page, without an end."""
    yield PAGE
    for i in range(1 << 14):
        yield b"<Contents><Key>k</Key></Contents>" * 2000


def deep():
    yield PAGE
    for i in range(1000):
        yield b"<a>" * 1000


def name():
    """One key of a gigabyte."""
    yield PAGE + b"<Contents><Key>"
    for i in range(1 << 14):
        yield b"k" * 65536


def empty():
    """A page without an object, and another one behind it."""
    yield PAGE + b"<IsTruncated>true</IsTruncated><NextContinuationToken>" + \
        store.make_token(b"!" + uuid.uuid4().bytes).encode() + \
        b"</NextContinuationToken></ListBucketResult>"


BODIES = {
    "doctype": PAGE.replace(b"\n", b"\n<!DOCTYPE x>\n", 1) +
    b"<IsTruncated>false</IsTruncated></ListBucketResult>",
    "bomb": BOMB, "external": EXTERNAL, "html": HTML, "empty": b"",
    "huge": huge, "deep": deep, "name": name, "empty-page": empty,
    "other": b"<?xml version='1.0'?><ListAllMyBucketsResult/>",
    "error": b"<?xml version='1.0'?><Error><Code>InternalError</Code>"
    b"<Message>We encountered an internal error.</Message></Error>",
    "no-truncated": PAGE + b"</ListBucketResult>",
    "no-token": PAGE + b"<IsTruncated>true</IsTruncated>"
    b"</ListBucketResult>",
    "same-token": PAGE + b"<IsTruncated>true</IsTruncated>"
    b"<NextContinuationToken>always-this-one</NextContinuationToken>"
    b"</ListBucketResult>",
}


def fits(pattern, key):
    if pattern is None:
        return True
    pattern = pattern.encode() if isinstance(pattern, str) else pattern
    if pattern.endswith(b"*"):
        return key.startswith(pattern[:-1])
    return key == pattern


def chosen(nth, n):
    if nth is None:
        return True
    if isinstance(nth, str):
        return n >= int(nth.rstrip("-"))
    return n in nth if isinstance(nth, list) else n == nth


class Script:
    def __init__(self, rules=()):
        self.lock = threading.Lock()
        self.set(rules)

    def set(self, rules):
        with self.lock:
            self.rules = list(rules)
            self.counts = [0] * len(self.rules)

    def matching(self, op, key):
        """The rules for this request; each counts it."""
        with self.lock:
            found = []
            for i, rule in enumerate(self.rules):
                if rule.get("op") in (None, op) and \
                        fits(rule.get("key"), key):
                    self.counts[i] += 1
                    if chosen(rule.get("nth"), self.counts[i]):
                        found.append(rule)
            return found


def answer(rule, ask, trap):
    """The answer as the rule wants it; ask() is what the store says, and has
    its effects."""
    instead = {"status", "body", "redirect", "silent"} & set(rule)
    given = ask() if not instead or rule.get("done") else None
    if "redirect" in rule:
        to = rule["redirect"]
        given = store.error(rule.get("status", 301), rule.get(
            "code", "PermanentRedirect"), "elsewhere", headers={
                "Location": trap + "/there" if to == "trap" else to})
    elif "status" in rule:
        given = store.error(rule["status"], rule.get("code", "InternalError"),
                            rule.get("message", "as the script says"),
                            rule.get("extra", ""))
    if "body" in rule:
        given = given or store.Answer(200, b"", {
            "Content-Type": "application/xml"})
        body = BODIES.get(rule["body"], rule["body"])
        if callable(body):
            given.endless = body()
        else:
            given.body = body.encode() if isinstance(body, str) else body
            given.body = given.body.replace(b"%s", trap[7:].encode())
    given = given or store.Answer(204)
    alter(given, rule)
    return given


def alter(given, rule):
    for name, value in rule.get("headers", {}).items():
        given.headers.pop(name, None)
        if value is not None:
            given.headers[name] = value
    if "flip" in rule:
        body = bytearray(given.body)
        body[rule["flip"]] ^= 1
        given.body = bytes(body)
    if "hidden" in rule:
        given.body = re.sub(b"<Contents><Key>%s</Key>.*?</Contents>" %
                            re.escape(rule["hidden"].encode()), b"",
                            given.body)
    if "backwards" in rule:
        found = re.findall(b"<Contents>.*?</Contents>", given.body)
        given.body = re.sub(b"<Contents>.*</Contents>", lambda _:
                            b"".join(reversed(found)), given.body)
    if "drop" in rule:
        given.body = given.body[:len(given.body) - rule["drop"]]
    given.body += rule.get("append", "").encode()
    for name in "length", "framing", "cut", "reset", "stall", "trickle", \
            "silent":
        if name in rule:
            setattr(given, name, rule[name])

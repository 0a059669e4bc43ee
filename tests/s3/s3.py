#!/usr/bin/python3
"""s3 - a small S3 client for the tests, independent of the product's.

	s3.py VERB ...	with S3_ENDPOINT S3_REGION S3_ACCESS_KEY S3_SECRET_KEY
			(S3_TOKEN S3_CA) in the environment, as rgw.sh writes

  bucket NAME                   makes it
  put BUCKET KEY FILE           "-" for FILE: nothing in it
  fill BUCKET PREFIX DIR        all files below DIR, key = PREFIX + path
  numbered BUCKET PREFIX COUNT  objects of ses.py's "many"
  get BUCKET KEY                to stdout
  keys BUCKET [PREFIX]          one a line, as Python writes strings
  count BUCKET [PREFIX]
  versions BUCKET               KEY live|old|marker a line
  delete BUCKET KEY
  empty BUCKET                  all versions, too
  versioning BUCKET Enabled|Suspended
  policy BUCKET FILE            "-": none
  role ARN                      lines for a shell: temporary credentials
"""

import concurrent.futures
import hashlib
import os
import queue
import re
import socket
import ssl
import sys
import threading
import urllib.parse
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True

import sigv4                                                # noqa: E402


class S3Error(Exception):
    def __init__(self, what, answer):
        found = re.search(rb"<Code>([^<]+)", answer.body)
        self.status = answer.status
        self.code = found[1].decode() if found else ""
        super().__init__("%s: %d %s" % (what, self.status, self.code))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class Connection:
    """HTTP/1.1 on one kept connection; http.client takes twice the time."""

    def __init__(self, url, ca):
        self.url, self.ca = urllib.parse.urlsplit(url), ca
        self.file = None

    def open(self):
        tls = self.url.scheme == "https"
        s = socket.create_connection(
            (self.url.hostname, self.url.port or (443 if tls else 80)), 60)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            s = ssl.create_default_context(cafile=self.ca).wrap_socket(
                s, server_hostname=self.url.hostname)
        self.socket, self.file = s, s.makefile("rb")

    def close(self):
        if self.file:
            self.file.close()
            self.socket.close()
        self.file = None

    def ask(self, method, data):
        """Once more on a new connection if the kept one was closed."""
        if self.file:
            try:
                self.socket.sendall(data)
                return self.answer(method)
            except (ConnectionError, EOFError):
                self.close()
        self.open()
        self.socket.sendall(data)
        return self.answer(method)

    def answer(self, method):
        line = self.file.readline()
        if not line:
            raise EOFError("no answer")
        status, headers = int(line.split()[1]), {}
        for line in iter(self.file.readline, b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = b""
        if method != "HEAD" and status not in (204, 304):
            body = self.body(headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)

    def body(self, headers):
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.file.read(int(headers.get("content-length", 0)))
        body = b""
        while True:
            size = int(self.file.readline().split(b";")[0], 16)
            body += self.file.read(size)
            self.file.readline()
            if size == 0:
                return body


class Client:
    """May be used by several threads; each has a connection of its own."""

    def __init__(self, endpoint, access, secret, token=None,
                 region="us-east-1", ca=None):
        self.endpoint, self.ca, self.region = endpoint, ca, region
        self.keys = access, secret, token
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.local = threading.local()

    def connection(self):
        if not hasattr(self.local, "connection"):
            self.local.connection = Connection(self.endpoint, self.ca)
        return self.local.connection

    def request(self, method, path="/", pairs=(), headers=(), body=b"",
                service="s3"):
        path = path if isinstance(path, bytes) else path.encode()
        signed = sigv4.sign(
            method, path, pairs, [("Host", self.host), *headers],
            hashlib.sha256(body).hexdigest(), self.keys, self.region, service)
        target = sigv4.encode(path, "/")
        if pairs:
            target += "?" + sigv4.query_string(pairs)
        lines = ["%s %s HTTP/1.1" % (method, target)]
        lines += ["%s: %s" % h for h in signed]
        if body or method in ("PUT", "POST"):
            lines.append("Content-Length: %d" % len(body))
        head = "\r\n".join(lines + ["", ""]).encode()
        return self.connection().ask(method, head + body)

    def call(self, method, path="/", *rest, **named):
        """As request(), but what is no success is an S3Error."""
        answer = self.request(method, path, *rest, **named)
        if answer.status >= 300 or b"<Error>" in answer.body[:200]:
            raise S3Error("%s %s" % (method, path), answer)
        return answer

    # --- buckets and objects ---------------------------------------------

    def make_bucket(self, bucket):
        self.call("PUT", "/" + bucket)

    def put(self, bucket, key, data, headers=()):
        """Its version id, None without versions."""
        return self.call("PUT", where(bucket, key), (), headers,
                         data).headers.get("x-amz-version-id")

    def get(self, bucket, key, version=None):
        pairs = [("versionId", version)] if version else []
        return self.call("GET", where(bucket, key), pairs).body

    def delete(self, bucket, key, version=None):
        pairs = [("versionId", version)] if version else []
        self.call("DELETE", where(bucket, key), pairs)

    def keys_of(self, bucket, prefix=""):
        """All keys below prefix, in the server's order."""
        pairs = [("list-type", "2"), ("encoding-type", "url"),
                 ("prefix", prefix)]
        token = []
        while True:
            page = parse(self.call("GET", "/" + bucket, pairs + token))
            for item in page.iter("Key"):
                yield urllib.parse.unquote_plus(item.text)
            if page.findtext("IsTruncated") != "true":
                return
            token = [("continuation-token",
                      page.findtext("NextContinuationToken"))]

    def versions(self, bucket):
        """(key, version id, live|old|marker) of all of them."""
        marks = []
        while True:
            page = parse(self.call("GET", "/" + bucket, [
                ("versions", ""), ("encoding-type", "url")] + marks))
            for item in page:
                if item.tag not in ("Version", "DeleteMarker"):
                    continue
                live = item.findtext("IsLatest") == "true"
                yield (urllib.parse.unquote_plus(item.findtext("Key")),
                       item.findtext("VersionId"),
                       "marker" if item.tag == "DeleteMarker" else
                       "live" if live else "old")
            if page.findtext("IsTruncated") != "true":
                return
            marks = [("key-marker", urllib.parse.unquote_plus(
                          page.findtext("NextKeyMarker"))),
                     ("version-id-marker",
                      page.findtext("NextVersionIdMarker"))]

    def versioning(self, bucket, status):
        self.call("PUT", "/" + bucket, [("versioning", "")], (),
                  b"<VersioningConfiguration><Status>%s</Status>"
                  b"</VersioningConfiguration>" % status.encode())

    def policy(self, bucket, text):
        if text:
            self.call("PUT", "/" + bucket, [("policy", "")], (),
                      text.encode())
        else:
            self.call("DELETE", "/" + bucket, [("policy", "")])

    def assume(self, role):
        """(access, secret, token) from STS."""
        form = urllib.parse.urlencode({
            "Action": "AssumeRole", "Version": "2011-06-15",
            "RoleArn": role, "RoleSessionName": "test"}).encode()
        kind = [("Content-Type", "application/x-www-form-urlencoded")]
        page = parse(self.call("POST", "/", (), kind, form, service="sts"))
        given = next(page.iter("Credentials"))
        return tuple(given.findtext(n) for n in (
            "AccessKeyId", "SecretAccessKey", "SessionToken"))

    # --- many at once ----------------------------------------------------

    def each(self, work, items, threads=16):
        """work(item) for all of them; the first failure is raised. No more
        than some hundred items are taken ahead."""
        room = threading.Semaphore(threads * 8)
        broken = queue.SimpleQueue()

        def one(item):
            try:
                work(item)
            except Exception as e:      # told to whoever waits
                broken.put(e)
            finally:
                room.release()

        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            for item in items:
                room.acquire()
                if not broken.empty():
                    break
                pool.submit(one, item)
        if not broken.empty():
            raise broken.get()

    def put_many(self, bucket, items, threads=16):
        """items: (key, bytes)"""
        self.each(lambda i: self.put(bucket, *i), items, threads)

    def empty(self, bucket):
        self.each(lambda v: self.delete(bucket, v[0], v[1]),
                  list(self.versions(bucket)))


def where(bucket, key):
    if isinstance(key, str):
        key = key.encode()
    return b"/" + bucket.encode() + b"/" + key


def parse(answer):
    """The document with names only: each server has a namespace."""
    text = re.sub(rb'\sxmlns="[^"]*"', b"", answer.body, count=1)
    return ElementTree.fromstring(text)


def below(top):
    """(path below top, bytes) of all files, oldest first."""
    found = []
    for folder, _, names in os.walk(os.fsencode(top)):
        for name in names:
            path = os.path.join(folder, name)
            found.append((os.stat(path).st_mtime_ns, path))
    for _, path in sorted(found):
        with open(path, "rb") as f:
            yield os.path.relpath(path, os.fsencode(top)), f.read()


def numbered(prefix, count):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(
        __file__)), "..", "integration"))
    import ses
    for n in range(count):
        yield prefix + ses.ses_id(n), ses.numbered(n)


def of_environment():
    e = os.environ
    return Client(e.get("S3_TLS_ENDPOINT") if e.get("S3_CA") else
                  e["S3_ENDPOINT"], e["S3_ACCESS_KEY"], e["S3_SECRET_KEY"],
                  e.get("S3_TOKEN"), e.get("S3_REGION", "us-east-1"),
                  e.get("S3_CA"))


def read(path):
    if path == "-":
        return b""
    with open(path, "rb") as f:
        return f.read()


def main(verb="", *words):
    c = of_environment() if verb else None
    a = [os.fsencode(w) for w in words]
    bucket = words[0] if words else ""
    if verb == "bucket":
        c.make_bucket(bucket)
    elif verb == "put":
        c.put(bucket, a[1], read(words[2]))
    elif verb == "fill":
        c.put_many(bucket, ((a[1] + k, d) for k, d in below(words[2])))
    elif verb == "numbered":
        c.put_many(bucket, numbered(words[1], int(words[2])))
    elif verb == "get":
        sys.stdout.buffer.write(c.get(bucket, a[1]))
    elif verb == "keys":
        for key in c.keys_of(*words):
            print(repr(key))
    elif verb == "count":
        print(sum(1 for _ in c.keys_of(*words)))
    elif verb == "versions":
        for key, _, what in c.versions(bucket):
            print(repr(key), what)
    elif verb == "delete":
        c.delete(bucket, a[1])
    elif verb == "empty":
        c.empty(bucket)
    elif verb == "versioning":
        c.versioning(bucket, words[1])
    elif verb == "policy":
        c.policy(bucket, read(words[1]).decode())
    elif verb == "role":
        print("AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n"
              "AWS_SESSION_TOKEN=%s" % c.assume(words[0]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (S3Error, OSError) as e:
        sys.exit("s3.py: %s" % e)

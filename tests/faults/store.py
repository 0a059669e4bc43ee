"""store - buckets and objects in memory, answered as S3 answers.

Knows what the product and the tests ask for: objects with versions, checksums
and conditions, listings in pages, the questions that `fallbackmx check` asks.
No HTTP and no signatures; scripted.py has those. One lock around everything.
"""

import base64
import hashlib
import threading
import time
import urllib.parse
import uuid
import xml.etree.ElementTree as XML
from xml.sax.saxutils import escape

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class Answer:
    """What is sent; a script may alter every part of it."""

    def __init__(self, status, body=b"", headers=()):
        self.status, self.body = status, body
        self.headers = dict(headers)
        self.endless = None     # iterator of bytes instead of the body
        self.framing = "length"         # chunked, close
        self.length = None      # other than that of the body
        self.cut = None         # bytes of the body after which it ends
        self.reset = False      # with RST
        self.stall = None       # (bytes, seconds) before the rest
        self.trickle = None     # seconds a byte
        self.code = None        # of its <Error>
        self.silent = False     # of one key among many: not mentioned


def xml(status, text, headers=()):
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + text
    return Answer(status, text.encode(),
                  {"Content-Type": "application/xml", **dict(headers)})


def error(status, code, message="", extra="", headers=()):
    a = xml(status, "<Error><Code>%s</Code><Message>%s</Message>%s"
            "<RequestId>0000000000000000</RequestId></Error>" % (
                code, escape(message), extra), headers)
    a.code = code
    return a


def stamp(seconds, form="%Y-%m-%dT%H:%M:%S.000Z"):
    return time.strftime(form, time.gmtime(seconds))


class Version:
    def __init__(self, data, when, headers=(), etag=None, marker=False):
        self.id = uuid.uuid4().hex
        self.data, self.when, self.marker = data, when, marker
        # x-amz-meta-*, x-amz-checksum-*, Content-Type, ...
        self.headers = dict(headers)
        self.etag = '"%s"' % (etag or hashlib.md5(data).hexdigest())


class Store:
    def __init__(self):
        self.lock = threading.RLock()
        self.buckets = {}       # name -> key -> versions, newest last
        self.versioned, self.suspended = set(), set()
        self.tells_null = True  # names the version id "null", as AWS does
        self.delete_if_match = "honoured"       # ignored, refused (501)
        self.page = 1000
        self.bare = False       # knows no encoding-type
        self.object_lock = False

    # --- for tests -------------------------------------------------------

    def make(self, bucket):
        self.buckets.setdefault(bucket, {})

    def put(self, bucket, key, data, when=None, headers=(), etag=None):
        """The new version; the only one where there are no versions."""
        key = key.encode() if isinstance(key, str) else key
        with self.lock:
            new = Version(data, time.time() if when is None else when,
                          headers, etag)
            self.add(bucket, key, new)
            return new

    def add(self, bucket, key, new):
        kept = self.buckets[bucket].setdefault(key, [])
        if bucket not in self.versioned:
            self.drop(kept, "null")
            new.id = "null"
        kept.append(new)

    @staticmethod
    def drop(kept, ident):
        kept[:] = [v for v in kept if v.id != ident]

    def remove(self, bucket, key):
        with self.lock:
            del self.buckets[bucket][key.encode()]

    def live(self, bucket):
        """{key: bytes} of what a listing shows."""
        with self.lock:
            return {key: all_[-1].data
                    for key, all_ in sorted(self.buckets[bucket].items())
                    if all_ and not all_[-1].marker}

    def find(self, bucket, key, ident=None):
        for v in reversed(self.buckets[bucket].get(key, [])):
            if ident is None or v.id == ident:
                return v
        return None

    # --- what clients ask ------------------------------------------------

    def answer(self, method, bucket, key, query, headers, body, each=None):
        """query, headers: dictionaries, names in small letters. each(key, ask)
        answers for one of many keys."""
        with self.lock:
            if not bucket:
                return xml(200, "<ListAllMyBucketsResult><Buckets/>"
                           "</ListAllMyBucketsResult>")
            if method == "PUT" and not key and not query:
                self.make(bucket)
                return Answer(200)
            if bucket not in self.buckets:
                return error(404, "NoSuchBucket", "no such bucket",
                             "<BucketName>%s</BucketName>" % escape(bucket))
            if method == "POST" and not key and "delete" in query:
                return self.delete_many(bucket, headers, body, each)
            act = getattr(self, method.lower() + (
                "_object" if key else "_bucket"), None)
            if act is None:
                return error(405, "MethodNotAllowed")
            if key:
                return act(bucket, key, query, headers, body)
            return act(bucket, query, body)

    def head_bucket(self, bucket, query, body):
        return Answer(200, b"", {"x-amz-bucket-region": "us-east-1"})

    def put_bucket(self, bucket, query, body):
        if "versioning" not in query:
            return error(501, "NotImplemented")
        for word, buckets in ((b">Enabled<", self.versioned),
                              (b">Suspended<", self.suspended)):
            (buckets.add if word in body else buckets.discard)(bucket)
        return Answer(200)

    def get_bucket(self, bucket, query, body):
        if "versioning" in query:
            return xml(200, '<VersioningConfiguration xmlns="%s">%s'
                       "</VersioningConfiguration>" % (
                           NAMESPACE, "<Status>Enabled</Status>"
                           if bucket in self.versioned else
                           "<Status>Suspended</Status>"
                           if bucket in self.suspended else ""))
        if "location" in query:
            return xml(200, '<LocationConstraint xmlns="%s"/>' % NAMESPACE)
        if "object-lock" in query:
            if not self.object_lock:
                return error(404, "ObjectLockConfigurationNotFoundError")
            return xml(200, "<ObjectLockConfiguration><ObjectLockEnabled>"
                       "Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
                       "<Mode>COMPLIANCE</Mode><Days>30</Days>"
                       "</DefaultRetention></Rule></ObjectLockConfiguration>")
        if "versions" in query:
            return self.list_versions(bucket)
        if query.get("list-type") == "2":
            return self.list(bucket, query)
        return error(501, "NotImplemented", "ListObjects of version 1")

    def list(self, bucket, query):
        encoded = query.get("encoding-type") == "url" and not self.bare

        def text(raw):
            # As AWS does it: space is "+", everything odd is %XX.
            return escape(urllib.parse.quote_plus(raw, safe="/*-._")
                          if encoded else raw.decode("utf-8", "replace"))

        prefix = query.get("prefix", "").encode("utf-8", "surrogateescape")
        start = query.get("start-after", "").encode("utf-8",
                                                    "surrogateescape")
        token = query.get("continuation-token")
        if token is not None:
            start = untoken(token)
            if start is None:
                return error(400, "InvalidArgument",
                             "The continuation token is incorrect")
        most = min(self.page, int(query.get("max-keys", 1000)))
        keys = [k for k in sorted(self.buckets[bucket]) if k > start and
                k.startswith(prefix) and self.buckets[bucket][k] and
                not self.buckets[bucket][k][-1].marker]
        shown, more = keys[:most], len(keys) > most
        out = ['<ListBucketResult xmlns="%s"><Name>%s</Name><Prefix>%s'
               "</Prefix>" % (NAMESPACE, bucket, text(prefix))]
        if encoded:
            out.append("<EncodingType>url</EncodingType>")
        out.append("<KeyCount>%d</KeyCount><MaxKeys>%d</MaxKeys>"
                   "<IsTruncated>%s</IsTruncated>" % (
                       len(shown), most, "true" if more else "false"))
        if more:
            out.append("<NextContinuationToken>%s</NextContinuationToken>"
                       % make_token(shown[-1]))
        for key in shown:
            v = self.buckets[bucket][key][-1]
            out.append("<Contents><Key>%s</Key><LastModified>%s"
                       "</LastModified><ETag>%s</ETag><Size>%d</Size>"
                       "<StorageClass>STANDARD</StorageClass></Contents>" % (
                           text(key), stamp(v.when),
                           escape(v.etag, {'"': "&quot;"}), len(v.data)))
        return xml(200, "".join(out) + "</ListBucketResult>")

    def list_versions(self, bucket):
        out = ['<ListVersionsResult xmlns="%s"><IsTruncated>false'
               "</IsTruncated>" % NAMESPACE]
        for key, all_ in sorted(self.buckets[bucket].items()):
            for v in reversed(all_):
                name = "DeleteMarker" if v.marker else "Version"
                out.append("<%s><Key>%s</Key><VersionId>%s</VersionId>"
                           "<IsLatest>%s</IsLatest></%s>" % (
                               name, urllib.parse.quote_plus(key), v.id,
                               "true" if v is all_[-1] else "false", name))
        return xml(200, "".join(out) + "</ListVersionsResult>")

    def put_object(self, bucket, key, query, headers, body):
        old = self.find(bucket, key)
        if headers.get("if-none-match") == "*" and old and not old.marker:
            return error(412, "PreconditionFailed")
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        if headers.get("content-md5", md5) != md5:
            return error(400, "BadDigest")
        v = self.put(bucket, key, body, headers={
            n: value for n, value in headers.items()
            if n.startswith(("x-amz-meta-", "x-amz-checksum-")) or
            n == "content-type"})
        return Answer(200, b"", {"ETag": v.etag,
                                **self.version_id(bucket, v)})

    def version_id(self, bucket, v):
        told = v.id != "null" or self.tells_null and bucket in (
            self.versioned | self.suspended)
        return {"x-amz-version-id": v.id} if told else {}

    def get_object(self, bucket, key, query, headers, body):
        v = self.find(bucket, key, query.get("versionId"))
        if v is None or v.marker:
            return error(404, "NoSuchKey", "no such key", headers={
                "x-amz-delete-marker": "true"} if v else {})
        match = headers.get("if-match")
        if match not in (None, "*", v.etag, v.etag.strip('"')):
            return error(412, "PreconditionFailed")
        shown = {"ETag": v.etag, "Content-Type": "binary/octet-stream",
                 "Last-Modified": stamp(v.when, "%a, %d %b %Y %H:%M:%S GMT"),
                 "Accept-Ranges": "bytes", **self.version_id(bucket, v)}
        shown.update((n, value) for n, value in v.headers.items()
                     if not n.startswith("x-amz-checksum-") or
                     headers.get("x-amz-checksum-mode", "") == "ENABLED")
        return Answer(200, v.data, shown)

    def head_object(self, *what):
        answer = self.get_object(*what)
        if answer.status != 200:
            answer.body = b""
        return answer

    def delete_object(self, bucket, key, query, headers, body):
        ident, match = query.get("versionId"), headers.get("if-match")
        v = self.find(bucket, key, ident)
        if match is not None and self.delete_if_match != "ignored":
            if ident is not None or self.delete_if_match == "refused":
                return error(501, "NotImplemented",
                             "A header you provided implies functionality "
                             "that is not implemented")
            if v is None or v.marker:
                return error(404, "NoSuchKey")
            if match not in ("*", v.etag, v.etag.strip('"')):
                return error(412, "PreconditionFailed")
        kept = self.buckets[bucket].get(key, [])
        if ident is not None:
            self.drop(kept, ident)
            return Answer(204, b"", {"x-amz-version-id": ident})
        if bucket in self.versioned | self.suspended:
            gone = Version(b"", time.time(), marker=True)
            self.add(bucket, key, gone)
            return Answer(204, b"", {"x-amz-delete-marker": "true",
                                     "x-amz-version-id": gone.id})
        kept.clear()
        return Answer(204)

    def delete_many(self, bucket, headers, body, each):
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        if "content-md5" not in headers:
            return error(400, "InvalidRequest", "Missing required header for "
                         "this request: Content-MD5")
        if headers["content-md5"] != md5:
            return error(400, "BadDigest")
        try:
            root = XML.fromstring(body)
            wanted = [(o.find("{*}Key").text.encode(),
                       o.findtext("{*}VersionId"))
                      for o in root.findall("{*}Object")]
        except (XML.ParseError, AttributeError):
            return error(400, "MalformedXML")
        if not 0 < len(wanted) <= 1000 or \
                root.tag not in ("Delete", "{%s}Delete" % NAMESPACE):
            return error(400, "MalformedXML")
        out = ['<DeleteResult xmlns="%s">' % NAMESPACE]
        for key, ident in wanted:
            out.append(self.delete_one(bucket, key, ident, each))
        return xml(200, "".join(out) + "</DeleteResult>")

    def delete_one(self, bucket, key, ident, each):
        """What the answer says of it."""
        def ask():
            return self.delete_object(
                bucket, key, {"versionId": ident} if ident else {}, {}, b"")

        given = each(key, ask) if each else ask()
        shown = "<Key>%s</Key>" % escape(key.decode())
        if given.silent:
            return ""
        if given.status < 300:
            return "<Deleted>%s</Deleted>" % shown
        return "<Error>%s<Code>%s</Code><Message>refused</Message></Error>" \
            % (shown, given.code)


def make_token(key):
    """Opaque, and with the letters that a careless client spoils."""
    return "1+/" + base64.b64encode(key[::-1]).decode() + "+=="


def untoken(token):
    if not token.startswith("1+/") or not token.endswith("+=="):
        return None
    return base64.b64decode(token[3:-3])[::-1]

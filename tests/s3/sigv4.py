"""sigv4 - AWS Signature Version 4, written from its rules for the tests: what
the product signs is verified by other code than its own.

AWS, "Create a signed AWS API request". S3 encodes a path once and leaves it
as it is; nothing else is served here but S3, and STS with the path "/".
"""

import calendar
import hashlib
import hmac
import re
import time
import urllib.parse

EMPTY = hashlib.sha256(b"").hexdigest()
LATE = 15 * 60


class Refused(Exception):
    """What a server answers: status, code, and words for a log."""

    def __init__(self, status, code, why):
        super().__init__("%d %s: %s" % (status, code, why))
        self.status, self.code, self.why = status, code, why


def encode(raw, keep=""):
    """All but A-Z a-z 0-9 - . _ ~ as %XX, and but the bytes of keep."""
    return urllib.parse.quote(raw, safe=keep)


def query_string(pairs):
    return "&".join("%s=%s" % pair for pair in sorted(
        (encode(k), encode(v)) for k, v in pairs))


def canonical(method, path, pairs, headers, payload):
    """headers: (name, value) of those that are signed; path: decoded."""
    merged = {}
    for name, value in headers:
        merged.setdefault(name.lower(), []).append(
            re.sub(" +", " ", value.strip()))
    names = sorted(merged)
    return "\n".join([
        method, encode(path, "/"), query_string(pairs),
        *("%s:%s" % (n, ",".join(merged[n])) for n in names), "",
        ";".join(names), payload])


def signature(secret, when, scope, text):
    """when: as in X-Amz-Date; scope: date/region/service/aws4_request."""
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", when, scope,
                      hashlib.sha256(text.encode()).hexdigest()])
    return hmac.digest(key, text.encode(), "sha256").hex()


def sign(method, path, pairs, headers, payload, keys, region,
         service="s3", now=None):
    """The headers and those of the signature; keys: (access, secret, token).
    Host must be among the headers."""
    access, secret, token = keys
    when = time.strftime("%Y%m%dT%H%M%SZ",
                         time.gmtime(time.time() if now is None else now))
    headers = list(headers) + [("x-amz-date", when),
                               ("x-amz-content-sha256", payload)]
    if token:
        headers.append(("x-amz-security-token", token))
    scope = "/".join([when[:8], region, service, "aws4_request"])
    text = canonical(method, path, pairs, headers, payload)
    names = ";".join(sorted({n.lower() for n, _ in headers}))
    return headers + [("Authorization", "AWS4-HMAC-SHA256 Credential=%s/%s, "
                       "SignedHeaders=%s, Signature=%s" % (
                           access, scope, names,
                           signature(secret, when, scope, text)))]


AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/, ]+)/([^, ]+), ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})\Z")


def split_target(target):
    """(path, pairs) as bytes, decoded once; what is ambiguous is refused."""
    path, _, query = target.partition("?")
    if "+" in query or "#" in target or not path.startswith("/"):
        raise Refused(400, "InvalidURI", "ambiguous target " + target)
    pairs = []
    for part in query.split("&") if query else []:
        name, _, value = part.partition("=")
        pairs.append((urllib.parse.unquote_to_bytes(name),
                      urllib.parse.unquote_to_bytes(value)))
    return urllib.parse.unquote_to_bytes(path), pairs


def single(headers, name):
    found = [v for n, v in headers if n.lower() == name]
    if len(found) > 1:
        raise Refused(400, "InvalidRequest", name + " is given twice")
    return found[0] if found else None


def verify_date(headers, scope, now):
    when = single(headers, "x-amz-date")
    if when is None or not re.fullmatch(r"\d{8}T\d{6}Z", when):
        raise Refused(403, "AccessDenied", "no X-Amz-Date")
    if scope.split("/")[0] != when[:8]:
        raise Refused(403, "SignatureDoesNotMatch", "date of the scope")
    seconds = calendar.timegm(time.strptime(when, "%Y%m%dT%H%M%SZ"))
    if abs(seconds - now) > LATE:
        raise Refused(403, "RequestTimeTooSkewed",
                      "%d seconds off" % (seconds - now))
    return when


def verify_payload(headers, body):
    payload = single(headers, "x-amz-content-sha256")
    if payload is None:
        raise Refused(400, "InvalidRequest", "no x-amz-content-sha256")
    if payload != "UNSIGNED-PAYLOAD" and \
            payload != hashlib.sha256(body).hexdigest():
        raise Refused(400, "XAmzContentSHA256Mismatch", payload)
    return payload


def verify(method, target, headers, body, accounts, region=None, now=None):
    """Raises Refused, or returns (path, pairs, access key). accounts: access
    key -> (secret, token or None); region: the only right one."""
    now = time.time() if now is None else now
    path, pairs = split_target(target)
    given = single(headers, "authorization")
    if given is None:
        raise Refused(403, "AccessDenied", "no signature")
    m = AUTHORIZATION.match(given)
    if not m:
        raise Refused(400, "AuthorizationHeaderMalformed", given)
    access, scope, names, found = m.groups()
    names = names.split(";")
    if access not in accounts:
        raise Refused(403, "InvalidAccessKeyId", access)
    secret, token = accounts[access]
    if not re.fullmatch(r"\d{8}/[^/]+/[^/]+/aws4_request", scope):
        raise Refused(400, "AuthorizationHeaderMalformed", scope)
    when = verify_date(headers, scope, now)
    payload = verify_payload(headers, body)
    if single(headers, "x-amz-security-token") != token:
        raise Refused(403, "InvalidToken", "the session token is another")
    for name in {n.lower() for n, _ in headers}:
        if (name == "host" or name.startswith("x-amz-")) and \
                name not in names:
            raise Refused(403, "AccessDenied", name + " is not signed")
    if names != sorted(set(names)) or "host" not in names:
        raise Refused(403, "AccessDenied", "SignedHeaders")
    signed = [(n, v) for n, v in headers if n.lower() in names]
    text = canonical(method, path, pairs, signed, payload)
    if not hmac.compare_digest(signature(secret, when, scope, text), found):
        raise Refused(403, "SignatureDoesNotMatch", text)
    if region is not None and scope.split("/")[1] != region:
        raise Refused(400, "AuthorizationHeaderMalformed",
                      "the region is wrong; expecting '%s'" % region)
    return path, pairs, access

"""What may go wrong with clock, region, credentials, redirects, and with what
others put into the environment."""

import http.server
import json
import os
import threading
import time

import scripted
from cases_list import clean_end
from place import ended, equal, says

OTHER = "OTHERKEY000000000001", "othersecret/othersecret/othersecret/oth"


def f19_redirect(p):
    """Redirects to another host: not followed, nothing is sent there"""
    keys = p.mails(2)
    for op in "list", "get":
        for status in 301, 302, 303, 307, 308:
            p.script({"op": op, "redirect": "trap", "status": status})
            yield from ended(p.sync(AWS_MAX_ATTEMPTS="1"), 69, 75, 77, 78)
    p.script({"op": "list", "redirect": "trap", "status": 301,
              "headers": {"x-amz-bucket-region": "eu-west-3"}})
    yield from ended(p.sync(AWS_MAX_ATTEMPTS="1"), 69, 75, 77, 78)
    yield from equal("visits", len(p.server.trapped), 0)
    yield from p.numbered()
    yield from p.left(*keys)


def f19_redirected_delete(p):
    """A DELETE that is redirected is no DELETE"""
    key = p.mail(0)
    p.script({"op": "delete", "key": key, "redirect": "trap", "status": 307})
    yield from ended(p.sync(AWS_MAX_ATTEMPTS="1"), 69, 75, 77, 78,
                     imported=1, deleted=0)
    yield from equal("visits", len(p.server.trapped), 0)
    yield from p.numbered(0)
    yield from p.left(key)


def f39_clock(p):
    """The clock of this machine is an hour wrong: corrected, told once"""
    p.mails(5)
    for skew in 3600, -3600:
        p.server.skew = skew
        p.forget()
        r = p.sync("--keep")
        yield from ended(r, 0)
        yield from says(r, "clock")
        refused = [e for e in p.server.requests() if "refused" in e]
        # Some may be under way when the first is refused.
        if not 1 <= len(refused) <= 16:
            yield "%d requests were refused" % len(refused)
    p.server.skew = 0
    yield from clean_end(p, 5)


def more_wrong_secret(p):
    """A wrong secret with the right clock: not tried again"""
    key = p.mail(0)
    r = p.sync(AWS_SECRET_ACCESS_KEY=OTHER[1])
    yield from ended(r, 77, 78, 75)
    yield from says(r, "SignatureDoesNotMatch")
    yield from equal("requests", len(p.server.requests()), 1)
    yield from p.left(key)


def more_unknown_key(p):
    """An unknown access key: named, not tried again"""
    p.mail(0)
    r = p.sync(AWS_ACCESS_KEY_ID=OTHER[0])
    yield from ended(r, 77, 78, 75)
    yield from says(r, "InvalidAccessKeyId")
    yield from equal("requests", len(p.server.requests()), 1)


def more_region(p):
    """Another region: learned from the refusal, and told"""
    p.mails(3)
    p.server.region = "eu-west-3"
    r = p.sync()
    yield from ended(r, 0, imported=3, deleted=3)
    yield from says(r, "eu-west-3")
    yield from p.numbered(0, 1, 2)


def more_no_bucket(p):
    """No such bucket: named"""
    r = p.sync(source="s3://missing/in/")
    yield from ended(r, 69, 75, 77, 78)
    yield from says(r, "missing", "NoSuchBucket")


def f61_token(p):
    """A session token goes along, a wrong one is named and not shown"""
    p.mails(2)
    token = "a+b/c==" * 20
    p.secrets += [token, token + "x"]
    p.server.accounts[scripted.ACCESS] = scripted.SECRET, token
    r = p.sync(AWS_SESSION_TOKEN=token + "x")
    yield from ended(r, 75, 77, 78)
    yield from says(r, "InvalidToken")
    yield from ended(p.sync(AWS_SESSION_TOKEN=token), 0, imported=2)
    yield from p.numbered(0, 1)


def key_file(p, mode, text=None):
    path = p.path + "/key"
    with open(path, "w") as f:
        f.write(text or "access_key_id = %s\nsecret_access_key = %s\n" % (
            scripted.ACCESS, scripted.SECRET))
    os.chmod(path, mode)
    p.give(path)
    return path


def with_shared_file(p, path, **more):
    return p.sync(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None,
                  AWS_SHARED_CREDENTIALS_FILE=path,
                  AWS_CONFIG_FILE="/nonexistent", **more)


def f61_open_file(p):
    """A credentials file that others may read is refused, with the remedy"""
    p.mail(0)
    text = "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n"
    text %= scripted.ACCESS, scripted.SECRET
    r = with_shared_file(p, key_file(p, 0o644, text))
    yield from ended(r, 77, 78)
    yield from says(r, "chmod", p.path + "/key")
    yield from equal("requests", len(p.server.requests()), 0)
    yield from ended(with_shared_file(p, key_file(p, 0o600, text)), 0,
                     imported=1)
    yield from p.numbered(0)


class Provider(http.server.BaseHTTPRequestHandler):
    """Credentials of a container, as answers says, one after the other; the
    last again and again."""

    def do_GET(self):
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.server.asked += 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *words):
        pass


def provider(*answers):
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    s.answers, s.asked = list(answers), 0
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s


def given(access, secret, token, seconds):
    return 200, json.dumps({
        "AccessKeyId": access, "SecretAccessKey": secret, "Token": token,
        "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(
            time.time() + seconds))}).encode()


def from_provider(p, *answers):
    """(the run, how often it asked)"""
    s = provider(*answers)
    try:
        r = p.sync(measured=True, AWS_ACCESS_KEY_ID=None,
                   AWS_SECRET_ACCESS_KEY=None, AWS_CONFIG_FILE="/nonexistent",
                   AWS_SHARED_CREDENTIALS_FILE="/nonexistent",
                   AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:%d/x"
                   % s.server_port)
    finally:
        s.shutdown()
        s.server_close()
    return r, s.asked


def f61_bad_provider(p):
    """A provider that answers HTML, 404, 10 MB, what has expired"""
    p.mail(0)
    expired = given(scripted.ACCESS, scripted.SECRET, "t", -60)
    for answer in ((200, b"<html>login</html>"), (404, b""), (500, b""),
                   (200, b"{" * 100000), (200, b" " * 10000000), expired,
                   (200, b'{"AccessKeyId": "x"}')):
        r, asked = from_provider(p, answer)
        yield from ended(r, 69, 75, 77, 78)
        if not r.err or asked == 0 or r.peak > 96 << 20:
            yield "%r: %s" % (answer[1][:20], r)
    yield from equal("requests", len(p.server.requests()), 0)


def f61_provider(p):
    """A provider that gives credentials with a token: asked once"""
    p.mails(2)
    p.secrets.append("new+token/==")
    p.server.accounts[scripted.ACCESS] = scripted.SECRET, "new+token/=="
    r, asked = from_provider(p, given(scripted.ACCESS, scripted.SECRET,
                                      "new+token/==", 7200))
    yield from ended(r, 0, imported=2)
    yield from equal("questions", asked, 1)
    yield from p.numbered(0, 1)


def f61_renewed(p):
    """A token that is refused as expired: one renewal, and on it goes"""
    p.secrets += ["old+token/==", "new+token/=="]
    p.server.accounts[scripted.ACCESS] = scripted.SECRET, "new+token/=="
    old, new = (given(scripted.ACCESS, scripted.SECRET, token, 7200)
                for token in ("old+token/==", "new+token/=="))
    for n, code in enumerate(("ExpiredToken", "InvalidToken")):
        p.mail(n)
        p.server.token_error = code
        r, asked = from_provider(p, old, new)
        yield from ended(r, 0, imported=1)
        yield from equal("questions", asked, 2)
    yield from p.numbered(0, 1)
    r, asked = from_provider(p, old)
    yield from ended(r, 75, 77, 78)
    yield from says(r, "InvalidToken")
    if asked > 2:
        yield "asked %d times" % asked


def f62_environment(p):
    """Proxies, key logs, homes and directories of a caller are ignored"""
    p.mails(2)
    for folder in "home", "home/.aws", "tmp":
        os.mkdir(p.path + "/" + folder)
        p.give(p.path + "/" + folder)
    with open(p.path + "/home/.aws/credentials", "w") as f:
        f.write("[default]\naws_access_key_id = %s\n"
                "aws_secret_access_key = %s\n" % OTHER)
    os.chmod(f.name, 0o600)
    p.give(f.name)
    trap = p.server.trap
    r = p.sync(http_proxy=trap, HTTP_PROXY=trap, https_proxy=trap,
               all_proxy=trap, ALL_PROXY=trap, HOME=p.path + "/home",
               TMPDIR=p.path + "/tmp", CURL_HOME=p.path + "/home",
               SSLKEYLOGFILE=p.path + "/keys", CURL_CA_BUNDLE="/nonexistent",
               OPENSSL_CONF=p.path + "/home/openssl.cnf",
               NETRC=p.path + "/home/.netrc")
    yield from ended(r, 0, imported=2, deleted=2)
    yield from equal("visits", len(p.server.trapped), 0)
    yield from equal("tmp", os.listdir(p.path + "/tmp"), [])
    if os.path.exists(p.path + "/keys"):
        yield "the keys were logged"
    r = p.sync(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None,
               HOME=p.path + "/home")
    if any(OTHER[0] in str(e["headers"]) for e in p.server.requests()):
        yield "the credentials below $HOME were taken"

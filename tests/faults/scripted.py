#!/usr/bin/python3
"""scripted - an S3 server on loopback that does wrong what a script says.

	scripted.py DIR [--tls]		until it is ended

writes DIR/env as tests/s3/rgw.sh does, with S3_CONTROL, an URL to which a
script (POST /script) and settings (POST /settings) can be sent, and which
tells what arrived (GET /log, one JSON object a line; GET /trap). script.py
says what a script is. Python tests use class Server in their own process.

Signatures are verified by tests/s3/sigv4.py. The trap is a listener that
nobody should ever come to: redirects lead there.
"""

import http.server
import itertools
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + "/../s3"]

import script                                               # noqa: E402
import sigv4                                                # noqa: E402
import store                                                # noqa: E402

ACCESS = "FALLBACKMXTESTKEY001"
SECRET = "kp9Xb+0Yd/3mVQ7wTnR5sEJc2LhGuA8fzBiqDoW4"
REASONS = {200: "OK", 204: "No Content", 301: "Moved Permanently",
           400: "Bad Request", 403: "Forbidden", 404: "Not Found",
           412: "Precondition Failed", 500: "Internal Server Error",
           501: "Not Implemented", 503: "Slow Down"}


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target = method, target
        self.headers, self.body = headers, body
        self.bucket, self.key, self.query = "", b"", {}

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name), "")

    def locate(self, path, pairs):
        """Bucket and key, by path or by host."""
        host = self.header("host").rsplit(":", 1)[0]
        path = path[1:]
        if host.endswith(".s3.localhost"):
            self.bucket, self.key = host[:-13], path
        else:
            bucket, _, self.key = path.partition(b"/")
            self.bucket = bucket.decode("utf-8", "replace")
        self.query = {n.decode(): v.decode("utf-8", "surrogateescape")
                      for n, v in pairs}

    def op(self):
        """The word of the scripts for it."""
        method = self.method.lower()
        if self.key:
            return method
        if method == "post" and "delete" in self.query:
            return "delete-many"
        for name in "versioning", "location", "object-lock", "versions":
            if name in self.query:
                return name
        return {"get": "list"}.get(method, method + "-bucket")


def read_request(f):
    """None when the client has said all."""
    line = f.readline(65536)
    if not line:
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers = []
    for line in iter(lambda: f.readline(65536), b"\r\n"):
        if not line:
            return None
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip()))
    r = Request(method, target, headers, b"")
    if r.header("expect"):
        f.raw_socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    r.body = f.read(int(r.header("content-length") or 0))
    return r


class Server:
    """Settings may be changed at any time: skew (seconds that its clock goes
    wrong), region (the only right one), accounts, clock. store is the content,
    log the requests so far, trapped what came to the trap."""

    def __init__(self, rules=(), tls=None):
        self.store, self.script = store.Store(), script.Script(rules)
        self.accounts = {ACCESS: (SECRET, None)}
        self.skew, self.region = 0, None
        self.token_error = "InvalidToken"
        self.log, self.trapped = [], []
        self.lock = threading.Lock()
        self.open, self.numbers = set(), itertools.count(1)
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(tls + "/tls.crt", tls + "/tls.key")
        self.port = self.listen(self.serve)
        self.trap = "http://127.0.0.1:%d" % self.listen(self.catch)
        self.endpoint = "%s://127.0.0.1:%d" % (
            "https" if tls else "http", self.port)

    def listen(self, handler):
        s = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.open.add(s)
        threading.Thread(target=self.accept, args=(s, handler),
                         daemon=True).start()
        return s.getsockname()[1]

    def accept(self, listener, handler):
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.run, args=(s, handler),
                             daemon=True).start()

    def run(self, s, handler):
        self.open.add(s)
        try:
            handler(s)
        except (OSError, ValueError):
            pass        # a client that went away, or speaks no HTTP
        finally:
            self.open.discard(s)
            s.close()

    def stop(self):
        for s in list(self.open):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def catch(self, s):
        entry = bytearray()
        self.trapped.append(entry)
        s.settimeout(5)
        for data in iter(lambda: s.recv(65536), b""):
            entry += data
            if b"\r\n\r\n" in entry:
                s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def requests(self, op=None, key=None):
        """The log's entries of this kind."""
        with self.lock:
            return [e for e in self.log if op in (None, e["op"]) and
                    script.fits(key, e["key"].encode("latin-1"))]

    # --- one connection --------------------------------------------------

    def serve(self, s):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            s = self.tls.wrap_socket(s, server_side=True)
            self.open.add(s)
        number = next(self.numbers)
        with s, s.makefile("rb") as f:
            f.raw_socket = s
            for request in iter(lambda: read_request(f), None):
                entry = {"connection": number, "time": time.monotonic(),
                         "method": request.method, "target": request.target,
                         "headers": request.headers, "op": "?", "bucket": "",
                         "key": "", "sent": 0}
                answer = self.judge(request, entry)
                with self.lock:
                    self.log.append(entry)
                if not self.send(s, request.method, answer, entry):
                    return

    def judge(self, request, entry):
        try:
            answer = self.answer(request, entry)
        except sigv4.Refused as e:
            if e.code == "InvalidToken":
                e = sigv4.Refused(e.status, self.token_error, e.why)
            entry["refused"] = str(e)
            answer = store.error(
                e.status, e.code, e.why[:200],
                "<Region>%s</Region>" % self.region if
                e.code == "AuthorizationHeaderMalformed" else "")
        entry["status"] = answer.status
        return answer

    def answer(self, request, entry):
        path, pairs, _ = sigv4.verify(
            request.method, request.target, request.headers, request.body,
            self.accounts, self.region, time.time() + self.skew)
        request.locate(path, pairs)
        entry.update(op=request.op(), bucket=request.bucket,
                     key=request.key.decode("latin-1"))

        def ask():
            return self.store.answer(
                request.method, request.bucket, request.key, request.query,
                {n.lower(): v for n, v in request.headers}, request.body,
                each)

        def each(key, ask_one):
            one = {**entry, "op": "delete", "key": key.decode("latin-1")}
            answer = self.scripted("delete-key", request.bucket, key, ask_one)
            one["status"] = answer.status
            with self.lock:
                self.log.append(one)
            return answer

        return self.scripted(request.op(), request.bucket, request.key, ask)

    def scripted(self, op, bucket, key, ask):
        """What the rules make of the answer."""
        found = self.script.matching(op, key)
        for rule in found:
            if "replace" in rule:
                self.store.put(bucket, rule.get("at", key), **rule["replace"])
            if "gone" in rule:
                self.store.remove(bucket, rule["gone"])
        answer = script.answer(found[0], ask, self.trap) if found else ask()
        for rule in found:
            if "put" in rule:
                self.store.put(bucket, rule.get("at", key), **rule["put"])
        for rule in found[1:]:
            script.alter(answer, rule)
        return answer

    def send(self, s, method, answer, entry):
        """False: the connection is no more."""
        if answer.cut == -1:
            return hang_up(s, answer.reset)
        body = answer.body
        bare = method == "HEAD" or answer.status in (204, 304)
        lines = ["HTTP/1.1 %d %s" % (answer.status, REASONS.get(
            answer.status, "Whatever"))]
        headers = {"Date": store.stamp(time.time() + self.skew,
                                       "%a, %d %b %Y %H:%M:%S GMT"),
                   "Server": "scripted", **answer.headers}
        framing = "close" if answer.endless else answer.framing
        if framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
            body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in
                            pieces(body, 1000)) + b"0\r\n\r\n"
        elif framing == "close":
            headers["Connection"] = "close"
        elif answer.status not in (204, 304):
            headers["Content-Length"] = len(body) \
                if answer.length is None else answer.length
        lines += ["%s: %s" % h for h in headers.items()]
        head = "\r\n".join(lines + ["", ""]).encode("latin-1")
        if bare:
            s.sendall(head)
        elif answer.endless:
            s.sendall(head)
            for piece in answer.endless:
                s.sendall(piece)
                entry["sent"] += len(piece)
        else:
            self.send_body(s, head, body[:answer.cut], answer, entry)
        if answer.cut is not None:
            return hang_up(s, answer.reset)
        return framing != "close"

    @staticmethod
    def send_body(s, head, body, answer, entry):
        if answer.stall:
            at, seconds = answer.stall
            s.sendall(head + body[:at])
            pause(s, seconds)
            head, body = b"", body[at:]
        if answer.trickle:
            s.sendall(head)
            for piece in pieces(body, 1):
                s.sendall(piece)
                entry["sent"] += 1
                pause(s, answer.trickle)
        else:
            s.sendall(head + body)
            entry["sent"] += len(body)


def pieces(data, size):
    return (data[i:i + size] for i in range(0, len(data), size))


def pause(s, seconds):
    """Ends early, with an error, when the client has gone."""
    s.settimeout(seconds)
    try:
        if s.recv(1, 0 if isinstance(s, ssl.SSLSocket)
                  else socket.MSG_PEEK) == b"":
            raise ConnectionError
    except socket.timeout:
        pass
    s.settimeout(None)


def hang_up(s, reset):
    if reset:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
    return False


# --- by itself -----------------------------------------------------------

class Control(http.server.BaseHTTPRequestHandler):
    scripted = None

    def say(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self):
        said = json.loads(self.rfile.read(int(
            self.headers.get("Content-Length", 0))))
        if self.path == "/script":
            self.scripted.script.set(said)
        else:
            for name, value in said.items():
                owner = self.scripted if hasattr(self.scripted, name) \
                    else self.scripted.store
                setattr(owner, name, value)
        self.say("")

    def do_GET(self):
        if self.path == "/trap":
            self.say("%d\n" % len(self.scripted.trapped))
        else:
            self.say("".join(json.dumps(e) + "\n"
                             for e in self.scripted.requests()))

    def log_message(self, *words):
        pass


def main(where, *options):
    os.makedirs(where, exist_ok=True)
    tls = None
    if "--tls" in options:
        tls = where
        subprocess.run([HERE + "/../s3/ca.sh", where], check=True,
                       capture_output=True)
    server = Server(tls=tls)
    server.store.make("mail")
    Control.scripted = server
    control = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Control)
    with open(where + "/env.new", "w") as f:
        f.write("S3_ENDPOINT=%s\nS3_REGION=us-east-1\nS3_ACCESS_KEY=%s\n"
                "S3_SECRET_KEY=%s\nS3_CONTROL=http://127.0.0.1:%d\n" % (
                    server.endpoint, ACCESS, SECRET, control.server_port))
        if tls:
            f.write("S3_TLS_ENDPOINT=%s\nS3_CA=%s/ca.crt\n" % (
                server.endpoint, os.path.abspath(where)))
    os.rename(where + "/env.new", where + "/env")
    control.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])

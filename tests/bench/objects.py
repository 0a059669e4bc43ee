"""objects - mail as SES stores it: sizes, heads and bodies as in real life.

Sizes are log-normal around 8 KB; one in 200 is between 1 and 10 MB. The same
seed makes the same objects.
"""

import base64
import math
import os
import random
import time

LETTERS = "0123456789abcdefghijklmnopqrstuv"
START = 1760000000


class Maker:
    def __init__(self, seed=2):
        self.r = random.Random(seed)
        sounds = ["ba", "ter", "li", "on", "sch", "ve", "mar", "ik", "ton",
                  "da", "e", "ra", "gu", "st", "wen", "ol"]
        self.words = ["".join(self.r.choices(sounds, k=self.r.randint(1, 4)))
                      for _ in range(3000)]
        lines = [" ".join(self.r.choices(self.words, k=11))
                 for _ in range(20000)]
        self.text = "\r\n".join(lines).encode()
        wire = base64.encodebytes(self.r.randbytes(8 << 20))
        self.attachment = wire.replace(b"\n", b"\r\n")

    def size(self):
        if self.r.random() < 0.005:
            return int(math.exp(self.r.uniform(math.log(1e6), math.log(1e7))))
        return max(1500, int(self.r.lognormvariate(math.log(8192), 1.1)))

    def person(self):
        name = "%s.%s" % tuple(self.r.choices(self.words, k=2))
        return "%s@%s.example" % (name, self.r.choice(self.words))

    def piece(self, pool, size):
        at = self.r.randrange(max(1, len(pool) - size))
        at = pool.find(b"\r\n", at) + 2
        return pool[at:at + size]

    def token(self, size):
        return base64.b64encode(self.r.randbytes(size)).decode()

    def head(self, i, name, rcpt):
        sender, when = self.person(), time.gmtime(START + 37 * i)
        host = "mx." + sender.split("@")[1]
        ip = "192.0.2.%d" % self.r.randint(1, 254)
        day = time.strftime("%a, %d %b %Y %H:%M:%S +0000", when)
        return [
            "Return-Path: <%s>" % sender,
            "Received: from %s (%s [%s])" % (host, host, ip),
            " by inbound-smtp.us-east-1.amazonaws.com with SMTP id " + name,
            " for %s;" % rcpt, " %s (UTC)" % day,
            "X-SES-Spam-Verdict: PASS", "X-SES-Virus-Verdict: PASS",
            "Received-SPF: pass (spfCheck: domain of %s designates %s as "
            "permitted sender) client-ip=%s; envelope-from=%s;"
            % (host, ip, ip, sender),
            "Authentication-Results: amazonses.com;",
            " spf=pass (spfCheck: domain of %s) client-ip=%s;" % (host, ip),
            " dkim=pass header.i=@%s;" % host,
            "X-SES-RECEIPT: " + self.token(180),
            "X-SES-DKIM-SIGNATURE: a=rsa-sha256; q=dns/txt; "
            "b=%s; c=relaxed/simple; s=ses; d=amazonses.com; t=%d; v=1;"
            % (self.token(128), START + 37 * i),
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s;"
            % host, " s=s1; h=from:to:subject:date:message-id;",
            " bh=%s; b=%s" % (self.token(32), self.token(256)),
            "From: %s <%s>" % (sender.split("@")[0], sender),
            "To: <%s>" % rcpt,
            "Subject: " + " ".join(self.r.choices(self.words, k=5)),
            "Date: " + day, "Message-ID: <%s@%s>" % (name[:24], host),
            "MIME-Version: 1.0"]

    def mail(self, i):
        """(name of the object, its bytes)"""
        name = "".join(self.r.choices(LETTERS, k=40))
        head = self.head(i, name, self.person())
        left = max(200, self.size() - sum(len(h) + 2 for h in head) - 200)
        if left < 20000 or self.r.random() < 0.2 and left < 1000000:
            head += ["Content-Type: text/plain; charset=utf-8", "", ""]
            body = self.piece(self.text, left)
        else:
            mark = "b%016x" % self.r.getrandbits(64)
            head += ["Content-Type: multipart/mixed; boundary=" + mark, "",
                     "--" + mark, "Content-Type: text/plain", "", ""]
            part = ("\r\n--%s\r\nContent-Type: application/pdf\r\n"
                    "Content-Transfer-Encoding: base64\r\n\r\n" % mark)
            body = (self.piece(self.text, 1500) + part.encode() +
                    self.piece(self.attachment, left - 1500) +
                    ("\r\n--%s--\r\n" % mark).encode())
        return name, "\r\n".join(head).encode() + body


def make(path, n):
    """Fills the directory; returns the sum of all sizes."""
    maker, total = Maker(), 0
    for i in range(n):
        name, data = maker.mail(i)
        total += len(data)
        with open(os.path.join(path, name), "wb") as f:
            f.write(data)
        os.utime(f.name, (START + 37 * i, START + 37 * i))
    return total

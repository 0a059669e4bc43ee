#!/usr/bin/python3
"""postfix-conf as it stands: its main.cf, master.cf, opendkim.conf and
opendmarc.conf run, with a chroot, with no more changes than ports and places.
As root; needs Postfix, OpenDKIM, OpenDMARC, and Cyrus SASL's plugins."""

import glob
import os
import pwd
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

import openers                                              # noqa: E402
import packet                                               # noqa: E402
from authres import BODY, PLAIN, RESULT, fields, verdict_rules  # noqa: E402
from filter import CLIENT, Filter                           # noqa: E402
from smtp import crlf                                       # noqa: E402
from stage import (Place, certificate, check, differs, done, need, rule,
                   skip, text, wait_for)                    # noqa: E402
from postfix import Postfix                                 # noqa: E402

ID = 'mx.example.org'
# Listener of master.cf -> our name for its port.
LISTENERS = {'smtp': 'mx', 'submission': 'submission', '465': 'submissions',
             '127.0.0.1:10025': 'reinject'}


def piece(name):
    return rule.text('postfix-conf/' + name)


class Pieces(Postfix):
    """main.cf and master.cf behind what a private Postfix needs."""

    def __init__(self, place):
        super().__init__(place, listeners={n: {} for n in LISTENERS.values()})

    def _configure(self):
        super()._configure()
        tls = certificate(self.place)
        main = piece('main.cf')
        main = re.sub(r'(?<=smtpd_tls_chain_files =)\n.*\n.*\n',
                      '\n    %s.key,\n    %s.crt\n' % (tls, tls), main)
        main = main.replace('/etc/postfix/', self.dir + '/conf/')
        master = piece('master.cf')
        for listener, name in LISTENERS.items():
            host = listener.rpartition(':')[0]
            master, n = re.subn(
                r'^%s +inet' % re.escape(listener), '%s%d inet' % (
                    host and host + ':', self.ports[name]), master,
                flags=re.M)
            assert n == 1, listener
        path = self.dir + '/conf/'
        with open(path + 'master.cf') as f:
            services = re.sub(r'^127\.0\.0\.1:\d+ inet.*\n', '', f.read(),
                              flags=re.M)
        with open(path + 'master.cf', 'w') as f:
            f.write(services + master)
        # Each name once, or Postfix complains.
        taken = re.findall(r'^(\w+) =', main, re.M)
        taken += ['smtpd_tls_cert_file', 'smtpd_tls_key_file']
        with open(path + 'main.cf') as f:
            kept = [line for line in f if line.split(' ')[0] not in taken]
        with open(path + 'main.cf', 'w') as f:
            f.write(''.join(kept) + main)
        for name in ('sasl_passwd', 'tls_policy', 'sender_relay'):
            shutil.copy(os.path.join(rule.SRC, 'postfix-conf', name), path)
        for name in ('main.cf', 'master.cf'):
            os.utime(path + name, (os.stat(path + name).st_mtime - 60,) * 2)


def socket_folder(postfix, owner):
    """As README.md says: install -d -o OWNER -g postfix -m 2750."""
    path = '%s/queue/%s' % (postfix, owner.replace('nobody', 'fallbackmx'))
    os.makedirs(path)
    os.chown(path, pwd.getpwnam(owner).pw_uid,
             pwd.getpwnam('postfix').pw_gid)
    os.chmod(path, 0o2750)
    return path


class Beside(Filter):
    """The milter with its socket below the queue directory."""

    def configure(self, **settings):
        self.path = self.place.path('postfix/queue/fallbackmx/milter.sock')
        self.socket = 'unix:' + self.path
        super().configure(**settings)


def start(place, name, words, more):
    """OpenDKIM or OpenDMARC with its piece."""
    folder = socket_folder(place.path('postfix'), name)
    conf = piece(name + '.conf').replace(
        '/var/spool/postfix', place.path('postfix/queue')).replace(
        '/run/%s/' % name, folder + '/')
    conf = re.sub(r'^Syslog\s.*\n', '', conf, flags=re.M)
    file = place.put(name + '.conf', conf + more)
    place.start([*words, file], place.path(name + '.log'))
    socket = '%s/%s.sock' % (folder, name)
    if not wait_for(lambda: packet.listens(socket)):
        raise RuntimeError('%s: %s' % (name, text(place.path(name + '.log'))))
    return socket


def send(scene, listener, mail):
    """(the milter's lines, the header as delivered)"""
    postfix, milter = scene
    milter.messages()
    postfix.forget()
    with postfix.client(listener) as c:
        c.sure('EHLO localhost')
        if listener == 'mx':
            c.sure('XCLIENT ADDR=192.0.2.1 NAME=client.example.net')
            c.sure('EHLO client.example.net')
        said = c.mail(crlf(mail))[1]
        c.quit()
    if said[0] != 250:
        raise AssertionError('%s: %d %s' % (listener, *said))
    wait_for(postfix.mails)
    lines = milter.messages()
    return lines, fields(postfix.mails()[0].partition(b'\n\n')[0])


def matched(line):
    return [r['name'] for r in line['verdict']['recipients'][0]['rules']
            if r['matched']]


def of_name(found, name):
    return [v for n, v in found if n.lower() == name.lower()]


def believed(scene, place):
    signed = openers.sign(place, crlf((PLAIN + BODY).encode()),
                          ['from', 'to', 'subject', 'date'])
    lines, found = send(scene, 'mx', signed)
    rules = matched(lines[-1])
    for wanted in ('DKIM-PASS', 'DMARC-REJECT'):
        if wanted not in rules:
            yield 'no %s: %s' % (wanted, rules)
    results = of_name(found, 'Authentication-Results')
    if len(results) < 2 or not all(
            r.startswith('%s/%s' % (ID, lines[-1]['message_id']))
            for r in results):
        yield 'results: %s' % results
    if found[:1] and not of_name(found, 'X-FallbackMX'):
        yield 'no tag: %s' % found


def forged(scene):
    mail = 'Authentication-Results: %s; %s\n%s%s' % (ID, RESULT, PLAIN, BODY)
    lines, found = send(scene, 'mx', mail.encode())
    rules = matched(lines[-1])
    if 'DKIM-PASS' in rules:
        yield 'believed: %s' % rules
    left = [v for v in of_name(found, 'Authentication-Results')
            if 'dkim=pass' in v]
    if left:
        yield 'it stays: %s' % left


def reinjected(scene):
    lines, found = send(scene, 'reinject', (PLAIN + BODY).encode())
    if lines or of_name(found, 'X-FallbackMX'):
        yield 'the milter was asked: %s' % lines


def closed_to_strangers(postfix):
    with postfix.client('submission') as c:
        c.sure('EHLO localhost')
        yield from differs('MAIL without TLS', c.say('MAIL FROM:<a@b.example>'
                                                     )[0], 530)
    with postfix.client('submissions', wrapped='TLSv1.3') as c:
        c.sure('EHLO localhost')
        c.say('MAIL FROM:<a@b.example>')
        yield from differs('RCPT without a login', c.say(
            'RCPT TO:<c@d.example>')[0], 554)


def checked(postfix, milter):
    r = subprocess.run([CLIENT, 'check', '--config', milter.file,
                        '--postfix-config', postfix.dir + '/conf'],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, timeout=180)
    wrong = [line for line in r.stdout.decode().splitlines()
             if not line.startswith('ok: ')]
    if r.returncode != 0 or wrong:
        yield r.stdout.decode()


def need_logins():
    """Without one smtpd ends at once where users log in."""
    if not any(glob.glob(p + '/sasl2/libplain.so*')
               for p in ('/usr/lib*', '/usr/lib/*')):
        skip('pieces.py', 'needs the plugins of Cyrus SASL')
        done()


def main():
    need('opendkim', 'opendmarc', 'openssl')
    need_logins()
    with Place() as place:
        record = openers.key(place)[1]
        keys = place.put('keys', '%s._domainkey.%s %s\n' % (
            openers.SELECTOR, openers.DOMAIN, record))
        records = place.put('records', '_dmarc.%s v=DMARC1; p=reject\n'
                            '%s v=spf1 -all\n' % ((openers.DOMAIN,) * 2))
        postfix = Pieces(place)
        socket_folder(place.path('postfix'), 'nobody')
        start(place, 'opendkim', ['opendkim', '-f', '-x'],
              'TestPublicKeys %s\nSyslog no\nDomain %s\nSelector x\n'
              'KeyFile %s\nRequireSafeKeys no\n' % (
                  keys, ID, openers.key(place)[0]))
        start(place, 'opendmarc', ['opendmarc', '-f', '-c'],
              'TestDNSData %s\nSyslog false\n' % records)
        milter = Beside(place, files={'verdicts.json': verdict_rules()},
                        authserv_id=ID, authserv_job=True,
                        ingress_points=[{'name': 'inbound', 'rule_set':
                                         place.path('filter/verdicts.json')}])
        scene = postfix, milter
        check('results of OpenDKIM and OpenDMARC are believed',
              believed(scene, place))
        check('forged ones are not, and do not stay', forged(scene))
        check('mail back from a filter is not asked about', reinjected(scene))
        check('ports of users want TLS and a login',
              closed_to_strangers(postfix))
        check('fallbackmx check has nothing to say', checked(postfix, milter))
        check('nor has Postfix', postfix.complaints())
    done()


main()

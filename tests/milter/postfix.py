"""postfix - a private Postfix on high ports of the loopback interface.

Its configuration, queue and mailbox lie in the test's directory. What it takes
goes into one Maildir, whoever it is for (Delivered-To tells), or where
"transport_maps" sends it. Nothing leaves the machine: no DNS, no other host.
"""

import os
import pwd
import re
import subprocess

from stage import (NOBODY, answers, certificate, kill_group, ports, text,
                   wait_for)
from smtp import Client

QUEUES = ('incoming', 'active', 'deferred', 'maildrop')
FOLDERS = (*QUEUES, 'bounce', 'corrupt', 'defer', 'flush', 'hold', 'pid',
           'private', 'public', 'saved', 'trace')
MAIN = {
    'compatibility_level': '3.6',
    'mail_owner': 'postfix',
    'setgid_group': 'postdrop',
    'maillog_file_prefixes': '/',
    'myhostname': 'mx.example.com',
    'mydestination': '',
    'mynetworks': '127.0.0.0/8',
    'inet_interfaces': '127.0.0.1',
    'inet_protocols': 'all',
    'alias_maps': '',
    'local_recipient_maps': '',
    'local_header_rewrite_clients': '',
    'allow_min_user': 'yes',
    'smtp_dns_support_level': 'disabled',
    'smtpd_peername_lookup': 'no',
    'smtpd_relay_restrictions': 'check_client_access static:ok, reject',
    'smtpd_authorized_xclient_hosts': '127.0.0.0/8',
    # The whole address is asked for first, and static: knows every one.
    'transport_maps': 'inline:{alice@null.example=discard:}, static:virtual:',
    'virtual_mailbox_maps': 'static:all/',
    'virtual_mailbox_limit': '0',
    'message_size_limit': '100000000',
    'notify_classes': '',
    'in_flow_delay': '0',
    'default_process_limit': '200',
    'smtpd_client_event_limit_exceptions': 'static:all',
    'smtpd_error_sleep_time': '0',
    'smtpd_soft_error_limit': '10000',
    'smtpd_hard_error_limit': '10000',
    'smtpd_junk_command_limit': '10000',
    'smtpd_recipient_overshoot_limit': '100000',
    # From 3.9 on it would hang up on a NOOP that is not the last of a group.
    'smtpd_forbid_unauth_pipelining': 'no',
    'smtpd_tls_security_level': 'may',
    # What Debian's OpenSSL no longer speaks by itself: a test does.
    'smtpd_tls_protocols': '>=TLSv1',
    'smtpd_tls_ciphers': 'low',
    'tls_low_cipherlist': 'ALL:@SECLEVEL=0',
    # A milter that is started again, or stands still, has its time.
    'milter_connect_timeout': '120s',
    'milter_command_timeout': '120s',
    'milter_default_action': 'tempfail',
}
SERVICES = '''
postlog   unix-dgram n - n - 1 postlogd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
'''


def default(name):
    return subprocess.run(['postconf', '-dh', name], check=True, text=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout.strip()


class Postfix:
    """listeners: {name: {smtpd parameter: value}}; "mx" is always there.
    Ports are in .ports by name. services: more lines of master.cf."""

    def __init__(self, place, name='postfix', listeners=None, services='',
                 **main):
        self.place, self.name = place, name
        self.daemons = default('daemon_directory')
        self.listeners = {'mx': {}, **(listeners or {})}
        self.main, self.services = {**MAIN, **main}, services
        self.dir = place.folder(name)
        self.maildir = place.path(name, 'mail', 'all')
        self.log = place.path(name, 'log')
        self._folders()
        for _ in range(3):
            self.ports = dict(zip(self.listeners,
                                  ports(len(self.listeners))))
            self._configure()
            if self._start():
                return
        raise RuntimeError('Postfix does not start: ' + text(self.log)[-2000:])

    def _folders(self):
        postfix = pwd.getpwnam('postfix')
        nobody = pwd.getpwnam(NOBODY)
        drop = os.stat('/usr/sbin/postdrop').st_gid
        for n in ('conf', 'queue', 'mail', 'data'):
            os.mkdir(os.path.join(self.dir, n))
        os.chown(os.path.join(self.dir, 'data'), postfix.pw_uid, -1)
        os.chown(os.path.join(self.dir, 'mail'), nobody.pw_uid,
                 nobody.pw_gid)
        for n in FOLDERS:
            path = os.path.join(self.dir, 'queue', n)
            os.mkdir(path)
            if n == 'pid':
                continue
            os.chown(path, postfix.pw_uid, -1)
            os.chmod(path, 0o700)
        for n, mode in ('maildrop', 0o730), ('public', 0o710):
            path = os.path.join(self.dir, 'queue', n)
            os.chown(path, -1, drop)
            os.chmod(path, mode)

    def _configure(self):
        nobody = pwd.getpwnam(NOBODY)
        tls = certificate(self.place)
        main = {'queue_directory': self.dir + '/queue',
                'data_directory': self.dir + '/data',
                'maillog_file': self.log,
                'virtual_mailbox_base': self.dir + '/mail',
                'virtual_uid_maps': 'static:%d' % nobody.pw_uid,
                'virtual_gid_maps': 'static:%d' % nobody.pw_gid,
                'smtpd_tls_cert_file': tls + '.crt',
                'smtpd_tls_key_file': tls + '.key', **self.main}
        master = SERVICES + self.services
        for name, options in self.listeners.items():
            master += '127.0.0.1:%d inet n - n - - smtpd\n' % self.ports[name]
            for k, v in options.items():
                master += '    -o { %s = %s }\n' % (k, v)
        for name, content in (
                ('main.cf', ''.join('%s = %s\n' % p for p in main.items())),
                ('master.cf', master)):
            path = self.place.put(self.name + '/conf/' + name, content)
            # Postfix waits for a file that was written just now.
            os.utime(path, (os.stat(path).st_mtime - 60,) * 2)

    def _start(self):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(('MAIL_', 'POSTLOG', 'DAEMON'))}
        self.master = self.place.start(
            [self.daemons + '/master', '-c', self.dir + '/conf', '-s'],
            self.dir + '/start', env=environment)
        wait_for(lambda: self.master.poll() is not None or
                 all(map(answers, self.ports.values())))
        if self.master.poll() is None and all(
                map(answers, self.ports.values())):
            return True
        self.stop()
        return False

    def stop(self):
        """Its children are of its process group."""
        self.place.stop(self.master)
        kill_group(self.master.pid)

    def client(self, listener='mx', **how):
        return Client(self.ports[listener], **how)

    def queued(self, *queues):
        """How many messages lie in these queues, normally all but hold."""
        return sum(len(files) for q in queues or QUEUES for _, _, files in
                   os.walk(os.path.join(self.dir, 'queue', q)))

    def idle(self, seconds=120):
        """Waits until all is delivered."""
        return wait_for(lambda: self.queued('incoming', 'active',
                                            'maildrop') == 0, seconds, 0.02)

    def mails(self):
        """What was delivered, as bytes."""
        new = os.path.join(self.maildir, 'new')
        if not os.path.isdir(new):
            return []
        found = []
        for n in sorted(os.listdir(new)):
            with open(os.path.join(new, n), 'rb') as f:
                found.append(f.read())
        return found

    def forget(self):
        """Empties the mailbox."""
        new = os.path.join(self.maildir, 'new')
        if os.path.isdir(new):
            for n in os.listdir(new):
                os.unlink(os.path.join(new, n))

    def held(self):
        return self.queued('hold')

    def logged(self):
        return text(self.log)

    def complaints(self):
        """From Linux 6.13 on a file's time may be finer than time(2) and
        ahead of it at the turn of a second; Postfix says so, in two lines,
        and it concerns nobody here."""
        return [line for line in self.logged().splitlines()
                if re.search(r'(fatal|panic|error|warning): ', line) and
                not re.search(r'warning: (file system clock is 1 seconds '
                              r'ahead of|resetting file time stamps)', line)]

"""sasl - Dovecot as the one who knows passwords, for Postfix: any user, the
password "pass"."""

import os
import socket

from stage import rule, wait_for

CONFIGURATION = '''
base_dir = %(dir)s/run
state_dir = %(dir)s/state
log_path = %(dir)s/log
protocols =
ssl = no
listen = 127.0.0.1
service anvil {
  chroot =
}
service auth {
  unix_listener %(dir)s/socket {
    mode = 0666
  }
}
'''
OLD = '''
disable_plaintext_auth = no
auth_username_format = %u
passdb {
  driver = static
  args = password=pass
}
'''
NEW = '''
auth_allow_cleartext = yes
auth_username_format = %{user}
passdb static {
  password = pass
}
'''


def answers(path):
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            return True
        except OSError:
            return False


class Dovecot:
    """Listens on .socket until its place goes."""

    def __init__(self, place):
        self.dir = place.folder('dovecot')
        self.socket = self.dir + '/socket'
        version = rule.output('dovecot', '--version').split()[0]
        words = CONFIGURATION % {'dir': self.dir}
        if version.startswith('2.3'):
            words += OLD
        else:       # another language
            number = version.split('-')[0]
            words = ('dovecot_config_version = %s\n'
                     'dovecot_storage_version = %s\n' % (number, number) +
                     words + NEW)
        file = place.put('dovecot/dovecot.conf', words)
        place.start(['dovecot', '-F', '-c', file], self.dir + '/start')
        if not wait_for(lambda: os.path.exists(self.socket) and
                        answers(self.socket)):
            raise RuntimeError('Dovecot does not start: see ' + self.dir)

    def postfix(self):
        """What a listener needs that takes logins."""
        return {'smtpd_sasl_auth_enable': 'yes',
                'smtpd_sasl_type': 'dovecot',
                'smtpd_sasl_path': self.socket,
                'smtpd_sasl_security_options': 'noanonymous'}

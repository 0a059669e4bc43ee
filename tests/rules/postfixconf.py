#!/usr/bin/python3
"""postfix-conf: a real Postfix takes every line of it, the choices too."""

import os
import re
import shutil
import subprocess
import tempfile

import rule

HERE = 'postfix-conf/'
os.environ['PATH'] += ':/usr/sbin:/sbin'
# What Postfix needs to look at a configuration at all.
BASE = '''compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
daemon_directory = {daemon}
command_directory = /usr/sbin
mydestination = localhost
myhostname = mx.example.org
alias_maps =
alias_database =
'''
# Of Debian's; the pieces take the place of the services that they name.
SERVICES = '''smtp inet n - y - - smtpd
pickup unix n - y 60 1 pickup
cleanup unix n - y - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - y - - trivial-rewrite
bounce unix - - y - 0 bounce
smtp unix - - y - - smtp
'''


def said(*words):
    r = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, timeout=60,
                       env=dict(os.environ, LC_ALL='C'))
    return (r.returncode, r.stdout.decode('utf-8', 'replace'),
            r.stderr.decode('utf-8', 'replace').strip())


def chosen(text):
    """With the choices taken: "#name =", and "#service type" with its -o."""
    text = re.sub(r'^#(?=[a-z_]+ =)', '', text, flags=re.M)
    text = re.sub(r'^#(?=(smtp|smtpd|dnsblog|tlsproxy) +(inet|pass|unix) )', '',
                  text, flags=re.M)
    return re.sub(r'^#(?=  -o )', '', text, flags=re.M)


def names(text):
    return re.findall(r'^([a-z_]\w*) =', text, re.M)


def master(piece):
    """SERVICES without those of the piece, and the piece."""
    own = {tuple(m) for m in re.findall(r'^([\w.:]+) +(\w+) ', piece, re.M)}
    kept = [line for line in SERVICES.splitlines()
            if tuple(line.split()[:2]) not in own]
    # With the choices taken there are two of smtp/inet: the last one stays.
    return '\n'.join(kept) + '\n' + piece


def place(folder, main, services):
    daemon = said('postconf', '-dh', 'daemon_directory')[1].strip()
    with open(os.path.join(folder, 'main.cf'), 'w') as f:
        f.write(BASE.format(dir=folder, daemon=daemon) + main)
    with open(os.path.join(folder, 'master.cf'), 'w') as f:
        f.write(services)
    for name in ('queue', 'data'):
        os.makedirs(os.path.join(folder, name), exist_ok=True)


def without_first_smtp(piece):
    """postscreen takes the place of smtpd on port 25."""
    return re.sub(r'^smtp +inet .* smtpd\n(?:(?:  -o |#).*\n)*', '', piece,
                  count=1, flags=re.M)


def taken(main, services):
    """What Postfix says against them, with each name that they set."""
    with tempfile.TemporaryDirectory() as folder:
        place(folder, main, services)
        code, out, err = said('postconf', '-c', folder, '-n')
        if code or err:
            yield err or 'postconf -n ended with %d' % code
        for name in names(main):
            if not re.search(r'^%s =' % name, out, re.M):
                yield '%s is in no output of postconf -n' % name
        code, out, err = said('postconf', '-c', folder, '-M')
        if code or err:
            yield err or 'postconf -M ended with %d' % code
        code, out, err = said('postconf', '-c', folder, '-P', '-x')
        if code or err:
            yield err or 'postconf -P ended with %d' % code
        options = re.findall(r'^ +-o +(\w+)=', services, re.M)
        if len(out.splitlines()) != len(options):
            yield '%d options of %d' % (len(out.splitlines()), len(options))
        for name in options:
            if said('postconf', '-c', folder, '-d', name)[2]:
                yield 'Postfix has no ' + name


def checked(main, services):
    with tempfile.TemporaryDirectory() as folder:
        place(folder, main, services)
        # It starts as root and serves as others.
        os.chmod(folder, 0o755)
        shutil.chown(os.path.join(folder, 'data'), 'postfix')
        code, out, err = said('postfix', '-c', folder, 'check')
        if code or err:
            yield 'postfix check ended with %d: %s' % (code, err)


def found(piece, key, wanted):
    file = os.path.join(rule.SRC, HERE, piece)
    with tempfile.TemporaryDirectory() as folder:
        place(folder, '', SERVICES)
        table = os.path.join(folder, piece)
        with open(table, 'w') as f:
            f.write(re.sub(r'^#(?=@)', '', rule.text(HERE + piece),
                           flags=re.M))
        code, out, err = said('postmap', '-c', folder, '-q', key,
                              'texthash:' + table)
    if code or err or not out.startswith(wanted):
        yield '%s: %s gives %d "%s" %s' % (file, key, code, out.strip(), err)


def lists():
    """Who is asked where: fallbackmx last, and only on the strangers' port."""
    main = rule.text(HERE + 'main.cf')
    value = dict(re.findall(r'^(\w+) =((?:.*\n)(?:[ \t]+.*\n)*)', main, re.M))
    entries = re.findall(r'\{\s*(\S+?),', value['mx_milters'])
    if entries[-1:] != ['unix:fallbackmx/milter.sock'] or len(entries) != 3:
        yield 'mx_milters: %s' % entries
    for name in ('mua_milters', 'smtpd_milters', 'non_smtpd_milters'):
        if 'fallbackmx' in value[name]:
            yield name + ' has it'
    if 'accept' in main.replace('"accept"', ''):
        yield 'accept'
    for m in re.finditer(r'^([^#\s]\S*) +(inet|pass).*\n((?:  -o .*\n|#.*\n)*)',
                         rule.text(HERE + 'master.cf'), re.M):
        asked = re.findall(r'^  -o smtpd_milters=(.*)', m.group(3), re.M)
        wanted = {'smtp': ['$mx_milters'], 'submission': ['$mua_milters'],
                  '465': ['$mua_milters'], '127.0.0.1:10025': ['']}
        if asked != wanted.get(m.group(1)):
            yield '%s asks %s' % (m.group(1), asked)


def reasons():
    """Each setting has words above it, or stands right below one that has."""
    for piece in ('main.cf', 'fallback.main.cf', 'opendkim.conf',
                  'opendmarc.conf'):
        before = ''
        for line in rule.text(HERE + piece).splitlines():
            if re.match(r'#?\w[\w-]*\s', line) and not before:
                yield '%s: no reason above: %s' % (piece, line)
            before = line.strip()


main = rule.text(HERE + 'main.cf')
listeners = rule.text(HERE + 'master.cf')
relay = rule.text(HERE + 'fallback.main.cf')
rule.check('fallbackmx is asked last, about mail of strangers alone', lists())
rule.check('each setting has its reason', reasons())
missing = rule.needs('postconf', 'postmap')
if missing:
    rule.skip('Postfix takes them', 'there is no ' + missing)
else:
    rule.check('Postfix takes main.cf and master.cf',
               taken(main, master(listeners)))
    rule.check('Postfix takes them with all choices',
               taken(chosen(main),
                     master(without_first_smtp(chosen(listeners)))))
    rule.check('Postfix takes main.cf of the fallback relay',
               taken(relay, SERVICES))
    name = '[email-smtp.eu-west-1.amazonaws.com]:587'
    rule.check('what is looked up is found in the tables', (
        p for piece, key, wanted in (
            ('sasl_passwd', name, 'USERNAME:'),
            ('sasl_passwd', '@example.net', 'USERNAME2:'),
            ('sender_relay', '@example.org', name),
            ('tls_policy', name, 'secure ')) for p in found(
                piece, key, wanted)))
    if os.geteuid() != 0:
        rule.skip('postfix check has nothing to say', 'only root may ask')
    else:
        rule.check('postfix check has nothing to say',
                   checked(main, master(listeners)))
for tool, words in (('opendkim', ('-n', '-x')), ('opendmarc', ('-n', '-c'))):
    title = tool + ' takes its piece'
    if rule.needs(tool):
        rule.skip(title, 'there is no ' + tool)
        continue
    code, out, err = said(tool, *words,
                          os.path.join(rule.SRC, HERE, tool + '.conf'))
    rule.check(title, [err or out or code] if code else [])
rule.done()

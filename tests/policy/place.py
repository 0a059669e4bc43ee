"""What the policy tests share: the program, documents, folders, TAP."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'rules'))

import rule                                                 # noqa: E402

check, done = rule.check, rule.done
LIST = 'arn:aws:ses:eu-west-1:123456789012:mailmanager-address-list/al-1'
ROLE = 'arn:aws:iam::123456789012:role/MailManager'
ANALYZER = 'arn:aws:ses:eu-west-1:123456789012:addon-instance/ai-1'


class Answer:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def run(args, cwd=None, stdin=None):
    r = subprocess.run([rule.built('fallbackmx'), 'policy', *args], cwd=cwd,
                       input=stdin if stdin is not None else b'',
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=120)
    return Answer(r.returncode, r.stdout.decode('utf-8', 'backslashreplace'),
                  r.stderr.decode('utf-8', 'backslashreplace'))


class Place:
    """A directory of its own, with files."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='fallbackmx-policy.')

    def __enter__(self):
        return self

    def __exit__(self, *what):
        shutil.rmtree(self.dir)

    def put(self, name, content):
        if isinstance(content, (dict, list)):
            content = json.dumps(content)
        if isinstance(content, str):
            content = content.encode()
        with open(os.path.join(self.dir, name), 'wb') as f:
            f.write(content)
        return name

    def run(self, *args, stdin=None):
        return run(args, self.dir, stdin)


def differs(what, found, expected):
    if found != expected:
        yield '%s: found %r' % (what, found)
        yield '%s: expected %r' % (' ' * len(what), expected)

"""Reads the plain part of YAML that our CloudFormation templates are written
in, so that they are checked where no YAML module is: block maps and lists,
scalars of one line, comments on lines of their own, and the short functions
!Ref, !Sub and !GetAtt. All else is an error."""

import json
import re

KEY = re.compile(r'("?)([A-Za-z][\w:.]*)\1:(?: (.*))?$')


class Wrong(Exception):
    pass


def function(tag, value):
    """A short function as CloudFormation's JSON has it."""
    if tag == 'Ref':
        return {'Ref': value}
    if tag == 'GetAtt':
        return {'Fn::GetAtt': value.split('.', 1)}
    if tag == 'Sub':
        return {'Fn::Sub': value}
    raise Wrong('!' + tag)


def scalar(s):
    m = re.match(r'!(\w+) (.*)$', s)
    if m:
        return function(m.group(1), scalar(m.group(2)))
    if s.startswith('"'):
        return json.loads(s)
    if s in ('true', 'false'):
        return s == 'true'
    if re.match(r'\d+$', s):
        return int(s)
    # What YAML would take for something else, or not as it looks.
    if not re.match(r'[A-Za-z]', s) or ' #' in s or ': ' in s or \
            s.lower() in ('yes', 'no', 'on', 'off', 'y', 'n', 'null') or \
            s.endswith(':'):
        raise Wrong('write it in quotes: ' + s)
    return s


class Reader:
    def __init__(self, text):
        self.lines = []
        for n, line in enumerate(text.split('\n'), 1):
            if '\t' in line:
                raise Wrong('line %d: a tab' % n)
            bare = line.strip()
            if bare and not bare.startswith('#'):
                self.lines.append([n, len(line) - len(line.lstrip()), bare])
        self.at = 0

    def peek(self):
        return self.lines[self.at] if self.at < len(self.lines) else \
            (0, -1, '')

    def block(self, indent):
        return self.list(indent) if self.peek()[2].startswith('- ') else \
            self.map(indent)

    def list(self, indent):
        found = []
        while self.peek()[1] == indent and self.peek()[2].startswith('- '):
            n, _, rest = self.lines[self.at]
            rest = rest[2:]
            if KEY.match(rest):
                # The map begins behind the dash.
                self.lines[self.at] = [n, indent + 2, rest]
                found.append(self.map(indent + 2))
            else:
                found.append(scalar(rest))
                self.at += 1
        return found

    def map(self, indent):
        found = {}
        while self.peek()[1] == indent and not self.peek()[2].startswith('- '):
            n, _, line = self.peek()
            m = KEY.match(line)
            if not m:
                raise Wrong('line %d: %s' % (n, line))
            key, rest = m.group(2), m.group(3)
            if key in found:
                raise Wrong('line %d: %s again' % (n, key))
            self.at += 1
            if rest:
                found[key] = scalar(rest)
            elif self.peek()[1] > indent:
                found[key] = self.block(self.peek()[1])
            else:
                raise Wrong('line %d: %s is empty' % (n, key))
        return found


def load(text):
    r = Reader(text)
    found = r.map(0)
    if r.at != len(r.lines):
        raise Wrong('line %d: %s' % (r.peek()[0], r.peek()[2]))
    return found


def load_with_module(text):
    """The same by python3-yaml; None where it is not installed."""
    try:
        import yaml
    except ImportError:
        return None

    class Loader(yaml.SafeLoader):
        pass
    for tag in ('Ref', 'GetAtt', 'Sub'):
        Loader.add_constructor('!' + tag, lambda loader, node, tag=tag:
                               function(tag, loader.construct_scalar(node)))
    return yaml.load(text, Loader)

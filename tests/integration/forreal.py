#!/usr/bin/python3
"""The seven steps of README.md, "For real", as programs: README and test cannot
differ, since this takes the commands from there.

  forreal.py commands STEP         the commands of a step
  forreal.py shows STEP FILE       FILE has each line that README says one sees;
                                   "..." stands for anything, blanks are one
  forreal.py clouds                the aws commands of README.md and of
                                   scripts/aws/README.md, one a line, as JSON
FORREAL is the directory that stands for the machine: /etc/fallbackmx... is
below it. FB_TOP has the documents."""

import json
import os
import re
import shlex
import sys

TOP = os.environ['FB_TOP']
MACHINE = os.environ.get('FORREAL', '')
HOMES = os.environ.get('FB_WORLD', '') + '/home/'


def document(name):
    with open(os.path.join(TOP, name), encoding='utf-8') as f:
        return f.read()


def steps():
    section = re.search(r'^## For real\n(.*?)^## ', document('README.md'),
                        re.M | re.S).group(1)
    parts = re.split(r'^\*\*([0-9])\. ', section, flags=re.M)
    found = dict(zip(map(int, parts[1::2]), parts[2::2]))
    if sorted(found) != [1, 2, 3, 4, 5, 6, 7]:
        sys.exit('README.md has the steps %s' % sorted(found))
    return found


def blocks(step, kind):
    found = re.findall(r'^```%s\n(.*?)^```$' % kind, steps()[step],
                       re.M | re.S)
    if kind == 'sh' and not found:
        sys.exit('step %d has no commands' % step)
    return ''.join(found)


def moved(text):
    """Of a machine that is a directory."""
    return text.replace('/etc/fallbackmx', MACHINE + '/etc/fallbackmx')


def squeezed(line):
    return ' '.join(line.split())


def missing(step, said):
    said = said.replace(HOMES, '/home/').replace(MACHINE + '/etc', '/etc')
    lines = [squeezed(line) for line in said.split('\n')]
    for wanted in blocks(step, 'text').split('\n'):
        pattern = '.*'.join(map(re.escape, squeezed(wanted).split('...')))
        if not any(re.fullmatch(pattern, line) for line in lines):
            yield wanted


def clouds():
    """Each aws command once, as a list of its words."""
    text = ''.join(blocks(step, 'sh') for step in steps())
    text += re.sub(r'^ {4}', '', '\n'.join(re.findall(
        r'^ {4}.*$', document('scripts/aws/README.md'), re.M)), flags=re.M)
    found = []
    for line in text.replace('\\\n', ' ').split('\n'):
        if line.lstrip().startswith('aws '):
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words = list(lexer)
            end = min([words.index(w) for w in ('|', '>') if w in words] +
                      [len(words)])
            if words[:end] not in found:
                found.append(words[:end])
    return found


def main(verb, *words):
    if verb == 'commands':
        print(moved(blocks(int(words[0]), 'sh')), end='')
    elif verb == 'shows':
        with open(words[1], encoding='utf-8', errors='replace') as f:
            said = f.read()
        lost = list(missing(int(words[0]), said))
        if lost:
            sys.exit('README.md says one sees:\n%s\nseen:\n%s' % (
                '\n'.join(lost), said))
    elif verb == 'clouds':
        for command in clouds():
            print(json.dumps(command))
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main(*sys.argv[1:])

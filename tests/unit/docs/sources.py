# SPDX-License-Identifier: Apache-2.0

"""README and the pages of docs, as texts to look into."""

from __future__ import annotations

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCS = ROOT / 'docs' / 'source'
README = ROOT / 'README.md'
FIXTURES = ROOT / 'tests' / 'fixtures'

# What reads the parsers, for the pages too.
sys.path.insert(0, str(ROOT / 'docs' / 'ext'))


def pages():
    """The pages by their paths from the root."""
    found = {'README.md': README.read_text(encoding='utf-8')}
    for path in sorted(DOCS.rglob('*.rst')):
        name = str(path.relative_to(ROOT))
        found[name] = path.read_text(encoding='utf-8')
    return found


def blocks(text):
    """The indented or fenced blocks of a page: (head, lines) of each.

    :returns: the head is the line above: a directive's, a fence, or ''.
    """
    lines = text.split('\n')
    found = []
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith('```'):
            end = lines.index('```', number + 1)
            found.append((line, lines[number + 1 : end]))
            number = end + 1
            continue
        directive = re.match(r' *\.\. [\w-]+::', line)
        is_plain = line.startswith('    ') and not lines[number - 1]
        if directive or is_plain:
            indent = len(line) - len(line.lstrip()) + (1 if directive else 0)
            first = number + 1 if directive else number
            end = first
            while end < len(lines) and (
                not lines[end] or lines[end].startswith(' ' * indent)
            ):
                end += 1
            body = lines[first:end]
            while body and not body[-1]:
                body.pop()
            found.append((line.strip() if directive else '', body))
            number = max(end, number + 1)
            continue
        number += 1
    return found


def joined(lines):
    """Lines without indentation, those that go on (\\) made one."""
    text = '\n'.join(line.strip() for line in lines)
    return re.sub(r'\\\n', '', text).split('\n')


def literals(text):
    """What stands in a page as it is to be typed, in the text itself."""
    double = re.findall(r'``([^`]+?)``', text)
    single = re.findall(r'(?<![`:\w])`([^`]+?)`(?!`)', text)
    return [' '.join(each.split()) for each in (*double, *single)]

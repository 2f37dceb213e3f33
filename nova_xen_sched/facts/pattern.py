# SPDX-License-Identifier: Apache-2.0

"""Shell patterns on the names of hosts.

fnmatch's own mean the same, but some take exponential time on Python 3.8, and
others are an error there.
"""

from __future__ import annotations

import re

#: Characters of a pattern; nova's names of hosts have 255 at most.
MAX_LENGTH = 1000

_PARTS = re.compile(r'\*+|\[(!?)(\]?[^\]]*)\]|.', re.DOTALL)
_RANGES = re.compile('(.)-(.)|(.)', re.DOTALL)


def compiled(pattern: str) -> re.Pattern[str]:
    """What finds with fullmatch() the names that a pattern matches.

    :param pattern: with * for any text, ? for any character, [abc], [a-c] and
        [!abc] for some; all else stands for itself.
    :raises ValueError: if it is too long.
    """
    if len(pattern) > MAX_LENGTH:
        raise ValueError('it has more than %d characters' % MAX_LENGTH)
    found = ['']
    for part in _PARTS.finditer(pattern):
        text = part.group()
        if text[0] == '*':
            found.append('')
        elif text == '?':
            found[-1] += '.'
        elif part[2]:
            found[-1] += _one_of(part[2], bool(part[1]))
        else:
            found[-1] += re.escape(text)
    # What stands behind a * is taken where it is found first, and never
    # looked for again: a group that is looked ahead for and then repeated.
    first, *others = found
    for number, each in enumerate(others[:-1]):
        first += '(?=(?P<g%d>.*?%s))(?P=g%d)' % (number, each, number)
    if others:
        first += '.*' + others[-1]
    return re.compile(first, re.DOTALL)


def _one_of(characters: str, negated: bool) -> str:
    ranges = ''
    for low, high, single in _RANGES.findall(characters):
        if single:
            ranges += re.escape(single)
        elif low <= high:
            ranges += '%s-%s' % (re.escape(low), re.escape(high))
    if not ranges:
        return '.' if negated else '(?!)'
    return '[%s%s]' % ('^' if negated else '', ranges)

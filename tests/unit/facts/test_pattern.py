# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fnmatch
import sys
import time

from hypothesis import given
from hypothesis import strategies as st
import pytest

from nova_xen_sched.facts import pattern


@pytest.mark.parametrize(
    'text, matching, others',
    [
        ('xen-b*', ['xen-b', 'xen-b1'], ['xen-a1', 'a-xen-b1']),
        ('*', ['', 'a\nb'], []),
        ('*.example.org', ['a.example.org'], ['a.exampleXorg', 'org']),
        ('a*b*c', ['abc', 'a1b2b3c'], ['acb', 'abcd']),
        ('xen-?[0-9]', ['xen-a1'], ['xen-a', 'xen-ab']),
        ('[!a-c]*', ['d1', '-'], ['a1', '']),
        ('[]a]', [']', 'a'], ['[]a]']),
        ('[a-', ['[a-'], ['a']),
        # Python 3.8 and 3.9 have an error for these.
        ('[b-a]', [], ['a', 'b', '[b-a]']),
        ('[!b-a]', ['a', 'z'], ['']),
        ('[b-ac]', ['c'], ['a', 'b']),
        ('[*]', ['*'], ['a']),
        ('[a&&b||c~~d--e]', ['&', '|', '~'], ['z']),
        ('[^a]', ['^', 'a'], ['b']),
        ('(a|b)+$', ['(a|b)+$'], ['a']),
    ],
)
def test_what_a_pattern_matches(text, matching, others):
    compiled = pattern.compiled(text)
    assert [name for name in matching if not compiled.fullmatch(name)] == []
    assert [name for name in others if compiled.fullmatch(name)] == []


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason='fnmatch has an error for ranges'
)
@given(
    st.text('ab-*?[]!^', max_size=9),
    st.lists(st.text('ab-]', max_size=6), min_size=20, max_size=20),
)
def test_it_matches_what_fnmatch_does(text, names):
    compiled = pattern.compiled(text)
    for name in names:
        assert bool(compiled.fullmatch(name)) == fnmatch.fnmatchcase(
            name, text
        )


def test_no_pattern_takes_long():
    start = time.process_time()
    for text in ('*a' * 400 + 'b', '*?' * 400 + 'b', '*[ab]' * 150 + 'd'):
        compiled = pattern.compiled(text)
        for name in ('a' * 255, 'a' * 254 + 'c'):
            assert not compiled.fullmatch(name)
    assert time.process_time() - start < 1


def test_a_pattern_has_an_end():
    with pytest.raises(ValueError, match='more than 1000 characters'):
        pattern.compiled('*' * 1001)

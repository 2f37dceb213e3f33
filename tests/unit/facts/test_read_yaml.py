# SPDX-License-Identifier: Apache-2.0

"""A facts file's YAML is what its author wrote."""

from __future__ import annotations

import importlib.util
import time

from hypothesis import given
from hypothesis import strategies as st
import pytest
import yaml

from nova_xen_sched.facts import read_yaml


@pytest.fixture(params=['C', 'Python'])
def parse(request, monkeypatch):
    """With the loader in C, if PyYAML has it, and with that in Python."""
    if request.param == 'C':
        return read_yaml.parse
    monkeypatch.delattr(yaml, 'CSafeLoader', raising=False)
    spec = importlib.util.spec_from_file_location(
        'read_yaml_in_python', read_yaml.__file__
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.SAFE_LOADER is yaml.SafeLoader
    return module.parse


@pytest.mark.parametrize(
    'text, value',
    [
        ('1024', 1024),
        ('0', 0),
        ('-1', -1),
        ('+1', 1),
        ('9' * 18, 10**18 - 1),
        # YAML 1.1 has numbers of these: 532, 1024, 10, 16, 5, 1000.0, ...
        *(
            (text, text)
            for text in (
                *('01024', '17:04', '1:2:3.4', '1_0', '0x10', '0b101'),
                *('1.0e+3', '1e3', '.5', '5.', '.inf', '-.INF', '.nan'),
                *('0o17', '1,024', '9' * 19, '9' * 10000, '1_0.5'),
            )
        ),
        ('true', True),
        ('Yes', True),
        ('ON', True),
        ('false', False),
        ('no', False),
        ('Off', False),
        ('y', 'y'),
        ('tRUE', 'tRUE'),
        ('~', None),
        ('null', None),
        ('', None),
        ('=', '='),
        ('<<', '<<'),
        ('2026-11-22T10:00:00Z', '2026-11-22T10:00:00Z'),
        ('2026-11-22', '2026-11-22'),
        ('2026-13-45', '2026-13-45'),
        ('"1024"', '1024'),
        ("'null'", 'null'),
        ('!!int 0x10', '0x10'),
        ('!!bool maybe', 'maybe'),
        ('!!timestamp foo', 'foo'),
        ('!!str 4.10', '4.10'),
    ],
)
def test_a_word_is_what_its_author_wrote(parse, text, value):
    (found,) = parse(('- ' + text).encode())
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize('text', ['4.10', '04.10', '-1.20', '1' * 400 + '.0'])
def test_a_fraction_is_shown_as_it_was_written(parse, text):
    (found,) = parse(('- ' + text).encode())
    assert isinstance(found, float)
    assert found == float(text)
    assert str(found) == repr(found) == text


@pytest.mark.parametrize(
    'key', ['7', '0123', '17:04', 'no', '~', '4.10', '2026-11-22', '!!int 7']
)
def test_a_key_is_a_text(parse, key):
    assert parse(('%s: 1' % key).encode()) == {key.split()[-1]: 1}
    assert parse(('a: &a {%s: 1}\nb: {<<: *a}' % key).encode())['b'] == {
        key.split()[-1]: 1
    }


@pytest.mark.parametrize(
    'content, said',
    [
        ('a:\n\tb: 1', 'line 2 has a tab, where YAML takes only blanks'),
        ('a:\n  \tb: 1\n  c: 1', 'line 2 has a tab'),
        ('a: 1\nb: "2\nc: 3\n', 'the quote that line 2 opens is never closed'),
        ('a: b: c', 'line 1, column 5: no colon can stand here'),
        ('a: 1\nb: 2\na: 3', "line 3, column 1: 'a' is named twice"),
        ('0123: 1\n0123: 3', "line 2, column 1: '0123' is named twice"),
        ('a: 1\nb: !x 1', 'line 2, column 4: a word that begins with !'),
        ('a: !!binary aGk=', 'line 1, column 4: a word that begins with !'),
        ('a: !!set {b}', 'line 1, column 4: a word that begins with !'),
        ('a:\n ' + '[' * 20, 'line 2 is nested deeper than 20'),
        *(
            (content, 'line 2: a * names the mapping or list that it stands')
            for content in (
                'a: &a\n  b: *a',
                'a: &a\n  <<: *a',
                'a: &a\n  <<: [*a]',
                'a: &a [[{b:\n *a}]]',
            )
        ),
        ('a:\n  <<: b', 'line 2, column 7: << takes a mapping that a * names'),
        ('a:\n  <<: [b]', 'line 2, column 8: << takes a mapping that a *'),
        ('a: {b: 1\n\n', 'line 3, column 1: a { or a [ before this is'),
        ('a: [b, \n', 'line 2, column 1: a { or a [ before this is'),
        ('a: [\n', 'line 2, column 1: a { or a [ before this is'),
        ('a: b\nc\n', 'a name in line 2 has no colon behind it'),
        *(
            (content, 'line %d, column %d: this does not fit' % place)
            for content, place in (
                ('a:\n  b: {}\n c: {}', (3, 2)),
                ('a:\n  - b\n  c: 1', (3, 3)),
                ('a: 1\n- b', (2, 1)),
                ("a: 'it's'", (1, 8)),
                ('[DEFAULT]\nversion = 1', (2, 1)),
            )
        ),
        ('a: {b: 1 c: 2}', 'line 1, column 11: a comma or a closing bracket'),
        ('a: ]', 'line 1, column 4: a text that begins so needs quotes'),
        ('a: - b', 'line 1, column 4: a dash must stand at the beginning'),
    ],
)
def test_what_is_wrong_is_said_in_words(parse, content, said):
    with pytest.raises(ValueError) as caught:
        parse(content.encode())
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    'content, line, said',
    [
        ('- m: *', 1, 'a text that begins with * needs quotes'),
        ('- m: *.a', 1, 'a text that begins with * needs quotes'),
        ('- m: *a', 1, 'a text that begins with * needs quotes'),
        ('- m: &', 1, 'a text that begins with & needs quotes'),
        ('a: @b', 1, 'a text that begins so needs quotes'),
        ('a: `b`', 1, 'a text that begins so needs quotes'),
        ('a: 1\n---\nb: 1', 2, 'no second --- can stand here'),
        (
            'a: "1\\.2"',
            1,
            'no \\ can stand so in double quotes: use single ones',
        ),
        ('a:\n  [b]: 1', 2, 'a name must be a text'),
        (
            'a: "\\u12x4"',
            1,
            'no \\ can stand so in double quotes: use single ones',
        ),
        ('%YAML x\n---\na: 1', 1, 'no line can begin with %'),
        ('%YAML 9.9\n---\na: 1', 1, 'no line can begin with %'),
        ('a: |x', 1, 'a text that begins with | or > needs quotes'),
        ('a: - ? b', 1, 'a dash must stand at the beginning of a line'),
        ('a: ? b', 1, 'a text that begins with ? needs quotes'),
    ],
)
def test_what_yaml_has_a_sign_for_is_said_in_words(parse, content, line, said):
    # The two loaders count columns differently.
    with pytest.raises(ValueError) as caught:
        parse(content.encode())
    assert str(caught.value).startswith('line %d, column ' % line)
    assert str(caught.value).endswith(': ' + said)


@pytest.mark.parametrize(
    'content', ['a: se cret\n  b: c', 'password: !secret', '- !<secret> a']
)
def test_a_broken_file_is_not_quoted(parse, content):
    # It may be another file, such as clouds.yaml.
    with pytest.raises(ValueError) as caught:
        parse(content.encode())
    assert 'line ' in str(caught.value)
    assert 'cret' not in str(caught.value)


@given(st.text('0123456789+-._:eExob~nulltrueyesnoff', max_size=12))
def test_no_word_is_another_than_it_looks(text):
    try:
        found = read_yaml.parse(b'- ' + text.encode())
    except read_yaml.YamlError:
        return
    if isinstance(found[0], str):
        assert found[0] == text
    elif isinstance(found[0], (read_yaml.Fraction, int)) and not isinstance(
        found[0], bool
    ):
        assert str(found[0]) == text.lstrip('+').replace('-0', '0') or (
            isinstance(found[0], float) and str(found[0]) == text
        )


def test_a_number_of_many_digits_takes_no_time():
    start = time.process_time()
    for text in ('9' * 10**6, '1:' * 10**5 + '1', '1_' * 10**5, '1.' * 10**5):
        assert read_yaml.parse(b'- %s' % text.encode()) != [0]
    assert time.process_time() - start < 5


def test_mappings_that_merge_each_other_many_times_take_no_time(parse):
    lines = ['a0: &a0 {x: 1}']
    for number in range(1, 9):
        again = ', '.join(['*a%d' % (number - 1)] * 8)
        lines.append('a%d: &a%d {<<: [%s]}' % (number, number, again))
    began = time.monotonic()
    assert parse('\n'.join(lines).encode())['a8'] == {'x': 1}
    assert time.monotonic() - began < 1


def test_what_is_merged_may_have_merged_and_overridden(parse):
    content = b"""
d: &d {v: 1, w: 1}
hosts:
  a: &a {<<: *d, v: 2}
defaults: {<<: *a, w: 3}
"""
    assert parse(content) == {
        'd': {'v': 1, 'w': 1},
        'hosts': {'a': {'v': 2, 'w': 1}},
        'defaults': {'v': 2, 'w': 3},
    }


def test_a_key_that_stands_twice_is_found_before_it_is_merged(parse):
    with pytest.raises(ValueError, match="'v' is named twice"):
        parse(b'hosts: {a: &a {v: 1, v: 2}}\ndefaults: {<<: *a}')


@pytest.mark.parametrize(
    'content',
    [
        b'version: 1\nhosts:\n  a: {\x00',
        b'version: 1\n#\n\xff\xfe\xfa',
        'version: 1 # \u00fc\nhosts:\n  a: \x07'.encode(),
        b'a: 1\nb: 2\nc: \xc3\x28',
    ],
)
def test_what_is_no_text_is_told_by_its_line(parse, content):
    with pytest.raises(ValueError) as e:
        parse(content)
    assert str(e.value) == 'line 3 has bytes that no text in UTF-8 has'

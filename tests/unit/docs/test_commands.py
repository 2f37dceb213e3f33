# SPDX-License-Identifier: Apache-2.0

"""Each command that README or docs name is one that its parser takes."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.unit.docs import sources

import parsers  # isort: skip  found by sources

_PROGRAMS = ('nova-xen-sched', 'nova-xen-sched-status')
COMMANDS = parsers.commands()
PAGES = sources.pages()


def named(text):
    """The command lines of a page, as words."""
    lines = []
    for head, body in sources.blocks(text):
        if head.startswith('.. shown::'):
            options = '\n'.join(body).partition(':command:')[2]
            command = re.split(r'\n *:\w+:', options)[0]
            lines += sources.joined(command.split('\n'))
        else:
            lines += sources.joined(body)
    lines += sources.literals(text)
    for line in lines:
        try:
            words = shlex.split(
                re.sub(r'^[$#] ', '', line.strip()), comments=True
            )
        except ValueError:
            continue
        if '[OPTION' in words:  # a synopsis
            continue
        if '>' in words:  # into a file
            words = words[: words.index('>')]
        while words[1:] and words[0] in ('docker', 'exec', '-u', 'nova'):
            words.pop(0)
        if words and words[0] == 'nova_scheduler':
            words.pop(0)
        program = words[0].rpartition('/')[2] if words else ''
        if program in _PROGRAMS:
            yield [program, *words[1:]]
        elif ' '.join(words[:2]) in COMMANDS or program in COMMANDS:
            yield ['nova-xen-sched', *words]
        elif words[:2] == ['upgrade', 'check']:
            yield ['nova-xen-sched-status', *words]


def cases():
    for page, text in PAGES.items():
        for words in named(text):
            yield page, ' '.join(map(shlex.quote, words))


def _is_alone(found, word):
    """Whether it is an option that takes a value, which is left out."""
    return any(
        word in action.option_strings and action.nargs != 0
        for action in found._actions
    )


def check(words):
    """Parse a command line; a family of commands alone is fine, too."""
    program, *rest = words
    if program == 'nova-xen-sched-status':
        if rest:
            parsers.parser(program).parse_args(rest)
        return
    if not rest or rest[0] == 'help' or rest[0] == '--help':
        return
    for length in (2, 1):
        name = ' '.join(rest[:length])
        if name in COMMANDS:
            found = parsers.parser('%s %s' % (program, name))
            given = rest[length:]
            takes_hosts = any(
                not action.option_strings and action.nargs not in ('*', '?')
                for action in found._actions
            )
            if not given and takes_hosts:
                return
            if given and _is_alone(found, given[-1]):
                given.append('1')
            found.parse_args(given)
            return
    if len(rest) == 1 and any(
        each.startswith(rest[0] + ' ') for each in COMMANDS
    ):
        return
    # An option of the program itself, alone.
    parsers.parser(program).parse_args(rest)


@pytest.mark.parametrize('page, line', sorted(set(cases())))
def test_a_command_line_is_taken(page, line, capsys):
    try:
        check(shlex.split(line))
    except SystemExit as e:
        if e.code:
            pytest.fail('%s: %s\n%s' % (page, line, capsys.readouterr().err))


@pytest.mark.parametrize(
    'line',
    [
        'nova-xen-sched host lists',
        'nova-xen-sched host list --lng',
        'nova-xen-sched explain --operation fly --server x',
        'nova-xen-sched-status upgrade czech',
    ],
)
def test_the_test_above_would_see_a_mistake(line):
    with pytest.raises(SystemExit):
        check(shlex.split(line))


def test_enough_is_found():
    found = [line for _, line in cases()]
    assert len(found) > 60
    for name in set(COMMANDS) - {'complete'}:
        assert any(
            line.startswith('nova-xen-sched ' + name) for line in found
        ), name


def test_each_command_is_in_the_reference():
    page = PAGES['docs/source/cli/nova-xen-sched.rst']
    found = re.findall(r'^\.\. command:: nova-xen-sched (.+)$', page, re.M)
    assert found == COMMANDS


def test_each_schema_is_in_the_reference():
    page = PAGES['docs/source/cli/json.rst']
    found = re.findall(r'^\.\. json-keys:: (.+)$', page, re.M)
    folder = sources.ROOT / 'nova_xen_sched' / 'cmd' / 'schemas'
    assert found == sorted(path.stem for path in folder.glob('*.json'))


@pytest.mark.parametrize('page', sorted(PAGES))
def test_a_console_has_commands_alone(page):
    """What they print is shown from pages that tests compare."""
    for head, body in sources.blocks(PAGES[page]):
        if head == '.. code-block:: console':
            for line in sources.joined(body):
                assert not line or line[:2] in ('$ ', '# '), line

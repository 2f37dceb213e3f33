# SPDX-License-Identifier: Apache-2.0

"""Help that fits a terminal, and one line for what there isn't."""

from __future__ import annotations

import io
import re

import pytest

from nova_xen_sched.cmd import application

COMMANDS = [
    *('capacity', 'complete', 'explain', 'facts export', 'facts publish'),
    *('facts show', 'help', 'host list', 'host show', 'image check'),
    *('drain', 'metrics', 'rebalance', 'simulate'),
]


@pytest.fixture
def ran(monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')

    def run(*arguments):
        out, err = io.StringIO(), io.StringIO()
        program = application.App(stdout=out, stderr=err)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr('sys.stderr', err)
            patch.setattr(program, 'configure_logging', lambda: None)
            try:
                code = program.run(list(arguments))
            except SystemExit as e:
                code = e.code
        return code, out.getvalue(), err.getvalue()

    return run


@pytest.mark.parametrize('command', COMMANDS)
def test_help_of_a_command_fits_a_terminal(ran, command):
    code, text, _ = ran(*command.split(), '--help')
    assert code == 0
    assert max(map(len, text.splitlines())) < 80
    assert ran('help', *command.split()) == (0, text, '')


@pytest.mark.parametrize('command', sorted({*COMMANDS} - {'complete', 'help'}))
def test_exit_codes_have_a_line_each(ran, command):
    text = ran(*command.split(), '--help')[1]
    codes = text[text.index('exit codes:\n') :].splitlines()[1:]
    assert [line[:5].strip() for line in codes if line[2:3].isdigit()] == [
        *'012'
    ]


def test_all_commands_are_named(ran):
    code, text, _ = ran('--help')
    assert (code, ran('help')[1]) == (0, text)
    for each in COMMANDS:
        assert re.search('^  %s +[A-Z]' % each, text, re.MULTILINE)


def test_without_a_command_the_help_is_shown_and_no_shell_begins(ran):
    code, text, _ = ran()
    assert (code, text) == (2, ran('help')[1])


@pytest.mark.parametrize(
    ('arguments', 'line'),
    [
        ('host', "command 'host' (nearest: host list, host show)."),
        ('HOST List', "command 'HOST List' (nearest: host list)."),
        ('host lst --ram 5', "command 'host lst' (nearest: host list)."),
        ('hst list', "command 'hst list' (nearest: host list)."),
        ('capcity xen-01', "command 'capcity xen-01' (nearest: capacity)."),
        ('frob', "command 'frob'."),
        ('help frob', "command 'frob'."),
        ('--nosuch host list', "option '--nosuch' before a command."),
    ],
)
def test_what_is_no_command_is_one_line(ran, arguments, line):
    assert ran(*arguments.split()) == (
        2,
        '',
        'There is no %s See nova-xen-sched --help.\n' % line,
    )


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (
            'capacity --ram 0',
            "argument --ram: not a whole number from 1 to 999999999: '0'",
        ),
        (
            'host list --state ' + '9' * 400,
            "argument --state: invalid choice: '999999999999...99",
        ),
        ('host show', 'the following arguments are required: HOST'),
        ('image check --mixed 7', 'argument --mixed: invalid choice: '),
    ],
)
def test_wrong_usage_is_one_line(ran, arguments, words):
    code, out, err = ran(*arguments.split())
    name = ' '.join(arguments.split()[: 1 if 'cap' in arguments else 2])
    assert (code, out, err.count('\n')) == (2, '', 1)
    assert err.startswith('nova-xen-sched %s: %s' % (name, words))
    assert err.endswith('. See nova-xen-sched %s --help.\n' % name)
    assert len(err) < 250


@pytest.mark.parametrize('value', ['up', 'UP', 'Up'])
def test_choices_ignore_case(value):
    program = application.App()
    factory, _, _ = program.command_manager.find_command(['host', 'list'])
    parser = factory(program, None).get_parser('x')
    found = parser.parse_args(['--state', value, '--vm-mode', 'PvH'])
    assert (found.state, found.vm_mode) == ('up', 'pvh')

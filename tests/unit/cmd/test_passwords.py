# SPDX-License-Identifier: Apache-2.0

"""The programs as an operator runs them, with a password in what is wrong."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from nova_xen_sched.cmd import application
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import tables
from tests.unit.cmd import programs

#: Each piece of it between two marks has Zq.
SECRET = 'Zq1/Zq2#Zq3?Zq4:Zq5%2FZq6'
LIST = ('app', 'host', 'list')
CHECK = ('upgrade_check.command', 'upgrade', 'check')
PROGRAMS = [
    LIST,
    (*LIST, '-f', 'json'),
    ('app', '--debug', 'host', 'list'),
    ('app', '-vv', 'capacity', '--ram', '1', '--vcpus', '1', '--disk', '1'),
    ('app', 'rebalance'),
    ('app', 'drain', 'xen-a'),
    CHECK,
    (*CHECK, '--json'),
    ('upgrade_check.command', '--debug', 'upgrade', 'check'),
]


def started(program, *arguments, home):
    """A program as programs.run() has it, from its very start."""
    return subprocess.run(
        [sys.executable, '-m', 'nova_xen_sched.cmd.' + program, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def ran(tmp_path, program, text, run=programs.run):
    """What a program came to, with this nova.conf."""
    conf = tmp_path / 'nova.conf'
    conf.write_text(text)
    name, *rest = program
    done = run(name, '--config-file', str(conf), *rest, home=tmp_path)
    shown = done.stdout + done.stderr
    # The password is hidden, and not because nothing was said.
    said = ('nova.conf', 'configuration', 'database')
    assert any(word in shown for word in said), shown
    assert done.returncode, shown
    return shown


def databases(url):
    return '[api_database]\nconnection = %s\n[database]\nconnection = %s\n' % (
        url,
        url,
    )


DATABASES = databases('mysql+pymysql//nova:%s@127.0.0.1/nova' % SECRET)


@pytest.mark.parametrize('program', PROGRAMS, ids=' '.join)
def test_no_password_of_a_database_is_shown(tmp_path, program):
    assert 'Zq' not in ran(tmp_path, program, DATABASES)


def test_nor_by_what_is_imported_first(tmp_path):
    assert 'Zq' not in ran(tmp_path, CHECK, DATABASES, started)


#: These two say the most.
@pytest.mark.parametrize('program', [PROGRAMS[2], PROGRAMS[-1]])
@pytest.mark.parametrize(
    'text',
    [
        databases("nova:'a %s b@127.0.0.1/nova" % SECRET),
        # The port is no number then.
        '[DEFAULT]\ntransport_url = rabbit://nova:Zq1/Zq2@127.0.0.1/\n',
        databases('mysql://nova:%s@127.0.0.1:Zq7@x/nova' % SECRET),
        # No line of oslo.config's.
        '[api_database]\nconnection\n  //nova:%s@x\n' % SECRET,
        '[api_database]\npassword %s\n' % SECRET.replace(':', ''),
    ],
    ids=['quotes', 'transport_url', 'port', 'line', 'words'],
)
def test_no_part_of_a_password_is_shown(tmp_path, program, text):
    assert 'Zq' not in ran(tmp_path, program, text)


URL = 'xen+ssh://root:Zq1/\'Zq2"Zq3@xen-a1/system'
SHOWN = 'xen+ssh://root:***@xen-a1/system'
COLUMNS = ('text', 'cell', 'list', 'number')
ROW = (URL, tables.Cell(URL, 'at ' + URL), [{'a': URL}], 1)


class Listed(base.Lister):
    """A command."""

    COLUMNS = {name: tables.Column(name, '') for name in COLUMNS}

    def take_action(self, parsed_args):
        self.say('at ' + URL)
        self.write('')
        return COLUMNS, iter([ROW])


class One(base.ShowOne):
    """A command."""

    def take_action(self, parsed_args):
        self.say('at ' + URL)
        self.write('')
        return COLUMNS, iter(ROW)


@pytest.mark.parametrize('command', [Listed, One])
@pytest.mark.parametrize(
    'form', ['plain', 'table', 'json', 'csv', 'value', 'yaml']
)
def test_no_format_shows_a_password(command, form):
    if (command, form) == (One, 'csv'):
        return
    out, err = io.StringIO(), io.StringIO()
    program = application.App(stdout=out, stderr=err)
    program.options, _ = program.parser.parse_known_args([])
    made = command(program, program.options)
    made.run(made.get_parser('test').parse_args(['-f', form]))
    assert 'Zq' not in out.getvalue() + err.getvalue()
    assert err.getvalue() == 'at %s\n' % SHOWN
    assert SHOWN in out.getvalue()
    if form == 'json':
        found = json.loads(out.getvalue())
        (row,) = found if command is Listed else [found]
        assert row == {
            'text': SHOWN,
            'cell': SHOWN,
            'list': [{'a': SHOWN}],
            'number': 1,
        }


def test_what_is_wrong_in_the_command_line_shows_no_password(capsys):
    with pytest.raises(SystemExit):
        application.run(['facts', 'show', '--timeout', URL])
    assert SHOWN in capsys.readouterr().err

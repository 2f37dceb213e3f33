# SPDX-License-Identifier: Apache-2.0

"""The options that both programs have."""

from __future__ import annotations

import io
import logging

import pytest

from nova_xen_sched.cmd import application
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd.upgrade_check import checks
from tests.unit.cmd import programs

APP, STATUS = 'app', 'upgrade_check.command'
HOSTS, CHECK = ('host', 'list'), ('upgrade', 'check', '--json')
MISSING = 'there is no /no.conf: check the path.'


@pytest.mark.parametrize(
    ('program', 'command'), [(APP, HOSTS), (STATUS, CHECK)]
)
@pytest.mark.parametrize('option', ['--config-file', '--config-dir'])
def test_the_configuration_is_named_before_and_behind(
    tmp_path, program, command, option
):
    for arguments in (
        (option, '/no.conf', *command),
        (*command, option, '/no.conf'),
    ):
        ran = programs.run(program, *arguments, home=tmp_path)
        assert '/no.conf' in ran.stdout + ran.stderr
        assert ran.returncode == 2


@pytest.mark.parametrize(
    ('program', 'command'), [(APP, HOSTS), (STATUS, CHECK)]
)
def test_debug_changes_no_exit_code(tmp_path, program, command):
    ran = programs.run(
        *(program, '--debug', *command, '--config-file', '/no.conf'),
        home=tmp_path,
    )
    assert 'Traceback' in ran.stderr
    assert MISSING in ran.stdout + ran.stderr
    assert ran.returncode == 2


@pytest.mark.parametrize(
    ('program', 'command'), [(APP, HOSTS), (STATUS, CHECK)]
)
def test_verbose_says_what_is_done_and_how_long_it_took(
    tmp_path, program, command
):
    ran = programs.run(
        *(program, *command, '-v', '--config-file', '/dev/null'),
        home=tmp_path,
    )
    lines = ran.stderr.splitlines()
    assert lines[0].startswith('Loading nova, ') and lines[0].endswith(' s')
    assert lines[1].startswith("Reading nova's databases, ")


@pytest.mark.parametrize(
    ('program', 'name'),
    [(APP, 'nova-xen-sched'), (STATUS, 'nova-xen-sched-status')],
)
def test_version(tmp_path, program, name):
    ran = programs.run(program, '--version', home=tmp_path)
    assert ran.stdout == '%s %s\n' % (name, options.version())
    assert ran.returncode == 0


def test_help_fits_a_terminal(tmp_path):
    for program in (APP, STATUS):
        ran = programs.run(program, '--help', home=tmp_path)
        assert ran.returncode == 0
        assert max(map(len, ran.stdout.splitlines())) < 80


@pytest.mark.parametrize(
    'arguments',
    [
        ('--config-file', '', 'host', 'list'),
        ('host', 'list', '--config-dir='),
        ('--log-file=', 'host', 'list'),
        ('host', 'list', ''),
        ('host', 'list', '-c', ''),
        ('host', 'show', ' '),
        ('capacity', '--flavor='),
        ('drain', ''),
        ('rebalance', '--check='),
        ('rebalance', '--exclude', ''),
        ('rebalance', '--from='),
        ('facts', 'show', '--connect', ''),
        ('facts', 'show', '--nova-host='),
        ('facts', 'export', '--file='),
        ('facts', 'publish', '--from-file', ''),
        ('facts', 'publish', '--os-cloud='),
        *(
            ('explain', '--%s=' % name)
            for name in (
                *('image', 'flavor', 'server', 'host', 'project'),
                *('availability-zone', 'disk-format'),
            )
        ),
    ],
)
def test_a_name_or_path_is_not_empty(arguments, capsys):
    # As of a variable of a shell that isn't set.
    with pytest.raises(SystemExit) as ended:
        application.run(list(arguments))
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert 'the value is empty: give one, or leave the argument out.' in line


class Saying(base.Command):
    """Says something, and ends in what it is given."""

    error = None

    def take_action(self, parsed_args):
        self.say('By the way.')
        self.say('It is broken.', error=True)
        logging.getLogger('any').warning('a warning')
        if self.error:
            raise self.error


@pytest.fixture
def ended(monkeypatch):
    def run(*arguments, error=None):
        monkeypatch.setattr(Saying, 'error', error)
        err = io.StringIO()
        program = application.App(stdout=io.StringIO(), stderr=err)
        program.command_manager.add_command('say', Saying)
        code = program.run([*arguments, 'say'])
        return code, err.getvalue().splitlines()

    return run


def test_quiet_leaves_errors(ended):
    assert ended('-q') == (0, ['It is broken.'])
    assert ended() == (0, ['By the way.', 'It is broken.', 'a warning'])
    code, lines = ended('-q', error=errors.Failure('It failed.'))
    assert (code, lines[-1]) == (2, 'It failed.')


@pytest.mark.parametrize('option', ['-v', '--debug', '-q'])
@pytest.mark.parametrize('error', [errors.Failure('So.'), KeyError('so')])
def test_what_fails_ends_with_2(ended, option, error):
    code, lines = ended(option, error=error)
    assert code == 2
    is_traced = any('Traceback' in line for line in lines)
    assert is_traced == (option == '--debug')


@pytest.mark.parametrize('option', [(), ('--debug',)])
def test_an_unexpected_error_of_the_checks_is_255(monkeypatch, capsys, option):
    monkeypatch.setattr(checks.nova, 'open_cloud', lambda _: {}['so'])
    assert checks.run(['upgrade', 'check', *option]) == 255
    out, err = capsys.readouterr()
    assert out == ''
    assert ('Traceback' in err) == bool(option)


@pytest.mark.parametrize('name', ['--conf', '--verb'])
def test_an_abbreviation_is_left_to_the_command(name):
    parser = options.parser('x', '')
    assert parser.parse_known_args([name])[1] == [name]

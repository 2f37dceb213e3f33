# SPDX-License-Identifier: Apache-2.0

"""host show and capacity: which columns they have, and wrong usage.

tests/functional has the same commands with a real nova.
"""

from __future__ import annotations

import io

import pytest

from nova_xen_sched.cmd import app
from nova_xen_sched.cmd import application
from nova_xen_sched.cmd.hosts import command
from nova_xen_sched.cmd.hosts import fields


@pytest.mark.parametrize(
    'arguments',
    [
        ('-c', 'refused'),
        ('--sort-column', 'dom0_memory'),
        ('-c', 'Host', '-c', 'DISK_GB'),
    ],
)
def test_a_total_has_three_columns(arguments, capsys):
    # Before any configuration is looked for.
    assert app.main(['capacity', '--total', *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith('There is no column ')
    assert err.endswith(' Name some of host, fits, runs_out_first.\n')


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        *(
            ((*command, *size), '--flavor goes without --ram, --vcpus and ')
            for command in (('host', 'list'), ('host', 'show', 'a'))
            for size in (
                ('--flavor', 'f', '--ram', '4'),
                ('--flavor', 'f', '--disk', '0'),
            )
        ),
        (('capacity', '--flavor', 'f', '--vcpus', '1'), '--flavor goes '),
        (('host', 'show', 'a', '-c', 'nosuch'), 'There is no column nosuch.'),
    ],
)
def test_wrong_usage_needs_no_nova(arguments, words, capsys):
    assert app.main(arguments) == 2
    assert capsys.readouterr().err.startswith(words)


@pytest.mark.parametrize('value', ['101', '1000', '-1', '5 %'])
def test_a_share_is_at_most_100(value, capsys):
    with pytest.raises(SystemExit) as ended:
        app.main(['host', 'list', '--scarce=' + value])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert 'not a whole number from 0 to 100: %r.' % value in err


class Healthy(command.Show):
    """A host that nothing is wrong with; no nova is asked for it."""

    def take_action(self, parsed_args):
        names = [name for group in fields.SHOW.values() for name in group]
        cells = dict.fromkeys(names, '')
        cells['host'] = 'xen-a1'
        return names, list(cells.values())


@pytest.mark.parametrize(
    ('arguments', 'lines'),
    [
        (('-c', 'refused'), ['Refused']),
        (('-c', 'refused', '-c', 'host'), ['Host     xen-a1', 'Refused']),
        ((), ['Host  xen-a1']),
    ],
)
@pytest.mark.parametrize('is_terminal', [True, False])
def test_a_field_that_is_asked_for_is_shown_even_if_empty(
    arguments, lines, is_terminal
):
    out, err = io.StringIO(), io.StringIO()
    out.isatty = lambda: is_terminal
    program = application.App(stdout=out, stderr=err)
    program.command_manager.add_command('healthy', Healthy)
    assert program.run(['healthy', 'xen-a1', *arguments]) == 0
    assert out.getvalue().splitlines() == lines
    assert err.getvalue() == ''

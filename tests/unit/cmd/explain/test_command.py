# SPDX-License-Identifier: Apache-2.0

"""Loading nova's configuration, in a process of its own as it is for life."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from tests.unit.cmd import programs

ROOT = pathlib.Path(__file__).parents[4]

REQUEST = ('--ram=512', '--vcpus=1', '--disk=1')


def run(*arguments, home):
    """Python with these arguments, and no configuration but theirs."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith('OS_')
    }
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    environment.update(HOME=str(home), PYTHONPATH=path)
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        cwd=str(home),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def error_of(ran):
    """The one line that was said; of a commands' list without all of them."""
    assert ran.returncode == 2
    assert ran.stdout == ''
    lines = [
        line
        for line in ran.stderr.splitlines()
        # Commands of other modules that are not installed.
        if not line.startswith('Could not load')
    ]
    assert len(lines) == 1, ran.stderr
    return lines[0]


@pytest.mark.skipif(
    os.path.exists('/etc/nova/nova.conf'), reason='this machine has a nova'
)
def test_no_configuration(tmp_path):
    ran = run(
        *('-m', 'nova_xen_sched.cmd.app', 'explain', *REQUEST), home=tmp_path
    )
    assert 'No configuration of nova was found' in error_of(ran)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        (None, "nova's configuration can't be read: there is no /"),
        ('[scheduler', "nova's configuration is wrong: "),
        (
            '[filter_scheduler]',
            "nova's API database ([api_database]) is not configured",
        ),
        (
            '[api_database]\nconnection = sqlite:///{home}/api.db',
            'Check that nova-manage db sync was run for this nova.',
        ),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, text, words):
    path = tmp_path / 'nova.conf'
    if text is not None:
        path.write_text(text.format(home=tmp_path))
    ran = programs.run(
        *('app', '--config-file', str(path), 'explain', *REQUEST),
        home=tmp_path,
    )
    assert words in error_of(ran)


def test_what_mappings_of_cells_are_made_of_can_be_read(tmp_path):
    path = tmp_path / 'nova.conf'
    path.write_text('[DEFAULT]\ntransport_url = rabbit://u:p@h:1/')
    program = (
        'import nova.conf\n'
        'from nova_xen_sched.cmd import streams\n'
        'from nova_xen_sched.cmd.nova import configuration\n'
        'streams.quieten()\n'
        'configuration.load([%r], [])\n'
        'print(nova.conf.CONF.transport_url)\n'
    )
    ran = run('-c', program % str(path), home=tmp_path)
    assert ran.stdout == 'rabbit://u:p@h:1/\n', ran.stderr


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--flavor=a', *REQUEST], '--flavor goes without'),
        ([*REQUEST, '--operation=boot'], '--operation needs --server'),
        (['--server=a', '--hint=a=b'], '--hint goes without --server'),
        (['--server=a', '--image=b'], 'only for --operation rebuild'),
        (['--server=a', '--flavor=b'], 'only for --operation resize'),
        (['--server=a', '--operation=resize'], 'resize needs a flavor'),
        ([*REQUEST, '--hint', 'x'], '--hint x is not KEY=VALUE.'),
        ([*REQUEST, '--property', 'foo'], '--property foo is not KEY=VALUE.'),
        ([*REQUEST, '--property', '=x'], '--property =x is not KEY=VALUE.'),
        (['--availability-zone=a:b:c:d'], 'a:b:c:d is not ZONE, ZONE:HOST'),
    ],
)
def test_options_that_do_not_go_together(arguments, words, capsys):
    # Before any configuration is looked for.
    from nova_xen_sched.cmd import app

    assert app.main(['explain', *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('--ram', '0'),
        ('--ram', '-1'),
        ('--vcpus', '0'),
        ('--disk', '-1'),
        ('--disk', 'x'),
        ('--limit', '-1'),
    ],
)
def test_numbers_that_are_none(name, value, capsys):
    from nova_xen_sched.cmd import app

    with pytest.raises(SystemExit) as ended:
        app.main(['explain', *REQUEST, '%s=%s' % (name, value)])
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert 'argument %s: not ' % name in last

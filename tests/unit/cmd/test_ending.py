# SPDX-License-Identifier: Apache-2.0

"""How the programs end, run as they are installed: one line, no traceback."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from tests.unit import interrupting
from tests.unit.cmd import programs

ROOT = pathlib.Path(__file__).parents[3]
APP, STATUS = 'app', 'upgrade_check.command'
REQUEST = ('explain', '--ram=512', '--vcpus=1', '--disk=1')
LINE = 'Interrupted. Run it again to have all of it.'


def run(program, *arguments, home, before='', **options):
    """What a program's script does, in a process of its own.

    :param before: lines that run before it.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('OS_', 'PYTHON'))
    }
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    environment.update(HOME=str(home), PYTHONPATH=path)
    script = (
        'import sys\n%s\nfrom nova_xen_sched.cmd.%s import main\n'
        'sys.exit(main())' % (before, program)
    )
    options.setdefault('stdout', subprocess.PIPE)
    return subprocess.run(
        [sys.executable, '-c', script, *arguments],
        env=dict(environment, **options.pop('variables', {})),
        cwd=str(home),
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
        **options,
    )


def test_a_full_log_file_is_said_once(tmp_path):
    before = 'import atexit, logging\n' + 2 * (
        "atexit.register(logging.debug, 'any line')\n"
    )
    ran = run(
        APP, '--log-file', '/dev/full', 'help', home=tmp_path, before=before
    )
    assert (ran.returncode, ran.stderr) == (
        0,
        "The log file /dev/full can't be written: No space left on device. "
        'Name another with --log-file.\n',
    )


@pytest.mark.parametrize(
    ('options', 'is_traced'), [((), False), (('-vv',), True)]
)
def test_a_log_call_of_a_library_that_is_wrong(tmp_path, options, is_traced):
    before = (
        'import atexit, logging\n'
        "atexit.register(logging.warning, '%d', 'no number')\n"
    )
    ran = run(APP, *options, 'help', home=tmp_path, before=before)
    assert ('Logging error' in ran.stderr) == is_traced


@pytest.mark.once
@pytest.mark.parametrize('variables', [{}, {'PYTHONUNBUFFERED': '1'}])
@pytest.mark.parametrize(
    ('program', 'arguments'),
    [
        (APP, ['--help']),
        (APP, ['complete']),
        (APP, ['help']),
        (STATUS, ['upgrade', 'check']),
        (STATUS, ['upgrade', 'check', '--json']),
    ],
)
def test_a_full_disk_is_one_line(tmp_path, program, arguments, variables):
    with open('/dev/full', 'w') as full:
        ran = run(
            *(program, *arguments),
            home=tmp_path,
            stdout=full,
            variables=variables,
        )
    assert ran.stderr.splitlines() == [
        "The output can't be written: No space left on device."
    ]
    assert ran.returncode == 2


@pytest.mark.parametrize('program', [APP, STATUS])
def test_no_stdout_at_all_is_one_line(tmp_path, program):
    arguments = ['complete'] if program == APP else ['upgrade', 'check']
    ran = run(
        *(program, *arguments),
        home=tmp_path,
        before='sys.stdout = None',
    )
    assert ran.stderr.splitlines() == [
        "The output can't be written: stdout is closed."
    ]
    assert ran.returncode == 2


@pytest.mark.parametrize('program', [APP, STATUS])
def test_a_reader_that_has_enough_is_told_nothing(tmp_path, program):
    arguments = ['complete'] if program == APP else ['upgrade', 'check']
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = run(program, *arguments, home=tmp_path, stdout=writer)
    finally:
        os.close(writer)
    assert (ran.stderr, ran.returncode) == ('', 141)


@pytest.mark.parametrize(
    ('program', 'arguments', 'module'),
    [
        (APP, REQUEST, 'nova_xen_sched.cmd.application'),
        (APP, REQUEST, 'cliff.app'),
        (APP, REQUEST, 'nova.conf'),
        (STATUS, ('upgrade', 'check'), 'oslo_config'),
        (STATUS, ('upgrade', 'check'), 'nova.conf'),
    ],
)
def test_ctrl_c_in_the_first_seconds_is_one_line(
    tmp_path, program, arguments, module
):
    ran = run(
        *(program, *arguments),
        home=tmp_path,
        before=interrupting.on_import_of(module),
    )
    assert ran.stderr.splitlines() == [LINE]
    assert ran.returncode == 130


def test_what_a_terminal_cannot_show_is_written_by_its_number(tmp_path):
    ran = run(
        *(APP, '--version'),
        home=tmp_path,
        before='from nova_xen_sched.cmd import options\n'
        'options.version = lambda: "h\\xf6st"',
        variables={'PYTHONIOENCODING': 'ascii'},
    )
    assert ran.stdout == 'nova-xen-sched h\\xf6st\n'
    assert ran.returncode == 0


def test_a_log_file_that_cannot_be_written(tmp_path):
    path = tmp_path / 'nowhere' / 'log'
    ran = programs.run(APP, '--log-file', str(path), *REQUEST, home=tmp_path)
    assert ran.stderr.splitlines() == [
        "The log file %s can't be written: No such file or directory. Name "
        'another with --log-file.' % path
    ]
    assert ran.returncode == 2


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        (
            '[filter_scheduler]\nweight_classes = no.such.Weigher',
            "weight_classes names no.such.Weigher, which can't be loaded: "
            "ModuleNotFoundError: No module named 'no'",
        ),
        (
            '[filter_scheduler]\nweight_classes = nova.weights.NoSuch',
            'ImportError: Class NoSuch cannot be found. Correct the option',
        ),
        (
            '[filter_scheduler]\nweight_classes = RAMWeigher',
            "weight_classes names RAMWeigher, which can't be loaded: ",
        ),
        (
            '[api_database]\nconnection = mysql+cymysql://u:Zq@h/nova',
            'lacks the driver that its connection names (No module named',
        ),
        (
            '[api_database]\nconnection = nosuch://u:Zq@h/nova',
            'is not configured, or wrongly: ',
        ),
        ('\0\1', 'is no text (UTF-8) in line 1: write that line again.'),
    ],
)
def test_what_is_wrong_is_one_line_of_both_programs(tmp_path, text, words):
    path = tmp_path / 'nova.conf'
    path.write_text(text)
    ran = programs.run(
        *(APP, '--config-file', str(path), *REQUEST), home=tmp_path
    )
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert ran.returncode == 2
    for wrong in ('Traceback', 'defect', 'Zq'):
        assert wrong not in ran.stderr
    checked = programs.run(
        *(STATUS, '--config-file', str(path), 'upgrade', 'check', '--json'),
        home=tmp_path,
    )
    said = ' '.join((checked.stdout + checked.stderr).split())
    assert words.replace('"', '\\"') in said
    assert checked.returncode == 2
    for wrong in ('Traceback', 'defect', 'Zq'):
        assert wrong not in said


def test_a_filter_that_is_broken_is_one_line(tmp_path):
    (tmp_path / 'broken.py').write_text('class Filter(:\n')
    path = tmp_path / 'nova.conf'
    path.write_text('[filter_scheduler]\navailable_filters = broken.Filter')
    ran = run(
        *(APP, '--config-file', str(path), *REQUEST),
        home=tmp_path,
        before='sys.path.insert(0, %r)' % str(tmp_path),
    )
    words = "names broken.Filter, which can't be loaded: SyntaxError: "
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert ran.returncode == 2


@pytest.mark.parametrize('option', ['-c', '--sort-column'])
@pytest.mark.parametrize(
    'command',
    [
        *(REQUEST, ('host', 'list'), ('capacity',), ('facts', 'publish')),
        ('simulate',),
    ],
)
def test_a_column_that_is_none_is_refused_before_anything_is_done(
    tmp_path, command, option
):
    known = 'source' if command[0] in ('rebalance', 'drain') else 'host'
    ran = programs.run(
        *(APP, *command, option, known, option, 'nosuch'), home=tmp_path
    )
    assert ran.stderr.startswith('There is no column nosuch. Name some of ')
    assert len(ran.stderr.splitlines()) == 1
    assert ran.returncode == 2

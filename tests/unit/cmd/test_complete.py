# SPDX-License-Identifier: Apache-2.0

"""What the Tab key offers, in real shells on a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from nova_xen_sched.cmd import application

SHELLS = {'bash': ['--norc', '--noprofile', '-i'], 'zsh': ['-f', '-i']}


@pytest.fixture
def script(tmp_path):
    out = io.StringIO()
    assert application.App(stdout=out).run(['complete']) == 0
    path = tmp_path / 'script'
    path.write_text(out.getvalue())
    return path


class Shell:
    """A shell on a terminal, to which keys are typed."""

    def __init__(self, name, home):
        environment = {
            'PATH': os.environ['PATH'],
            'HOME': str(home),
            'PS1': '> ',
            'TERM': 'dumb',
        }
        self._terminal, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [shutil.which(name), *SHELLS[name]],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=str(home),
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)

    def typed(self, keys, awaited):
        """What the terminal shows, up to what is awaited of it."""
        os.write(self._terminal, keys.encode())
        shown = ''
        end = time.monotonic() + 60
        while not re.search(awaited, shown):
            assert time.monotonic() < end, shown
            if select.select([self._terminal], [], [], 1)[0]:
                shown += os.read(self._terminal, 4096).decode(errors='replace')
                # zsh moves the cursor back and writes on.
                shown = re.sub(r' \x08|\x1b\[\?2004[hl]', '', shown)
        return shown

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@pytest.fixture(params=sorted(SHELLS))
def shell(request, script, tmp_path):
    if shutil.which(request.param) is None:
        pytest.skip('there is no %s' % request.param)
    (tmp_path / 'some.conf').touch()
    found = Shell(request.param, tmp_path)
    try:
        found.typed('source %s; echo re""ady\n' % script, r'ready\r')
        yield found
    finally:
        found.close()


@pytest.mark.parametrize(
    ('keys', 'completed'),
    [
        ('nova-xen-sched fac\t', 'nova-xen-sched facts '),
        ('nova-xen-sched facts pu\t', 'facts publish '),
        ('nova-xen-sched facts show --time\t', '--timeout '),
        ('nova-xen-sched --debug image che\t', 'image check '),
        ('nova-xen-sched host list --config-f\t', '--config-file '),
        ('nova-xen-sched --log-\t', '--log-file '),
        ('nova-xen-sched-status upg\t', 'status upgrade '),
        ('nova-xen-sched host list --config-file ./so\t', './some.conf '),
    ],
)
def test_what_is_completed(shell, keys, completed):
    shell.typed(keys, re.escape(completed))


def test_no_option_is_offered_where_a_word_is_begun(shell):
    shown = shell.typed('nova-xen-sched host \t\t', 'list +show')
    assert '--' not in shown.split('host', 1)[1]

# SPDX-License-Identifier: Apache-2.0

"""A sign of life on a terminal, for stages without steps, too."""

from __future__ import annotations

import io
import time

import pytest

from nova_xen_sched.cmd.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(Progress, 'AFTER', 0.05)


def waited_for(stream, text):
    """Whether a text is written within a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if text in stream.getvalue():
            return True
        time.sleep(0.01)
    return False


def test_one_long_step_is_seen_and_leaves_nothing():
    stream = Terminal()
    with Progress('Loading nova', stream=stream):
        assert waited_for(stream, 'Loading nova, 0 s')
    shown = stream.getvalue()
    assert shown.endswith('\r%s\r' % (' ' * len('Loading nova, 0 s')))


def test_the_innermost_stage_is_shown_with_its_steps():
    stream = Terminal()
    with Progress('Reading hosts', stream=stream):
        with Progress('Reading servers', 7, stream) as progress:
            progress.step(3)
            progress.step()
            assert waited_for(stream, 'Reading servers: 4 of 7, ')
        shown = stream.getvalue()
        # On a busy machine the outer stage may be seen before it.
        assert 'Reading hosts' not in shown[shown.index('Reading servers') :]
        assert waited_for(stream, 'Reading hosts, ')


def test_what_is_short_says_nothing(monkeypatch):
    monkeypatch.setattr(Progress, 'AFTER', 60)
    stream = Terminal()
    with Progress('Loading nova', stream=stream):
        pass
    assert stream.getvalue() == ''


def test_where_there_is_no_terminal_it_says_nothing():
    stream = io.StringIO()
    with Progress('Loading nova', stream=stream):
        time.sleep(0.2)
    assert stream.getvalue() == ''

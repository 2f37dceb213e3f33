# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

from __future__ import annotations

import contextlib
import io
import logging

import pytest

from nova_xen_sched import redact
from nova_xen_sched.cmd import app
from nova_xen_sched.cmd import base

URL = 'http://user:se@cret@127.0.0.1:9/v3'
SHOWN = 'http://user:***@127.0.0.1:9/v3'
#: It warns of the URL that it can't reach.
DISCOVERY = 'keystoneauth.identity.generic.base'
#: It warns of where to log in.
BROWSER = 'keystoneauth.identity.v3.oidc'


@pytest.fixture
def root():
    """The root logger without handlers; all is as it was afterwards."""
    found = logging.getLogger()
    names = [name for names in base._LEVELS for name in names]
    levels = {name: logging.getLogger(name).level for name in names}
    handlers, level = found.handlers, found.level
    found.handlers = []
    yield found
    found.handlers, found.level = handlers, level
    for name in names:
        logging.getLogger(name).setLevel(levels[name])


@pytest.mark.parametrize(
    'text, shown',
    [
        (URL, SHOWN),
        (
            'at %s: no. And %s.' % (URL, URL),
            'at %s: no. And %s.' % ((SHOWN,) * 2),
        ),
        ('xen+ssh://:secret@a/', 'xen+ssh://:***@a/'),
        ('xen+ssh://root@a:22/system', None),
        ('http://[::1]:5000/v3', None),
        ('http://a:80/x?mail=a@b', None),
        ('http://a:80 of b@c', None),
        ('no URL: a@b', None),
        ('', None),
    ],
)
def test_passwords_go_and_all_else_stays(text, shown):
    assert redact.passwords(text) == (text if shown is None else shown)


@pytest.mark.parametrize('arguments', [[], ['-v'], ['-vv'], ['--debug']])
def test_no_command_logs_the_password_of_a_url(root, arguments, tmp_path):
    stderr, path = io.StringIO(), tmp_path / 'log'
    program = app.App(stdout=io.StringIO(), stderr=stderr)
    # Older releases of cliff end in it, newer ones return.
    with contextlib.suppress(SystemExit):
        program.run([*arguments, '--log-file', str(path), 'help'])
    logger = logging.getLogger('keystoneauth.any')
    for level in (logging.DEBUG, logging.WARNING):
        logger.log(level, 'contacting %s', URL)
    try:
        raise ValueError(URL)
    except ValueError:
        logger.exception('it failed')
    for said in (stderr.getvalue(), path.read_text()):
        assert 'contacting ' + SHOWN in said
        assert 'ValueError: ' + SHOWN in said
        assert 'cret' not in said


def test_what_is_said_anyway_is_not_logged_but_where_to_log_in_is(root):
    base.quieten_loggers()
    assert not logging.getLogger(DISCOVERY).isEnabledFor(logging.WARNING)
    assert logging.getLogger(BROWSER).isEnabledFor(logging.WARNING)


def test_asked_for_all_nothing_is_quiet(root):
    before = logging.getLogger(DISCOVERY).level
    base.quieten_loggers(2)
    assert logging.getLogger(DISCOVERY).level == before


def test_a_handler_without_a_formatter_has_one_then(root):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root.addHandler(handler)
    redact.from_logs()
    formatter = handler.formatter
    # Twice is as good as once.
    redact.from_logs()
    assert handler.formatter is formatter
    root.error('at %s', URL)
    assert stream.getvalue() == 'at %s\n' % SHOWN

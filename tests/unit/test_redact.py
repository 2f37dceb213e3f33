# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import contextlib
import io
import json
import logging
import pathlib
import re
import string
import time

from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st
import pytest

from nova_xen_sched import log
from nova_xen_sched import redact
from nova_xen_sched.cmd import application
from nova_xen_sched.cmd import streams

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
    names = [name for names in streams._LEVELS for name in names]
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
        ("from string 'm//u:s/e#c?r@h/d'.", "from string 'm//u:***@h/d'."),
        ("from string 'u:s/e#c?r@h/d'.", "from string 'u:***@h/d'."),
        ('from u:s/e#c?r@h/d.', 'from u:***@h/d.'),
        ('rabbit://u:a@h:1,v:b@i:2/', 'rabbit://u:***@i:2/'),
        ('m://u:a\nb@h/d', 'm://u:***@h/d'),
        ('http://a:80/users/a@b', 'http://a:***@b'),
        ("MySQL server on 'cret@h' (", "MySQL server on '***@h' ("),
        ('m://h/d?password=a/b&c=d', 'm://h/d?password=***&c=d'),
        ("{'password': 's e', 'a': 1}", "{'password': '***', 'a': 1}"),
        ('"admin_password": "a\\"} b"', '"admin_password": "***"'),
        ("password='a'b', c", "password='***', c"),
        ('a = b\n  os_password: s e c\nc', 'a = b\n  os_password: ***\nc'),
        ("for user 'a'@'b' (using password: YES)", None),
        (
            "ValueError: invalid literal for int() with base 10: 'cret'",
            "ValueError: invalid literal for int() with base 10: '***'",
        ),
        (
            "Port could not be cast to integer value as 'cret'",
            "Port could not be cast to integer value as '***'",
        ),
        ("Value of x: invalid literal for int() with base 10: 'y'", None),
        (
            "Failed to parse n: at n:3, Unexpected continuation line: ' cret'",
            "Failed to parse n: at n:3, Unexpected continuation line: '***'",
        ),
    ],
)
def test_passwords_go_and_all_else_stays(text, shown):
    assert redact.passwords(text) == (text if shown is None else shown)
    # Twice is as good as once.
    assert redact.passwords(shown or text) == (shown or text)


@pytest.mark.parametrize(
    'text, shown',
    [
        ('a --os-password hunter2 b', 'a --os-password *** b'),
        ('a --os-password=hunter2 b', 'a --os-password=*** b'),
        ('-H "X-Auth-Token: abc', '-H "X-Auth-Token: ***'),
        ('{"X-Auth-Token": "abc"}', '{"X-Auth-Token": "***"}'),
        ('with Authorization: Basic abc of', 'with Authorization: *** of'),
        ("'Authorization': 'Bearer abc'}", "'Authorization': '***'}"),
        ('a pwd=abc b', 'a pwd=*** b'),
        ('a pw=abc&b=c', 'a pw=***&b=c'),
        ('DRIVER=x;PWD=abc', 'DRIVER=x;PWD=***'),
        ('cwpw=abc', 'cwpw=abc'),
    ],
)
def test_options_by_any_of_their_names_are_hidden(text, shown):
    assert redact.passwords(text) == shown
    assert redact.values(text) == shown
    assert redact.passwords(shown) == shown


@pytest.mark.parametrize(
    'text',
    [
        'ubuntu:22.04@registry/base',
        "'prod: x@y'",
        "reported by 'xen-a1: libvirt 1.2 @ 10:00'",
        "server on 'a@b'",
        'openstack image set --property secret:level=3 ubuntu:22@r/b',
        "netloc 'a'",
    ],
)
def test_what_is_no_password_stays_in_a_cell(text):
    assert redact.values({'name': [text]}) == {'name': [text]}


PIECES = ['//a:', "'a:", '//a:b ', '//a:1/', 'password=', "password='"] + [
    *("'", 'a:b@c/', '//', ' a://', '\n', "ValueError: 'a", '?a='),
]


@pytest.mark.parametrize('after', ['', '@', '@h/', " '@ password int()"])
@pytest.mark.parametrize('piece', PIECES)
def test_a_long_text_takes_no_long(piece, after):
    text = piece * (2**16 // len(piece)) + after
    start = time.process_time()
    redact.passwords(text)
    assert time.process_time() - start < 1


ANY = st.text(string.printable.replace('\n', ''), min_size=1)


@pytest.mark.once
@pytest.mark.parametrize('before', ['', 'at ', "string '", '"'])
@pytest.mark.parametrize('scheme', ['m+p://', 'm+p//', '//', '://'])
@pytest.mark.parametrize('after', ['h/d', "h:1/d'. Check ", 'h" b'])
@given(ANY)
def test_no_password_of_a_url_is_shown(before, scheme, after, password):
    # It would be another URL, or a port and a text.
    assume(not re.search(r'@.*\s[\w+.-]+://', password))
    if re.match(r'\d{1,5}\W', password):
        assume(not re.search(r'\s|\?[\w.-]+=', password))
    assume(not password.startswith('***@'))
    text = before + scheme + 'nova:%s@' + after
    assert redact.passwords(text % password) == text % '***'


@pytest.mark.parametrize('quote', ['"', "'", '`'])
@given(ANY)
def test_no_password_in_quotes_is_shown(quote, password):
    assume(not re.search(quote + r'[\s&,.;:)\]}]', password))
    assume(not re.match(r'//|\*{3}@', password))
    text = 'from string %snova:%s@h/d%s. Check'
    assert redact.passwords(text % (quote, password, quote)) == text % (
        quote,
        '***',
        quote,
    )


@given(st.text(string.ascii_letters + '/#?@:"\'\n%', min_size=1))
def test_no_password_of_several_lines_is_shown(password):
    # As many of an error's lines are made one before.
    line = ' '.join(('m//u:%s@h' % password).split())
    assume(not re.search(r'@.*\s[\w+.-]+://', line))
    assert redact.passwords(line) == 'm//u:***@h'


HARMLESS = [
    '10:00:00',
    '2026-11-22T10:00:00Z',
    'xen-a1',
    'xen-a1:node',
    'libvirt (from file)',
    'fe80::1%eth0',
    'http://[fe80::1]:5000/v3',
    'http://ks:5000/v3/auth',
    'http://ks:80',
    'xen+ssh://root@xen-a1/system',
    'xen+tls://xen-a1:16514/system',
    'ops@example.org',
    'mailto:ops@example.org',
    'xen:managed_by=nova-xen-sched',
    'xen:libvirt_version',
    'aggregate::metadata',
    "'quoted'",
    '"ops@example.org"',
    "{'a': 'b@c'}",
    'password',
    'passwords: none.',
]


@given(st.lists(st.sampled_from(HARMLESS)), st.sampled_from(['', '"', "'"]))
def test_a_text_without_passwords_stays_as_it_is(words, quote):
    text = ' '.join(quote + word + quote for word in words)
    assert redact.passwords(text) == text


@given(ANY)
def test_values_of_json_are_its_values_still(password):
    # Inside them.
    assume(not re.match(r'\d|\*{3}@', password))
    assume(not re.search(r'@.*\s[\w+.-]+://', password))
    data = {'a': ['//u:%s@h' % password, 1, None], 'b': ('c', True)}
    found = redact.values(data)
    assert found == {'a': ['//u:***@h', 1, None], 'b': ('c', True)}
    assert json.loads(json.dumps(found))['a'][0] == '//u:***@h'


def test_the_plugins_own_lines_have_no_passwords(caplog):
    logger = log.logger('nova_xen_sched.any').logger
    try:
        raise ValueError(URL)
    except ValueError as e:
        logger.exception('it failed: %s', e)
    logger.warning('%d of it', 5)
    logger.warning('its %s', URL)
    failed, harmless, other = caplog.records
    assert failed.getMessage().startswith('it failed: %s\nTrace' % SHOWN)
    assert 'cret' not in caplog.text
    assert harmless.args == (5,)
    assert other.getMessage() == 'its ' + SHOWN


def test_every_logger_of_the_plugins_is_one_of_these():
    for path in pathlib.Path(redact.__file__).parent.rglob('*.py'):
        if path.name != 'log.py':
            assert 'oslo_log' not in path.read_text(), path


@pytest.mark.parametrize('arguments', [[], ['-v'], ['-vv'], ['--debug']])
def test_no_command_logs_the_password_of_a_url(root, arguments, tmp_path):
    stderr, path = io.StringIO(), tmp_path / 'log'
    program = application.App(stdout=io.StringIO(), stderr=stderr)
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
    streams.quieten_loggers()
    assert not logging.getLogger(DISCOVERY).isEnabledFor(logging.WARNING)
    assert logging.getLogger(BROWSER).isEnabledFor(logging.WARNING)


def test_asked_for_all_nothing_is_quiet(root):
    before = logging.getLogger(DISCOVERY).level
    streams.quieten_loggers(2)
    assert logging.getLogger(DISCOVERY).level == before


def test_what_cannot_be_formatted_is_left_to_the_handlers():
    record = logging.LogRecord('a', 40, 'b', 1, '%s of %s', (URL,), None)
    assert redact.FILTER.filter(record)
    assert record.args == (URL,)

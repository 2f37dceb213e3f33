# SPDX-License-Identifier: Apache-2.0

"""What asking a host can end in; tests/libvirt asks real ones."""

from __future__ import annotations

import dataclasses
import json

import pytest

from nova_xen_sched import xenhost
from nova_xen_sched.xenhost import child
from nova_xen_sched.xenhost import read_many

HOST = xenhost.XenHost(uri='xen:///', hypervisor='Xen')


@pytest.mark.parametrize(
    'code, out, err, error',
    [
        (0, b'', b'', "can't be read"),
        (0, b'{', b'', "can't be read"),
        (0, b'[]', b'', "can't be read"),
        (0, b'7', b'', "can't be read"),
        (0, b'{"size": 7}', b'', "can't be read"),
        (0, b'\xff', b'', "can't be read"),
        (0, b'{"error": "refused"}', b'', 'refused'),
        (1, b'', b'Traceback:\nOSError: no\n', 'code 1: OSError: no'),
        (-11, b'', b'', 'signal 11'),
    ],
)
def test_a_child_that_gives_no_host(code, out, err, error):
    answer = read_many._result('xen:///', code, out, err)
    assert answer.host is None and error in answer.error


def test_a_child_that_gives_a_host():
    out = json.dumps(HOST.as_dict()).encode()
    assert read_many._result('xen:///', 0, out, b'words') == read_many.Result(
        'xen:///', HOST
    )


def test_what_a_host_says_cant_steer_a_terminal():
    host = dataclasses.replace(
        HOST, hostname='a\n\x1b[31mb', problems={'dom0': 'no\x9b\ud800'}
    )
    out = json.dumps(host.as_dict()).encode()
    found = read_many._result('xen:///', 0, out, b'').host
    assert found.hostname == 'a??[31mb'
    assert found.problems == {'dom0': 'no??'}
    refused = read_many._result(
        'xen:///', 0, b'{"error": "no\\u001b[1m"}', b''
    )
    assert refused.error == 'no?[1m'
    crashed = read_many._result('xen:///', 1, b'', b'no\x1b[1m\n')
    assert crashed.error.endswith(': no?[1m')


def test_what_a_host_says_stays_where_it_is_no_password():
    name = "'xen-a1: libvirt 1.2 @ 10:00'"
    for text, shown in [(name, name), ('m//u:a@h', 'm//u:***@h')]:
        host = dataclasses.replace(
            HOST, hostname=text, problems={'dom0': "'u:a@h'"}
        )
        out = json.dumps(host.as_dict()).encode()
        found = read_many._result('xen:///', 0, out, b'').host
        assert found.hostname == shown
        assert found.problems == {'dom0': "'u:***@h'"}


@pytest.mark.parametrize(
    'uri, shown',
    [
        ('xen+ssh://root@a/system', 'xen+ssh://root@a/system'),
        ('xen+ssh://root@a:22/', 'xen+ssh://root@a:22/'),
        ('xen+tcp://[::1]:16509/system', 'xen+tcp://[::1]:16509/system'),
        ('xen+ssh://a:22/system?keyfile=/x@y', None),
        ('xen+ssh://u:se@cret@a:22/system', 'xen+ssh://u:***@a:22/system'),
        ('xen+ssh://:secret@a', 'xen+ssh://:***@a'),
        ('xen+tcp://\udcff\x1b:p@a/', 'xen+tcp://??:***@a/'),
        ('xen:///system', 'xen:///system'),
        ('', ''),
    ],
)
def test_a_password_in_a_uri_is_not_shown(uri, shown):
    assert read_many.shown(uri) == (uri if shown is None else shown)


def test_no_answer_shows_the_password_of_its_uri(monkeypatch):
    # The child says the URI in place of libvirt.
    for said in ('uri', 'error'):
        monkeypatch.setattr(
            read_many,
            '_CHILD',
            'import json, sys; '
            'print(json.dumps({"%s": "no way to " + sys.argv[2]}))' % said,
        )
        (found,) = read_many.read(['xen+ssh://root:secret@a/system'], 60)
        assert found.uri == 'xen+ssh://root:***@a/system'
        assert 'secret' not in repr(found)
    (found,) = read_many.read(['xen+ssh://root:secret@a/system'], 0.001)
    assert found.error.startswith('no answer') and 'secret' not in repr(found)


def test_a_host_for_which_no_process_can_be_started(monkeypatch):
    def refused(*arguments, **more):
        raise OSError(11, 'Resource temporarily unavailable')

    monkeypatch.setattr(read_many.subprocess, 'Popen', refused)
    found = read_many.read(['xen:///', 'xen+ssh://a/'], 60)
    assert [each.uri for each in found] == ['xen:///', 'xen+ssh://a/']
    assert all('temporarily unavailable' in each.error for each in found)


def test_an_answer_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(read_many, 'MAX_OUTPUT', 10)
    out = json.dumps(HOST.as_dict()).encode()
    assert "can't be read" in read_many._result('xen:///', 0, out, b'').error


def test_each_host_is_asked_and_the_answers_keep_their_order(monkeypatch):
    # The child says the URI in place of libvirt.
    monkeypatch.setattr(
        read_many,
        '_CHILD',
        'import json, sys; print(json.dumps({"uri": sys.argv[2]}))',
    )
    steps = []
    uris = ['xen+ssh://host%d/' % number for number in range(20)]
    found = read_many.read(uris, 60, steps.append)
    assert [each.uri for each in found] == uris
    assert [each.host.uri for each in found] == uris
    assert steps[-1] == 20


@pytest.mark.parametrize(
    'uri, expected',
    [
        ('xen:///system', 'qemu:///system'),
        ('xen:///', 'qemu:///system'),
        ('xen+ssh://root@a:22/system', 'qemu+ssh://root@a:22/system'),
        ('xen+tls://a/?pkipath=/x', 'qemu+tls://a/system?pkipath=/x'),
    ],
)
def test_the_uri_of_the_qemu_driver(uri, expected):
    assert child.qemu_uri(uri) == expected

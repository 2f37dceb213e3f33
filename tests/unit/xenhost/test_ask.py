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

"""What asking a host can end in; tests/with_libvirt asks real ones."""

from __future__ import annotations

import json

import pytest

from nova_xen_sched import xenhost
from nova_xen_sched.xenhost import ask
from nova_xen_sched.xenhost import child

HOST = xenhost.XenHost(uri='xen:///', hypervisor='Xen')


@pytest.mark.parametrize(
    'code, out, err, error',
    [
        (0, b'', b'', 'makes no sense'),
        (0, b'{', b'', 'makes no sense'),
        (0, b'[]', b'', 'makes no sense'),
        (0, b'7', b'', 'makes no sense'),
        (0, b'{"size": 7}', b'', 'makes no sense'),
        (0, b'\xff', b'', 'makes no sense'),
        (0, b'{"error": "refused"}', b'', 'refused'),
        (1, b'', b'Traceback:\nOSError: no\n', 'code 1: OSError: no'),
        (-11, b'', b'', 'signal 11'),
    ],
)
def test_a_child_that_gives_no_host(code, out, err, error):
    answer = ask._answer('xen:///', code, out, err)
    assert answer.host is None and error in answer.error


def test_a_child_that_gives_a_host():
    out = json.dumps(HOST.as_dict()).encode()
    assert ask._answer('xen:///', 0, out, b'words') == ask.Answer(
        'xen:///', HOST
    )


def test_an_answer_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(ask, 'MAX_ANSWER', 10)
    out = json.dumps(HOST.as_dict()).encode()
    assert 'makes no sense' in ask._answer('xen:///', 0, out, b'').error


def test_each_host_is_asked_and_the_answers_keep_their_order(monkeypatch):
    # The child says the URI in place of libvirt.
    monkeypatch.setattr(
        ask,
        '_CHILD',
        'import json, sys; print(json.dumps({"uri": sys.argv[2]}))',
    )
    steps = []
    uris = ['xen+ssh://host%d/' % number for number in range(20)]
    found = ask.ask(uris, 60, steps.append)
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

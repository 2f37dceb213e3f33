# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from nova_xen_sched.xenhost import reader
from tests.unit import builders

HVM = {
    ('x86_64', 'xen', 'xen'),
    ('i686', 'xen', 'hvm'),
    ('i686', 'xen', 'xenpvh'),
    ('x86_64', 'xen', 'hvm'),
    ('x86_64', 'xen', 'xenpvh'),
}


@pytest.mark.parametrize(
    'folder', sorted(builders.CAPTURES.iterdir()), ids=lambda path: path.name
)
def test_every_captured_host(folder):
    found = reader.guest_types((folder / 'capabilities.xml').read_text())
    expected = {('x86_64', 'xen', 'xen')} if 'pv-only' in folder.name else HVM
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    'text, said',
    [
        ('', 'no element found'),
        ('<capabilities>', 'no element found'),
        ('error: failed to connect', 'syntax error'),
        ('<domain/>', 'it begins with <domain>'),
    ],
)
def test_what_is_no_capabilities_document(text, said):
    with pytest.raises(ValueError, match='not a capabilities') as raised:
        reader.guest_types(text)
    assert said in str(raised.value)


def test_incomplete_guests_are_left_out():
    text = (
        '<capabilities><guest><os_type>hvm</os_type><arch name="x86_64"/>'
        '</guest><guest><arch name="x86_64"><domain type="xen"/></arch>'
        '</guest></capabilities>'
    )
    assert reader.guest_types(text) == []


def test_whether_live_migration_is_named():
    text = (builders.CAPTURES / 'xen-4.17-hvm/capabilities.xml').read_text()
    assert reader.live_migration(text) is True
    assert reader.live_migration('<capabilities/>') is False
    with pytest.raises(ValueError, match='not a capabilities'):
        reader.live_migration('')

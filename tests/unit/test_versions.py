# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
import pytest

from nova_xen_sched import versions


@pytest.mark.parametrize(
    'number, text',
    [(4014000, '4.14.0'), (8002000, '8.2.0'), (5000, '5.0')],
)
def test_from_nova_int(number, text):
    assert versions.from_nova_int(number) == text


@pytest.mark.parametrize(
    'number',
    [-1, -4014000, -(10**30), 0, None, float('nan'), float('inf'), '4.14', []],
)
def test_what_is_no_version_of_nova(number, mocker):
    # oslo.utils would never return from some of these.
    mocker.patch.object(
        versions.versionutils,
        'convert_version_to_str',
        side_effect=AssertionError,
    )
    assert versions.from_nova_int(number) is None


@pytest.mark.parametrize(
    'version, predicate, expected',
    [
        ('4.14.0', '>=4.14', True),
        ('4.9.0', '>=4.14', False),  # as numbers, not as text
        ('6.1.0', '>=6.0,<6.2', True),
        ('6.2.0', '>=6.0,<6.2', False),
        ('4.14.0', '!=4.14.0', False),
    ],
)
def test_satisfies(version, predicate, expected):
    assert versions.satisfies(version, predicate) is expected


@pytest.mark.parametrize(
    'text, expected',
    [
        ('4.14.6', '4.14.6'),
        # Distributions and vendors add theirs to a release.
        ('4.14.6-1.el8', '4.14.6'),
        ('4.13.4-10.23.xs8', '4.13.4'),
        ('4.12.4_02-lp151.2.1', '4.12.4'),
        ('4.17.4-prebuilt', '4.17.4'),
        # xen/Makefile before a release, with and without a vendor's.
        ('4.4.3-pre', None),
        ('4.5.1-rc1', None),
        ('4.4.0-rc8-pre', None),
        ('4.5.1-rc2.fc21', None),
        ('4.17.0~rc4-1', None),
        ('4.5.1-RC1', None),
        ('4.17.0+rc1', None),
        ('4.17.0 rc1', None),
        ('4.18.0-unstable', None),
        ('4.18-unstable', None),
        ('4.18-rc', None),
        ('4.18', None),
        ('4.18.', None),
        ('4.18.1.2', None),
        ('', None),
    ],
)
def test_a_build_before_a_release_is_not_the_release(text, expected):
    assert versions.released(text) == expected


def test_unreadable_predicate():
    with pytest.raises(ValueError):
        versions.satisfies('4.14.0', 'four')


@pytest.mark.parametrize(
    'text, version',
    [
        ('1.2.15', (1, 2, 15)),
        ('4.17', (4, 17)),
        ('9', (9,)),
        ('6.1.0.4', (6, 1, 0, 4)),
        ('007.0', (7, 0)),
    ],
)
def test_parse(text, version):
    assert versions.parse(text) == version


@pytest.mark.parametrize(
    'text',
    ['', '.', '1.', '.1', '1..2', '-1.2', '1.2-rc1', '1,2', ' 1.2', '1.2\n']
    + ['v1.2', '1.2.3.4.5', '1' * 7, '\u0661.\u0662', 'unknown'],
)
def test_what_is_no_version(text):
    with pytest.raises(ValueError, match='not a version'):
        versions.parse(text)


def test_versions_compare_as_numbers():
    assert versions.older((1, 2, 5), (1, 2, 15))
    assert not versions.older((1, 2, 15), (1, 2, 5))
    assert not versions.older((1, 3), (1, 3, 0))
    assert not versions.older((1, 3, 0), (1, 3))
    assert versions.older((4, 9), (4, 10))
    assert versions.older((9,), (9, 0, 1))


parts = st.lists(st.integers(0, 99), min_size=1, max_size=4).map(tuple)


@given(parts, parts)
def test_older_is_an_order(one, other):
    assert not versions.older(one, one)
    if versions.older(one, other):
        assert not versions.older(other, one)


@given(parts)
def test_what_is_shown_can_be_read(version):
    assert versions.parse(versions.show(version)) == version


def test_steps_of_libvirt():
    assert [versions.show(v) for v, _ in versions.LIBVIRT_STEPS] == [
        '1.2.5',
        '1.2.15',
        '1.3.0',
        '1.3.1',
        '1.3.2',
    ]
    assert versions.missing_steps((1, 3, 2)) == []
    missing = versions.missing_steps((1, 2, 20))
    assert [versions.show(v) for v, _ in missing] == [
        '1.3.0',
        '1.3.1',
        '1.3.2',
    ]


@pytest.mark.parametrize(
    'service_version, floor',
    [
        (16, None),
        (17, (1, 2, 9)),
        (30, (1, 2, 9)),
        (31, (1, 3, 1)),
        (38, (3, 0, 0)),
        (53, (4, 0, 0)),  # nova 22
        (54, (5, 0, 0)),
        (56, (6, 0, 0)),
        (67, (7, 0, 0)),
        (69, (8, 0, 0)),
        (1000, (8, 0, 0)),
    ],
)
def test_libvirt_floor(service_version, floor):
    assert versions.libvirt_floor(service_version) == floor


@pytest.mark.parametrize(
    'version, minimum, matters',
    [
        ((4, 4), (4, 4, 3), True),
        ((4, 5), (4, 4, 3), True),  # 4.5.0 is known to be bad
        ((4, 14), (4, 4, 3), False),
        ((4, 3), (4, 4, 3), False),
        ((4, 14), (4, 14, 0), False),
        ((4, 14), (4, 14, 2), True),
    ],
)
def test_xen_patch_matters(version, minimum, matters):
    assert versions.xen_patch_matters(version, minimum) is matters

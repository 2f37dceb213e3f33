# SPDX-License-Identifier: Apache-2.0

"""Versions of libvirt and Xen: reading, comparing, and what they mean."""

from __future__ import annotations

import functools
import importlib
import re
import typing as ty

from oslo_utils import versionutils

#: The numbers of a version, as many as were given: (4, 14) for '4.14'.
Version = ty.Tuple[int, ...]

#: What a version looks like, as a regular expression.
PATTERN = r'[0-9]{1,6}(\.[0-9]{1,6}){0,3}'


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Version:
    """Read a version like '1.2.15'.

    :raises ValueError: if it is anything but one to four numbers with dots
        between them.
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError('not a version like 1.2.15')
    return tuple(int(number) for number in text.split('.'))


#: What Xen calls a build before a release: xen/Makefile's XEN_EXTRAVERSION.
_BEFORE_RELEASE = re.compile(
    r'[0-9.]*[-.~_+ ]?(pre|rc|unstable|alpha|beta)(?![a-z])', re.I
)


def is_before_release(text: str) -> bool:
    """Whether this is a build before a release: '4.4.3-pre', '4.5.1-rc1'.

    It has no right to the release's version: what that brought may be
    missing.
    """
    return _BEFORE_RELEASE.match(text) is not None


def released(text: str) -> str | None:
    """'4.14.6' of '4.14.6-1.el8', as a distribution calls a release.

    None without a patch level ('4.18-unstable'), and of a build before a
    release.
    """
    found = re.match(r'[0-9]{1,4}(\.[0-9]{1,4}){2}(?![0-9.])', text)
    return found[0] if found and not is_before_release(text) else None


def show(version: Version) -> str:
    """The version as text: '1.2.15'."""
    return '.'.join(map(str, version))


def older(version: Version, other: Version) -> bool:
    """Whether a version is older than another, number by number.

    1.2.15 is newer than 1.2.5, and 1.3 is the same as 1.3.0.
    """
    return _padded(version) < _padded(other)


def _padded(version: Version) -> Version:
    return version + (0,) * (4 - len(version))


#: What each step of libvirt means for Xen hosts. From OpenStack's guide to
#: Xen via libvirt.
LIBVIRT_STEPS: tuple[tuple[Version, str], ...] = (
    ((1, 2, 5), 'is the first whose Xen driver can live-migrate'),
    ((1, 2, 15), 'is the least for OpenStack'),
    ((1, 3, 0), 'fixes the compatibility of the migration protocol'),
    (
        (1, 3, 1),
        'has what monitoring a live migration needs; below it the instance '
        'stays MIGRATING',
    ),
    ((1, 3, 2), 'has peer-to-peer migration; recommended'),
)

#: The commits ad71665 and b7b4391, which make an older libvirt as good as
#: this one.
BACKPORTS_EQUAL: Version = (1, 3, 1)


def missing_steps(version: Version) -> list[tuple[Version, str]]:
    """The steps of libvirt that a version has not reached."""
    return [step for step in LIBVIRT_STEPS if older(version, step[0])]


#: nova-compute refuses to start below its own minimum of libvirt, before it
#: updates its service record. So a service version proves a libvirt: the
#: strict table, true at every commit of nova that had this service version,
#: not only in releases (by releases alone, 53 would mean 5.0.0).
SERVICE_VERSION_FLOORS: tuple[tuple[int, Version], ...] = (
    (69, (8, 0, 0)),
    (67, (7, 0, 0)),
    (56, (6, 0, 0)),
    (54, (5, 0, 0)),
    (45, (4, 0, 0)),
    (38, (3, 0, 0)),
    (31, (1, 3, 1)),
    (17, (1, 2, 9)),
)


def libvirt_floor(service_version: int) -> Version | None:
    """The libvirt that a nova-compute must have at least, None if unknown.

    :param service_version: of its service record.
    """
    for least, floor in SERVICE_VERSION_FLOORS:
        if service_version >= least:
            return floor
    return None


#: Xen releases that lack what OpenStack needs although an older one has it:
#: the changes are in 4.5.1, and were backported to 4.4.3.
KNOWN_BAD_XEN: tuple[Version, ...] = ((4, 5, 0),)


def xen_patch_matters(version: Version, minimum: Version) -> bool:
    """Whether it takes the patch level to judge a Xen version.

    :param version: major and minor.
    :param minimum: the oldest Xen that is wanted.
    """
    series = version[:2]
    if series == minimum[:2] and any(minimum[2:]):
        return True
    return any(series == bad[:2] for bad in KNOWN_BAD_XEN)


def from_nova_int(version: ty.Any) -> str | None:
    """nova's integer as text: 4014000 is '4.14.0'.

    :param version: as a compute reports it, whatever it is.
    :returns: None if it is no version. oslo.utils would never return from a
        negative one, nor from nan.
    """
    if not isinstance(version, int) or version <= 0:
        return None
    return str(versionutils.convert_version_to_str(version))


def satisfies(version: str, predicate: str) -> bool:
    """Whether a version satisfies a predicate like '>=4.14,<5'.

    It is read as nova itself reads the image property
    hypervisor_version_requires.

    :raises ValueError: if the predicate can't be read; nova's API refuses
        such images.
    """
    if hasattr(versionutils, 'VersionPredicate'):
        found = versionutils.VersionPredicate(predicate)
    else:
        # oslo.utils before 7.4, whose nova uses distutils; that wants a
        # package's name before the parenthesis.
        distutils = importlib.import_module('distutils.versionpredicate')
        found = distutils.VersionPredicate('image (%s)' % predicate)
    return bool(found.satisfied_by(version))

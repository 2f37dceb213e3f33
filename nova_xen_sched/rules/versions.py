# SPDX-License-Identifier: Apache-2.0

"""Are the host's Xen and libvirt new enough?"""

from __future__ import annotations

from nova_xen_sched import conf
from nova_xen_sched import versions
from nova_xen_sched.host import Host
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.versions import BACKPORTS_EQUAL


def xen_version(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """A Xen host's Xen must be new enough, and none known to be bad."""
    minimum = settings.min_xen_version
    if not host.is_xen or minimum is None:
        return None
    version = host.xen_version
    remedy = (
        "upgrade the host's Xen; if it was patched, set the fact xen_version "
        'to the release that it equals'
    )
    if (
        version is None
        or len(version) < 2
        or (len(version) < 3 and versions.xen_patch_matters(version, minimum))
    ):
        if settings.unknown_version == 'accept':
            return None
        return Refusal(
            Code.XEN_UNKNOWN,
            "the host's Xen is %s, so it may be %s"
            % (
                'known as %s only' % versions.show(version)
                if version
                else 'of unknown version',
                versions.show(versions.KNOWN_BAD_XEN[0])
                if version and versions.older(minimum, version)
                else 'older than %s' % versions.show(minimum),
            ),
            'set the fact xen_version with its patch level, such as 4.17.5',
        )
    if versions.older(version, minimum):
        return Refusal(
            Code.XEN_TOO_OLD,
            "the host's Xen is %s, older than %s"
            % (versions.show(version), versions.show(minimum)),
            remedy,
        )
    if version[:3] in versions.KNOWN_BAD_XEN:
        return Refusal(
            Code.XEN_TOO_OLD,
            "the host's Xen %s lacks changes that OpenStack needs and that "
            '4.4.3 and 4.5.1 have' % versions.show(version),
            remedy,
        )
    return None


def libvirt_version(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """A Xen host's libvirt must be new enough to live-migrate."""
    minimum = settings.min_libvirt_version
    if not host.is_xen or minimum is None:
        return None
    fact = host.facts.get('libvirt_version')
    backports = host.facts.get('libvirt_migration_backports')
    version = fact.value if fact else None
    patched = ''
    if (
        backports
        and backports.value
        and (version is None or versions.older(version, BACKPORTS_EQUAL))
    ):
        version = BACKPORTS_EQUAL
        patched = ', counted as %s for its migration backports (from %s)' % (
            versions.show(BACKPORTS_EQUAL),
            backports.source,
        )
    if version is not None and not versions.older(version, minimum):
        return None
    if fact is None or version is None or not fact.exact:
        if settings.unknown_version == 'accept':
            return None
        return Refusal(
            Code.LIBVIRT_UNKNOWN,
            "the host's libvirt is %s%s, so it may be older than %s"
            % (
                versions.show(fact.value) + ' or newer'
                if fact
                else 'of unknown version',
                patched,
                versions.show(minimum),
            ),
            'set the fact libvirt_version',
        )
    lacks = versions.missing_steps(version)
    return Refusal(
        Code.LIBVIRT_TOO_OLD,
        "the host's libvirt is %s (from %s)%s, older than %s%s"
        % (
            versions.show(fact.value),
            fact.source,
            patched,
            versions.show(minimum),
            '; libvirt %s %s' % (versions.show(lacks[0][0]), lacks[0][1])
            if lacks
            else '',
        ),
        "upgrade the host's libvirt; if it was patched, set the fact "
        'libvirt_version to the release that it equals',
    )

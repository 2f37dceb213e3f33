# SPDX-License-Identifier: Apache-2.0

"""Traits that images require in placement, or could require."""

from __future__ import annotations

import shlex
import typing as ty

from nova_xen_sched import provider
from nova_xen_sched.cmd.image import converted
from nova_xen_sched.cmd.image import remedies

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.image.hosts import Hosts

_OF_MODES = {'hvm': provider.HVM, 'xen': provider.PV}
_OF_XEN = (provider.STORAGE_BUS, *provider.TRAITS)
_PREFIX = 'trait:'
_PUBLISH = (
    '; nova-xen-sched facts publish --traits publishes the traits of Xen '
    'hosts, else remove the property'
)
_ANOTHER = (
    '; a nova-compute 22 of Xen hosts reports it by itself, and nothing else '
    'does: require CUSTOM_XEN_HVM or CUSTOM_XEN_PV, or remove the property'
)
_CORRECT = '; correct its name, or remove the property'


def findings(
    image: remedies.Image, hosts: Hosts | None, propose: bool
) -> ty.Iterator[remedies.Finding]:
    """What is wrong with the traits that an image requires.

    :param hosts: None where they are not known.
    :param propose: a trait that it could require, too.
    :raises errors.Failure: if placement can't be asked.
    """
    hypervisor_type, mode = remedies.guest_type(image['properties'])
    if hypervisor_type not in (None, remedies.XEN):
        return
    required = _required(image)
    if provider.LIVE_MIGRATION in required:
        yield remedies.Finding(
            remedies.Code.LIVE_MIGRATION_REQUIRED,
            'requires %s: it can not be booted, unshelved or evacuated on '
            'other hosts either; remove the property'
            % provider.LIVE_MIGRATION,
            shlex.join(
                ['openstack', 'image', 'unset', '--property']
                + [_PREFIX + provider.LIVE_MIGRATION, image['id']]
            ),
        )
    if hosts is None:
        return
    for trait in sorted(required):
        yield from _lacking(trait, hosts)
    if propose and hypervisor_type and not required.intersection(_OF_XEN):
        yield from _proposal(image, mode, hosts)


def _lacking(trait: str, hosts: Hosts) -> ty.Iterator[remedies.Finding]:
    """Whether hosts lack a trait that is required."""
    having = hosts.having(trait)
    problem = ''
    if having is None:
        problem = (
            'requires %s, which placement does not know here, so that nova '
            'finds no host for it' % trait
        )
    elif not having or (trait in _OF_XEN and not having & hosts.xen):
        problem = 'requires %s, which no host for it has' % trait
    if problem:
        problem += _remedy(trait)
        yield remedies.Finding(remedies.Code.TRAIT_ON_NO_HOST, problem, '')
        return
    # That not all have another trait is what that is for.
    if trait == provider.STORAGE_BUS:
        fitting = hosts.xen
    elif trait in provider.GUEST_TYPES:
        fitting = hosts.offering(trait)
    else:
        return
    if fitting - (having or set()):
        yield remedies.Finding(
            remedies.Code.TRAIT_NOT_ON_EVERY_HOST,
            'requires %s, which %d of %d Xen hosts for it lack: nova never '
            'boots it there%s'
            % (
                trait,
                len(fitting - (having or set())),
                len(fitting),
                _remedy(trait),
            ),
            '',
        )


def _remedy(trait: str) -> str:
    if trait == provider.STORAGE_BUS:
        return _ANOTHER
    return _PUBLISH if trait in provider.TRAITS else _CORRECT


def _proposal(
    image: remedies.Image, mode: str | None, hosts: Hosts
) -> ty.Iterator[remedies.Finding]:
    """A trait with which placement leaves out hosts of other kinds.

    Every host that could run the image has it.

    :param image: for Xen hosts.
    """
    by_mode = _OF_MODES.get(mode or '')
    candidates = [(provider.STORAGE_BUS, hosts.xen)]
    if by_mode:
        candidates.append((by_mode, hosts.offering(by_mode)))
    for trait, fitting in candidates:
        having = hosts.having(trait) or frozenset()
        if fitting and fitting <= having and hosts.others - having:
            yield remedies.Finding(
                remedies.Code.NO_TRAIT_REQUIRED,
                'nova-scheduler reads all hosts for it; if it required %s, '
                'which all Xen hosts for it have (%d), placement would leave '
                'the others out; an image that regions share binds all of '
                'them' % (trait, len(fitting)),
                shlex.join(
                    ['openstack', 'image', 'set']
                    + converted.options({_PREFIX + trait: 'required'})
                    + [image['id']]
                ),
            )
            return


def _required(image: remedies.Image) -> set[str]:
    return {
        name[len(_PREFIX) :]
        for name, value in image['properties'].items()
        if name.startswith(_PREFIX) and value == 'required'
    }

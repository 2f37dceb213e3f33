# SPDX-License-Identifier: Apache-2.0

"""Hosts as the filter and the weigher see them, without any request."""

from __future__ import annotations

import dataclasses
import functools
import typing as ty

from nova import servicegroup
import nova.conf

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import facts
from nova_xen_sched import host
from nova_xen_sched import plugin
from nova_xen_sched import rules
from nova_xen_sched import versions
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.facts import pattern
from nova_xen_sched.load import Loads
from nova_xen_sched.nearest import nearest
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.request import Kind

CONF = nova.conf.CONF

#: What a host's libvirt may be refused for.
_LIBVIRT = (Code.LIBVIRT_TOO_OLD, Code.LIBVIRT_UNKNOWN)


@dataclasses.dataclass(frozen=True)
class ComputeHost:
    """A host.

    :ivar state: its nova HostState.
    :ivar host: what it offers, and what is known of it.
    :ivar load: what it serves now; None of a host that is no Xen host.
    :ivar resources: what it has left now; none of a host that is no Xen host.
    """

    state: ty.Any
    host: host.Host
    load: dom0.Load | None
    resources: tuple[dom0.Usage, ...]

    @property
    def name(self) -> str:
        """The host's name, with the node's where it is another."""
        return name_of(self.state)


def name_of(state: ty.Any) -> str:
    """A host's name, with the node's where it is another.

    :param state: its nova HostState.
    """
    name, node = str(state.host), str(state.nodename)
    return name if node in (name, '') else '%s:%s' % (name, node)


def service_state(state: ty.Any) -> str:
    """Whether a host's nova-compute is 'up', 'down' or 'disabled'.

    As ComputeFilter has it: what is disabled is that, even if it is down.

    :param state: its nova HostState.
    :returns: '' if nova has no record of the service.
    """
    if not state.service:
        return ''
    if state.service.get('disabled'):
        return 'disabled'
    return 'up' if is_up(state) else 'down'


def is_up(state: ty.Any) -> bool:
    """Whether a host's nova-compute is up, be it disabled or not.

    :param state: its nova HostState.
    """
    return bool(_services().service_is_up(state.service))


@functools.lru_cache(maxsize=None)
def _services() -> servicegroup.API:
    return servicegroup.API()


def settings() -> conf.Settings:
    """The options of [xen_scheduler] as they are now.

    :raises errors.Failure: if one is wrong.
    """
    with failures.starting():
        options, _ = plugin.start()
    return options.current()


def read(states: ty.Iterable[ty.Any]) -> list[ComputeHost]:
    """Hosts, and what is known of them.

    :param states: nova HostStates.
    :raises errors.Failure: if an option of [xen_scheduler] is wrong.
    """
    states = list(states)
    with failures.starting():
        options, gatherer = plugin.start()
    options_now = options.current()
    known = gatherer.for_request(
        states, facts.BY_NAME, options_now.facts_max_age
    )
    loads = Loads(
        options_now, GuestRequest(vm_mode='hvm'), CONF.reserved_host_memory_mb
    )
    model = options_now.dom0_model
    found = []
    for state in states:
        offered = host.read(state, known)
        load = None
        resources: tuple[dom0.Usage, ...] = ()
        if offered.is_xen:
            # A load has the guest of a request, which is none here.
            with_guest = loads(state, offered.facts)
            load = model.plus(with_guest, 'hvm', 0, 0, -1)
            resources = dom0.resources(model, load)
        found.append(ComputeHost(state, offered, load, resources))
    loads.noticed.warn()
    return found


def named(
    hosts: ty.Sequence[ty.Any], names: ty.Iterable[str]
) -> ty.Sequence[ty.Any]:
    """The hosts of these names in any case, all if there are none.

    :param hosts: each with its nova HostState as ``state``.
    :param names: names, or shell patterns of names.
    :raises errors.Failure: if there is no host of a name.
    """
    wanted = {name.lower(): name for name in names}
    if not wanted:
        return hosts
    called = [
        {name_of(each.state).lower(), str(each.state.host).lower()}
        for each in hosts
    ]
    found = set(wanted) & {each for theirs in called for each in theirs}
    for lowered, name in wanted.items():
        if any(each in name for each in '*?['):
            try:
                fits = pattern.compiled(lowered).fullmatch
            except ValueError as e:
                raise errors.Failure(
                    'No host matches %s...: %s.' % (name[:20], e)
                ) from None
            more = {each for theirs in called for each in theirs if fits(each)}
            if not more and lowered not in found:
                raise errors.Failure(
                    'No host matches %s. See nova-xen-sched host list --all.'
                    % name
                )
            found |= more
        elif lowered not in found:
            near = nearest(name, (name_of(each.state) for each in hosts))
            raise errors.Failure(
                'There is no such host: %s%s. See nova-xen-sched host list '
                '--all.' % (name, ' (nearest: %s)' % near if near else '')
            )
    return [
        each
        for each, theirs in zip(hosts, called)
        if not theirs.isdisjoint(found)
    ]


@dataclasses.dataclass(frozen=True)
class Migration:
    """Whether guests can be live-migrated to and from a host.

    :ivar answer: 'yes', 'no', 'unknown', or '' where no rule says.
    :ivar code: of the refusal behind it; None for yes.
    :ivar why: a sentence.
    :ivar remedy: what to do; '' for yes.
    """

    answer: str
    code: Code | None
    why: str
    remedy: str = ''


def strict_refusals(
    compute: ComputeHost, options: conf.Settings
) -> ty.Sequence[Refusal]:
    """What the rules say of a live migration to the host.

    They are judged as if live_migration_check were not 'never', and
    unknown_version 'refuse': what can be done, and what is known, doesn't
    depend on what is made of it.
    """
    strict = dataclasses.replace(
        options, live_migration_check='always', unknown_version='refuse'
    )
    request = GuestRequest(kinds=frozenset({Kind.LIVE_MIGRATION}))
    return rules.Judge(request, strict)(compute.host, every=True).refusals


def migration(compute: ComputeHost, options: conf.Settings) -> Migration:
    """What the libvirt rule says of a live migration to the host."""
    if not compute.host.is_xen:
        return Migration('', None, 'this is no Xen host')
    if options.min_libvirt_version is None:
        return Migration(
            '',
            None,
            'the rule is off: [xen_scheduler] min_libvirt_version = 0',
        )
    refusals = strict_refusals(compute, options)
    refusal = next((r for r in refusals if r.code in _LIBVIRT), None)
    if refusal is None:
        return Migration(
            'yes',
            None,
            "the host's libvirt is %s or better"
            % versions.show(options.min_libvirt_version),
        )
    return Migration(
        'unknown' if refusal.code is Code.LIBVIRT_UNKNOWN else 'no',
        refusal.code,
        refusal.reason,
        refusal.remedy,
    )

# SPDX-License-Identifier: Apache-2.0

"""Boots one guest after the other, on copies of hosts that were read once."""

from __future__ import annotations

import collections
import time
import typing as ty

import nova.conf
from nova.conf import scheduler

from nova_xen_sched import dom0
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.kept_up import KeptUp
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.cmd.simulate import booking
from nova_xen_sched.cmd.simulate import refusing
from nova_xen_sched.cmd.simulate import settings
from nova_xen_sched.cmd.simulate.ledger import Ledger
from nova_xen_sched.cmd.simulate.requests import Kind
from nova_xen_sched.cmd.simulate.result import HostChange
from nova_xen_sched.cmd.simulate.result import Refusal
from nova_xen_sched.cmd.simulate.result import Side
from nova_xen_sched.filters import XenHostFilter
from nova_xen_sched.load import mode_of

CONF = nova.conf.CONF


class Snapshot(ty.NamedTuple):
    """Hosts that were read once.

    :ivar states: nova HostStates by name, which stay as they are.
    :ivar at: when they were read, by time.monotonic().
    """

    states: ty.Sequence[ty.Any]
    at: float


def read(cloud: Cloud) -> Snapshot:
    """The hosts as they are now.

    :raises errors.Failure: if no cell can be read.
    """
    with Progress('Reading hosts'):
        at = time.monotonic()
        return Snapshot(cloud.host_states(), at)


def boot(
    cloud: Cloud,
    snapshot: Snapshot,
    kinds: ty.Sequence[Kind],
    order: ty.Sequence[int],
    what: str = 'Booting guests',
) -> Side:
    """What happens with the options that are in force now.

    :param cloud: whose filters and weighers were made with these options.
    :param kinds: of guests.
    :param order: the index of each guest's kind.
    :param what: is done, for who waits.
    :raises errors.Failure: if a filter or a weigher raises.
    """
    run = _Run(cloud, snapshot, kinds)
    with Progress(what, len(order)) as progress:
        for number, index in enumerate(order, 1):
            run.boot(number, index)
            progress.step()
    return run.side()


class _Run:
    def __init__(
        self,
        cloud: Cloud,
        snapshot: Snapshot,
        kinds: ty.Sequence[Kind],
    ) -> None:
        self._cloud = cloud
        self._snapshot = snapshot.states
        self._kinds = kinds
        self._settings = xen_hosts.settings()
        self._states = [booking.copied(state) for state in snapshot.states]
        self._kept_up = KeptUp(self._states, snapshot.at)
        self._ledger = Ledger()
        self._booking = booking.Booking(self._settings)
        self._placed: list[ty.Any] = []
        self._refusals: dict[int, Refusal] = {}
        self._last: dict[int, Kind] = {}

    def boot(self, number: int, index: int) -> None:
        """Place one guest, or note why it finds no host."""
        kind = self._kinds[index]
        chosen = None
        # Guests only come: what was refused once finds no host later either.
        if index not in self._refusals:
            spec = booking.request_for_one(kind.spec)
            states = self._candidates(kind)
            filtered = filtering.filtered(
                self._cloud.host_manager, states, spec
            )
            chosen = self._first(filtered, spec)
            if chosen is None:
                self._refusals[index] = Refusal(
                    number,
                    index,
                    refusing.causes(
                        self._cloud,
                        kind,
                        spec,
                        self._snapshot,
                        self._short(kind),
                        filtered,
                    ),
                )
            else:
                way = chosen.allocation_candidates[0]
                self._ledger.book(way)
                self._booking.put(chosen, spec, kind.vm_mode, way)
                self._last[id(chosen)] = kind
        self._placed.append(chosen)

    def _candidates(self, kind: Kind) -> list[ty.Any]:
        """The hosts on which placement still has room, with their ways."""
        found = []
        self._kept_up()
        for state in self._states:
            state.allocation_candidates = self._ledger.fitting(
                kind.candidates.by_provider.get(state.uuid, ()),
                kind.candidates.summaries,
            )
            if state.allocation_candidates:
                found.append(state)
        return found

    def _short(self, kind: Kind) -> dict[str, str]:
        """By host's UUID, of which resource class the guests took the rest."""
        found = {}
        for state in self._states:
            ways = kind.candidates.by_provider.get(state.uuid, ())
            short = [
                self._ledger.short(way, kind.candidates.summaries)
                for way in ways
            ]
            if short and all(short):
                found[state.uuid] = short[0]
        return found

    def _first(
        self, filtered: filtering.Filtered, spec: ty.Any
    ) -> ty.Any | None:
        """The host that comes first; of equal ones the first by its name."""
        if not filtered.left:
            return None
        with failures.running('weighing of hosts'):
            weighed = self._cloud.host_manager.get_weighed_hosts(
                list(filtered.left), spec
            )
        # A filter may have taken a host's candidates away.
        return next(
            (e.obj for e in weighed if e.obj.allocation_candidates), None
        )

    def side(self) -> Side:
        """What it came to."""
        placed = collections.Counter(
            id(state) for state in self._placed if state is not None
        )
        changed = [
            (before, after)
            for before, after in zip(self._snapshot, self._states)
            if placed[id(after)]
        ]
        befores = xen_hosts.read([before for before, _ in changed])
        afters = xen_hosts.read([after for _, after in changed])
        return Side(
            tuple(
                None if state is None else xen_hosts.name_of(state)
                for state in self._placed
            ),
            tuple(self._refusals.values()),
            {
                after.name: HostChange(
                    after.name,
                    placed[id(after.state)],
                    before.resources,
                    after.resources,
                    self._full(after),
                )
                for before, after in zip(befores, afters)
            },
            tuple(self._notes()),
        )

    def _full(self, host: xen_hosts.ComputeHost) -> tuple[dom0.Resource, ...]:
        """What one more guest as the last one there would overcommit."""
        if host.load is None:
            return ()
        kind = self._last[id(host.state)]
        model = self._settings.dom0_model
        more = model.plus(
            host.load,
            mode_of(kind.vm_mode, self._settings),
            kind.spec.memory_mb,
            kind.spec.vcpus,
        )
        already = {
            each.resource for each in host.resources if each.overcommitted
        }
        return tuple(
            each.resource
            for each in dom0.overcommitted(model, more)
            if each.resource not in already
        )

    def _notes(self) -> ty.Iterator[str]:
        options = CONF.filter_scheduler
        if options.host_subset_size > 1:
            yield (
                'nova takes any of the first %d hosts: [filter_scheduler] '
                'host_subset_size = %d. Here it is the first.'
                % (options.host_subset_size, options.host_subset_size)
            )
        if options.shuffle_best_same_weighed_hosts:
            yield (
                'nova shuffles the hosts whose weight is the highest: '
                '[filter_scheduler] shuffle_best_same_weighed_hosts = true. '
                'Here it is the first of them by name.'
            )
        if not any(isinstance(e, XenHostFilter) for e in self._cloud.filters):
            yield (
                'XenHostFilter is not among [filter_scheduler] '
                'enabled_filters, so that no rule of [xen_scheduler] refuses '
                'a host.'
            )
        most = CONF.scheduler.max_placement_results
        if any(self._asked(kind) > most for kind in self._kinds):
            yield (
                'Placement has more candidates than nova asks for: '
                '[scheduler] max_placement_results = %d. Here all count.'
                % most
            )

    def _asked(self, kind: Kind) -> int:
        """How many hosts placement has for guests of a kind."""
        known = kind.candidates.by_provider
        return sum(state.uuid in known for state in self._states)


def known_options() -> settings.Known:
    """The options that --set can name: ours, and nova's of filters."""
    return {
        **settings.ours(),
        **{
            group.name: opts
            for group, opts in scheduler.list_opts().items()
            if group.name == settings.NOVA
        },
    }


def other_cloud() -> Cloud:
    """One whose filters and weighers are made with the options in force now.

    :raises errors.Failure: if nova-scheduler would not start with them.
    """
    try:
        return Cloud()
    except errors.Failure as e:
        raise errors.Failure('With the options of --set: %s' % e) from e

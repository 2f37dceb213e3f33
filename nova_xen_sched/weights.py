# SPDX-License-Identifier: Apache-2.0

"""Dom0HeadroomWeigher: Xen hosts whose dom0 has room come first among these.

It weighs Xen hosts by the headroom that they have left once the guest is
placed: the share that is left of dom0's memory, of dom0's CPUs, or of the
host's RAM beside dom0, whichever is least. A negative multiplier does the
opposite and fills hosts one after the other. Hosts that are not Xen hosts
weigh 0, and no Xen host comes before them for its headroom: multiplier x
weight is never above 0.
"""

from __future__ import annotations

import math
import types
import typing as ty

import nova.conf
from nova.scheduler import utils
from nova.scheduler import weights

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import host
from nova_xen_sched import log
from nova_xen_sched import plugin
from nova_xen_sched import request as guest
from nova_xen_sched.facts import aggregate
from nova_xen_sched.load import LOAD_FACTS
from nova_xen_sched.load import Loads

CONF = nova.conf.CONF
conf.register_opts(CONF)

#: A difference of headrooms that counts in full. Where hosts differ by less,
#: the weigher speaks with less weight, so that a sliver does not drown the
#: others: with the default multiplier, soft anti-affinity wins between hosts
#: within 1 %. Chosen by simulation, as the multiplier was: 0.10 lets headroom
#: win there, and 0.20 decides hardly worse.
FULL_SPREAD = 0.15
#: Headroom below this counts for less and less, down to twice this: a host
#: that is overcommitted many times over is worse than one that is so twice,
#: but no reason to make all the others look alike.
LEAST = -1.0
#: Where the Xen host that comes first has less headroom than this, hosts of
#: other kinds come before it, the more the less there is. Chosen by
#: simulation: with 0 untyped guests filled dom0s of 60 guests to 61, with 0.05
#: to 58, with 0.10 to 55 (simulation-choices.rst of the docs).
NEARLY_FULL = 0.10

_MULTIPLIER = 'dom0_headroom_weight_multiplier'


class Dom0HeadroomWeigher(weights.BaseHostWeigher):
    """Prefers Xen hosts with headroom against their dom0 sizing.

    It never raises into nova: a Xen host that it fails to weigh is the least
    of all, and if it fails altogether, all weigh 0.
    """

    # With these nova's normalization changes nothing: weigh_objects scales.
    minval = 0
    maxval = 1

    def __init__(self) -> None:
        super().__init__()
        self._options, self._facts = plugin.start()

    def weight_multiplier(self, host_state: ty.Any) -> float:
        """The multiplier of a host; its aggregates win over nova.conf."""
        try:
            return host_state.nova_xen_sched_multiplier
        except AttributeError:
            (multiplier,) = _multipliers([host_state], self._options.current())
            return multiplier

    def _weigh_object(self, obj: ty.Any, weight_properties: ty.Any) -> float:
        # nova's base class wants it, and weigh_objects() stands for it: one
        # host alone has nothing to be compared with.
        return 0.0

    def weigh_objects(
        self, weighed_obj_list: list[ty.Any], weight_properties: ty.Any
    ) -> list[float]:
        """A weight for each host: of Xen hosts by headroom, 0 of all others.

        :param weighed_obj_list: nova WeighedHosts.
        :param weight_properties: a nova RequestSpec.
        """
        try:
            headrooms = self.headrooms(weighed_obj_list, weight_properties)
            multipliers = [
                self.weight_multiplier(each.obj) for each in weighed_obj_list
            ]
            return scaled(headrooms, multipliers)
        except Exception:  # noqa: BLE001  nothing may reach nova
            log.unexpected('weighing hosts; all weigh 0')
            return [0.0] * len(weighed_obj_list)

    def headrooms(
        self, weighed_obj_list: list[ty.Any], weight_properties: ty.Any
    ) -> list[float | None]:
        """The headroom of each host once the guest is placed.

        None stands for hosts that are not Xen hosts, nan for Xen hosts of
        which it can't be told.
        """
        states = [each.obj for each in weighed_obj_list]
        settings = self._options.current()
        # For weight_multiplier(), which nova calls for each host after this. A
        # HostState lives for one request.
        for state, multiplier in zip(states, _multipliers(states, settings)):
            state.nova_xen_sched_multiplier = multiplier
        facts = self._facts.for_request(
            states, LOAD_FACTS, settings.facts_max_age
        )
        loads = _loads(weight_properties, settings)
        found: list[float | None] = []
        for state in states:
            headroom: float | None = None
            try:
                if host.is_xen(state):
                    load = loads(state, facts(state), average=True)
                    headroom = dom0.headroom(settings.dom0_model, load)
            except Exception:  # noqa: BLE001  nothing may reach nova
                log.unexpected(
                    'weighing a host; it gets the lowest weight of Xen hosts'
                )
                headroom = math.nan
            found.append(headroom)
        facts.noticed.warn()
        loads.noticed.warn()
        return found

    def resources(
        self, host_state: ty.Any, weight_properties: ty.Any
    ) -> tuple[dom0.Usage, ...]:
        """The resources of one Xen host once the guest is placed.

        :param host_state: a nova HostState.
        :param weight_properties: a nova RequestSpec.
        """
        settings = self._options.current()
        facts = self._facts.for_request([host_state], LOAD_FACTS)
        load = _loads(weight_properties, settings)(
            host_state, facts(host_state), average=True
        )
        return dom0.resources(settings.dom0_model, load)


def _loads(spec_obj: ty.Any, settings: conf.Settings) -> Loads:
    return Loads(
        settings,
        guest.from_spec(spec_obj),
        CONF.reserved_host_memory_mb,
        CONF.filter_scheduler.track_instance_changes,
    )


def scaled(
    headrooms: ty.Sequence[float | None], multipliers: ty.Sequence[float]
) -> list[float]:
    """Weights for headrooms: multiplier x weight is never above 0.

    :param headrooms: as of Dom0HeadroomWeigher.headrooms().
    :param multipliers: the multiplier of each host. Hosts whose multipliers
        have one sign are compared with one another; 0 weighs 0.
    """
    weights = [0.0] * len(headrooms)
    lowest = 0.0
    for sign in (1, -1):
        known = [
            (i, _bounded(headroom))
            for i, headroom in enumerate(headrooms)
            if headroom is not None
            and math.isfinite(headroom)
            and multipliers[i] * sign > 0
        ]
        if not known:
            continue
        most = max(headroom for _, headroom in known)
        least = min(headroom for _, headroom in known)
        spread = max(most - least, FULL_SPREAD)
        # The one that comes first weighs 0, or less if it is nearly full.
        first = most if sign > 0 else least
        reference = first + sign * max(NEARLY_FULL - first, 0)
        for i, headroom in known:
            weights[i] = (headroom - reference) / spread
            lowest = min(lowest, weights[i] * multipliers[i])
    for i, each in enumerate(headrooms):
        # What can't be weighed is no better than any other.
        if each is not None and not math.isfinite(each) and multipliers[i]:
            weights[i] = lowest / multipliers[i]
    return weights


def _bounded(headroom: float) -> float:
    """Meets LEAST with the same slope, and never passes 2 * LEAST."""
    if headroom >= LEAST:
        return headroom
    return 2 * LEAST - LEAST * LEAST / headroom


def _multipliers(
    states: ty.Sequence[ty.Any], settings: conf.Settings
) -> list[float]:
    """The multipliers of a request's hosts; aggregates win over nova.conf.

    nova's own function costs more than all else here, and warns each time;
    it is asked once for each set of aggregates that have anything to say.
    """
    default = settings.dom0_headroom_weight_multiplier
    known: dict[frozenset[ty.Any], float] = {frozenset(): default}
    found = []
    # A host whose own can't be read has its turn below.
    multiplying = frozenset(filter(_multiplies, aggregate.of(states)))
    for state in states:
        multiplier = default
        try:
            some = multiplying.intersection(state.aggregates)
            if some not in known:
                # Of one that is none and others nova would take now the one,
                # now the other.
                known[some] = (
                    utils.get_weight_multiplier(
                        types.SimpleNamespace(aggregates=some),
                        _MULTIPLIER,
                        default,
                    )
                    if all(map(_may_count, some))
                    else default
                )
            multiplier = known[some]
        except Exception:  # noqa: BLE001  nothing may reach nova
            log.unexpected("reading a host's multiplier; the option is used")
        found.append(multiplier)
    return found


def _multiplies(each: ty.Any) -> bool:
    try:
        return _MULTIPLIER in each.metadata
    except Exception:  # noqa: BLE001  the others count all the same
        log.unexpected('reading an aggregate; it sets no multiplier')
        return False


def _may_count(each: ty.Any) -> bool:
    """Whether nova may be asked what an aggregate's multiplier is.

    It takes "nan", "inf" and 1e308, which would make all weights alike, or
    infinite. What may be set is what the option may be.
    """
    try:
        return abs(float(each.metadata[_MULTIPLIER])) <= conf.dom0.MOST
    except ValueError:
        return True  # nova warns of it, and takes the default


def all_weighers() -> list[type[weights.BaseHostWeigher]]:
    """What [filter_scheduler]weight_classes takes for this package."""
    return [Dom0HeadroomWeigher]

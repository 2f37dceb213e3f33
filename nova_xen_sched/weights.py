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

"""Dom0HeadroomWeigher: hosts whose dom0 has room come first.

It weighs Xen hosts by the headroom that they have left once the guest is
placed: the share that is left of dom0's memory, of dom0's CPUs, or of the
host's RAM beside dom0, whichever is least. A negative multiplier does the
opposite and fills hosts one after the other. Hosts that are not Xen hosts
weigh 0, and so are neither preferred nor avoided.
"""

from __future__ import annotations

import math
from typing import Any

import nova.conf
from nova.scheduler import utils
from nova.scheduler import weights
from oslo_log import log as logging

from nova_xen_sched import census
from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import guest
from nova_xen_sched import host
from nova_xen_sched import notices
from nova_xen_sched.facts import gather

CONF = nova.conf.CONF
conf.register_opts(CONF)

LOG = logging.getLogger(__name__)

#: A difference of the scarcest headrooms that counts in full. Where hosts
#: differ by less, the weigher speaks with less weight, so that a sliver does
#: not drown the others.
FULL_SPREAD = 0.10
#: Headroom below this counts as this: how far a host is overcommitted beyond
#: double its room is no reason to make all the others look alike.
LEAST = -1.0

_MULTIPLIER = 'dom0_headroom_weight_multiplier'
#: Where a HostState, which lives for one request, keeps its multiplier.
_KEPT = 'nova_xen_sched_multiplier'


class Dom0HeadroomWeigher(weights.BaseHostWeigher):
    """Prefers Xen hosts with headroom against their dom0 sizing.

    It never raises into nova: what it fails to weigh, it weighs 0.
    """

    # With these nova's normalization changes nothing: weigh_objects scales.
    minval = 0
    maxval = 1

    def __init__(self) -> None:
        super().__init__()
        try:
            self._options = conf.Options(CONF)
            self._facts = gather.shared(
                CONF, self._options.current().fact_sources
            )
        except conf.OptionError as e:
            LOG.critical('%s', e)
            raise SystemExit('nova-xen-sched: %s' % e) from None

    def weight_multiplier(self, host_state: Any) -> float:
        """The multiplier of a host; its aggregates win over nova.conf."""
        kept: float | None = getattr(host_state, _KEPT, None)
        if kept is None:
            kept = _multiplier(
                host_state,
                self._options.current().dom0_headroom_weight_multiplier,
            )
        return kept

    def _weigh_object(self, obj: Any, weight_properties: Any) -> float:
        # nova's base class wants it; one host alone has nothing to be
        # compared with.
        return 0.0

    def weigh_objects(
        self, weighed_obj_list: list[Any], weight_properties: Any
    ) -> list[float]:
        """A weight for each host: Xen hosts around 0, all others at 0.

        :param weighed_obj_list: nova WeighedHosts.
        :param weight_properties: a nova RequestSpec.
        """
        try:
            return scaled(self.headrooms(weighed_obj_list, weight_properties))
        except Exception:  # noqa: BLE001  nothing may reach nova
            notices.unexpected('weighing hosts; all weigh 0')
            return [0.0] * len(weighed_obj_list)

    def headrooms(
        self, weighed_obj_list: list[Any], weight_properties: Any
    ) -> list[float | None]:
        """The headroom of each host once the guest is placed.

        None stands for hosts that are not Xen hosts, and for those of which
        it can't be told.
        """
        states = [weighed.obj for weighed in weighed_obj_list]
        asked = _Asked(weight_properties, self._options.current())
        facts = self._facts.for_request(states, asked.settings.facts_max_age)
        found: list[float | None] = []
        for state in states:
            headroom = None
            try:
                asked.multipliers(state)
                if host.state_is_xen(state):
                    headroom = asked.model.headroom(
                        asked.load(state, facts(state))
                    )
            except Exception:  # noqa: BLE001  nothing may reach nova
                notices.unexpected('weighing a host; it weighs 0')
            found.append(headroom)
        facts.done()
        return found

    def rooms(
        self, host_state: Any, weight_properties: Any
    ) -> tuple[dom0.Left, ...]:
        """The rooms of one Xen host once the guest is placed.

        :param host_state: a nova HostState.
        :param weight_properties: a nova RequestSpec.
        """
        asked = _Asked(weight_properties, self._options.current())
        facts = self._facts.for_request([host_state])
        return asked.model.rooms(asked.load(host_state, facts(host_state)))


class _Asked:
    """One request: the guest to be placed, and how to weigh hosts for it."""

    def __init__(self, spec_obj: Any, settings: conf.Settings) -> None:
        self.settings = settings
        self.model = settings.dom0_model
        self.multipliers = _Multipliers(settings)
        self._guest = guest.from_spec(spec_obj)
        self._mode = census.mode_of(self._guest.vm_mode, settings)
        self._load_of = census.Census(
            settings, self._guest.vm_mode, CONF.reserved_host_memory_mb
        )

    def load(self, state: Any, facts: gather.HostFacts) -> dom0.Load:
        """A Xen host's load with the guest placed.

        Where the host's mix is an average, so is the guest: judging by its
        own need piles HVM guests onto large dom0s.
        """
        load = self._load_of(state, facts)
        return load.plus(
            None if load.unknown else self._mode,
            self._guest.memory_mb,
            self._guest.vcpus,
        )


def scaled(headrooms: list[float | None]) -> list[float]:
    """Weights for headrooms: their mean is at 0, and so is who has none."""
    known = [max(each, LEAST) for each in headrooms if each is not None]
    if not known:
        return [0.0] * len(headrooms)
    mean = sum(known) / len(known)
    spread = max(max(known) - min(known), FULL_SPREAD)
    return [
        0.0 if each is None else (max(each, LEAST) - mean) / spread
        for each in headrooms
    ]


def _multiplier(state: Any, default: float) -> float:
    """What nova makes of a host's aggregates, if it is a finite number.

    nova takes "nan" and "inf", which would make all weights alike.
    """
    found: float = utils.get_weight_multiplier(state, _MULTIPLIER, default)
    return found if math.isfinite(found) else default


class _Multipliers:
    """Puts each host's multiplier where weight_multiplier() finds it.

    nova's own function costs more than all else here; it is asked once per
    distinct set of aggregates that have anything to say.
    """

    def __init__(self, settings: conf.Settings) -> None:
        self._default = settings.dom0_headroom_weight_multiplier
        self._said: dict[int, tuple[Any, bool]] = {}
        self._known: dict[tuple[int, ...], float] = {}

    def __call__(self, state: Any) -> None:
        said = []
        for aggregate in state.aggregates:
            entry = self._said.get(id(aggregate))
            if entry is None:
                entry = (aggregate, _MULTIPLIER in aggregate.metadata)
                self._said[id(aggregate)] = entry
            if entry[1]:
                said.append(id(aggregate))
        multiplier = self._default
        if said:
            key = tuple(said)
            if key not in self._known:
                self._known[key] = _multiplier(state, self._default)
            multiplier = self._known[key]
        state.nova_xen_sched_multiplier = multiplier


def all_weighers() -> list[type[weights.BaseHostWeigher]]:
    """What [filter_scheduler]weight_classes takes for this package."""
    return [Dom0HeadroomWeigher]

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

"""XenHostFilter: which hosts can take the guest at all."""

from __future__ import annotations

import collections
import functools
import itertools
import logging
from typing import Any
from typing import Callable
from typing import Counter
from typing import Dict
from typing import Iterable
from typing import Sequence

import nova.conf
from nova.scheduler import filters

from nova_xen_sched import census
from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import guest
from nova_xen_sched import headroom
from nova_xen_sched import host
from nova_xen_sched import migration
from nova_xen_sched import notices
from nova_xen_sched import redact
from nova_xen_sched import rules
from nova_xen_sched import startup
from nova_xen_sched.facts import gather
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.refusal import SORTING

CONF = nova.conf.CONF
conf.register_opts(CONF)

LOG = redact.logger(__name__)


class XenHostFilter(filters.BaseHostFilter):
    """Passes the hosts that can run the guest that the image describes.

    A replacement for nova's ImagePropertiesFilter: architecture,
    hypervisor_type and vm_mode must fit one and the same guest type of the
    host, on every host. On Xen hosts more rules count; see the rules module.

    It never raises into nova, which would put the user's server into ERROR:
    what it fails to judge, it accepts.
    """

    # A rebuild with another image must still fit its host.
    RUN_ON_REBUILD = True

    def __init__(self) -> None:
        super().__init__()
        self._options, self._facts = startup.start()

    def run_filter_for_index(self, index: int) -> bool:
        """Whether to run for the index-th server of a request.

        What a host can run does not change within a request. How much room
        it has does.
        """
        # current() never raises.
        return index == 0 or self._options.current().refuse_dom0_overcommit

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        """Whether one host can run the guest.

        :param host_state: a nova HostState.
        :param spec_obj: a nova RequestSpec.
        """
        return bool(self.filter_all([host_state], spec_obj))

    def filter_all(
        self, filter_obj_list: Iterable[Any], spec_obj: Any
    ) -> list[Any]:
        """The hosts that can run the guest, in their order.

        :param filter_obj_list: nova HostStates.
        :param spec_obj: a nova RequestSpec.
        """
        host_states = list(filter_obj_list)
        try:
            return self._filter(host_states, spec_obj)
        except Exception:  # noqa: BLE001  nothing may reach nova
            notices.unexpected('reading a request; all hosts are accepted')
            return host_states

    def refusals(self, host_state: Any, spec_obj: Any) -> list[Refusal]:
        """Every reason against one host, those of report_only too.

        :param host_state: a nova HostState.
        :param spec_obj: a nova RequestSpec.
        """
        asked = _Asked(
            spec_obj, [host_state], self._options.current(), self._facts
        )
        return list(
            rules.refusals(
                asked.guest,
                asked.read(host_state),
                asked.settings,
                asked.tell,
            )
        )

    def _filter(self, host_states: list[Any], spec_obj: Any) -> list[Any]:
        asked = _Asked(
            spec_obj, host_states, self._options.current(), self._facts
        )
        verdicts = asked.judge(host_states)
        passed = [
            state
            for state, verdict in zip(host_states, verdicts)
            if verdict.refusal is None
        ]
        try:
            asked.facts.done()
            # By verdict, not by host: a cloud has few distinct ones.
            tally = collections.Counter(verdicts)
            del tally[rules.ACCEPTED]
            if tally:
                if LOG.isEnabledFor(logging.DEBUG):
                    for state, verdict in zip(host_states, verdicts):
                        _log_host(state, verdict)
                _log_request(asked.guest, len(host_states), len(passed), tally)
        except Exception:  # noqa: BLE001  nothing may reach nova
            notices.unexpected('logging what was decided; it counts')
        return passed


class _Asked:
    """One request: what it asks for, and how to judge hosts for it."""

    def __init__(
        self,
        spec_obj: Any,
        host_states: list[Any],
        settings: conf.Settings,
        gatherer: gather.Gatherer,
    ) -> None:
        self.guest = read_request(spec_obj)
        self.settings = settings
        self.tell = migration.Teller(
            spec_obj, settings.live_migration_read_timeout
        )
        counting = rules.that_count(self.guest, settings)
        self.facts = gatherer.for_request(
            host_states,
            rules.facts_that_matter(counting),
            settings.facts_max_age,
        )
        rooms = rules.rooms_matter(counting)
        self._reader = host.Reader(
            self.guest.maxphysaddr_bits is not None,
            self.facts if rooms or self.facts.asks else None,
            functools.partial(_rooms, settings, self.guest) if rooms else None,
        )
        self._verdicts = _Verdicts(
            self._reader,
            functools.partial(
                rules.judge,
                self.guest,
                settings=settings,
                tell=self.tell,
                counting=counting,
            ),
        )

    def read(self, host_state: Any) -> host.Host:
        """What one host offers."""
        return self._reader.host(self._reader.key(host_state))

    def judge(self, host_states: Sequence[Any]) -> list[rules.Verdict]:
        """The verdict on each host; what can't be judged is accepted."""
        try:
            keys = self._reader.keys(host_states)
            return list(map(self._verdicts.__getitem__, keys))
        except Exception:  # noqa: BLE001  nothing may reach nova
            if len(host_states) == 1:
                notices.unexpected('judging a host; it is accepted')
                return [rules.ACCEPTED]
        # Some host is to blame; the others are judged all the same.
        return [
            verdict
            for state in host_states
            for verdict in self.judge((state,))
        ]


class _Verdicts(Dict[host.Key, rules.Verdict]):
    """Verdicts by what the rules look at; each distinct host is judged once.

    They are those of one request. Nothing here refers back to it, so that it
    is freed when it ends, and not when Python next looks for such circles.
    """

    def __init__(
        self,
        reader: host.Reader,
        judge: Callable[[host.Host], rules.Verdict],
    ) -> None:
        super().__init__()
        self._reader = reader
        self._judge = judge

    def __missing__(self, key: host.Key) -> rules.Verdict:
        verdict = self[key] = self._judge(self._reader.host(key))
        return verdict


def _rooms(
    settings: conf.Settings,
    request: guest.GuestRequest,
    states: Sequence[Any],
    facts: Sequence[gather.HostFacts],
) -> list[tuple[dom0.Left, ...]]:
    """Of Xen hosts: the rooms that the guest would overcommit."""
    loads = census.Census(
        settings, request, CONF.reserved_host_memory_mb
    ).apart(states, facts)
    overcommitted = headroom.overcommitted_apart(settings.dom0_model)
    return list(itertools.starmap(overcommitted, loads))


def read_request(spec_obj: Any) -> guest.GuestRequest:
    """What a nova RequestSpec asks for, under nova's configuration."""
    return guest.from_spec(
        spec_obj,
        CONF.filter_scheduler.image_properties_default_architecture,
    )


def _log_host(state: Any, verdict: rules.Verdict) -> None:
    for reported in verdict.reported:
        LOG.debug(
            'XenHostFilter: %(host)s would be refused (report_only): '
            '%(refusal)s.',
            {'host': state.host, 'refusal': reported},
        )
    if verdict.refusal is not None:
        LOG.debug(
            'XenHostFilter: %(host)s is refused: %(refusal)s.',
            {'host': state.host, 'refusal': verdict.refusal},
        )


def _log_request(
    request: guest.GuestRequest,
    total: int,
    left: int,
    tally: Counter[rules.Verdict],
) -> None:
    refused: Counter[Code] = collections.Counter()
    reported: Counter[Code] = collections.Counter()
    for verdict, count in tally.items():
        if verdict.refusal is not None:
            refused[verdict.refusal.code] += count
        for each in verdict.reported:
            reported[each.code] += count
    # A mixed cloud sorts guests by type all day; that is no news.
    routine = (
        left and SORTING.issuperset(refused) and SORTING.issuperset(reported)
    )
    counts = [_counted(refused)] if refused else []
    if reported:
        counts.append('report_only: ' + _counted(reported))
    LOG.log(
        logging.DEBUG if routine else logging.INFO,
        'XenHostFilter: %(left)d of %(total)d hosts left for instance '
        '%(uuid)s: %(counts)s',
        {
            'left': left,
            'total': total,
            'uuid': request.instance_uuid,
            'counts': ' '.join(counts),
        },
    )


def _counted(codes: Counter[Code]) -> str:
    order = list(Code)
    return ' '.join(
        '%s=%d' % (code, codes[code])
        for code in sorted(codes, key=order.index)
    )


def all_filters() -> list[type[filters.BaseHostFilter]]:
    """What [filter_scheduler]available_filters takes for this package."""
    return [XenHostFilter]

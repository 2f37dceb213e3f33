# SPDX-License-Identifier: Apache-2.0

"""XenHostFilter: which hosts can take the guest at all."""

from __future__ import annotations

import collections
import logging
import typing as ty

import nova.conf
from nova.scheduler import filters

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import host
from nova_xen_sched import log
from nova_xen_sched import plugin
from nova_xen_sched import request as guest
from nova_xen_sched import rules
from nova_xen_sched.load import Loads
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import SORTING

CONF = nova.conf.CONF
conf.register_opts(CONF)

LOG = log.logger(__name__)


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
        self._options, self._facts = plugin.start()

    def run_filter_for_index(self, index: int) -> bool:
        """Whether to run for the index-th server of a request.

        What a host can run does not change within a request. How much room
        it has does.
        """
        # current() never raises.
        return index == 0 or self._options.current().refuse_dom0_overcommit

    def host_passes(self, host_state: ty.Any, spec_obj: ty.Any) -> bool:
        """Whether one host can run the guest.

        :param host_state: a nova HostState.
        :param spec_obj: a nova RequestSpec.
        """
        return bool(self.filter_all([host_state], spec_obj))

    def filter_all(
        self, filter_obj_list: ty.Iterable[ty.Any], spec_obj: ty.Any
    ) -> list[ty.Any]:
        """The hosts that can run the guest, in their order.

        :param filter_obj_list: nova HostStates.
        :param spec_obj: a nova RequestSpec.
        """
        host_states = list(filter_obj_list)
        try:
            verdicts = self.verdicts(host_states, spec_obj)
        except Exception:  # noqa: BLE001  nothing may reach nova
            log.unexpected('reading a request; all hosts are accepted')
            return host_states
        passed = [
            state
            for state, verdict in zip(host_states, verdicts)
            if verdict.refusal is None
        ]
        try:
            _log(spec_obj, host_states, verdicts)
        except Exception:  # noqa: BLE001  nothing may reach nova
            log.unexpected('logging a decision; the decision stands')
        return passed

    def verdicts(
        self,
        host_states: ty.Sequence[ty.Any],
        spec_obj: ty.Any,
        every: bool = False,
    ) -> list[rules.Verdict]:
        """The verdict on each host; what can't be judged is accepted.

        :param host_states: nova HostStates.
        :param spec_obj: a nova RequestSpec.
        :param every: find all refusals, not just those that matter.
        :returns: rules.UNJUDGED where that fails.
        """
        settings = self._options.current()
        request = guest.from_spec(
            spec_obj,
            CONF.filter_scheduler.image_properties_default_architecture,
        )
        judge = rules.Judge(
            request,
            settings,
            guest.kind_in_cell(spec_obj, settings.live_migration_read_timeout),
        )
        facts = self._facts.for_request(
            host_states, judge.facts, settings.facts_max_age
        )
        loads = Loads(settings, request, CONF.reserved_host_memory_mb)
        maxphysaddr = request.maxphysaddr_bits is not None
        # A cloud has few distinct hosts. Each one judged took 16 us a host
        # instead of 7, of 1000 in 5 aggregates each.
        known: dict[host.Host, rules.Verdict] = {}
        verdicts = []
        for state in host_states:
            try:
                offered = host.read(state, facts, maxphysaddr)
                if judge.needs_load and offered.is_xen:
                    offered = offered._replace(
                        overcommitted=dom0.overcommitted(
                            settings.dom0_model, loads(state, offered.facts)
                        )
                    )
                verdict = known.get(offered)
                if verdict is None:
                    verdict = known[offered] = judge(offered, every)
            except Exception:  # noqa: BLE001  nothing may reach nova
                log.unexpected('judging a host; it is accepted')
                verdict = rules.UNJUDGED
            verdicts.append(verdict)
        facts.noticed.warn()
        loads.noticed.warn()
        return verdicts


def _log(
    spec_obj: ty.Any, host_states: list[ty.Any], verdicts: list[rules.Verdict]
) -> None:
    """Log what was decided, if anything speaks against any host."""
    # By verdict, not by host: a cloud has few distinct ones.
    tally = collections.Counter(verdicts)
    refused: ty.Counter[Code] = collections.Counter()
    reported: ty.Counter[Code] = collections.Counter()
    for verdict, count in tally.items():
        for refusal in verdict.refusals:
            codes = refused if refusal is verdict.refusal else reported
            codes[refusal.code] += count
    if not (refused or reported):
        return
    if LOG.isEnabledFor(logging.DEBUG):
        _log_hosts(host_states, verdicts)
    left = len(host_states) - sum(refused.values())
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
            'total': len(host_states),
            'uuid': spec_obj.instance_uuid
            if 'instance_uuid' in spec_obj
            else None,
            'counts': ' '.join(counts),
        },
    )


def _log_hosts(
    host_states: list[ty.Any], verdicts: list[rules.Verdict]
) -> None:
    for state, verdict in zip(host_states, verdicts):
        for refusal in verdict.refusals:
            LOG.debug(
                'XenHostFilter: %(host)s %(outcome)s: %(refusal)s.',
                {
                    'host': state.host,
                    'outcome': 'is refused'
                    if refusal is verdict.refusal
                    else 'would be refused (report_only)',
                    'refusal': refusal,
                },
            )


def _counted(codes: ty.Counter[Code]) -> str:
    return ' '.join(
        '%s=%d' % (code, codes[code]) for code in Code if codes[code]
    )


def all_filters() -> list[type[filters.BaseHostFilter]]:
    """What [filter_scheduler]available_filters takes for this package."""
    return [XenHostFilter]

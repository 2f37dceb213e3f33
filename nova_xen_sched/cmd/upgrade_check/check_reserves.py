# SPDX-License-Identifier: Apache-2.0

"""Whether the scheduler counts as reserved what the computes reserve."""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched.cmd.upgrade_check.situation import Finding
from nova_xen_sched.cmd.upgrade_check.situation import fine
from nova_xen_sched.cmd.upgrade_check.situation import memory
from nova_xen_sched.cmd.upgrade_check.situation import names
from nova_xen_sched.cmd.upgrade_check.situation import Situation
from nova_xen_sched.cmd.upgrade_check.situation import warning

_FACT = 'reserved_host_memory_mb'
_PUBLISH = 'nova-xen-sched facts publish --from-placement --apply'


class _Wrong(ty.NamedTuple):
    """What is counted of some hosts, and what is so.

    :ivar source: that states it; '' for the scheduler's own nova.conf.
    :ivar counted: MiB.
    :ivar reserved: by their computes, as these write it to placement, MiB.
    """

    source: str
    counted: int
    reserved: int


def counted(situation: Situation) -> Finding:
    """The scheduler counts as reserved what the computes reserve."""
    wrong: dict[_Wrong, list[str]] = collections.defaultdict(list)
    for each, inventory in memory(situation):
        fact = each.host.facts.get(_FACT)
        found = _Wrong(
            fact.source if fact else '',
            fact.value if fact else situation.config.reserved_host_memory_mb,
            inventory['reserved'],
        )
        if found.counted != found.reserved:
            wrong[found].append(each.name)
    if not wrong:
        return fine()
    return warning(
        'The scheduler counts %s otherwise than the computes do (by '
        'placement), and so takes a part of the reserve for guests, or of the '
        'guests for reserve: %s.'
        % (
            _FACT,
            '; '.join(
                '%d MiB, from %s, and %d in placement: %s'
                % (
                    each.counted,
                    each.source or 'its own nova.conf',
                    each.reserved,
                    names(hosts),
                )
                for each, hosts in sorted(wrong.items())
            ),
        ),
        '; '.join(dict.fromkeys(_remedies(situation, wrong))) + '.',
    )


def _remedies(
    situation: Situation, wrong: dict[_Wrong, list[str]]
) -> ty.Iterator[str]:
    """What to do, by who states it, and by what else the scheduler reads."""
    settings = situation.settings
    path = settings.host_facts_file
    for each, hosts in sorted(wrong.items()):
        by_file = path and 'file' in settings.fact_sources and not each.source
        # Of more hosts than are named it is easier to publish it.
        if each.source == 'file' or (by_file and len(hosts) <= 5):
            yield 'put %s: %d under the hosts in %s, for %s' % (
                _FACT,
                each.reserved,
                path,
                names(hosts),
            )
        elif each.source not in ('', 'aggregate'):
            yield 'correct what %s says of %s' % (each.source, names(hosts))
        elif 'aggregate' in settings.fact_sources:
            yield _PUBLISH
        else:
            yield 'add aggregate to fact_sources, then ' + _PUBLISH

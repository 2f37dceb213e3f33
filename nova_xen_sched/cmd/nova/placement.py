# SPDX-License-Identifier: Apache-2.0

"""What placement answers to a request, asked through nova's own client."""

from __future__ import annotations

import copy
import dataclasses
import functools
import typing as ty

from nova import exception
import nova.conf
from nova.scheduler import request_filter
from nova.scheduler import utils

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import private

CONF = nova.conf.CONF

_PLACEMENT = 'Placement'


@dataclasses.dataclass(frozen=True)
class Candidates:
    """Placement's candidates for a request.

    :ivar by_provider: allocation requests by the UUID of each compute node,
        and of every other provider that they use.
    :ivar query: what was asked for, as nova's query to placement.
    :ivar refusal: why nova never asked: a request filter's reason; None if
        it did.
    :ivar limit: [scheduler] max_placement_results if as many came, so that
        there may be more; else None.
    :ivar resources: how much of each resource class was asked for, of any
        provider.
    :ivar summaries: by provider's UUID, placement's summary of it: what it
        has, and what is used.
    :ivar unknown: what placement says of a trait or resource class that was
        asked for and that it doesn't know; '' if there is none.
    """

    by_provider: dict[str, list[ty.Any]]
    query: str = ''
    refusal: str | None = None
    limit: int | None = None
    resources: ty.Mapping[str, int] = dataclasses.field(default_factory=dict)
    summaries: ty.Mapping[str, ty.Any] = dataclasses.field(
        default_factory=dict
    )
    unknown: str = ''


def candidates(
    context: ty.Any, spec: ty.Any, manager: ty.Any, every: bool = False
) -> Candidates:
    """Ask placement for the candidates of a request, as nova-scheduler does.

    :param context: nova's admin context.
    :param spec: a nova RequestSpec; nova's request filters add to it what
        they require.
    :param manager: a nova HostManager.
    :param every: ask for all of them, whatever nova's limit is.
    :raises errors.Failure: if placement can't be asked.
    """
    try:
        with failures.reading("What nova's request filters need"):
            request_filter.process_reqspec(context, spec)
            wanted = utils.resources_from_request_spec(
                context, spec, manager, enable_pinning_translate=True
            )
    except (exception.RequestFilterFailed, exception.NoValidHost) as e:
        return Candidates({}, refusal=errors.one_line(e))
    limit = private.limit(wanted, every)
    try:
        found, summaries = _ask(context, wanted)
    except _Unknown as e:
        return Candidates({}, wanted.to_querystring(), unknown=str(e))
    cut = limit if limit and len(found) >= limit else None
    if (
        wanted.cpu_pinning_requested
        and not CONF.workarounds.disable_fallback_pcpu_query
    ):
        more, more_summaries = _ask(
            context,
            utils.resources_from_request_spec(
                context, spec, manager, enable_pinning_translate=False
            ),
        )
        found = found + more
        summaries = {**summaries, **more_summaries}
    by_provider: dict[str, list[ty.Any]] = {}
    for each in found:
        for provider in each['allocations']:
            by_provider.setdefault(provider, []).append(each)
    return Candidates(
        by_provider,
        wanted.to_querystring(),
        limit=cut,
        resources=wanted.get_request_group(None).resources,
        summaries=summaries,
    )


def attach(state: ty.Any, found: Candidates | None) -> None:
    """Give a HostState its candidates, as nova does from 27 on.

    :param found: None where placement can't be asked. Then it gets one for
        nothing: without any nova's filters of PCI devices and NUMA refuse it.
    """
    state.allocation_candidates = (
        copy.deepcopy(found.by_provider.get(state.uuid, []))
        if found
        else [{'allocations': {}, 'mappings': {}}]
    )


def stocks(provider: str) -> dict[str, ty.Any] | None:
    """As inventories(), with what is ``used`` of each."""
    found = inventories(provider)
    usages = _of_provider(provider, 'usages')
    if found is None or usages is None:
        return None
    return {
        name: dict(inventory, used=usages.get(name, 0))
        for name, inventory in found.items()
    }


def inventories(provider: str) -> dict[str, ty.Any] | None:
    """What one provider has, as placement has it.

    :returns: by resource class its inventory; None if placement doesn't know
        the provider.
    :raises errors.Failure: if placement can't be asked.
    """
    return _of_provider(provider, 'inventories')


def providers() -> ty.Collection[str]:
    """The UUIDs of all that placement knows."""
    found = get('/resource_providers') or {'resource_providers': []}
    return {each['uuid'] for each in found['resource_providers']}


def _of_provider(provider: str, what: str) -> dict[str, ty.Any] | None:
    found = get('/resource_providers/%s/%s' % (provider, what))
    return None if found is None else found[what]


def get(path: str, version: str | None = None) -> dict[str, ty.Any] | None:
    """What placement answers; None if there is no such thing, or it knows no
    such trait or resource class.

    :param version: the microversion.
    :raises errors.Failure: if placement can't be asked.
    """
    with failures.reading(_PLACEMENT):
        answer = _client().get(path, version=version)
    if answer.status_code == 404 or _names_unknown(answer):
        return None
    if not answer:
        raise errors.Failure(failures.answered(answer))
    found: dict[str, ty.Any] = answer.json()
    return found


@functools.lru_cache(maxsize=None)
def _client() -> private.PlacementClient:
    return private.PlacementClient()


def _ask(
    context: ty.Any, wanted: ty.Any
) -> tuple[list[ty.Any], dict[str, ty.Any]]:
    """The allocation requests and provider summaries, by nova's own call."""
    with failures.reading(_PLACEMENT):
        client = _client()
        found = client.get_allocation_candidates(context, wanted)
        if found is not None and found[0] is not None:
            return found[0], found[1]
        if client.error is not None:
            raise client.error
    if _names_unknown(client.answer):
        raise _Unknown(failures.detail(client.answer))
    raise errors.Failure(failures.answered(client.answer))


class _Unknown(Exception):
    """Of a trait or resource class that placement doesn't know."""


def _names_unknown(answer: ty.Any) -> bool:
    """Whether placement refuses a query for such a trait or class."""
    return answer.status_code == 400 and 'No such' in answer.text

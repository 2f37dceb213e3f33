# SPDX-License-Identifier: Apache-2.0

"""Reads the metrics off the cloud as nova-scheduler sees it."""

from __future__ import annotations

import typing as ty

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd.hosts import count_fits
from nova_xen_sched.cmd.hosts.metrics import names
from nova_xen_sched.cmd.hosts.metrics import samples
from nova_xen_sched.cmd.hosts.metrics.samples import Samples
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.nova import usual_requests
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.facts import file
from nova_xen_sched.filters import XenHostFilter

#: As "capacity" counts where no flavor is named.
_GUEST = (guest_arguments.RAM, guest_arguments.VCPUS, guest_arguments.DISK)


def collect(cloud: Cloud, flavors: ty.Iterable[str]) -> Samples:
    """All metrics of the hosts.

    :param flavors: names or ids of those whose guests are counted, too.
    :raises errors.Failure: if any of them can't be had: a part of the hosts
        would look as if the others were gone.
    """
    found: Samples = {}

    def add(more: Samples) -> None:
        for metric, values in more.items():
            found.setdefault(metric, {}).update(values)

    add(_facts_file())
    with Progress('Reading hosts'):
        every = xen_hosts.read(cloud.host_states())
    for why in cloud.unreachable.values():
        raise errors.Failure('Hosts are missing: %s' % why)
    hosts = [each for each in every if each.host.is_xen]
    found[names.HOSTS] = {(): len(hosts)}
    for each in hosts:
        assert each.load is not None  # noqa: S101  a Xen host
        add(samples.usages(each.name, each.resources))
        add(samples.guests(each.name, each.load))
        add(samples.facts(each.name, each.host.facts.known))
    for more in (*_sold(hosts), *_refused(cloud, hosts)):
        add(more)
    guests = {each.name: each.load.guests for each in hosts if each.load}
    counted = {'': request_spec.flavor_of(*_GUEST)}
    for name in flavors:
        flavor = cloud.flavor(name)
        counted[flavor.name] = flavor
    for name, flavor in counted.items():
        fit = count_fits.count_guests(cloud, flavor, 'hvm', hosts)
        if fit.failure:
            raise fit.failure
        add(samples.fitting(name, list(fit.fits.values()), guests))
    return found


def _facts_file() -> Samples:
    """The digest of the facts file, if one is read."""
    settings = xen_hosts.settings()
    path = settings.host_facts_file
    if not path or 'file' not in settings.fact_sources:
        return {}
    try:
        _, digest = file.load(path)
    except file.FileError as e:
        # nova-scheduler may have older facts of it, which nobody else knows.
        raise errors.Failure(
            "The facts file %s can't be used: %s." % (path, e)
        ) from e
    # As many digits as nova-scheduler logs; a float holds them all.
    return {names.DIGEST: {(): int(digest[:12], 16)}}


def _sold(hosts: ty.Sequence[xen_hosts.ComputeHost]) -> ty.Iterator[Samples]:
    """By placement, where computes write what they reserve."""
    with Progress("Reading placement's inventories", len(hosts)) as progress:
        for each in hosts:
            inventories = placement.inventories(each.state.uuid) or {}
            progress.step()
            if 'MEMORY_MB' in inventories and each.load:
                yield samples.sold(
                    each.name,
                    each.load.dom0_memory_mb,
                    inventories['MEMORY_MB']['reserved'],
                )


def _refused(
    cloud: Cloud, hosts: ty.Sequence[xen_hosts.ComputeHost]
) -> ty.Iterator[Samples]:
    """What XenHostFilter says; nothing if it isn't enabled."""
    if not any(isinstance(each, XenHostFilter) for each in cloud.filters):
        return
    states = [each.state for each in hosts]
    for usual in usual_requests.REQUESTS:
        if not usual.vm_mode:
            continue
        spec = usual_requests.spec(cloud, usual)
        verdicts = cloud.plugin(XenHostFilter).verdicts(states, spec)
        yield samples.refused(
            str(usual.kind).replace(' ', '_'),
            usual.vm_mode,
            {
                each.name: verdict.refusal.code if verdict.refusal else None
                for each, verdict in zip(hosts, verdicts)
            },
        )

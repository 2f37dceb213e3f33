# SPDX-License-Identifier: Apache-2.0

"""What was read of hosts, as samples of metrics; no nova in here."""

from __future__ import annotations

import collections
import math
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.cmd.hosts import fits
from nova_xen_sched.cmd.hosts.metrics import names
from nova_xen_sched.facts import Fact
from nova_xen_sched.refusal import Code

MIB = 1 << 20

#: By metric, and by the values of its labels. A second host of the same name
#: takes the place of the first: node_exporter refuses files with both.
Samples = ty.Dict[names.Metric, ty.Dict[ty.Tuple[str, ...], float]]


def usages(host: str, resources: ty.Iterable[dom0.Usage]) -> Samples:
    """Capacity, use and headroom of each resource of a host."""
    found: Samples = collections.defaultdict(dict)
    for each in resources:
        labels = (host, str(each.resource))
        found[names.HEADROOM][labels] = each.headroom
        if each.resource.unit == 'MiB':
            found[names.CAPACITY_BYTES][labels] = each.capacity * MIB
            found[names.USED_BYTES][labels] = each.used * MIB
        else:
            found[names.CAPACITY_GUESTS][labels] = each.capacity
            found[names.USED_GUESTS][labels] = each.used
    return found


def guests(host: str, load: dom0.Load) -> Samples:
    """How many guests of each mode a host has."""
    modes = (*dom0.MODES, 'unknown')
    return {names.GUESTS: {(host, m): getattr(load, m) for m in modes}}


def facts(host: str, known: ty.Mapping[str, Fact]) -> Samples:
    """Where the facts of a host come from, and when they were observed."""
    found: Samples = collections.defaultdict(dict)
    counts = collections.Counter(each.source for each in known.values())
    for source, count in counts.items():
        found[names.FACTS][host, source] = count
    observed = known.get('observed_at')
    if observed is not None:
        found[names.OBSERVED][host, observed.source] = (
            observed.value.timestamp()
        )
    return found


def sold(host: str, dom0_mb: float, reserved_mb: float) -> Samples:
    """What a host's dom0 has beyond what nova reserves."""
    return {names.SOLD_BYTES: {(host,): max(dom0_mb - reserved_mb, 0) * MIB}}


def refused(
    operation: str, vm_mode: str, codes: ty.Mapping[str, ty.Optional[Code]]
) -> Samples:
    """Which hosts a request is refused by.

    :param codes: by host, the code that decides; None if it is accepted.
    """
    counts = collections.Counter(codes.values())
    return {
        names.HOSTS_REFUSED: {
            (operation, vm_mode, str(code)): counts[code] for code in Code
        },
        names.HOST_REFUSED: {
            # No label is an empty one.
            (host, operation, vm_mode, str(code or '')): code is not None
            for host, code in codes.items()
        },
    }


def fitting(
    flavor: str,
    hosts: ty.Sequence[fits.Fits],
    guests: ty.Mapping[str, int],
) -> Samples:
    """How many more guests of a flavor fit.

    :param flavor: '' for the guest that is counted where none is named.
    :param guests: by host, how many it has.
    """
    found: Samples = {
        names.HOST_FITS: {
            (each.host, flavor): _number(each.count) for each in hosts
        },
        names.FITS: {(flavor,): _number(fits.in_all(hosts))},
    }
    if hosts:
        left = fits.after_failure(hosts, guests)
        found[names.FITS_AFTER_FAILURE] = {(flavor,): _number(left)}
    return found


def own(success: bool, seconds: float, last_success: float) -> Samples:
    """What there is to say of the collection itself."""
    return {
        names.SUCCESS: {(): success},
        names.DURATION: {(): seconds},
        names.LAST_SUCCESS: {(): last_success},
    }


def _number(count: int | None) -> float:
    return math.inf if count is None else count

# SPDX-License-Identifier: Apache-2.0

"""The metrics: their names, what they say, and their labels."""

from __future__ import annotations

import typing as ty


class Metric(ty.NamedTuple):
    """One metric, a gauge.

    :ivar name: ends in its unit, as Prometheus has it.
    :ivar text: one sentence.
    :ivar labels: the names of its labels.
    """

    name: str
    text: str
    labels: ty.Tuple[str, ...] = ()


_HOST = ('compute_host',)
_RESOURCE = ('compute_host', 'resource')
_REQUEST = ('operation', 'vm_mode', 'code')

HOSTS = Metric('nova_xen_hosts', 'Xen hosts that nova-scheduler knows.')
GUESTS = Metric(
    'nova_xen_host_guests', 'Guests of the host.', (*_HOST, 'vm_mode')
)
HEADROOM = Metric(
    'nova_xen_dom0_headroom_ratio',
    'Share of a resource that is left; below 0 where it is overcommitted.',
    _RESOURCE,
)
CAPACITY_BYTES = Metric(
    'nova_xen_dom0_capacity_bytes',
    'What a resource that is memory has for guests.',
    _RESOURCE,
)
USED_BYTES = Metric(
    'nova_xen_dom0_used_bytes', 'What guests take of that.', _RESOURCE
)
CAPACITY_GUESTS = Metric(
    'nova_xen_dom0_capacity_guests',
    'How many guests a resource that is no memory serves.',
    _RESOURCE,
)
USED_GUESTS = Metric(
    'nova_xen_dom0_used_guests', 'How many of these there are.', _RESOURCE
)
SOLD_BYTES = Metric(
    'nova_xen_dom0_memory_sold_bytes',
    'Memory that dom0 has and nova gives to guests all the same.',
    _HOST,
)
HOST_FITS = Metric(
    'nova_xen_host_guests_fit',
    'How many more guests of a flavor fit on the host.',
    (*_HOST, 'flavor'),
)
FITS = Metric(
    'nova_xen_guests_fit',
    'How many more guests of a flavor fit on all Xen hosts.',
    ('flavor',),
)
FITS_AFTER_FAILURE = Metric(
    'nova_xen_guests_fit_after_failure',
    'The same once the host whose failure leaves least has failed; below 0 '
    'where not all of its guests fit on the others.',
    ('flavor',),
)
HOSTS_REFUSED = Metric(
    'nova_xen_hosts_refused',
    'Xen hosts that XenHostFilter refuses, by the code that decides.',
    _REQUEST,
)
HOST_REFUSED = Metric(
    'nova_xen_host_refused',
    'Whether XenHostFilter refuses the host, and the code that decides.',
    (*_HOST, *_REQUEST),
)
FACTS = Metric(
    'nova_xen_host_facts',
    'How many facts of the host come from a source.',
    (*_HOST, 'source'),
)
OBSERVED = Metric(
    'nova_xen_host_facts_observed_timestamp_seconds',
    'When the facts of the host were observed.',
    (*_HOST, 'source'),
)
DIGEST = Metric(
    'nova_xen_facts_file_digest',
    'The first 12 hexadecimal digits of the SHA-256 of the facts file.',
)
SUCCESS = Metric(
    'nova_xen_metrics_success', 'Whether the last collection succeeded.'
)
DURATION = Metric(
    'nova_xen_metrics_duration_seconds', 'How long the last collection took.'
)
LAST_SUCCESS = Metric(
    'nova_xen_metrics_last_success_timestamp_seconds',
    'When a collection last succeeded; 0 if that is not known.',
)

METRICS = (
    HOSTS,
    GUESTS,
    HEADROOM,
    CAPACITY_BYTES,
    USED_BYTES,
    CAPACITY_GUESTS,
    USED_GUESTS,
    SOLD_BYTES,
    HOST_FITS,
    FITS,
    FITS_AFTER_FAILURE,
    HOSTS_REFUSED,
    HOST_REFUSED,
    FACTS,
    OBSERVED,
    DIGEST,
    SUCCESS,
    DURATION,
    LAST_SUCCESS,
)

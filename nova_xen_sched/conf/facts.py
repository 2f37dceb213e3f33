# SPDX-License-Identifier: Apache-2.0

"""Options about where the facts of hosts come from."""

from __future__ import annotations

from oslo_config import cfg

from nova_xen_sched.conf import values

OPTS = [
    cfg.Opt(
        'fact_sources',
        type=values.List(
            values.Name('[a-z0-9_]+', 'names of small letters, digits and _'),
            may_be_empty=False,
        ),
        default=['stats', 'file', 'aggregate', 'service_version'],
        help="""
Where facts about Xen hosts come from that nova doesn't know: libvirt's
version, Xen's patch level, dom0's size. Each fact comes from the first
source in this list that knows it. A change takes effect when nova-scheduler
is started again.

Possible values, in any order:

* ``stats``: what the compute reports in its ``stats``
  (``xen_libvirt_version`` and so on); needs a driver that does so.
* ``file``: the file that ``host_facts_file`` names.
* ``aggregate``: metadata of the host's aggregates (``xen:libvirt_version``
  and so on); of several values the lowest counts.
* ``service_version``: the libvirt that nova-compute of the service's version
  needs at least to start. Leave it out if a vendor's nova-compute has
  lowered that.
* the name of any other entry point in ``nova_xen_sched.facts``.
""",
    ),
    cfg.Opt(
        'host_facts_file',
        type=values.Path(),
        mutable=True,
        help="""
A YAML file with facts about Xen hosts, for the source ``file``.

It is looked at once a request and read again when it has changed. While it
is missing, broken or half-written, the last good facts stay in force and one
ERROR is logged. An example is etc/nova_xen_sched/host-facts.yaml. With several
schedulers, each reads its own copy. In a container, mount the folder rather
than the file: a file that is replaced stays the old one under a file mount.

Possible values:

* an absolute path
* empty: no file. The default.

Related options:

* ``facts_max_age``
""",
    ),
    cfg.Opt(
        'facts_max_age',
        type=values.Number(0, 36500, 'days'),
        default=0,
        mutable=True,
        help="""
Days after which facts count as stale, by their ``observed_at``.

Stale facts are still used; they are marked where they are shown, and one
WARNING names their hosts. Facts without ``observed_at`` are never stale.

Possible values:

* days, fractions too; 36500 at most
* ``0``: facts don't age. The default.
""",
    ),
]

# SPDX-License-Identifier: Apache-2.0

"""Options about guest types and images."""

from __future__ import annotations

from oslo_config import cfg

from nova_xen_sched.conf import values

OPTS = [
    cfg.Opt(
        'default_vm_mode',
        type=values.Choice(
            [
                ('xen', 'PV, as the libvirt driver builds it'),
                ('hvm', 'HVM, where computes were changed'),
                ('any', 'either, as in nova'),
            ]
        ),
        default='xen',
        mutable=True,
        help="""
The mode in which a Xen host's nova-compute builds a guest whose image names
no ``vm_mode``.

The libvirt driver builds such a guest paravirtualized (PV), so a host that
offers only HVM can't run it; nova's ImagePropertiesFilter lets it through
all the same, and the boot fails on the compute.

Possible values:

* ``xen``: PV, as nova's libvirt driver does, and nova-compute-xen too. The
  default, from their source.
* ``hvm``: for sites whose computes were changed to build HVM guests.
* ``any``: such an image may go to any Xen host, as nova's own filter has it.

Related options:

* ``report_only`` with the code ``pv_by_default``
""",
    ),
    cfg.Opt(
        'require_hypervisor_type',
        type=values.Flag(),
        default=False,
        mutable=True,
        help="""
Refuse Xen hosts to images that name no ``hypervisor_type``.

In a cloud with Xen and other hypervisors an image without the property can
land on either, and most images run on one of them only. With this option an
untyped image goes to no Xen host. It counts for boots and rebuilds: guests
that exist already can still be moved.

Possible values:

* ``false``: untyped images may go to Xen hosts. The default, as in nova.
* ``true``: they may not; the refusal code is ``hypervisor_type_required``.
""",
    ),
    cfg.Opt(
        'disk_formats',
        type=values.List(
            values.Name(
                '[A-Za-z0-9][A-Za-z0-9_.+-]*',
                'names of letters, digits, _ . + and -',
            ),
            may_be_empty=True,
        ),
        default=[],
        mutable=True,
        help="""
The image formats (Glance's ``disk_format``) that Xen hosts accept.

It counts for boots and rebuilds. A guest that boots from a volume is not
looked at: its image was converted when the volume was made. Neither is an
image whose format is unknown. Computes with ``force_raw_images`` (nova's
default) convert most formats themselves: a list matters where they don't.

Possible values:

* empty: every format is accepted. The default, as in nova.
* a list, like ``raw,qcow2,vhd``: the formats that OpenStack's guide to Xen
  via libvirt names. The refusal code is ``disk_format``.
""",
    ),
]

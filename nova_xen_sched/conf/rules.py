# SPDX-License-Identifier: Apache-2.0

"""Options of the rules: guest types and images, versions, what is enforced."""

from __future__ import annotations

from oslo_config import cfg

from nova_xen_sched import refusal
from nova_xen_sched import versions
from nova_xen_sched.conf import values

#: In report_only it stands for every code.
ALL_CODES = 'all'

VERSION = values.Name(versions.PATTERN, 'a version like 1.2.15, or 0')

OPTS = [
    cfg.Opt(
        'default_vm_mode',
        type=values.Choice(
            [
                ('xen', 'PV, as the libvirt driver builds it'),
                ('hvm', 'HVM, where computes were changed'),
                ('any', 'either, as in nova'),
            ],
            # nova's own other word, as a vm_mode.
            synonyms={'pv': 'xen'},
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

* ``xen``, or ``pv``: PV, as nova's libvirt driver does, and nova-compute-xen
  too. The default, from their source.
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
There Xen hosts take raw and qcow2 alone: of a vhd that is kept as it is no
guest starts ("libxenlight does not support disk format vpc with disk driver
qemu").

Possible values:

* empty: every format is accepted. The default, as in nova.
* a list, like ``raw,qcow2,vhd``: the formats that OpenStack's guide to Xen
  via libvirt names. The refusal code is ``disk_format``.
""",
    ),
    cfg.Opt(
        'live_migration_check',
        type=values.Choice(
            [
                ('always', 'every request but evacuations and rebuilds'),
                ('live_migration', 'live migrations alone'),
                ('never', 'no request'),
            ]
        ),
        default='always',
        mutable=True,
        help="""
For which requests a Xen host's libvirt version counts.

A guest on a host whose libvirt is too old can't be live-migrated away, or
hangs in MIGRATING when it is.

Possible values:

* ``always``: for every request but evacuations and rebuilds, so that no
  guest lands on a host that it can't leave by a live migration. The default.
  To tell an evacuation from other moves, the instance is read as below.
* ``live_migration``: for live migrations alone. nova doesn't tell the
  scheduler that a request is one, so XenHostFilter reads the instance in its
  cell: once a request at most, for moves only, and only where a host would
  be refused.
* ``never``: the rule is off. (``min_xen_version`` may still have the instance
  read, to tell evacuations.)

Related options:

* ``min_libvirt_version``
* ``live_migration_unknown``
* ``live_migration_read_timeout``
""",
    ),
    cfg.Opt(
        'min_libvirt_version',
        type=VERSION,
        default='1.3.2',
        mutable=True,
        help="""
The oldest libvirt on a Xen host that counts as able to live-migrate.

Versions compare as numbers: 1.2.15 is newer than 1.2.5. nova doesn't know
the libvirt of a host (its ``hypervisor_version`` is Xen's), so it must come
from a fact: see ``fact_sources``. nova-compute 22 itself refuses to run with
a libvirt below 4.0.0, and its service version proves that. On such a host
the rule refuses nothing until the fact ``libvirt_version`` is set, or this
minimum is raised.

Possible values, from OpenStack's guide to Xen via libvirt:

* ``1.2.5``: the first in which libvirt's Xen driver can live-migrate.
* ``1.2.15``: the least for OpenStack.
* ``1.3.0``: fixes the compatibility of the migration protocol.
* ``1.3.1``: has what nova's migration monitoring relies on; below it, the
  instance stays MIGRATING. A host with an older libvirt and the backports
  ad71665 and b7b4391 counts as 1.3.1: set the
  fact ``libvirt_migration_backports``.
* ``1.3.2``: peer-to-peer migration, on which nova relies; recommended. The
  default.
* any other version; ``0`` switches the rule off.

Related options:

* ``live_migration_check``
* ``unknown_version``
""",
    ),
    cfg.Opt(
        'min_xen_version',
        type=VERSION,
        default='4.4.3',
        mutable=True,
        help="""
The oldest Xen that may get guests.

It counts for every request but evacuations and rebuilds. nova knows the
major and minor version of a host's Xen, never the patch level; where that
matters (4.4 and 4.5 with the default) the version is unknown, unless the
fact ``xen_version`` has it in full. Xen 4.5.0 is refused too while this
option is on: it lacks the changes that 4.4.3 and 4.5.1 have.

Possible values:

* ``4.4.3``: the changes that OpenStack needs are in 4.5.1, and were
  backported to 4.4.3 (OpenStack's guide to Xen via libvirt). The default.
* any other version; ``0`` switches the rule off.

Related options:

* ``unknown_version``
""",
    ),
    cfg.Opt(
        'unknown_version',
        type=values.Choice(
            [
                ('accept', 'it may get the guest'),
                ('refuse', 'it may not'),
            ]
        ),
        default='accept',
        mutable=True,
        help="""
What is done with a Xen host of which it is unknown whether its libvirt or
Xen is too old.

Possible values:

* ``accept``: it may get the guest. The default, because no host reports a
  libvirt version by itself.
* ``refuse``: it may not; the refusal codes are ``libvirt_unknown`` and
  ``xen_unknown``.

Related options:

* ``fact_sources``
""",
    ),
    cfg.Opt(
        'live_migration_unknown',
        type=values.Choice(
            [
                ('refuse', 'it may not get the guest'),
                ('accept', 'it may'),
            ]
        ),
        default='refuse',
        mutable=True,
        help="""
What is done with a host whose version is too old, or unknown and refused,
when it is unknown whether the request is a live migration or an evacuation.

The instance is then read in its cell's database. That can fail or take
longer than ``live_migration_read_timeout``.

Possible values:

* ``refuse``: the host is refused, with the code ``live_migration_unknown``.
  The default: a failed migration is worse than one to another host.
* ``accept``: the host may get the guest.
""",
    ),
    cfg.Opt(
        'live_migration_read_timeout',
        type=values.Number(0.1, 60, 'seconds'),
        default=5.0,
        mutable=True,
        help="""
Seconds to wait for the instance to be read in its cell's database.

The read took 2 to 97 ms in tests with SQLite. It is done once a request at
most; see ``live_migration_check``.

Possible values:

* seconds, from 0.1 to 60. The default, 5, is an estimate.

Related options:

* ``live_migration_unknown``: what happens afterwards
""",
    ),
    cfg.Opt(
        'report_only',
        type=values.List(
            values.Choice([ALL_CODES] + [code.value for code in refusal.Code]),
            may_be_empty=True,
        ),
        default=[],
        mutable=True,
        help="""
Refusal codes that are logged and explained, but not enforced.

Whether a request is a live migration is still read in its cell, so that the
logs are right.

For adopting the plugin without risk: with ``all``, XenHostFilter refuses no
host, and its log lines say which hosts it would have refused and why. Keep
ImagePropertiesFilter enabled meanwhile.

Possible values:

* empty: every rule is enforced. The default.
* a list of codes, like ``pv_by_default,disk_format``
* ``all``
""",
    ),
]

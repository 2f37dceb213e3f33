# SPDX-License-Identifier: Apache-2.0

"""Options for adopting the plugin step by step."""

from __future__ import annotations

from oslo_config import cfg

from nova_xen_sched import refusal
from nova_xen_sched.conf import values

ALL_CODES = 'all'

OPTS = [
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

What can't be told of a request is still read in its cell, so that the logs
are right.

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

# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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

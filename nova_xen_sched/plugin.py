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

"""What every plugin does when nova-scheduler makes it."""

from __future__ import annotations

from typing import NamedTuple

import nova.conf

from nova_xen_sched import conf
from nova_xen_sched import redact
from nova_xen_sched.facts import gather

LOG = redact.logger(__name__)


class Started(NamedTuple):
    """What a plugin works with."""

    options: conf.Options
    facts: gather.Gatherer


def start() -> Started:
    """Read the options and get the sources of facts ready.

    :raises SystemExit: with one line, if an option is wrong: nova-scheduler
        must not start so.
    """
    config = nova.conf.CONF
    try:
        options = conf.Options(config)
        facts = gather.shared(config, options.current().fact_sources)
    except conf.OptionError as e:
        LOG.critical('%s', e)
        line = redact.passwords('nova-xen-sched: %s' % e)
        raise SystemExit(line) from None
    return Started(options, facts)

# SPDX-License-Identifier: Apache-2.0

"""What every plugin does when nova-scheduler makes it."""

from __future__ import annotations

import nova.conf

from nova_xen_sched import conf
from nova_xen_sched import log
from nova_xen_sched import redact
from nova_xen_sched.facts import gather

LOG = log.logger(__name__)


#: The sources of facts that all plugins of a process share, by their names.
_SHARED: dict[tuple[str, ...], gather.Gatherer] = {}


def start() -> tuple[conf.Options, gather.Gatherer]:
    """Read the options and get the sources of facts ready.

    :raises SystemExit: if an option is wrong: nova-scheduler must not start
        so. As text it is the line that is logged; Python, which would print
        that again, ends with 1.
    """
    config = nova.conf.CONF
    try:
        options = conf.Options(config)
        names = options.current().fact_sources
        if names not in _SHARED:
            _SHARED[names] = gather.Gatherer(config, names)
    except conf.OptionError as e:
        LOG.critical('%s', e)
        stop = SystemExit(redact.passwords('nova-xen-sched: %s' % e))
        stop.code = 1
        raise stop from None
    return options, _SHARED[names]

# SPDX-License-Identifier: Apache-2.0

"""Samples as Prometheus' text, and the file for node_exporter."""

from __future__ import annotations

import os
import re
import typing as ty

from nova_xen_sched.cmd import whole_file
from nova_xen_sched.cmd.hosts.metrics import names
from nova_xen_sched.cmd.hosts.metrics.samples import Samples

#: Who reads a folder of node_exporter's is another user.
_MODE = 0o644
_LAST_SUCCESS = re.compile('^%s (.+)$' % names.LAST_SUCCESS.name, re.M)


def written(samples: Samples) -> str:
    """The text of samples.

    :raises ImportError: if there is no prometheus_client.
    """
    import prometheus_client
    from prometheus_client import core

    class Collector:
        def collect(self) -> ty.Iterator[ty.Any]:
            for each in names.METRICS:
                if not samples.get(each):
                    continue
                family = core.GaugeMetricFamily(
                    each.name, each.text, labels=each.labels
                )
                for labels, value in sorted(samples[each].items()):
                    family.add_metric(labels, value)
                yield family

    # One of our own: the library's has metrics of this process, too.
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector())
    found: str = prometheus_client.generate_latest(registry).decode()
    return found


def last_success(path: str) -> float:
    """When a collection last succeeded, by the file that is there.

    :returns: seconds since the epoch; 0 if the file doesn't tell.
    """
    try:
        with open(path, encoding='utf-8') as f:
            found = _LAST_SUCCESS.search(f.read())
        return float(found[1]) if found else 0
    except (OSError, ValueError):
        return 0


def replace(path: str, text: str) -> None:
    """Write a file that readers see as it was, or whole.

    prometheus_client's own leaves the mode to the umask, and older releases
    leave a part behind where the disk is full.

    :raises OSError: if it can't be written; it is as it was then.
    """
    with whole_file.replacing(path) as f:
        f.write(text)
        os.fchmod(f.fileno(), _MODE)

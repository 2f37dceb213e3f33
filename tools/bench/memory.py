# SPDX-License-Identifier: Apache-2.0

"""Memory over many requests, while aggregates and facts change all the time.

Every request sees facts that no request saw before: edited in place in one
aggregate, in another that replaces one, in the stats of a host, and now and
then in a new facts file.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import typing as ty

from nova.scheduler import filters as nova_filters
from nova.scheduler import weights as nova_weights

from nova_xen_sched import filters
from nova_xen_sched import weights
from tools.bench import subjects
from tools.bench import world

REQUESTS = 100000
#: The first ones, all of them Xen hosts.
HOSTS = 4
#: Requests between two changes of the facts file, which is read in full.
FILE_EVERY = 500
SAMPLES = 100


class Sample(ty.NamedTuple):
    """The process after some requests.

    :ivar blocks: of memory that Python has given to objects.
    :ivar rss_kib: what the process has of the machine's memory.
    """

    requests: int
    blocks: int
    rss_kib: int


def _rss_kib() -> int:
    with open('/proc/self/status') as status:
        for line in status:
            if line.startswith('VmRSS:'):
                return int(line.split()[1])
    return 0


def _change(number: int, states: list[ty.Any], path: str) -> None:
    """Make this request's facts new ones."""
    state = states[number % HOSTS]
    version = '9.%d.%d' % (number // 1000 % 1000, number % 1000)
    # Edited in place, as nova does on a change of metadata.
    state.aggregates[0].metadata['xen:libvirt_version'] = version
    # Replaced, as nova does on a change of its hosts.
    state.aggregates[1] = world.stating(number, number % world.KINDS)
    state.aggregates[1].metadata['xen:dom0_memory_mb'] = str(2048 + number)
    state.stats = {
        'num_instances': '3',
        'xen_version': '4.17.%d' % (number % 100000),
    }
    if number % FILE_EVERY == 0:
        with open(path + '.new', 'w') as f:
            f.write(
                '{"version": 1, "hosts": {"%s": {"dom0_vcpus": %d}}}'
                % (world.name(number % HOSTS), number + 1)
            )
        # Old enough to be read at once.
        os.utime(path + '.new', (1e9, 1e9 + number))
        os.replace(path + '.new', path)


def run(
    requests: int = REQUESTS, tell: ty.Callable[[str], None] = lambda _: None
) -> list[Sample]:
    """Filter and weigh that often; the samples, from first to last."""
    filter_handler = nova_filters.HostFilterHandler()
    weight_handler = nova_weights.HostWeightHandler()
    ours, weigher = filters.XenHostFilter(), weights.Dom0HeadroomWeigher()
    states = world.host_states(world.Shape(HOSTS))
    found: list[Sample] = []
    every = max(requests // SAMPLES, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'facts.yaml')
        with subjects.options(host_facts_file=path):
            for number in range(requests + 1):
                _change(number, states, path)
                request = world.request()
                left = filter_handler.get_filtered_objects(
                    [ours], states, request
                )
                weighed = weight_handler.get_weighed_objects(
                    [weigher], left, request
                )
                assert len(weighed) == len(states), number
                if number % every == 0:
                    gc.collect()
                    found.append(
                        Sample(number, sys.getallocatedblocks(), _rss_kib())
                    )
                    tell(
                        '%d of %d requests: %d blocks, %d KiB'
                        % (number, requests, *found[-1][1:])
                    )
    return found


#: More growth than this is no noise: caches of fixed size are full by then.
GROWTH = 0.01


def growth(samples: list[Sample]) -> float:
    """By how much the second half has more blocks than the second quarter.

    The first quarter fills the caches. 0.01 is 1 %.
    """
    middle = len(samples) // 2
    before = [each.blocks for each in samples[middle // 2 : middle]]
    after = [each.blocks for each in samples[middle:]]
    return max(after) / max(before) - 1

# SPDX-License-Identifier: Apache-2.0

"""The least number of moves, by an exact solver of integer programs."""

from __future__ import annotations

import numpy
from scipy import optimize

from nova_xen_sched import dom0
from nova_xen_sched.planner.cloud import Cloud
from nova_xen_sched.planner.cloud import Operation


def fewest_moves(cloud: Cloud) -> dict[str, str] | None:
    """The fewest moves that end with no dom0 overcommitted.

    In whatever order, so that there may be no plan with as few.

    :returns: by the UUID of each guest that moves, its new host; None if no
        moves do.
    """
    names = list(cloud.hosts)
    where = {name: i for i, name in enumerate(names)}
    width = len(names)
    columns = len(cloud.guests) * width
    cost, upper = numpy.ones(columns), numpy.zeros(columns)
    rows, low, high = [], [], []
    uses = {}
    for name, host in cloud.hosts.items():
        for index, usage in enumerate(dom0.resources(cloud.model, host.load)):
            uses[name, index] = (
                numpy.zeros(columns),
                usage.capacity * (1 + dom0.ROUNDING) - usage.used,
            )
    for number, guest in enumerate(cloud.guests):
        begin = number * width
        size = guest.mode, guest.memory_mb, guest.vcpus
        home = where[guest.host]
        cost[begin + home] = 0
        for name in {guest.host, *guest.destinations[Operation.LIVE].ways}:
            upper[begin + where[name]] = 1
        once = numpy.zeros(columns)
        once[begin : begin + width] = 1
        rows.append(once)
        low.append(1)
        high.append(1)
        for name, host in cloud.hosts.items():
            more = dom0.resources(
                cloud.model, cloud.model.plus(host.load, *size)
            )
            now = dom0.resources(cloud.model, host.load)
            for index, (after, before) in enumerate(zip(more, now)):
                # A guest that stays is in the use already.
                uses[name, index][0][begin + where[name]] = (
                    after.used - before.used
                )
    for (name, _), (row, left) in uses.items():
        here = [
            number * width + where[name]
            for number, guest in enumerate(cloud.guests)
            if guest.host == name
        ]
        rows.append(row)
        low.append(-numpy.inf)
        high.append(left + row[here].sum())
    found = optimize.milp(
        cost,
        integrality=numpy.ones(columns),
        bounds=optimize.Bounds(0, upper),
        constraints=optimize.LinearConstraint(numpy.array(rows), low, high),
    )
    if not found.success:
        return None
    chosen = found.x.reshape(-1, width).argmax(axis=1)
    return {
        guest.uuid: names[index]
        for guest, index in zip(cloud.guests, chosen)
        if names[index] != guest.host
    }

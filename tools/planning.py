# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.planning``: are plans of moves good and fast enough?"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
import typing as ty

from nova_xen_sched.planner import cloud as planner
from nova_xen_sched.planner import even
from nova_xen_sched.planner import failures
from nova_xen_sched.planner import mend
from nova_xen_sched.planner.search import Search
from nova_xen_sched.planner.state import State
from tools import printing
from tools.simulation import policies
from tools.simulation import run
from tools.simulation import world

_LIVE = [planner.Operation.LIVE]

#: Guests, each with the number of its host.
Placed = ty.Sequence[ty.Tuple[int, world.Guest]]


def filled_by_nova(
    hosts: int, level: float, seed: int
) -> tuple[list[world.Size], Placed]:
    """Uneven hosts with the guests that stock nova has put there."""
    made = run.Run(
        run.Plan(policies.NOVA, seed, hosts, (level,)), lambda count: None
    )
    made.outcomes()
    return world.sizes(hosts, seed), made.guests()


def filled_at_random(
    hosts: int, count: int, seed: int
) -> tuple[list[world.Size], Placed]:
    """Uneven hosts with guests wherever nova has room to sell."""
    rng = random.Random('places %d' % seed)
    sizes = world.sizes(hosts, seed)
    there = [world.Host(size) for size in sizes]
    placed: list[tuple[int, world.Guest]] = []
    for guest in world.guests(seed):
        if len(placed) == count:
            break
        index = rng.choice(
            [i for i, host in enumerate(there) if host.sells(guest.flavor)]
        )
        there[index].add(guest)
        placed.append((index, guest))
    return sizes, placed


def to_plan(sizes: ty.Sequence[world.Size], placed: Placed) -> planner.Cloud:
    """The same as the planner wants it, with what placement has booked."""
    names = ['xen-%03d' % i for i in range(len(sizes))]
    truly = [world.Host(size) for size in sizes]
    free = {
        name: {
            'VCPU': size.vcpus * world.CPU_RATIO,
            'MEMORY_MB': size.memory_mb - world.RESERVED_MB,
            'DISK_GB': size.disk_gb,
        }
        for name, size in zip(names, sizes)
    }
    destinations = {
        flavor: planner.Destinations(
            {name: [{name: _takes(flavor)}] for name in names}, {}
        )
        for flavor in world.FLAVORS
    }
    guests = []
    for index, guest in placed:
        name, flavor = names[index], guest.flavor
        truly[index].add(guest)
        for resource, amount in _takes(flavor).items():
            free[name][resource] -= amount
        guests.append(
            planner.Guest(
                'guest-%05d' % guest.number,
                'guest-%05d' % guest.number,
                name,
                guest.mode,
                flavor.memory_mb,
                flavor.vcpus,
                {name: _takes(flavor)},
                dict.fromkeys(planner.Operation, destinations[flavor]),
            )
        )
    hosts = {
        name: planner.Host(name, host.load) for name, host in zip(names, truly)
    }
    return planner.Cloud(world.MODEL, hosts, guests, free)


def _takes(flavor: world.Flavor) -> dict[str, float]:
    return {
        'VCPU': flavor.vcpus,
        'MEMORY_MB': flavor.memory_mb,
        'DISK_GB': flavor.disk_gb,
    }


class Figures(ty.NamedTuple):
    """What a plan took and brought.

    :ivar over: dom0s that are overcommitted, before and after.
    :ivar least: how many guests have to leave these at least.
    :ivar seconds: of processor time; and how many it may take.
    """

    what: str
    hosts: int
    guests: int
    over: tuple[int, int]
    moves: int
    least: int
    seconds: float
    limit: float


def measured(
    what: str,
    cloud: planner.Cloud,
    plan: ty.Callable[[State], ty.Any],
    limit: float,
) -> Figures:
    """Plan, and look at the clock."""
    state = State(cloud)
    search = Search(state, _LIVE, _anyone)
    before = search.overcommitted()
    least = search.least_of(before)
    state = State(cloud)
    begin = time.process_time()
    plan(state)
    seconds = time.process_time() - begin
    after = sum(map(state.overcommitted, state.loads))
    return Figures(
        what,
        len(cloud.hosts),
        len(cloud.guests),
        (len(before), after),
        len(state.moves),
        least,
        seconds,
        limit,
    )


def _anyone(guest: planner.Guest) -> bool:
    return True


def _mended(state: State) -> None:
    mend.mend(state, _LIVE, _anyone)


def _evened(state: State) -> None:
    even.even(state, _LIVE, _anyone)


def _each_fails(state: State) -> None:
    each = failures.Failures(state)
    for host in state.loads:
        each.of([host])


def all_figures(small: bool) -> list[Figures]:
    """Of all clouds, which take longer to make than to plan."""
    by_nova = to_plan(*filled_by_nova(40 if small else 200, 0.85, 1))
    hosts = 100 if small else 500
    large = to_plan(*filled_at_random(hosts, hosts * 20, 1))
    return [
        measured(MENDED + ', filled by nova', by_nova, _mended, 30),
        measured(MENDED, large, _mended, 60),
        measured('even headroom', large, _evened, 60),
        measured('each host fails', large, _each_fails, 60),
    ]


MENDED = 'none overcommitted'
HEAD = (
    'plan',
    'hosts',
    'guests',
    'overcommitted',
    'moves',
    'must leave',
    'seconds',
)
NOTES = (
    'Overcommitted: how many dom0s are, before and after. Must leave: how '
    'many guests have to, at least, for none to be. Seconds of processor '
    'time, without reading the cloud and having nova judge.'
)


def rows(found: ty.Iterable[Figures]) -> list[tuple[str, ...]]:
    """For people."""
    return [
        (
            each.what,
            str(each.hosts),
            str(each.guests),
            '%d to %d' % each.over,
            str(each.moves),
            str(each.least),
            '%.1f' % each.seconds,
        )
        for each in found
    ]


def targets(found: ty.Iterable[Figures]) -> list[printing.Verdict]:
    """What plans are to reach."""
    verdicts = []
    for each in found:
        name = '%s, %d hosts: ' % (each.what, each.hosts)
        verdicts.append(
            printing.Verdict(
                name + '%.1f s, at most %d' % (each.seconds, each.limit),
                each.seconds <= each.limit,
            )
        )
        if each.what.startswith(MENDED):
            verdicts.append(
                printing.Verdict(
                    name + '%d dom0s overcommitted, then %d' % each.over,
                    each.over[0] > 0 == each.over[1],
                )
            )
    return verdicts


def page(found: ty.Sequence[Figures]) -> str:
    """The table, and how it came about."""
    lines = [
        *printing.rst_heading('How good and how fast plans are', '='),
        'Uneven hosts as in :doc:`simulation`, filled to 85 % of their dom0 '
        "slots by nova's default weighers, and more of them with guests "
        'wherever nova had room to sell. ``make simulate`` wrote this page.',
        '',
        *printing.rst(HEAD, rows(found)),
        '',
        NOTES,
        '',
        'Targets:',
        '',
        *(
            '- %s: %s' % (each.text, 'reached' if each.holds else '**missed**')
            for each in targets(found)
        ),
    ]
    return '\n'.join(lines) + '\n'


def main(argv: ty.Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='python -m tools.planning', description=__doc__
    )
    parser.add_argument('--small', action='store_true', help='fewer hosts')
    parser.add_argument('--docs', metavar='DIR', help='write planning.rst')
    options = parser.parse_args(argv)
    found = all_figures(options.small)
    printing.heading('Plans of moves')
    printing.table(HEAD, rows(found))
    print()
    printing.wrapped(NOTES)
    print()
    if options.docs:
        path = os.path.join(options.docs, 'planning.rst')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(page(found))
    return 0 if printing.verdicts(targets(found)) else 1


if __name__ == '__main__':
    sys.exit(main())

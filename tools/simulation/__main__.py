# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.simulation``: run it, and show what came of it."""

from __future__ import annotations

import argparse
import json
import sys
import typing as ty

from tools import plotting
from tools import printing
from tools.simulation import policies
from tools.simulation import pool
from tools.simulation import report
from tools.simulation import run

LEVELS = (0.70, 0.85, 0.95)
#: Those that take longest come first, so that no core waits at the end.
_LONGEST_FIRST = (
    policies.KNOWN,
    policies.UNKNOWN,
    policies.NOVA,
    policies.GREEDY,
)


def _about(outcomes: ty.Sequence[run.Outcome], hosts: int) -> str:
    """What was run: nothing that depends on the machine."""
    seeds = sorted({each.seed for each in outcomes})
    top = max(each.level for each in outcomes)
    last = [each for each in outcomes if each.level == top]
    slots = sum(run.Plan('', seed, hosts, ()).slots() for seed in seeds) / len(
        seeds
    )
    return (
        '%d hosts (64 to 512 GB; dom0: 1, 2 or 4 GB, 2, 4 or 8 vCPUs) with '
        '%d dom0 slots; %d %s; 60 %% HVM guests; %d arrivals in all, of which '
        'nova refused %d.'
        % (
            hosts,
            slots,
            len(seeds),
            'seeds (mean)' if len(seeds) > 1 else 'seed',
            sum(each.arrivals for each in last),
            sum(each.refused for each in last),
        )
    )


def _options(argv: ty.Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m tools.simulation', description=__doc__
    )
    parser.add_argument(
        '--small',
        action='store_true',
        help='40 hosts, one seed, 85 %%: fails if the weigher stops helping',
    )
    parser.add_argument('--seeds', type=int, default=4)
    parser.add_argument(
        '--multiplier',
        type=float,
        help='dom0_headroom_weight_multiplier, instead of its default',
    )
    parser.add_argument(
        '--full-spread',
        type=float,
        help="the weigher's FULL_SPREAD, instead of the one that it has",
    )
    parser.add_argument(
        '--lifetimes',
        type=float,
        default=run.KEPT,
        help='how long each level is kept, in mean lifetimes of a guest '
        '(%(default)s)',
    )
    parser.add_argument(
        '--docs', metavar='DIR', help='write simulation.rst and .json there'
    )
    parser.add_argument('--save', metavar='FILE', help='keep the figures')
    parser.add_argument(
        '--load', metavar='FILE', help='show kept figures; run nothing'
    )
    return parser.parse_args(argv)


def _show(
    options: argparse.Namespace, outcomes: list[run.Outcome], hosts: int
) -> bool:
    found = report.cells(outcomes)
    about = _about(outcomes, hosts)
    printing.heading("Dom0HeadroomWeigher in nova's weight handler")
    printing.wrapped(about)
    print()
    printing.table(report.HEAD, report.rows(found))
    print()
    printing.wrapped(report.NOTES)
    over_ram = max(each.over_ram for each in found)
    print(
        'Hosts whose RAM beside dom0 was overcommitted: %.2f at most.\n'
        % over_ram
    )
    verdicts = report.helps(found)
    if not options.small:
        verdicts += report.targets(found)
    good = printing.verdicts(verdicts)
    if options.docs:
        title = '%d Xen hosts with uneven dom0s: who overcommits dom0?'
        plotting.write(
            options.docs,
            'simulation',
            report.page(found, about),
            {
                'heading': title % hosts,
                'cells': [each._asdict() for each in found],
            },
        )
    return good


def main(argv: ty.Sequence[str] | None = None) -> int:
    options = _options(argv)
    if options.load:
        with open(options.load) as kept:
            values = json.load(kept)
        hosts = values['hosts']
        outcomes = [run.Outcome(**each) for each in values['outcomes']]
    else:
        hosts = 40 if options.small else 200
        seeds = 1 if options.small else options.seeds
        levels = (0.85,) if options.small else LEVELS
        outcomes = pool.run_all(
            [
                run.Plan(
                    policy,
                    seed,
                    hosts,
                    levels,
                    options.multiplier,
                    options.full_spread,
                    options.lifetimes,
                )
                for policy in _LONGEST_FIRST
                for seed in range(1, seeds + 1)
            ]
        )
    if options.save:
        with open(options.save, 'w') as kept:
            values = [each._asdict() for each in outcomes]
            json.dump({'hosts': hosts, 'outcomes': values}, kept, indent=1)
    return 0 if _show(options, outcomes, hosts) else 1


if __name__ == '__main__':
    sys.exit(main())

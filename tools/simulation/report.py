# SPDX-License-Identifier: Apache-2.0

"""What the runs say: the table, the targets, and whether it still helps."""

from __future__ import annotations

import statistics
import typing as ty

from tools import printing
from tools.simulation import policies
from tools.simulation import run

#: Of the worst use that the greedy rule reaches.
NEAR = 1.05


class Cell(ty.NamedTuple):
    """A policy at a level of use, over all seeds: means, and the spread.

    :ivar over: dom0s that are overcommitted.
    :ivar over_spread: least and most of it among the seeds.
    :ivar worst: how full the fullest dom0 is; 1 is full.
    :ivar peak: the highest that it was, with any seed.
    """

    policy: str
    level: float
    over: float
    over_spread: tuple[float, float]
    over_ram: float
    worst: float
    worst_spread: tuple[float, float]
    peak: float
    refused: int


def cells(outcomes: ty.Iterable[run.Outcome]) -> list[Cell]:
    """The means over seeds, in the order of POLICIES and levels."""
    groups: dict[tuple[int, float], list[run.Outcome]] = {}
    for each in outcomes:
        key = (policies.POLICIES.index(each.policy), each.level)
        groups.setdefault(key, []).append(each)
    found = []
    for (index, level), group in sorted(groups.items()):
        over = [each.over for each in group]
        worst = [each.worst for each in group]
        found.append(
            Cell(
                policies.POLICIES[index],
                level,
                statistics.mean(over),
                (min(over), max(over)),
                statistics.mean(each.over_ram for each in group),
                statistics.mean(worst),
                (min(worst), max(worst)),
                max(each.peak for each in group),
                sum(each.refused for each in group),
            )
        )
    return found


HEAD = (
    'slots used',
    'policy',
    'dom0s overcommitted',
    'least..most',
    'fullest dom0',
    'least..most',
    'peak',
)


def rows(found: ty.Sequence[Cell]) -> list[tuple[str, ...]]:
    """For people, level by level."""
    return [
        (
            '%.0f %%' % (each.level * 100),
            each.policy,
            '%.1f' % each.over,
            '%.1f..%.1f' % each.over_spread,
            '%.2fx' % each.worst,
            '%.2f..%.2f' % each.worst_spread,
            '%.2fx' % each.peak,
        )
        for each in sorted(found, key=lambda each: each.level)
    ]


NOTES = (
    'Overcommitted: guests need more of dom0 (memory or CPUs) than it has; '
    'mean over time. Fullest dom0: its use, 1.00x is full; mean over time, '
    'and its peak. least..most: among the seeds. Each level is filled up '
    'with arrivals and then kept, guests coming and going, for a part of '
    "their mean lifetime (0.25 unless told); it is measured in that time's "
    'last 60 %.'
)


def _by_place(found: ty.Sequence[Cell]) -> dict[tuple[str, float], Cell]:
    return {(each.policy, each.level): each for each in found}


def targets(found: ty.Sequence[Cell]) -> list[printing.Verdict]:
    """What the weigher is to reach at 70, 85 and 95 % of 200 hosts."""
    at = _by_place(found)
    verdicts = []
    for level in sorted({each.level for each in found}):
        known = at[policies.KNOWN, level]
        ratio = known.worst / at[policies.GREEDY, level].worst
        where = 'at %.0f %%: ' % (level * 100)
        verdicts += [
            printing.Verdict(
                where
                + 'mix known: %.2f dom0s overcommitted, target none'
                % known.over,
                known.over == 0,
            ),
            printing.Verdict(
                where + 'mix known: fullest dom0 is %.3f of the greedy '
                "rule's, target at most %.2f" % (ratio, NEAR),
                ratio <= NEAR,
            ),
        ]
        if level <= 0.85:
            over = at[policies.UNKNOWN, level].over
            verdicts.append(
                printing.Verdict(
                    where + 'mix unknown: %.2f dom0s overcommitted, target '
                    'at most 0.5' % over,
                    over <= 0.5,
                )
            )
    return verdicts


def helps(found: ty.Sequence[Cell]) -> list[printing.Verdict]:
    """Whether it clearly beats nova's own weighers in the same run.

    At most a tenth of the overcommitted dom0s with the mix known, a fifth
    without, and the fullest dom0 at most half as full.
    """
    at = _by_place(found)
    verdicts = []
    for level in sorted({each.level for each in found}):
        nova = at[policies.NOVA, level]
        for policy, share in ((policies.KNOWN, 0.1), (policies.UNKNOWN, 0.2)):
            ours = at[policy, level]
            verdicts.append(
                printing.Verdict(
                    "at %.0f %%: %s: %.1f dom0s overcommitted, nova's %.1f; "
                    "fullest %.2fx, nova's %.2fx"
                    % (
                        level * 100,
                        policy,
                        ours.over,
                        nova.over,
                        ours.worst,
                        nova.worst,
                    ),
                    nova.over > 0
                    and ours.over <= share * nova.over
                    and ours.worst <= nova.worst / 2,
                )
            )
    return verdicts


def page(found: ty.Sequence[Cell], about: str) -> str:
    """A page with the picture, the table, and how it came about."""
    lines = [
        *printing.rst_heading('The figures of make simulate', '='),
        "A simulation, through nova's own weight handler with nova's default "
        'weighers. ``make simulate`` wrote this page.',
        '',
        '.. image:: simulation.svg',
        '   :alt: Overcommitted dom0s and the fullest dom0, by policy',
        '',
        about,
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

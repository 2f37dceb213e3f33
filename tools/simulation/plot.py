# SPDX-License-Identifier: Apache-2.0

"""The picture of the table."""

from __future__ import annotations

import typing as ty

from tools import plotting

if ty.TYPE_CHECKING:
    from tools.simulation import report

#: In the order of policies.POLICIES, which is that of the cells.
_COLOURS = (
    plotting.VERMILION,
    plotting.SKY,
    plotting.BLUE,
    plotting.GREY,
)
_WIDTH = 0.2


def draw(cells: ty.Sequence[report.Cell], path: str, heading: str) -> None:
    """Write the picture to that path."""
    with plotting.picture(path, figsize=(10, 4.4)) as figure:
        left, right = figure.axes
        _bars(left, cells, 'over', '%.0f')
        left.set_title('Overcommitted dom0s (mean over time)', fontsize=10)
        left.set_ylabel('dom0s')
        _bars(right, cells, 'worst', '%.2f')
        right.set_yscale('log')
        right.set_title(
            'Use of the fullest dom0 (mean over time)', fontsize=10
        )
        right.set_ylabel('use / what it has (log scale)')
        right.axhline(1, **plotting.MARK)
        ticks = (0.5, 1, 2, 5, 10)
        right.set_yticks(ticks, ['%gx' % each for each in ticks])
        right.set_yticks([], minor=True)
        most = max(each.worst for each in cells)
        right.set_ylim(0.4, max(2.0, most * 1.5))
        figure.suptitle(heading, fontsize=11)
        figure.legend(
            *left.get_legend_handles_labels(),
            loc='lower center',
            ncols=4,
            frameon=False,
            fontsize=9,
        )
        figure.tight_layout(rect=(0, 0.06, 1, 1))


def _bars(
    axes: ty.Any, found: ty.Sequence[report.Cell], field: str, label: str
) -> None:
    levels = sorted({each.level for each in found})
    names = dict.fromkeys(each.policy for each in found)
    for n, (policy, colour) in enumerate(zip(names, _COLOURS)):
        mine = [each for each in found if each.policy == policy]
        heights = [getattr(each, field) for each in mine]
        spreads = [getattr(each, field + '_spread') for each in mine]
        bars = axes.bar(
            [levels.index(each.level) + (n - 1.5) * _WIDTH for each in mine],
            heights,
            _WIDTH * 0.92,
            label=policy,
            color=colour,
            yerr=[
                [mean - low for mean, (low, _) in zip(heights, spreads)],
                [high - mean for mean, (_, high) in zip(heights, spreads)],
            ],
            error_kw={'linewidth': 1},
            zorder=2,
        )
        for text in axes.bar_label(
            bars, [label % each for each in heights], fontsize=7, padding=2
        ):
            # Readable where a line passes behind it.
            text.set_bbox({'color': 'white', 'pad': 0.5})
            text.set_zorder(4)
    axes.set_xticks(
        range(len(levels)), ['%.0f %%' % (each * 100) for each in levels]
    )
    axes.set_xlabel('dom0 slots used')
    plotting.tidy(axes, 'y')

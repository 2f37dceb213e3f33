# SPDX-License-Identifier: Apache-2.0

"""The picture of the table, with matplotlib, which only this needs."""

from __future__ import annotations

import typing as ty

from tools.simulation import policies
from tools.simulation import report

# Okabe and Ito's colours, which can be told apart by all.
_COLOURS = {
    policies.NOVA: '#D55E00',
    policies.UNKNOWN: '#56B4E9',
    policies.KNOWN: '#0072B2',
    policies.GREEDY: '#999999',
}
_WIDTH = 0.2


def draw(found: ty.Sequence[report.Cell], path: str, title: str) -> None:
    """Write the picture; the same bytes for the same figures.

    :param path: where to, ending in .svg.
    """
    import matplotlib as mpl

    mpl.use('svg')
    mpl.rcParams['svg.hashsalt'] = 'nova-xen-sched'
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.4))
    _bars(left, found, 'over', '%.0f')
    left.set_title('Overcommitted dom0s (mean over time)', fontsize=10)
    left.set_ylabel('dom0s')
    _bars(right, found, 'worst', '%.2f')
    right.set_yscale('log')
    right.set_title('Use of the fullest dom0 (mean over time)', fontsize=10)
    right.set_ylabel('use / what it has (log scale)')
    right.axhline(1, color='black', linewidth=1, linestyle='--', zorder=3)
    ticks = (0.5, 1, 2, 5, 10)
    right.set_yticks(ticks, ['%gx' % each for each in ticks])
    right.set_yticks([], minor=True)
    most = max(each.worst for each in found)
    right.set_ylim(0.4, max(2.0, most * 1.5))
    handles, labels = left.get_legend_handles_labels()
    figure.suptitle(title, fontsize=11)
    figure.legend(
        handles, labels, loc='lower center', ncols=4, frameon=False, fontsize=9
    )
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(path, metadata={'Date': None})
    pyplot.close(figure)


def _bars(
    axes: ty.Any, found: ty.Sequence[report.Cell], field: str, label: str
) -> None:
    levels = sorted({each.level for each in found})
    for n, policy in enumerate(policies.POLICIES):
        mine = [each for each in found if each.policy == policy]
        heights = [getattr(each, field) for each in mine]
        spreads = [getattr(each, field + '_spread') for each in mine]
        bars = axes.bar(
            [levels.index(each.level) + (n - 1.5) * _WIDTH for each in mine],
            heights,
            _WIDTH * 0.92,
            label=policy,
            color=_COLOURS[policy],
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
    axes.grid(axis='y', linewidth=0.4, zorder=0)
    axes.spines[['top', 'right']].set_visible(False)

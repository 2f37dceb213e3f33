# SPDX-License-Identifier: Apache-2.0

"""The figures as a picture."""

from __future__ import annotations

import typing as ty

from tools import plotting

if ty.TYPE_CHECKING:
    from tools.bench import memory
    from tools.bench import report

_COLOUR, _RSS = plotting.BLUE, plotting.GREEN
_GOAL, _FLOOR = plotting.VERMILION, plotting.ORANGE


def draw(
    figures: ty.Sequence[report.Figure],
    samples: ty.Sequence[memory.Sample],
    path: str,
) -> None:
    """Write the picture to that path."""
    size = (11, 0.27 * len(figures) + 1.6)
    with plotting.picture(path, figsize=size, width_ratios=(3, 2)) as figure:
        left, right = figure.axes
        _ratios(left, figures)
        _memory(right, samples)
        figure.tight_layout()


def _ratios(axes: ty.Any, figures: ty.Sequence[report.Figure]) -> None:
    rows = list(range(len(figures)))[::-1]
    ratios = [each.ratio for each in figures]
    axes.barh(
        rows,
        [each.median for each in ratios],
        color=_COLOUR,
        xerr=[
            [each.median - each.low for each in ratios],
            [each.high - each.median for each in ratios],
        ],
        error_kw={'linewidth': 1},
        zorder=2,
    )
    for n, each in zip(rows, figures):
        for where, colour in ((each.floor, _FLOOR), (each.goal, _GOAL)):
            if where is not None:
                axes.plot(
                    [where] * 2, [n - 0.45, n + 0.45], color=colour, zorder=3
                )
    axes.plot([], [], color=_FLOOR, label='the least work')
    axes.plot([], [], color=_GOAL, label='goal')
    axes.set_yticks(
        rows,
        ['%s, %s' % (each.what, each.shape) for each in figures],
        fontsize=7,
    )
    axes.set_title("Time beside nova's own class (1: as long)", fontsize=10)
    axes.axvline(1, **plotting.MARK)
    plotting.tidy(axes, 'x')
    axes.legend(loc='lower right', fontsize=8, frameon=False)


def _memory(axes: ty.Any, samples: ty.Sequence[memory.Sample]) -> None:
    axes.set_title('Memory while facts change all the time', fontsize=10)
    requests = [each.requests / 1000 for each in samples]
    blocks = [each.blocks / 1e6 for each in samples]
    axes.plot(requests, blocks, color=_COLOUR)
    # Apart, so that neither line hides the other.
    axes.set_ylim(0, 1.1 * max(blocks))
    axes.set_xlabel('thousand requests')
    axes.set_ylabel('million blocks', color=_COLOUR)
    other = axes.twinx()
    resident = [each.rss_kib / 1024 for each in samples]
    other.plot(requests, resident, color=_RSS)
    other.set_ylim(0, 1.4 * max(resident))
    other.set_ylabel('MiB of the process', color=_RSS)
    axes.spines['top'].set_visible(False)
    other.spines['top'].set_visible(False)

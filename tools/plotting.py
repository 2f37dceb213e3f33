# SPDX-License-Identifier: Apache-2.0

"""Pictures of the figures, with matplotlib, which only this needs."""

from __future__ import annotations

import contextlib
import os
import typing as ty

# Okabe and Ito's colours, which can be told apart by all.
BLUE, SKY, GREEN = '#0072B2', '#56B4E9', '#009E73'
ORANGE, VERMILION, GREY = '#E69F00', '#D55E00', '#999999'
#: A line at what something is compared with.
MARK = {'color': 'black', 'linewidth': 1, 'linestyle': '--', 'zorder': 3}


@contextlib.contextmanager
def picture(path: str, **options: ty.Any) -> ty.Iterator[ty.Any]:
    """Two plots side by side; the same bytes for the same figures.

    :param path: where to, ending in .svg.
    :param options: of pyplot.subplots.
    :returns: the figure; it is written in the end.
    :raises ImportError: without matplotlib.
    """
    import matplotlib as mpl

    mpl.use('svg')
    mpl.rcParams['svg.hashsalt'] = 'nova-xen-sched'
    from matplotlib import pyplot

    figure, _ = pyplot.subplots(1, 2, **options)
    yield figure
    figure.savefig(path, metadata={'Date': None})
    pyplot.close(figure)


def tidy(axes: ty.Any, values: str) -> None:
    """Grid lines behind the bars, and no frame.

    :param values: the axis that has the values, x or y.
    """
    axes.grid(axis=values, linewidth=0.4, zorder=0)
    axes.spines[['top', 'right']].set_visible(False)


def write(
    folder: str, name: str, page: str, draw: ty.Callable[[str], None]
) -> None:
    """A page, and its picture if there is a matplotlib."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + '.md'), 'w') as f:
        f.write(page)
    try:
        draw(os.path.join(folder, name + '.svg'))
    except ImportError as e:
        print('\nno picture: %s (pip install matplotlib)' % e)

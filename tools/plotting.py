# SPDX-License-Identifier: Apache-2.0

"""Pictures of the figures, with matplotlib, which only this needs."""

from __future__ import annotations

import contextlib
import json
import os
import types
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
    folder: str, name: str, page: str, figures: ty.Mapping[str, ty.Any]
) -> None:
    """A page, and the figures of its picture, which make docs draws.

    :param figures: texts, or lists of what is plotted.
    """
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + '.rst'), 'w') as f:
        f.write(page)
    with open(os.path.join(folder, name + '.json'), 'w') as f:
        # A line for each, so that a new run makes a short difference.
        parts = (
            '%s: %s' % (json.dumps(key), _lines(value))
            for key, value in figures.items()
        )
        f.write('{\n %s\n}\n' % ',\n '.join(parts))


def _lines(value: ty.Any) -> str:
    if not isinstance(value, list):
        return json.dumps(value)
    return '[\n  %s\n ]' % ',\n  '.join(map(json.dumps, value))


def read(path: str) -> ty.Any:
    """The figures that :func:`write` kept; objects have attributes."""
    with open(path) as f:
        return json.load(f, object_hook=lambda d: types.SimpleNamespace(**d))

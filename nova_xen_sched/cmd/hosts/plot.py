# SPDX-License-Identifier: Apache-2.0

"""The picture of host list: headroom of each resource of each host."""

from __future__ import annotations

import math
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched import redact
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.hosts import fields

#: A host, and its resources.
Host = ty.Tuple[str, ty.Sequence[dom0.Usage]]

#: Hosts in one column of the picture; of more than these there are as many
#: columns as make it about as wide as it is high.
_ROWS = 50
#: Inches: a host, a column, what stands above and below, and its least width.
_ROW, _COLUMN, _REST, _WIDTH = 0.17, 3.4, 1.3, 7.0
#: Of a name; longer ones lose their middle.
_LONGEST = 24
#: A headroom below this one is drawn there: how far doesn't matter any more.
_LEAST = -0.25
#: Okabe and Ito's colours, which can be told apart by all, and markers.
_MARKS = {
    dom0.Resource.DOM0_MEMORY: ('#D55E00', 'o'),
    dom0.Resource.DOM0_CPU: ('#0072B2', 's'),
    dom0.Resource.HOST_MEMORY: ('#009E73', 'd'),
}


def fullest_first(hosts: ty.Iterable[Host]) -> list[Host]:
    """Hosts in the order in which they are drawn.

    :returns: without those that have no resources, or none that is known, and
        without the domain of their names, if it is the same.
    """
    known = [
        (name, [each for each in resources if math.isfinite(each.headroom)])
        for name, resources in hosts
    ]
    # A domain that all have tells nothing, and takes the room of what does.
    if len({name.partition('.')[2] for name, _ in known}) == 1 < len(known):
        known = [(name.partition('.')[0], usages) for name, usages in known]
    return sorted(
        (each for each in known if each[1]),
        key=lambda host: (min(u.headroom for u in host[1]), host[0]),
    )


def draw(hosts: ty.Iterable[Host], path: str) -> int:
    """Write the picture; the same bytes for the same hosts.

    :param path: where to, ending in .svg.
    :returns: how many hosts it has.
    :raises ImportError: without matplotlib.
    :raises OSError: if it can't be written.
    """
    import matplotlib as mpl
    from matplotlib import figure as mpl_figure

    rows = fullest_first(hosts)
    most = max(_ROWS, math.ceil(math.sqrt(len(rows) * _COLUMN / _ROW)))
    columns = [rows[n : n + most] for n in range(0, len(rows), most)] or [[]]
    # Names stay texts, to search for.
    with mpl.rc_context(
        {'svg.hashsalt': 'nova-xen-sched', 'svg.fonttype': 'none'}
    ):
        height = max(len(columns[0]), 3) * _ROW + _REST
        figure: ty.Any = mpl_figure.Figure(
            figsize=(max(_COLUMN * len(columns), _WIDTH), height)
        )
        every = figure.subplots(1, len(columns), squeeze=False)[0]
        for axes, column in zip(every, columns):
            _draw_column(axes, column, len(columns[0]))
        figure.suptitle(
            'Headroom of %s, fullest first'
            % tables.counted(len(rows), 'Xen host'),
            fontsize=10,
        )
        figure.legend(
            handles=every[0].lines[: len(_MARKS)],
            loc='lower center',
            ncol=len(_MARKS),
            frameon=False,
            fontsize=8,
        )
        edge = _REST / 4 / height
        figure.tight_layout(rect=(0, edge, 1, 1 - edge / 2))
        figure.savefig(path, format='svg', metadata={'Date': None})
    return len(rows)


def _draw_column(axes: ty.Any, hosts: ty.Sequence[Host], rows: int) -> None:
    """Draw a host a line, with a mark a resource."""
    for resource, (colour, marker) in _MARKS.items():
        found = [
            (max(each.headroom, _LEAST), row)
            for row, (_, resources) in enumerate(hosts)
            for each in resources
            if each.resource is resource
        ]
        axes.plot(
            [share for share, _ in found],
            [row for _, row in found],
            marker,
            color=colour,
            markersize=4.5,
            alpha=0.9,
            clip_on=False,
            label=fields.limit(str(resource)),
        )
    axes.set_yticks(
        range(len(hosts)),
        [_short(name) for name, _ in hosts],
        fontsize=7,
        # A $ is none of TeX's.
        parse_math=False,
    )
    # From the top; a short column's rows are as high as the others'.
    axes.set_ylim(max(rows, 3) - 0.5, -0.5)
    axes.set_xlim(_LEAST - 0.03, 1)
    axes.set_xticks(
        [_LEAST, 0, 0.25, 0.5, 0.75, 1],
        ['less', '0', '25', '50', '75', '100 %'],
        fontsize=7,
    )
    axes.axvline(0, color='black', linewidth=0.8)
    axes.axvspan(_LEAST - 0.03, 0, color='#FBE3D6', zorder=0)
    axes.grid(linewidth=0.3, zorder=0)
    axes.tick_params(length=0, labeltop=rows > _ROWS // 2)
    axes.spines[:].set_visible(False)


def _short(name: str) -> str:
    name = redact.printable(name).replace('\n', '?')
    if len(name) <= _LONGEST:
        return name
    half = _LONGEST // 2
    return name[:half] + '\u2026' + name[1 - half :]

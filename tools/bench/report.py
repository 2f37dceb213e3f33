# SPDX-License-Identifier: Apache-2.0

"""The figures: a table, verdicts on the goals, and a page."""

from __future__ import annotations

import dataclasses
import os
import platform
import typing as ty

from tools import printing
from tools.bench import measure
from tools.bench import memory

#: By how much CI lets a figure be worse.
SLACK = 1.5


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line: a plugin beside nova's own class, in one run.

    :ivar what: the plugin, and how it was set.
    :ivar shape: the cloud.
    :ivar ours: microseconds a host, median, and so on.
    :ivar floor: the ratio of the least work: see subjects.py.
    :ivar goal: what the ratio may be, None where nothing says.
    """

    what: str
    beside: str
    shape: str
    ours: float
    novas: float
    loop: float
    ratio: measure.Ratio
    floor: float
    goal: float | None = None


HEAD = (
    'plugin',
    'hosts',
    'us/host',
    'nova',
    'ratio',
    'quartiles',
    'limit',
    'floor',
)


def row(figure: Figure) -> tuple[str, ...]:
    ratio = figure.ratio
    return (
        figure.what,
        figure.shape,
        '%.2f' % figure.ours,
        '%.2f' % figure.novas,
        '%.2f' % ratio.median,
        '%.2f-%.2f' % (ratio.low, ratio.high),
        '' if figure.goal is None else '%.2f' % figure.goal,
        '%.2f' % figure.floor,
    )


def machine() -> str:
    """What it was taken on, and how busy that was."""
    import nova.version

    name = platform.processor() or platform.machine()
    with open('/proc/cpuinfo') as cpus:
        for line in cpus:
            if line.startswith('model name'):
                name = line.split(':', 1)[1].strip()
                break
    return '%s, %d processors, %s, Python %s, nova %s; load average %.0f' % (
        name,
        os.cpu_count() or 0,
        platform.system(),
        platform.python_version(),
        nova.version.version_string(),
        os.getloadavg()[0],
    )


#: What whole requests are timed as, see path.py.
STOCK = 'nova as it comes'
FILTERED = 'with XenHostFilter'
PLUGIN = 'with XenHostFilter and Dom0HeadroomWeigher'
READ = 'the read of an instance'
#: And those with a real placement, see placement.py.
TRAIT = 'with the trait'
TWICE = 'with the trait, twice the KVM hosts'
RANDOMISED = ', randomised'


def choosing(name: str) -> str:
    """What its filters and weighers alone are timed as."""
    return name + ', filters and weighers'


_WHOLE_HEAD = (
    'with',
    'filters and weighers, ms',
    'in all, ms',
    'ratio',
    'quartiles',
    'limit',
)
_WHOLES = (
    ('nova as it comes', STOCK),
    ('XenHostFilter in place of ImagePropertiesFilter', FILTERED),
    ('the same, and Dom0HeadroomWeigher beside all others', PLUGIN),
)


def _whole_row(
    what: str, name: str, path: dict[str, measure.Timing]
) -> tuple[str, ...]:
    """A line of the table of whole requests."""
    taken = path[name]
    whole = measure.ratio(taken, path[STOCK])
    return (
        what,
        '%.1f' % (path[choosing(name)].median * 1000),
        '%.0f' % (taken.median * 1000),
        '%.2f' % whole.median,
        '%.2f-%.2f' % (whole.low, whole.high),
        '' if name == STOCK else '1.05',
    )


def page(
    figures: ty.Sequence[Figure],
    path: dict[str, measure.Timing],
    samples: ty.Sequence[memory.Sample],
    about: str,
) -> str:
    """The page of docs/."""
    bare = next(
        each for each in figures if each.shape.startswith('1000 hosts, 5')
    )
    text = [
        *printing.rst_heading('The figures of make bench', '='),
        '``make bench`` wrote this. Taken on: %s.' % about,
        '',
        "Each line is one run in which the plugin and nova's own class took "
        'turns, round by round, on the same HostStates: microseconds of '
        'processor time a host (medians), and the ratio of the two (median '
        'and quartiles over the rounds). Times are of that machine as busy '
        'as it was; go by the ratios. XenHostFilter stands beside '
        'ImagePropertiesFilter (filter_all), Dom0HeadroomWeigher beside '
        "RAMWeigher (through nova's HostWeightHandler). 1000 hosts, 5x5: "
        '1000 hosts, each in 5 aggregates of 5 keys. 30 % of the hosts are '
        'KVM hosts.',
        '',
        *printing.rst(HEAD, map(row, figures)),
        '',
        'The floor is the least work, as a ratio too. Of a filter: each '
        "host's guest types are compared with those seen before, and nothing "
        "else. Of a weigher: nova's handler with a weigher that has its "
        'weights already. The bare loop, which reads two attributes of each '
        'host, took %.2f us a host at %s. The limit is what the ratio may '
        'be; CI fails at %g times it.' % (bare.loop, bare.shape, SLACK),
        '',
    ]
    if path:
        text += [
            *printing.rst_heading('A whole request', '-'),
            '1000 candidates: database (SQLite), HostStates, all default '
            'filters and weighers.',
            '',
            *printing.rst(
                _WHOLE_HEAD,
                (_whole_row(what, name, path) for what, name in _WHOLES),
            ),
            '',
            'Each reads hosts of its own. The reading is the same for all and '
            'varies by more than filters and weighers differ, so in each '
            'round all are given the mean of its readings; the quartiles are '
            'of what is left.',
            '',
            'A move of which it matters whether it is a live migration is '
            'read once in its cell: %.1f ms.' % (path[READ].median * 1000),
            '',
        ]
    if samples:
        text += [
            *printing.rst_heading('Memory', '-'),
            'Over %d requests, each with aggregates and facts that no '
            'request saw before, the second half had at most %.1f %% more '
            'blocks of memory than the second quarter (the first fills '
            'caches of fixed size); the process went from %d to %d MiB '
            'between a quarter and the end.'
            % (
                samples[-1].requests,
                memory.growth(list(samples)) * 100,
                samples[len(samples) // 4].rss_kib // 1024,
                samples[-1].rss_kib // 1024,
            ),
            '',
        ]
    text += ['.. image:: bench.svg\n   :alt: The same as a picture', '']
    return '\n'.join(text)

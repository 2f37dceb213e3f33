# SPDX-License-Identifier: Apache-2.0

"""What the plugins cost, side by side with nova's own classes."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import sys
import typing as ty

import nova.conf

from tools import plotting
from tools import printing
from tools.bench import apart
from tools.bench import measure
from tools.bench import memory
from tools.bench import report
from tools.bench import spared
from tools.bench import subjects
from tools.bench import world

#: More than the caches hold.
_SMALL_REQUESTS = 12000
_ROUNDS = {100: 25, 1000: 15, 10000: 9}
OWN_TIMES = ', facts_max_age and a time of each host'
KNOWN_GUESTS = ', 50 known guests'
#: What may be the ratio to nova's own class, by the name of the line, hosts
#: and known guests, at 5 aggregates a host.
GOALS = {
    (subjects.FILTER, 1000, 0): 0.45,
    (subjects.FILTER, 10000, 0): 0.60,
    # Beside filter_all itself.
    (subjects.EVERY, 1000, 0): 3.0,
    (subjects.FILTER + OWN_TIMES, 1000, 0): 0.80,
    (subjects.FILTER + OWN_TIMES, 10000, 0): 0.80,
    (subjects.WEIGHER, 1000, 0): 1.50,
    (subjects.WEIGHER + KNOWN_GUESTS, 1000, 50): 3.0,
}


@dataclasses.dataclass(frozen=True)
class Run:
    """One cloud to be timed.

    :ivar how: what its lines say behind the plugin's name.
    :ivar settings: of [xen_scheduler].
    """

    shape: world.Shape
    how: str = ''
    plugins: tuple[str, ...] = (subjects.FILTER, subjects.WEIGHER)
    request: ty.Any = None
    settings: ty.Mapping[str, ty.Any] = dataclasses.field(default_factory=dict)

    def figures(self, rounds: int) -> list[report.Figure]:
        """Time it."""
        shape = self.shape
        taken = subjects.take(
            shape, rounds, self.plugins, self.request, **self.settings
        )
        each = shape.hosts * 1e-6
        found = []
        for mine, (novas, least) in subjects.BESIDE.items():
            if mine not in taken or (mine == subjects.EVERY and self.how):
                continue
            what = mine + self.how
            goal = GOALS.get((what, shape.hosts, shape.guests))
            found.append(
                report.Figure(
                    what,
                    novas,
                    str(shape),
                    taken[mine].median / each,
                    taken[novas].median / each,
                    taken[subjects.LOOP].median / each,
                    measure.ratio(taken[mine], taken[novas]),
                    measure.ratio(taken[least], taken[novas]).median,
                    goal if shape.aggregates == 5 else None,
                )
            )
        return found


def _own_times(hosts: int) -> Run:
    return Run(
        world.Shape(hosts, facts=world.STATS),
        OWN_TIMES,
        (subjects.FILTER,),
        settings={'facts_max_age': 36500},
    )


def _known_guests(hosts: int) -> Run:
    shape = world.Shape(hosts, guests=50)
    return Run(shape, KNOWN_GUESTS, (subjects.WEIGHER,))


def _all_runs() -> ty.Iterator[Run]:
    """In the order of the page."""
    for hosts in _ROUNDS:
        for aggregates in (0, 1, 5):
            facts = world.AGGREGATES if aggregates else world.NONE
            yield Run(world.Shape(hosts, aggregates, 0, facts))
    for facts in (world.NONE, world.FILE, world.STATS):
        yield Run(world.Shape(facts=facts), ', facts: ' + facts)
    yield Run(world.Shape(stating=3), ', 3 aggregates with facts')
    yield _own_times(1000)
    yield _own_times(10000)
    off = {'min_libvirt_version': '0', 'min_xen_version': '0'}
    told = {'live_migration_check': 'live_migration'}
    for how, request, settings in (
        (', guest types alone', None, off),
        (', refuse_dom0_overcommit', None, {'refuse_dom0_overcommit': True}),
        (', live_migration, a boot', None, told),
        (', live_migration, a move', world.move(), told),
    ):
        yield Run(world.Shape(), how, (subjects.FILTER,), request, settings)
    yield _known_guests(100)
    yield _known_guests(1000)


def _everything(progress: printing.Progress) -> list[report.Figure]:
    found = []
    for run in _all_runs():
        progress('%s%s' % (run.shape, run.how))
        found += run.figures(_ROUNDS[run.shape.hosts])
    return found


def _small() -> bool:
    """Nine rounds, their median; whether CI may pass."""
    verdicts = []
    for run in (Run(world.Shape()), _own_times(1000), _known_guests(1000)):
        for figure in run.figures(9):
            assert figure.goal is not None
            slack = 1 if figure.what == subjects.EVERY else report.SLACK
            bar = slack * figure.goal
            ratio = figure.ratio.median
            verdicts.append(
                printing.Verdict(
                    '%s beside %s, %s: %.2f (fails above %.2f)'
                    % (figure.what, figure.beside, figure.shape, ratio, bar),
                    ratio <= bar,
                )
            )
    grown = memory.growth(memory.run(_SMALL_REQUESTS))
    verdicts.append(
        printing.Verdict(
            'memory over %d requests: %.1f %% more blocks (fails above %.0f)'
            % (_SMALL_REQUESTS, grown * 100, memory.GROWTH * 100),
            grown <= memory.GROWTH,
        )
    )
    return printing.verdicts(verdicts)


def _placement(progress: printing.Progress, docs: str | None) -> bool:
    """The part with a real placement; whether its goals are reached."""
    about = report.machine()
    found = spared.take(progress)
    progress.done()
    lines = spared.section(*found, about)
    print('\n'.join(['', *printing.rst_heading(spared.HEADING, '-'), *lines]))
    if docs:
        path = os.path.join(docs, 'bench.rst')
        printing.put_section(path, spared.HEADING, lines)
    return printing.verdicts(spared.verdicts(*found))


def _options(argv: ty.Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m tools.bench', description=__doc__
    )
    parser.add_argument(
        '--small',
        action='store_true',
        help='1000 hosts, nine rounds: fails if a plugin became slow',
    )
    parser.add_argument(
        '--placement',
        action='store_true',
        help='whole requests with a real placement, and nothing else',
    )
    parser.add_argument('--requests', type=int, default=memory.REQUESTS)
    parser.add_argument(
        '--docs', metavar='DIR', help='write bench.rst and bench.json there'
    )
    return parser.parse_args(argv)


def main(argv: ty.Sequence[str] | None = None) -> int:
    options = _options(argv)
    logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()])
    # nova's defaults, whatever this machine has in /etc/nova.
    nova.conf.CONF([], project='nova', default_config_files=[])
    if options.small:
        return 0 if _small() else 1
    progress = printing.Progress()
    if options.placement:
        return 0 if _placement(progress, options.docs) else 1
    about = report.machine()
    figures = _everything(progress)
    progress('a whole request')
    # It varies most: nova makes all HostStates anew, and then frees them.
    whole = {
        name: measure.Timing(tuple(each))
        for name, each in apart.take('path', 'take', 1000, 45).items()
    }
    samples = memory.run(options.requests, progress)
    progress.done()
    page = report.page(figures, whole, samples, about)
    print(page)
    if options.docs:
        plotting.write(
            options.docs,
            'bench',
            page,
            {
                'figures': list(map(dataclasses.asdict, figures)),
                'samples': [each._asdict() for each in samples],
            },
        )
    good = _placement(progress, options.docs)
    return 0 if good and memory.growth(samples) <= memory.GROWTH else 1


if __name__ == '__main__':
    sys.exit(main())

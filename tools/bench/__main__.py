# SPDX-License-Identifier: Apache-2.0

"""What the plugins cost, side by side with nova's own classes."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import typing as ty
import warnings

# The deprecations of others are no news here.
warnings.simplefilter('ignore')
# As nova-scheduler runs by default since nova 33.
os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING', 'true')

import nova.conf  # noqa: E402

from tools.bench import apart  # noqa: E402
from tools.bench import measure  # noqa: E402
from tools.bench import memory  # noqa: E402
from tools.bench import report  # noqa: E402
from tools.bench import subjects  # noqa: E402
from tools.bench import world  # noqa: E402
from tools.demo import printing  # noqa: E402

#: More than the caches hold.
_SMALL_REQUESTS = 12000
_ROUNDS = {100: 25, 1000: 15, 10000: 9}
OWN_TIMES = ', facts_max_age and a time of each host'
KNOWN_GUESTS = ', 50 known guests'
_AGED = {'facts_max_age': 36500}
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


def _figures(
    shape: world.Shape,
    rounds: int,
    filters: str = '',
    weighers: str = '',
    request: ty.Any = None,
    **settings: ty.Any,
) -> list[report.Figure]:
    """Time one cloud.

    :param filters: what to call XenHostFilter's line; none if empty.
    :param weighers: likewise.
    """
    taken = subjects.take(
        shape, rounds, bool(filters), bool(weighers), request, **settings
    )
    found = []
    every = subjects.EVERY if filters == subjects.FILTER else ''
    for what, mine, novas, least in (
        (filters, subjects.FILTER, subjects.NOVA_FILTER, subjects.LOOK),
        (every, subjects.EVERY, subjects.FILTER, subjects.LOOK),
        (weighers, subjects.WEIGHER, subjects.NOVA_WEIGHER, subjects.HANDLER),
    ):
        if not what:
            continue
        goal = None
        if shape.aggregates == 5:
            goal = GOALS.get((what, shape.hosts, shape.guests))
        each = shape.hosts * 1e-6
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
                goal,
            )
        )
    return found


def _everything(progress: printing.Progress) -> list[report.Figure]:
    found: list[report.Figure] = []
    plugins = {'filters': subjects.FILTER, 'weighers': subjects.WEIGHER}
    for hosts, rounds in _ROUNDS.items():
        for aggregates in (0, 1, 5):
            facts = world.AGGREGATES if aggregates else world.NONE
            shape = world.Shape(hosts, aggregates, 0, facts)
            progress(str(shape))
            found += _figures(shape, rounds, **plugins)
    rounds = _ROUNDS[1000]
    for facts in (world.NONE, world.FILE, world.STATS):
        progress('facts: ' + facts)
        said = '%%s, facts: %s' % facts
        found += _figures(
            world.Shape(facts=facts),
            rounds,
            said % subjects.FILTER,
            said % subjects.WEIGHER,
        )
    progress('three aggregates with facts')
    found += _figures(
        world.Shape(stating=3),
        rounds,
        subjects.FILTER + ', 3 aggregates with facts',
        subjects.WEIGHER + ', 3 aggregates with facts',
    )
    for hosts in (1000, 10000):
        progress('%d hosts with times of their own' % hosts)
        found += _figures(
            world.Shape(hosts, facts=world.STATS),
            _ROUNDS[hosts],
            subjects.FILTER + OWN_TIMES,
            **_AGED,
        )
    for what, request, settings in (
        ('guest types alone', None, {'min_libvirt_version': '0'}),
        ('refuse_dom0_overcommit', None, {'refuse_dom0_overcommit': True}),
        (
            'live_migration, a boot',
            None,
            {'live_migration_check': 'live_migration'},
        ),
        (
            'live_migration, a move',
            world.move(),
            {'live_migration_check': 'live_migration'},
        ),
    ):
        progress(what)
        if what == 'guest types alone':
            settings['min_xen_version'] = '0'
        found += _figures(
            world.Shape(),
            rounds,
            '%s, %s' % (subjects.FILTER, what),
            request=request,
            **settings,
        )
    for hosts in (100, 1000):
        progress('%d hosts with known guests' % hosts)
        found += _figures(
            world.Shape(hosts, guests=50),
            _ROUNDS[hosts],
            weighers=subjects.WEIGHER + KNOWN_GUESTS,
        )
    return found


def _small() -> bool:
    """Nine rounds, their median; whether CI may pass."""
    good = True
    for figures in (
        _figures(world.Shape(), 9, subjects.FILTER, subjects.WEIGHER),
        _figures(
            world.Shape(facts=world.STATS),
            9,
            subjects.FILTER + OWN_TIMES,
            **_AGED,
        ),
        _figures(
            world.Shape(guests=50),
            9,
            weighers=subjects.WEIGHER + KNOWN_GUESTS,
        ),
    ):
        for figure in figures:
            assert figure.goal is not None
            slack = 1 if figure.what == subjects.EVERY else report.SLACK
            bar = slack * figure.goal
            fine = figure.ratio.median <= bar
            good = good and fine
            print(
                '%s %s beside %s, %s: %.2f (fails above %.2f)'
                % (
                    'ok  ' if fine else 'FAIL',
                    figure.what,
                    figure.beside,
                    figure.shape,
                    figure.ratio.median,
                    bar,
                )
            )
    grown = memory.growth(memory.run(_SMALL_REQUESTS))
    fine = grown <= memory.GROWTH
    print(
        '%s memory over %d requests: %.1f %% more blocks (fails above %.0f)'
        % (
            'ok  ' if fine else 'FAIL',
            _SMALL_REQUESTS,
            grown * 100,
            memory.GROWTH * 100,
        )
    )
    return good and fine


def _options(argv: ty.Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m tools.bench', description=__doc__
    )
    parser.add_argument(
        '--small',
        action='store_true',
        help='1000 hosts, nine rounds: fails if a plugin became slow',
    )
    parser.add_argument('--requests', type=int, default=memory.REQUESTS)
    parser.add_argument(
        '--docs', metavar='DIR', help='write bench.md and bench.svg there'
    )
    return parser.parse_args(argv)


def main(argv: ty.Sequence[str] | None = None) -> int:
    options = _options(argv)
    logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()])
    # nova's defaults, whatever this machine has in /etc/nova.
    nova.conf.CONF([], project='nova', default_config_files=[])
    if options.small:
        return 0 if _small() else 1
    about = report.machine()
    progress = printing.Progress()
    figures = _everything(progress)
    progress('a whole request')
    # It varies most: nova makes all HostStates anew, and then frees them.
    path = apart.take(1000, 45)
    samples = memory.run(options.requests, progress)
    progress.done()
    page = report.markdown(figures, path, samples, about)
    print(page)
    if options.docs:
        from tools.bench import plot

        os.makedirs(options.docs, exist_ok=True)
        with open(os.path.join(options.docs, 'bench.md'), 'w') as f:
            f.write(page)
        plot.draw(figures, samples, os.path.join(options.docs, 'bench.svg'))
    return 0 if memory.growth(samples) <= memory.GROWTH else 1


if __name__ == '__main__':
    sys.exit(main())

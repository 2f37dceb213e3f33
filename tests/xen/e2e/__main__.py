# SPDX-License-Identifier: Apache-2.0

"""python -m tests.xen.e2e: see make xen-e2e."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
from pathlib import Path
import signal
import sys
import typing as ty

from tests.e2e import command
from tests.e2e.report import Report
from tests.e2e.services import debian
from tests.e2e.settings import ROOT
from tests.xen.e2e import blame
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.hosts import Pair
from tests.xen.e2e.recipe import kind
from tests.xen.emulator import image
from tests.xen.emulator import machine

NOVA = '22.4.0'
#: With them a run would take an hour: run only if named.
_LONG = ('openvswitch', 'formats', 'volumes')
_PACKAGE = 'tests.xen.e2e.scenarios'
#: Its modules, in their order: the guests of one are those of the next.
SCENARIOS = (
    'registered',
    'pv',
    'refusals',
    'hvm',
    'consoles',
    'slots',
    'rebalance',
    'network',
    'openvswitch',
    'formats',
    'operations',
    'migrations',
    'volumes',
    'evacuation',
    'newer',
)


def _chapters(
    parser: argparse.ArgumentParser, xen: list[str], only: list[str] | None
) -> list[str]:
    """Those that are named, or all that fit; in their order."""
    fitting = _fitting(xen)
    for name in only or ():
        if name not in fitting:
            parser.error(
                '%s: with Xen %s there are only %s'
                % (name, ' and '.join(dict.fromkeys(xen)), ', '.join(fitting))
            )
    return [
        each
        for each in fitting
        if (each in only if only else each not in _LONG)
    ]


def _fitting(xen: list[str]) -> ty.Sequence[str]:
    """The chapters for hosts with these versions of Xen."""
    if xen[0] != xen[1]:
        return ('registered', 'newer')
    # Neutron and Cinder are in dom0s of 4.14 alone.
    last = 'evacuation' if xen[0] == '4.14' else 'slots'
    return SCENARIOS[: SCENARIOS.index(last) + 1]


def _again(cloud: Cloud) -> None:
    """Run chapters whose names come in, as their files are then."""
    cloud.report.note('names of chapters, or Ctrl-C')
    for line in sys.stdin:
        for name in line.split():
            try:
                importlib.reload(
                    importlib.import_module(_PACKAGE + '.' + name)
                )
            except (ImportError, SyntaxError) as e:
                cloud.report.note('no chapter: %s' % e)
            else:
                command.chapters(cloud, _PACKAGE, [name])
    signal.pause()


def main() -> int:
    parser = command.parser('tests.xen.e2e')
    parser.add_argument(
        '--cache', required=True, help="where the hosts' image is kept"
    )
    parser.add_argument(
        '--only',
        nargs='+',
        choices=SCENARIOS,
        metavar='SCENARIO',
        help='of %(choices)s; by default those that fit the hosts, without '
        + ', '.join(_LONG),
    )
    parser.add_argument(
        '--xen',
        nargs='+',
        choices=image.SUITES,
        default=['4.14'],
        metavar='VERSION',
        help='of %(choices)s: that of both hosts, or of one and the other',
    )
    parser.add_argument(
        '--dom0-env', help='the environment for dom0, but of Xen 4.14'
    )
    arguments = parser.parse_args()
    xen = (arguments.xen * 2)[:2]
    chapters = _chapters(parser, xen, arguments.only)

    def run(report: Report) -> int:
        debian.ensure()
        cache = Path(arguments.cache).resolve()
        log = machine.Log(cache / 'logs')
        kinds = [
            kind(each, os.path.abspath(arguments.dom0_env or ''))
            for each in xen
        ]
        hosts = [
            (each, image.built(cache, each.recipe, log)) for each in kinds
        ]
        with contextlib.ExitStack() as stack:
            settings = command.settings(stack, arguments, NOVA)
            shared = Path(settings.path('shared'))
            shared.mkdir()
            pair = stack.enter_context(Pair(hosts, shared, log))
            report.whose = blame.of(pair, report)
            stack.callback(command.ending, report)
            cloud = Cloud(
                settings, report, os.path.join(ROOT, arguments.pins), pair
            )
            stack.callback(cloud.keep_logs)
            report.note('two Xen hosts, and meanwhile the controllers')
            pair.start()
            cloud.start_controllers()
            pair.wait()
            report.note('both Xen hosts are up')
            cloud.start_computes()
            report.note('ready')
            command.chapters(cloud, _PACKAGE, chapters)
            if arguments.stay:
                _again(cloud)
        report.table()
        return report.end(settings.path('log'))

    return command.main('xen-e2e', run)


if __name__ == '__main__':
    sys.exit(main())

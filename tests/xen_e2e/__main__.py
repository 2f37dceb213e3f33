# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""python -m tests.xen_e2e: see make xen-e2e."""

from __future__ import annotations

import argparse
import contextlib
from importlib import import_module
import os
from pathlib import Path
import shutil
import signal
import sys
import tempfile

from tests.e2e import logs
from tests.e2e.processes import Failure
from tests.e2e.report import Report
from tests.e2e.services import debian
from tests.e2e.settings import ROOT
from tests.e2e.settings import Settings
from tests.xen_e2e.cloud import Cloud
from tests.xen_e2e.hosts import Pair
from tests.xen_e2e.recipe import RECIPE
from tests.xen_host import image
from tests.xen_host import machine

NOVA = '22.4.0'
#: Modules of tests.xen_e2e.scenarios, in their order: the guests of one are
#: those of the next.
SCENARIOS = ('registered', 'pv', 'refusals', 'hvm')


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.xen_e2e')
    parser.add_argument(
        '--nova-env', required=True, help='the environment that has nova'
    )
    parser.add_argument('--pins', required=True, help='its pins')
    parser.add_argument(
        '--folder', required=True, help='for logs; emptied at the start'
    )
    parser.add_argument(
        '--cache', required=True, help="where the hosts' image is kept"
    )
    parser.add_argument(
        '--stay', action='store_true', help='until Ctrl-C, to look at it'
    )
    arguments = parser.parse_args()
    # Whatever ends this ends what it started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    report = Report()
    try:
        return _run(arguments, report)
    except KeyboardInterrupt:
        print('Interrupted: all that was started is ended.', file=sys.stderr)
        return 130
    except (Failure, machine.Failure) as e:
        print('make xen-e2e: %s' % e, file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace, report: Report) -> int:
    debian.ensure()
    cache = Path(arguments.cache).resolve()
    log = machine.Log(cache / 'logs')
    machine.need(image.PACKAGES, log)
    built = image.built(cache, RECIPE, log)
    folder = os.path.abspath(arguments.folder)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        sockets = stack.enter_context(
            tempfile.TemporaryDirectory(prefix='xen-e2e-')
        )
        settings = Settings(
            nova=NOVA,
            nova_env=os.path.abspath(arguments.nova_env),
            services_env=sys.prefix,
            folder=folder,
            sockets=sockets,
        )
        shared = Path(settings.path('shared'))
        shared.mkdir()
        stack.callback(settings.processes.end)
        pair = stack.enter_context(Pair(built, shared, log))
        stack.callback(_ending, report)
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
        for name in SCENARIOS:
            _chapter(cloud, name)
        report.chapter('Afterwards')
        cloud.keep_logs()
        logs.judge(cloud)
        if arguments.stay:
            signal.pause()
    report.table()
    return report.end(settings.path('log'))


def _chapter(cloud: Cloud, name: str) -> None:
    scenario = import_module('tests.xen_e2e.scenarios.' + name)
    cloud.report.chapter(scenario.TITLE)
    try:
        scenario.run(cloud)
    except (Failure, machine.Failure, KeyError) as e:
        # Between two steps; the next chapter may do well.
        with cloud.report.step('the rest of this chapter'):
            raise Failure('not done: %r' % e) from e


def _ending(report: Report) -> None:
    report.note('ending all that was started')
    # A second Ctrl-C doesn't leave anything behind either.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


if __name__ == '__main__':
    sys.exit(main())

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

"""python -m tests.e2e --nova 34.0.0 --nova-env FOLDER: see make e2e."""

from __future__ import annotations

import argparse
import contextlib
from importlib import import_module
import os
import shutil
import signal
import sys
import tempfile

from tests.e2e import logs
from tests.e2e.cloud import Cloud
from tests.e2e.processes import Failure
from tests.e2e.report import Report
from tests.e2e.services import debian
from tests.e2e.settings import ROOT
from tests.e2e.settings import Settings

#: Modules of tests.e2e.scenarios, in their order.
SCENARIOS = (
    'guest_types',
    'changes',
    'moves',
    'commands',
    'burst',
    'facts_file',
    'instance_read',
    'restarts',
)


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.e2e')
    parser.add_argument('--nova', required=True, help='its release')
    parser.add_argument(
        '--nova-env', required=True, help='the environment that has it'
    )
    parser.add_argument('--pins', required=True, help='its pins')
    parser.add_argument(
        '--folder', required=True, help='for logs; emptied at the start'
    )
    parser.add_argument(
        '--only',
        action='append',
        choices=SCENARIOS,
        help='these scenarios; the others are left out',
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
    except Failure as e:
        print('make e2e: %s' % e, file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace, report: Report) -> int:
    installed = debian.ensure()
    if installed:
        report.note('installed Debian packages: ' + installed)
    folder = os.path.abspath(arguments.folder)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        sockets = stack.enter_context(
            tempfile.TemporaryDirectory(prefix='xen-e2e-')
        )
        settings = Settings(
            nova=arguments.nova,
            nova_env=os.path.abspath(arguments.nova_env),
            services_env=sys.prefix,
            folder=folder,
            sockets=sockets,
        )
        stack.callback(_end, settings, report)
        cloud = Cloud(settings, report, os.path.join(ROOT, arguments.pins))
        cloud.start()
        report.note('ready')
        for name in arguments.only or SCENARIOS:
            scenario = import_module('tests.e2e.scenarios.' + name)
            report.chapter(scenario.TITLE)
            try:
                scenario.run(cloud)
            except Failure as e:
                # Between two steps; the next chapter may do well.
                with report.step('the rest of this chapter'):
                    raise Failure('not done: %s' % e) from e
        report.chapter('Afterwards')
        logs.judge(cloud)
        if arguments.stay:
            print(
                '\n'.join(
                    'export %s=%s' % each
                    for each in cloud.identity.client_env().items()
                )
            )
            signal.pause()
    report.table()
    return report.end(settings.path('log'))


def _end(settings: Settings, report: Report) -> None:
    report.note('ending all that was started')
    # A second Ctrl-C doesn't leave anything behind either.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    settings.processes.end()


if __name__ == '__main__':
    sys.exit(main())

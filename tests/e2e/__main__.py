# SPDX-License-Identifier: Apache-2.0

"""python -m tests.e2e --nova 34.0.0 --nova-env FOLDER: see make e2e."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from tests.e2e import command
from tests.e2e.cloud import Cloud
from tests.e2e.report import Report
from tests.e2e.services import debian
from tests.e2e.settings import ROOT

#: Modules of tests.e2e.scenarios, in their order.
SCENARIOS = (
    'reserves',
    'guest_types',
    'changes',
    'moves',
    'commands',
    'burst',
    'facts_file',
    'instance_read',
    'restarts',
    'slots',
)


def main() -> int:
    parser = command.parser('tests.e2e')
    parser.add_argument('--nova', required=True, help='its release')
    parser.add_argument(
        '--only',
        action='append',
        choices=SCENARIOS,
        help='these scenarios; the others are left out',
    )
    arguments = parser.parse_args()

    def run(report: Report) -> int:
        installed = debian.ensure()
        if installed:
            report.note('installed Debian packages: ' + installed)
        with contextlib.ExitStack() as stack:
            settings = command.settings(stack, arguments, arguments.nova)
            stack.callback(command.ending, report)
            cloud = Cloud(settings, report, os.path.join(ROOT, arguments.pins))
            cloud.start()
            report.note('ready')
            command.chapters(
                cloud, 'tests.e2e.scenarios', arguments.only or SCENARIOS
            )
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

    return command.main('e2e', run)


if __name__ == '__main__':
    sys.exit(main())

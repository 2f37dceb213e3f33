# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched metrics: for node_exporter's textfile collector."""

from __future__ import annotations

import argparse
import time
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd.hosts.metrics import samples
from nova_xen_sched.cmd.hosts.metrics import text

#: More of them, and there are too many series.
MOST_FLAVORS = 10
_SUFFIX = '.prom'

_EPILOG = """\
All of them are gauges; the documentation has a list. Nothing is changed but
the file, which is written beside and renamed. A collection is whole, or it has
failed: then there are no hosts in it, nova_xen_metrics_success is 0, and the
time of the last success stays.

exit codes:
  0  fine
  1  the collection failed, which the metrics say
  2  wrong usage, prometheus_client is missing, or the file can't be written
"""


class Metrics(base.Command):
    """Write metrics of Xen hosts for Prometheus.

    How much of dom0 is left, how many guests fit, and whom XenHostFilter
    refuses. prometheus_client has to be installed.
    """

    _epilog = _EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--textfile',
            metavar='PATH',
            type=options.filled,
            help="A file in the folder of node_exporter's textfile collector; "
            'its name ends in %s. Without it the metrics are printed.'
            % _SUFFIX,
        )
        parser.add_argument(
            '--flavor',
            metavar='NAME',
            nargs='+',
            action='append',
            type=options.filled,
            help='Count guests of these flavors, too, at most %d; names or '
            'ids. They count as HVM guests.' % MOST_FLAVORS,
        )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        if len(_flavors(parsed_args)) > MOST_FLAVORS:
            raise errors.Failure(
                'Name at most %d flavors: each has a series a host.'
                % MOST_FLAVORS
            )
        path = parsed_args.textfile
        if path and not path.endswith(_SUFFIX):
            raise errors.Failure(
                'node_exporter reads only files whose names end in %s: %s.'
                % (_SUFFIX, path)
            )
        errors.need('prometheus_client')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        path = parsed_args.textfile
        began = time.monotonic()
        found: samples.Samples = {}
        success = False
        try:
            found = self._collected(_flavors(parsed_args))
            success = True
        except Exception as e:  # noqa: BLE001  the metrics say so
            self.trace(e)
            known = isinstance(e, errors.Failure)
            self.say(str(e) if known else errors.unexpected(e), error=True)
            self.exit_code = errors.FINDINGS
        last = time.time() if success else text.last_success(path or '')
        seconds = time.monotonic() - began
        found.update(samples.own(success, seconds, last))
        content = text.written(found)
        if not path:
            self.write(content)
            return
        with errors.writing(path):
            text.replace(path, content)

    def _collected(self, flavors: ty.Iterable[str]) -> samples.Samples:
        cloud = nova.open_cloud(self.app.options)
        # It imports nova, which is there now.
        from nova_xen_sched.cmd.hosts.metrics import collect

        return collect.collect(cloud, flavors)


def _flavors(parsed_args: argparse.Namespace) -> list[str]:
    """Those that are named, each once."""
    named = (each for some in parsed_args.flavor or () for each in some)
    return list(dict.fromkeys(named))

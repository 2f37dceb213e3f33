# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched facts publish: facts as aggregates, through nova's API."""

from __future__ import annotations

import argparse
import logging
import typing as ty

from cliff import columns

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import apply
from nova_xen_sched.cmd.facts import ask_placement
from nova_xen_sched.cmd.facts import desired as wanting
from nova_xen_sched.cmd.facts import plan as planning
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.cmd.facts import report as words
from nova_xen_sched.facts import file
from nova_xen_sched.facts import parse_file

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.facts import nova_api as api

PLANNED = 'planned'
NOT_TRIED = 'not tried'
#: Loggers whose warnings are said better in our own words.
_CHATTY = ('openstack', 'nova_xen_sched.log')
#: What of a host must have been read, or its facts are not all there.
_NEEDED = frozenset(
    {'hypervisor', 'libvirt_version', 'xen_version', 'dom0', 'memory'}
)


class _Metadata(columns.FormattableColumn):
    """What is set, a line each; a mapping for machines, null is removed."""

    def human_readable(self) -> str:
        return '\n'.join(
            '-%s' % key if value is None else '%s=%s' % (key, value)
            for key, value in sorted(self._value.items())
        )

    def machine_readable(self) -> ty.Any:
        return self._value


class Publish(base.Lister):
    """Publish facts as metadata of aggregates, which all schedulers see.

    Hosts with equal facts are put into one aggregate, which is named
    nova-xen-sched-HASH after them and has xen:managed_by=nova-xen-sched. Only
    such aggregates are touched. Without --apply nothing is changed: it prints
    what would be. It can be interrupted and run again at any time, and from
    two places at once.

    reserved_host_memory_mb of a Xen host comes from placement, where its
    nova-compute writes it. Another value that a host or a file states gives
    way to it, and a line says so.

    Columns: change (create, set, add_host, remove_host, delete), aggregate,
    host, metadata (what is set; -KEY, in JSON null, is removed), result
    (planned, done, not needed any more, not tried, or why it was left). What
    changes for each host is printed to stderr before.

    Exit code: 0 if all is as it shall be, or would be with --apply; 1 if some
    hosts were left out, placement could not tell of some, or some change was
    not made; 2 if nothing was done.
    """

    COLUMNS = ('change', 'aggregate', 'host', 'metadata', 'result')
    _closing = ''
    _asked = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        read_hosts.add_arguments(parser)
        parser.add_argument(
            '--from-file',
            metavar='PATH',
            help='Publish what this facts file says of each Xen host, as the '
            'scheduler would read it, instead of asking hosts. A file with '
            'any mistake is refused.',
        )
        parser.add_argument(
            '--from-placement',
            action='store_true',
            help='Publish reserved_host_memory_mb of each Xen host alone, as '
            'placement has it, instead of asking hosts. What else was '
            'published stays.',
        )
        parser.add_argument(
            '--os-cloud',
            metavar='NAME',
            help='The cloud of clouds.yaml. Without it OS_CLOUD, or the '
            'other OS_ variables.',
        )
        parser.add_argument(
            '--prune',
            action='store_true',
            help='Take all other hosts out of our aggregates. Without it '
            'they are left as they are.',
        )
        parser.add_argument(
            '--apply',
            action='store_true',
            help='Make the changes. Without it they are only printed.',
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[tuple[str, ...], list[tuple[ty.Any, ...]]]:
        with errors.openstacksdk():
            from nova_xen_sched.cmd.facts import nova_api as api
        if self.app.options.verbose_level < 2:
            # What fails is said in our own line.
            for name in _CHATTY:
                logging.getLogger(name).setLevel(logging.ERROR)
            # But not what is wrong with clouds.yaml.
            logging.getLogger('openstack.config').setLevel(logging.WARNING)
        read = self._read(parsed_args)
        try:
            cloud = api.Nova(parsed_args.os_cloud)
            hosts, before = cloud.hosts(), cloud.aggregates()
            wanted = ask_placement.counted(
                self, cloud, hosts, read and read(hosts), before
            )
            prune = parsed_args.prune and self._may_prune(wanted)
        except apply.StoppedError as e:
            raise errors.Failure(str(e)) from e
        try:
            plan = planning.plan(wanted.facts, before, prune, wanted.spared)
        except planning.CollisionError as e:
            raise errors.Failure(
                'The facts of %s have the same hash by accident: publish '
                'one of them by hand.' % e
            ) from e
        for line in words.lines(wanted, before, plan, prune):
            self.say(line)
        if wanted.unknown or plan.blocked:
            self.exit_code = errors.FINDINGS
        if not parsed_args.apply:
            outcomes = dict.fromkeys(plan.changes, PLANNED)
            self._closing = words.planned(wanted, plan)
            return self.COLUMNS, _rows(outcomes)
        run = apply.Applying(cloud, wanted.facts, prune, wanted.spared)
        left = self._apply(run, plan)
        return self.COLUMNS, _rows({**run.outcomes, **left})

    def produce_output(
        self, parsed_args: ty.Any, column_names: ty.Any, data: ty.Any
    ) -> ty.Any:
        if data or parsed_args.formatter not in ('table', 'value'):
            super().produce_output(parsed_args, column_names, data)
        self.say(self._closing)
        return self.exit_code

    def _read(
        self, parsed_args: argparse.Namespace
    ) -> ty.Callable[[list[api.Host]], wanting.Wanted] | None:
        """Read the facts.

        :returns: what makes Wanted of them, given nova's hosts; None if only
            placement is to tell of them.
        :raises Failure: if there are none.
        """
        path = parsed_args.from_file
        connect = parsed_args.connect or parsed_args.nova_host
        if sum(map(bool, (path, connect, parsed_args.from_placement))) > 1:
            raise errors.Failure(
                'Give one of --from-file, --from-placement, or hosts with '
                '--connect.'
            )
        if parsed_args.from_placement:
            return None
        if path is None:
            return self._ask(parsed_args)
        try:
            found, _ = file.load(path)
        except (OSError, file.FileError, parse_file.TableError) as e:
            reason = getattr(e, 'strerror', None) or str(e)
            raise errors.Failure(
                "The facts file %s can't be used: %s." % (path, reason)
            ) from e
        if found.wrong:
            raise errors.Failure(
                'The facts file %s has mistakes, and nothing is published '
                'from it: %s.' % (path, '; '.join(found.wrong[: words.SHOWN]))
            )
        return lambda hosts: wanting.of_file(found, hosts)

    def _ask(
        self, parsed_args: argparse.Namespace
    ) -> ty.Callable[[list[api.Host]], wanting.Wanted]:
        asked = read_hosts.ask_all(
            parsed_args,
            read_hosts.configuration(self.app.options, parsed_args),
        )
        read_hosts.complain(self, asked)
        if self.exit_code == errors.FAILED:
            raise errors.Failure('No host answered: nothing was changed.')
        self._asked = True
        raw = read_hosts.stated_by(self, asked)
        said = [
            wanting.Stated(
                each.name,
                each.nova_name is not None,
                {} if self._in_part(each) else raw.get(each.name, {}),
            )
            for each in asked
        ]
        return lambda hosts: wanting.of_hosts(said, hosts)

    def _in_part(self, asked: read_hosts.Asked) -> bool:
        """Whether a host's facts may not be all that it has."""
        lost = asked.host and sorted(_NEEDED & asked.host.problems.keys())
        if lost:
            self.say('%s: left as before, for that.' % asked.name)
        return bool(lost)

    def _may_prune(self, wanted: wanting.Wanted) -> bool:
        """Not while it can't be told which of nova's hosts one is."""
        if not self._asked or not wanted.unknown:
            return True
        self.exit_code = errors.FINDINGS
        self.say(
            'Nothing is pruned, for %s may be any host of nova (--nova-host '
            'says which).' % tables.listed(wanted.unknown)
        )
        return False

    def _apply(
        self, run: apply.Applying, plan: planning.Plan
    ) -> dict[planning.Change, str]:
        """Make the changes and say what became of them.

        :returns: those that were not even tried.
        :raises Failure: if nothing was done.
        """
        stopped = ''
        total = len(plan.changes)
        try:
            with base.Progress('Changing aggregates', total) as progress:
                for newest in run.steps():
                    plan = newest
                    progress.step(_done(run))
        except apply.StoppedError as e:
            if not _done(run):
                raise errors.Failure('%s Nothing was changed.' % e) from e
            stopped = '%s ' % e
        except KeyboardInterrupt:
            stopped = 'Interrupted. '
        left = {}
        if not run.converged:
            left = {
                change: NOT_TRIED
                for change in plan.changes
                if change not in run.outcomes
            }
        undone = len(run.failed) + len(left)
        self._closing = '%sChanges made: %d%s.' % (
            stopped,
            _done(run),
            ', left: %d' % undone if undone else '',
        )
        if stopped or undone or not run.converged:
            self.exit_code = errors.FINDINGS
            self._closing += (
                ' Each host has its old facts, its new ones, or the lower of '
                'both. Run it again.'
            )
        return left


def _done(run: apply.Applying) -> int:
    return sum(outcome == apply.DONE for outcome in run.outcomes.values())


def _rows(outcomes: dict[planning.Change, str]) -> list[tuple[ty.Any, ...]]:
    return [
        (
            change.action,
            change.aggregate,
            change.host,
            _Metadata(dict(change.metadata)),
            outcome,
        )
        for change, outcome in outcomes.items()
    ]

# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched facts publish: facts as aggregates, through nova's API."""

from __future__ import annotations

import argparse
import functools
import logging
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import desired
from nova_xen_sched.cmd.facts import plan as planning
from nova_xen_sched.cmd.facts import publish_report as report
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.facts import file

if ty.TYPE_CHECKING:
    from nova_xen_sched import facts
    from nova_xen_sched.cmd.facts import nova_api

_Change = ty.TypeVar('_Change')

#: Loggers whose warnings are said better in our own words.
_CHATTY = ('openstack', 'nova_xen_sched.log')
#: What of a host must have been read, or its facts are not all there.
_NEEDED = frozenset(
    {'hypervisor', 'libvirt_version', 'xen_version', 'dom0', 'memory'}
)


_EPILOG = """\
columns:
%s

exit codes:
  0  all is published, or would be with --apply
  1  some hosts were left out, placement has no reserve of some, a trait of
     some is unknown, some change was not made, or nova-compute-xen reports
     other traits than expected
  2  nothing was done
""" % tables.described(report.COLUMNS)


class Publish(read_hosts.ReadsHosts, base.Lister):
    """Publish facts as metadata of aggregates, for all schedulers.

    Hosts with equal facts are put into one aggregate, which is named
    nova-xen-sched-HASH after them and has xen:managed_by=nova-xen-sched. Only
    such aggregates are touched. Without --apply nothing is changed: it prints
    what would be. It can be interrupted and run again at any time, and from
    two places at once.

    reserved_host_memory_mb of a Xen host comes from placement, where its
    nova-compute writes it. That value is used where a host or a file has
    another one, and a line names both.

    With --traits, traits of Xen hosts in placement are published instead:
    CUSTOM_XEN_HVM and CUSTOM_XEN_PV for the guest types that a host offers,
    and CUSTOM_XEN_LIVE_MIGRATION where libvirt and Xen are new enough. They
    are worked out of what nova-scheduler knows, so this has to run where its
    nova.conf is. A trait is removed only from a host that is known not to
    have it. Hosts of nova-compute-xen report for themselves and are left as
    they are. No other trait is touched, and no name is ever deleted.

    What changes for each host is printed to stderr before.
    """

    COLUMNS = report.COLUMNS
    _epilog = _EPILOG
    _closing = ''
    _is_undone = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--from-file',
            metavar='PATH',
            type=options.filled,
            help='Publish the facts of each Xen host in this facts file, as '
            'the scheduler would read it, instead of asking hosts. A file '
            'with any mistake is refused.',
        )
        parser.add_argument(
            '--from-placement',
            action='store_true',
            help='Publish reserved_host_memory_mb of each Xen host alone, as '
            'placement has it, instead of asking hosts. What else was '
            'published stays.',
        )
        parser.add_argument(
            '--traits',
            action='store_true',
            help='Publish traits in placement instead of facts.',
        )
        parser.add_argument(
            '--os-cloud',
            metavar='NAME',
            type=options.filled,
            help='The cloud of clouds.yaml. Without it OS_CLOUD, or the '
            'other OS_ variables.',
        )
        parser.add_argument(
            '--prune',
            action='store_true',
            help='Take all other hosts out of our aggregates. Without it '
            'they are left as they are. With --traits: withdraw the traits '
            'of all hosts but those of nova-compute-xen; refused while the '
            'stored request of a server requires one.',
        )
        parser.add_argument(
            '--apply',
            action='store_true',
            help='Make the changes. Without it they are only printed.',
        )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        super().check_usage(parsed_args)
        connect = parsed_args.connect or parsed_args.nova_host
        sources = (parsed_args.from_file, parsed_args.from_placement, connect)
        if parsed_args.traits and any(sources):
            raise errors.Failure(
                '--traits goes without --from-file, --from-placement and '
                '--connect: traits are worked out of what nova-scheduler '
                'knows.'
            )
        if sum(map(bool, sources)) > 1:
            raise errors.Failure(
                'Give one of --from-file, --from-placement, or hosts with '
                '--connect.'
            )

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[ty.Any, ...]:
        with Progress('Loading openstacksdk'), errors.openstacksdk():
            from nova_xen_sched.cmd.facts import apply
            from nova_xen_sched.cmd.facts import nova_api
        if self.app.options.verbose_level < 2:
            # What fails is said in our own line.
            for name in _CHATTY:
                logging.getLogger(name).setLevel(logging.ERROR)
            # But not what is wrong with clouds.yaml.
            logging.getLogger('openstack.config').setLevel(logging.WARNING)
        if parsed_args.traits:
            return self._publish_traits(parsed_args)
        goal_of = self._read(parsed_args)
        cloud = nova_api.Nova(parsed_args.os_cloud)
        with Progress("Reading nova's hosts and aggregates"):
            hosts, before = cloud.hosts(), cloud.aggregates()
        published = aggregates.published(before)
        if goal_of is None:
            goal = desired.of_published(published, hosts)
        else:
            goal = goal_of(hosts)
        xen_hosts = [
            host
            for host in hosts
            # Of a host without facts nothing is to be published.
            if host.xen and (goal_of is None or goal.facts.get(host.name))
        ]
        reserves = desired.read_reserves(cloud, xen_hosts)
        if reserves.error and goal_of is None:
            raise errors.Failure(reserves.error)
        for line in desired.remarks(goal, reserves):
            self.say(line)
        goal = desired.with_reserves(goal, reserves, published)
        prune = parsed_args.prune
        if prune and goal.unknown and not parsed_args.from_file:
            prune = False
            self.say(
                'Nothing is pruned, because %s may be any host of nova '
                '(give its name with --nova-host).'
                % tables.listed(goal.unknown)
            )
        plan = planning.plan(goal.facts, before, prune, goal.spared)
        for line in report.lines(goal, before, plan, prune):
            self.say(line)
        lacking = reserves.lacking or reserves.error
        if lacking or goal.unknown or plan.blocked:
            self.exit_code = errors.FINDINGS
        if parsed_args.apply:
            run = apply.Applying(cloud, goal.facts, prune, goal.spared)
            outcomes = self._apply(run, plan.changes, 'Changing aggregates')
            if self._is_undone:
                self._closing += (
                    '\nEach host has its old facts, its new ones, or the '
                    'lower of both. Run it again.'
                )
        else:
            of = tables.counted(len(goal.facts))
            outcomes = self._planned(plan.changes, 'the facts of ' + of)
        return tuple(report.COLUMNS), [
            report.row(*each) for each in outcomes.items()
        ]

    def _publish_traits(
        self, parsed_args: argparse.Namespace
    ) -> tuple[ty.Any, ...]:
        """Publish traits, or say what would be."""
        from nova_xen_sched.cmd import nova

        scheduler = nova.open_cloud(self.app.options)
        # These import nova, whose configuration had to be loaded first.
        from nova_xen_sched.cmd.facts import nova_api
        from nova_xen_sched.cmd.facts import traits

        cloud = nova_api.Nova(parsed_args.os_cloud)
        with Progress('Reading hosts and their traits'):
            plan = traits.plan(scheduler, cloud, parsed_args.prune)
        for line in plan.lines():
            self.say(line)
        if plan.is_partial:
            self.exit_code = errors.FINDINGS
        outcomes: dict[ty.Any, str]
        if parsed_args.apply:
            run = traits.Applying(cloud, plan)
            outcomes = self._apply(run, plan.changes, 'Changing traits')
            if self._is_undone:
                self._closing += ' Run it again.'
        else:
            outcomes = self._planned(plan.changes, 'the traits of Xen hosts')
        shown = {'aggregate': tables.LONG, 'trait': tables.BRIEF}
        self.COLUMNS = {
            name: each._replace(shown=shown.get(name, each.shown))
            for name, each in report.COLUMNS.items()
        }
        return tuple(report.COLUMNS), [
            report.cells(change, outcome, trait=change.trait)
            for change, outcome in outcomes.items()
        ]

    def _planned(
        self, changes: ty.Sequence[_Change], what: str
    ) -> dict[_Change, str]:
        """Say what would be; what becomes of each change.

        :param what: that is published.
        """
        self._closing = 'Nothing to change: %s are as they should be.' % what
        if changes:
            self._closing = (
                '%s would be made, for %s.\nNothing was changed: add --apply.'
                % (tables.counted(len(changes), 'change'), what)
            )
        return dict.fromkeys(changes, report.PLANNED)

    def produce_output(
        self, parsed_args: ty.Any, column_names: ty.Any, data: ty.Any
    ) -> int:
        if parsed_args.formatter in (*base.PERSONS, 'value'):
            self.parts = ()
        super().produce_output(parsed_args, column_names, data)
        self.say(self._closing, error=self._is_undone)
        return self.exit_code

    def _read(
        self, parsed_args: argparse.Namespace
    ) -> ty.Callable[[list[nova_api.Host]], desired.Desired] | None:
        """Read the facts.

        :returns: what says which facts nova's hosts shall have, given these;
            None if only placement is asked.
        :raises errors.Failure: if there are none.
        """
        path = parsed_args.from_file
        if parsed_args.from_placement:
            return None
        if path is None:
            return functools.partial(
                desired.of_hosts, *self._read_reported(parsed_args)
            )
        try:
            table, _ = file.load(path)
        except file.FileError as e:
            raise errors.Failure(
                "The facts file %s can't be used: %s." % (path, e)
            ) from e
        if table.wrong:
            raise errors.Failure(
                'The facts file %s has mistakes, and nothing is published '
                'from it: %s.' % (path, tables.mistakes(table.wrong))
            )
        return functools.partial(desired.of_file, table)

    def _read_reported(
        self, parsed_args: argparse.Namespace
    ) -> tuple[list[read_hosts.Result], dict[str, facts.Raw]]:
        """Read what hosts report; without facts where they may not be all."""
        results = self.read_hosts(parsed_args)
        if self.exit_code == errors.FAILED:
            raise errors.Failure('No host answered: nothing was changed.')
        raw = self.facts_of(results)
        for each in results:
            if each.host and _NEEDED & each.host.problems.keys():
                raw.pop(each.name, None)
                self.say(
                    '%s: left as before, because of that.' % each.name,
                    error=True,
                )
        return results, raw

    def _apply(
        self, run: ty.Any, changes: ty.Sequence[_Change], doing: str
    ) -> dict[_Change, str]:
        """Make the changes and say what became of them.

        :param run: an apply.Run.
        :param changes: those that are planned.
        :returns: what became of each.
        :raises errors.Failure: if nothing was done.
        """
        stopped = ''
        try:
            with Progress(doing, len(changes)) as progress:
                for newest in run.steps():
                    changes = newest.changes
                    progress.step(run.done)
        except errors.Failure as e:
            if not run.done:
                raise errors.Failure('%s Nothing was changed.' % e) from e
            stopped = '%s ' % e
        except KeyboardInterrupt:
            stopped = 'Interrupted. '
        outcomes = dict(run.outcomes)
        if not run.converged:
            for change in changes:
                outcomes.setdefault(change, report.NOT_TRIED)
        undone = len(run.failed) + len(outcomes) - len(run.outcomes)
        self._closing = '%sChanges made: %d%s.' % (
            stopped,
            run.done,
            ', left: %d' % undone if undone else '',
        )
        if stopped or undone or not run.converged:
            self.exit_code = errors.FINDINGS
            self._is_undone = True
        return outcomes

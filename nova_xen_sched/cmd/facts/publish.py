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
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.facts import file

if ty.TYPE_CHECKING:
    from nova_xen_sched import facts
    from nova_xen_sched.cmd.facts import apply
    from nova_xen_sched.cmd.facts import nova_api

PLANNED = 'planned'
NOT_TRIED = 'not tried'
UNKNOWN = 'unknown'
#: What programs read of a change; all else is why it was left.
_CODES = {
    PLANNED: 'planned',
    NOT_TRIED: 'not_tried',
    'done': 'done',
    'not needed any more': 'not_needed',
}
#: Loggers whose warnings are said better in our own words.
_CHATTY = ('openstack', 'nova_xen_sched.log')
#: What of a host must have been read, or its facts are not all there.
_NEEDED = frozenset(
    {'hypervisor', 'libvirt_version', 'xen_version', 'dom0', 'memory'}
)


COLUMNS = {
    # Long names have lines of their own in the first column.
    'host': tables.Column('Host', 'the host that is added or removed'),
    'change': tables.Column(
        'Change', 'create, set, add_host, remove_host or delete'
    ),
    'aggregate': tables.Column('Aggregate', 'its name'),
    'metadata': tables.Column(
        'Metadata',
        'what is set; -KEY, in JSON null, is removed',
        tables.LONG,
    ),
    'result': tables.Column(
        'Result',
        'planned, done, not_needed, not_tried or left; for a person it says '
        'why it was left',
    ),
    'reason': tables.Column('Reason', 'why it was left', tables.LONG),
}

_EPILOG = """\
columns:
%s

exit codes:
  0  all is published, or would be with --apply
  1  some hosts were left out, placement has no reserve of some, or some change
     was not made
  2  nothing was done
""" % tables.described(COLUMNS)


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

    What changes for each host is printed to stderr before.
    """

    COLUMNS = COLUMNS
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
            'they are left as they are.',
        )
        parser.add_argument(
            '--apply',
            action='store_true',
            help='Make the changes. Without it they are only printed.',
        )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        super().check_usage(parsed_args)
        args = parsed_args
        connect = args.connect or args.nova_host
        if sum(map(bool, (args.from_file, connect, args.from_placement))) > 1:
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
        for line in _lines(goal, before, plan, prune):
            self.say(line)
        lacking = reserves.lacking or reserves.error
        if lacking or goal.unknown or plan.blocked:
            self.exit_code = errors.FINDINGS
        if parsed_args.apply:
            run = apply.Applying(cloud, goal.facts, prune, goal.spared)
            outcomes = self._apply(run, plan)
        else:
            outcomes = dict.fromkeys(plan.changes, PLANNED)
            of = tables.counted(len(goal.facts))
            self._closing = (
                'Nothing to change: the facts of %s are there.' % of
            )
            if plan.changes:
                self._closing = (
                    '%s would be made, for the facts of %s.\nNothing was '
                    'changed: add --apply.'
                    % (tables.counted(len(plan.changes), 'change'), of)
                )
        return tuple(COLUMNS), [_row(*each) for each in outcomes.items()]

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
        self, run: apply.Applying, plan: planning.Plan
    ) -> dict[planning.Change, str]:
        """Make the changes and say what became of them.

        :returns: what became of each.
        :raises errors.Failure: if nothing was done.
        """
        stopped = ''
        total = len(plan.changes)
        try:
            with Progress('Changing aggregates', total) as progress:
                for newest in run.steps():
                    plan = newest
                    progress.step(run.done)
        except errors.Failure as e:
            if not run.done:
                raise errors.Failure('%s Nothing was changed.' % e) from e
            stopped = '%s ' % e
        except KeyboardInterrupt:
            stopped = 'Interrupted. '
        outcomes = dict(run.outcomes)
        if not run.converged:
            for change in plan.changes:
                outcomes.setdefault(change, NOT_TRIED)
        undone = len(run.failed) + len(outcomes) - len(run.outcomes)
        self._closing = '%sChanges made: %d%s.' % (
            stopped,
            run.done,
            ', left: %d' % undone if undone else '',
        )
        if stopped or undone or not run.converged:
            self.exit_code = errors.FINDINGS
            self._is_undone = True
            self._closing += (
                '\nEach host has its old facts, its new ones, or the lower of '
                'both. Run it again.'
            )
        return outcomes


def _lines(
    goal: desired.Desired,
    before: list[aggregates.Aggregate],
    plan: planning.Plan,
    prune: bool,
) -> ty.Iterator[str]:
    """What changes for each host, and what doesn't and why.

    :param before: the aggregates that there are.
    """
    after = planning.applied(before, plan.changes)
    for hosts, changed in aggregates.differences(before, after):
        yield tables.listed(hosts)
        for key, (old, new) in changed.items():
            yield '  %s: %s -> %s' % (key, old or UNKNOWN, new or UNKNOWN)
    if goal.unknown:
        yield 'nova has no host %s: not published.' % tables.listed(
            goal.unknown
        )
    for name, hosts in sorted(plan.blocked.items()):
        yield (
            'Aggregate %s is not ours (it needs %s=%s and no availability '
            'zone) and is in the way: %s left as before.'
            % (
                name,
                aggregates.MANAGED_BY,
                aggregates.OWNER,
                tables.listed(hosts),
            )
        )
    for name in plan.kept:
        yield (
            'Aggregate %s is kept, though empty, for metadata in it that '
            "isn't ours." % name
        )
    for host, key, value, names in aggregates.overrides(goal.facts, after):
        yield (
            '%s: %s stays %s, because aggregate %s, which is not ours, has it.'
            % (host, key, value, ', '.join(names))
        )
    others = aggregates.others(goal.facts.keys() | goal.spared, before)
    if others and not prune:
        yield (
            'Left as before, because no facts of them were given (--prune '
            'takes them out): %s.' % tables.listed(others)
        )


def _row(change: planning.Change, outcome: str) -> tuple[ty.Any, ...]:
    metadata = tables.Structured(
        dict(change.metadata),
        '\n'.join(
            '-%s' % key if value is None else '%s=%s' % (key, value)
            for key, value in change.metadata
        ),
    )
    code = _CODES.get(outcome, 'left')
    return (
        change.host or None,
        change.action,
        change.aggregate,
        metadata,
        tables.Structured(code, outcome),
        None if outcome in _CODES else outcome,
    )

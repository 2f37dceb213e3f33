# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched rebalance: moves that take dom0s out of overcommitment."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import one_object
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.moves import check_plan
from nova_xen_sched.cmd.moves import fields
from nova_xen_sched.cmd.moves import plan
from nova_xen_sched.cmd.moves import read
from nova_xen_sched.cmd.moves import stays
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.planner import even
from nova_xen_sched.planner import rebalance
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

OVERCOMMITTED, EVEN = 'overcommitted', 'even'

_EPILOG = """\
columns:
%s

json and yaml are one object: outcome (when the plan was made, a digest of
what it saw, its flags, its totals, which dom0s stay overcommitted and why,
and with --check whether the plan holds), and moves, a list with these
columns.

Each move is judged as nova would judge it after the moves before it. Carry
them out in their order, one after the other. Nothing is moved here.

exit codes:
  0  nothing to do; with --check: the plan holds and is enough, so that no
     dom0 stays overcommitted (of drain: no guest stays on the host)
  1  moves are proposed or refused, or a dom0 stays overcommitted, or a cell
     could not be read; with --check: the plan holds no more or is not enough
  2  wrong usage, or something needed is out of reach
""" % tables.described(fields.COLUMNS)


class Rebalance(base.Lister):
    """Propose moves that take dom0s out of overcommitment.

    As few as can be, live migrations first.
    """

    COLUMNS = fields.COLUMNS
    _epilog = _EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--until',
            choices=(OVERCOMMITTED, EVEN),
            default=OVERCOMMITTED,
            help='overcommitted: until no dom0 is (the default). even: then '
            'on by live migrations, to even headroom, as far as a move gains '
            'enough.',
        )
        parser.add_argument(
            '--min-gain',
            metavar='PERCENT',
            type=guest_arguments.percent,
            help='With --until even: by how many points a move raises the '
            'headroom of the fuller one of its two hosts at least '
            '(%d).' % even.MIN_GAIN,
        )
        parser.add_argument(
            '--max-moves',
            metavar='N',
            type=guest_arguments.whole,
            help='No more moves than this; the worst hosts come first.',
        )
        parser.add_argument(
            '--from',
            dest='sources',
            metavar='HOST',
            action='append',
            default=[],
            type=options.filled,
            help='Move guests from this host alone; may be given several '
            'times.',
        )
        parser.add_argument(
            '--check',
            metavar='PLAN',
            type=options.filled,
            help='Make no plan, but say whether this one, a file written with '
            '-f json, still holds, and list the moves that are left of it; '
            'none if it does not. It is checked with the --shared-storage, '
            '--live-only and --include-locked that it was made with.',
        )
        fields.add_arguments(parser)
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        super().check_usage(parsed_args)
        args = parsed_args
        if args.check and (
            args.max_moves
            or args.sources
            or args.exclude
            or args.until == EVEN
            or args.min_gain is not None
        ):
            raise errors.Failure(
                '--check goes without --until, --min-gain, --max-moves, '
                '--from and --exclude: the plan has them in it.'
            )
        if args.min_gain is not None and args.until != EVEN:
            raise errors.Failure('--min-gain goes with --until even alone.')

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        args = parsed_args
        kept = None
        if args.check:
            kept = check_plan.load(args.check)
            check_plan.use_flags(args, kept)
        if args.min_gain is None:
            args.min_gain = even.MIN_GAIN
        planned = read.read(self, args)
        allowed = self._allowed(args, planned)
        cloud = planned.found.cloud
        checked = None
        if kept is not None:
            after, checked = check_plan.check(self, planned, kept)
        else:
            after, short = self._planned(args, planned, allowed)
        before = plan.overcommitted(State(cloud))
        left = _left(after, planned, allowed)
        if checked is None:
            is_even = args.until == EVEN
            for line in _sentences(cloud, before, after, short, is_even):
                self.say(line)
            if after.moves or left or short:
                self.exit_code = errors.FINDINGS
        if args.formatter in ('json', 'yaml'):
            outcome = plan.outcome(
                cloud,
                fields.flags(args),
                before,
                after,
                [
                    {
                        'host': host,
                        'headroom': headroom,
                        'guests': [
                            {
                                'server': guest.name,
                                'server_id': guest.uuid,
                                'why': why,
                            }
                            for why, guests in reasons.items()
                            for guest in guests
                        ],
                    }
                    for host, headroom, reasons in left
                ],
            )
            outcome['check'] = checked and checked._asdict()
            self.formatter: ty.Any = one_object.OneObject(
                self.formatter, outcome, 'moves'
            )
        elif args.formatter in base.PERSONS and not args.columns:
            self.parts = _parts(left) if checked is None else ()
        return tuple(fields.COLUMNS), plan.rows(planned.found, after.moves)

    @staticmethod
    def _allowed(
        args: argparse.Namespace, planned: read.Planned
    ) -> ty.Callable[[Guest], bool]:
        """Which guests may be moved."""
        sources = {read.host(planned.found, name) for name in args.sources}

        def allowed(guest: Guest) -> bool:
            return planned.allowed(guest) and (
                not sources or guest.host in sources
            )

        return allowed

    @staticmethod
    def _planned(
        args: argparse.Namespace,
        planned: read.Planned,
        allowed: ty.Callable[[Guest], bool],
    ) -> tuple[State, str]:
        """The state after a plan, and why it ends early, '' if it doesn't."""
        # It imports nova, which is there now.
        from nova_xen_sched.cmd.nova import moving

        def make(state: State) -> None:
            rebalance.rebalance(
                state,
                planned.operations,
                allowed,
                args.min_gain if args.until == EVEN else None,
                args.max_moves,
            )

        with Progress('Planning'):
            return moving.planned(planned.cloud, planned.found, make)


def _left(
    state: State,
    planned: read.Planned,
    allowed: ty.Callable[[Guest], bool],
) -> list[tuple[str, float, dict[str, list[Guest]]]]:
    """The hosts that stay overcommitted: headroom, and guests by reason."""
    found = []
    for host in plan.overcommitted(state):
        reasons: dict[str, list[Guest]] = {}
        for guest in state.guests(host):
            if allowed(guest):
                why = stays.why(state, guest, planned.operations)
            elif planned.allowed(guest):
                why = stays.NOT_FROM
            else:
                why = stays.EXCLUDED
            reasons.setdefault(why, []).append(guest)
        found.append((host, round(state.headroom(host), 4), reasons))
    return found


def _parts(
    left: ty.Iterable[tuple[str, float, dict[str, list[Guest]]]],
) -> list[tables.Part]:
    """What a person reads of hosts that stay overcommitted."""
    parts: list[tables.Part] = []
    for host, headroom, reasons in left:
        parts += [
            '',
            '%s stays overcommitted, with a headroom of %.0f %%. Its guests:'
            % (host, headroom * 100),
        ]
        parts += [
            tables.text(
                '  %s: %s'
                % (tables.listed(guest.name for guest in guests), why)
            )
            for why, guests in reasons.items()
        ]
        if not reasons:
            parts.append('  none that nova knows of')
    return parts


def _sentences(
    cloud: ty.Any,
    before: ty.Sequence[str],
    after: State,
    short: str,
    is_even: bool,
) -> ty.Iterator[str]:
    over = plan.overcommitted(after)
    moves = after.moves
    if short:
        yield 'The plan is not complete: %s.' % tables.text(short)
    if not moves:
        hosts = tables.counted(len(cloud.hosts), 'Xen host')
        if before:
            helps = '' if short else ' No move helps.'
            yield 'Overcommitted: %s.%s' % (tables.names(before), helps)
        elif short:
            yield 'None of the dom0s of %s is overcommitted.' % hosts
        else:
            yield (
                'Nothing to do: none of the dom0s of %s is overcommitted.'
                % hosts
            )
            if is_even:
                yield 'No live migration gains enough headroom (--min-gain).'
        return
    live = sum(move.operation is Operation.LIVE for move in moves)
    ram_mb = sum(move.guest.memory_mb for move in moves)
    yield '%s (%d live, %d cold), %.1f GiB of RAM to copy.' % (
        tables.counted(len(moves), 'move'),
        live,
        len(moves) - live,
        ram_mb / 1024,
    )
    yield 'Overcommitted dom0s: %d now, %d afterwards.' % (
        len(before),
        len(over),
    )

# SPDX-License-Identifier: Apache-2.0

"""Both plugins on hostile clouds: each host judged, and weighed.

An evaluation is one host judged, or weighed, for one request.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import math
import sys
import typing as ty
import zlib

from nova import context as nova_context
import nova.conf
from nova.scheduler import weights as nova_weights

from nova_xen_sched import filters
from nova_xen_sched import log
from nova_xen_sched import weights
from tests.unit import builders
from tools.bench import subjects
from tools.soak import clouds
from tools.soak import crowd
from tools.soak import meanwhile
from tools.soak.limits import Fault
from tools.soak.limits import Tally

#: One case in so many is judged in many threads too, or while it changes.
EVERY = 50
#: What may be logged as unexpected of a host whose types nova can't hold: it
#: says nothing of other hosts.
_OF_ONE_HOST = (
    'judging a host;',
    'weighing a host;',
    'reading an aggregate;',
    'reading the source of facts ',
    "reading a host's multiplier;",
)

#: The verdicts, and the weights, for each request.
Outcome = ty.List[ty.Tuple[ty.Tuple[bool, ...], ty.Tuple[float, ...]]]


class Watch(logging.Handler):
    """Writes each line of the plugins, and keeps what was unexpected.

    :param then: called after each line.
    """

    def __init__(self, then: ty.Callable[[], object]) -> None:
        super().__init__(logging.DEBUG)
        self._then = then
        #: What was being done, and the kind of exception.
        self.unexpected: ty.Counter[str] = collections.Counter()
        self.failed: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.format(record)
        except Exception as e:
            self.failed.append('%s: %s' % (record.msg, ascii(e)))
        self._then()


@contextlib.contextmanager
def watching(
    verbose: bool, then: ty.Callable[[], object] = lambda: None
) -> ty.Iterator[Watch]:
    """Look at what the plugins log, until this ends.

    :param verbose: whether their DEBUG lines are written too.
    :param then: called after each line.
    """
    logger = logging.getLogger('nova_xen_sched')
    watch = Watch(then)
    real, before = log.unexpected, logger.level
    read_cells = nova_context.scatter_gather_cells
    nova_context.scatter_gather_cells = _answer

    def unexpected(doing: str) -> None:
        kind = sys.exc_info()[0]
        watch.unexpected['%s %s' % (doing, kind and kind.__name__)] += 1
        real(doing)

    log.unexpected = unexpected  # type: ignore[assignment]
    # A case of its own, so that it can be run again by itself.
    log.NOTICES = log.Notices()
    logger.addHandler(watch)
    logger.propagate = False
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        yield watch
    finally:
        nova_context.scatter_gather_cells = read_cells
        log.unexpected = real  # type: ignore[assignment]
        logger.removeHandler(watch)
        logger.propagate = True
        logger.setLevel(before)


def _answer(
    _context: ty.Any, cells: list[ty.Any], *args: ty.Any, **kwargs: ty.Any
) -> dict[str, ty.Any]:
    """Stands for a cell's database: an answer for each instance."""
    answers: tuple[ty.Any, ...] = (
        ('migrating',),
        ('rebuilding',),
        ('resize_prep',),
        (None,),
        ('\ud800',),
        RuntimeError('mysql://nova:geheim@db lost'),
        nova_context.did_not_respond_sentinel,
    )
    uuid = args[-1]
    which = zlib.crc32(repr(uuid).encode('utf-8', 'replace')) % len(answers)
    return {cells[0].uuid: answers[which]}


class Plugins:
    """Both, as nova-scheduler makes them."""

    def __init__(self) -> None:
        logging.basicConfig(handlers=[logging.NullHandler()])
        nova.conf.CONF([], project='nova', default_config_files=[])
        self.filter = filters.XenHostFilter()
        self.weigher = weights.Dom0HeadroomWeigher()
        self._handler = nova_weights.HostWeightHandler()

    def judge(self, states: list[ty.Any], spec: ty.Any) -> tuple[bool, ...]:
        """Which hosts pass.

        :raises Fault: if they aren't some of these, in their order.
        """
        passed = list(map(id, self.filter.filter_all(states, spec)))
        known = set(passed)
        if passed != [id(each) for each in states if id(each) in known]:
            raise Fault('the hosts that passed are others, or in disorder')
        return tuple(id(each) in known for each in states)

    def weigh(self, states: list[ty.Any], spec: ty.Any) -> tuple[float, ...]:
        """nova's weights, with ours as the only weigher.

        :raises Fault: if one is not finite.
        """
        weighed = self._handler.get_weighed_objects(
            [self.weigher], states, spec
        )
        found = {id(each.obj): float(each.weight) for each in weighed}
        if not all(map(math.isfinite, found.values())):
            raise Fault('not all weights are finite')
        return tuple(found[id(each)] for each in states)

    def outcome(self, case: clouds.Case) -> Outcome:
        """What comes of a case."""
        return [
            (self.judge(case.states, spec), self.weigh(case.states, spec))
            for spec in case.requests
        ]

    def headrooms(
        self, states: list[ty.Any], spec: ty.Any
    ) -> list[tuple[str, float]]:
        """Of each host: its headroom, as text for nan's sake, and multiplier.

        :raises Fault: if they can't be told, which lets all weigh 0.
        """
        try:
            found = self.weigher.headrooms(builders.weighed(*states), spec)
        except Exception as e:
            raise Fault('no host can be weighed: %s' % ascii(e)) from e
        return [
            (repr(headroom), self.weigher.weight_multiplier(state))
            for headroom, state in zip(found, states)
        ]


_made: list[Plugins] = []


def plugins() -> Plugins:
    """Those of this process."""
    if not _made:
        _made.append(Plugins())
    return _made[0]


def check_eventlet(seed: int, tally: Tally) -> None:
    """Four cases, one of each kind and from this seed on, under eventlet."""
    both, seeds = plugins(), range(seed, seed + 4)
    found = crowd.eventlets(seeds)
    for each in seeds:
        case = clouds.build(each)
        with subjects.options(**case.options), watching(False):
            expected = crowd.digest(both.outcome(case))
        if found[str(each)] != expected:
            raise Fault('cloud %d is judged otherwise under eventlet' % each)
        tally.counts['evaluations, under eventlet'] += crowd.evaluations(case)


def check(seed: int, tally: Tally) -> None:
    """One case: see limits.run()."""
    both, case = plugins(), clouds.build(seed)
    tally.counts['clouds'] += 1
    with subjects.options(**case.options), watching(seed % 3 == 0) as watch:
        outcome = _check(both, case, tally)
        if seed % EVERY == 0:
            count = crowd.threads(both.outcome, case, outcome)
            tally.counts['evaluations, in 64 threads'] += count
        if seed % EVERY in (1, 2) and case.impossible == clouds.NOTHING:
            with meanwhile.changing(case):
                for spec in case.requests * 4:
                    tally.timed(
                        'judging hosts that change',
                        lambda spec=spec: both.judge(case.states, spec),
                    )
                    tally.timed(
                        'weighing hosts that change',
                        lambda spec=spec: both.weigh(case.states, spec),
                    )
            tally.counts['evaluations, while hosts changed'] += (
                len(case.requests) * len(case.states) * 8
            )
    if watch.failed and case.impossible != clouds.ITS_REQUESTS:
        raise Fault("a line can't be written: %s" % watch.failed[0])
    for doing, count in watch.unexpected.items():
        if case.impossible == clouds.NOTHING or (
            case.impossible == clouds.ITS_HOSTS
            and not doing.startswith(_OF_ONE_HOST)
        ):
            raise Fault('logged as unexpected: %s' % doing)
        tally.odd[doing] += count


def _check(both: Plugins, case: clouds.Case, tally: Tally) -> Outcome:
    """The outcome in one thread, each host also judged by itself."""
    found: Outcome = []
    for spec in case.requests:
        verdicts = tally.timed(
            'judging %d hosts' % len(case.states),
            lambda spec=spec: both.judge(case.states, spec),
        )
        alone = tuple(
            verdict
            for state in case.states
            for verdict in both.judge([state], spec)
        )
        for number, (one, among) in enumerate(zip(alone, verdicts)):
            if one != among:
                raise Fault('host %d is judged otherwise alone' % number)
        weights_of_all = tally.timed(
            'weighing %d hosts' % len(case.states),
            lambda spec=spec: both.weigh(case.states, spec),
        )
        if case.impossible != clouds.ITS_REQUESTS:
            among = both.headrooms(case.states, spec)
            for number, state in enumerate(case.states):
                if both.headrooms([state], spec) != among[number : number + 1]:
                    raise Fault('host %d weighs otherwise alone' % number)
        found.append((verdicts, weights_of_all))
        tally.counts['evaluations, in one thread'] += 4 * len(case.states)
        tally.counts['refusals'] += verdicts.count(False)
    return found

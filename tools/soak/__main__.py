# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.soak``: hostile input, and what came of it."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import typing as ty

from tools import printing
from tools.bench import report as bench
from tools.soak import limits
from tools.soak import page
from tools.soak import parts
from tools.soak.parts import Part

#: Of the whole run: what takes a minute on two cores.
SMALL = 0.004
#: Evaluations of the whole run.
EVALUATIONS = 10**7
#: Seconds after which a batch that is waited for never ends: its process
#: hangs where no signal reaches it, or has died.
PATIENCE = 5 * limits.PATIENCE

HEAD = ('part', 'cases', 'slowest', 'most memory', 'faults', 'what was done')


def _run(
    chosen: ty.Sequence[Part], first: int, length: float
) -> dict[str, limits.Tally]:
    """Run parts in as many processes as there are cores.

    A batch without an answer is a fault, and the last thing that is run.
    """
    progress = printing.Progress()
    # Fresh processes: each has a configuration of its own.
    context = multiprocessing.get_context('spawn')
    found = {part.name: limits.Tally() for part in chosen}
    with context.Pool(os.cpu_count() or 1) as workers:
        results = [
            (part, seeds, workers.apply_async(parts.run, (part.name, seeds)))
            for part in chosen
            for seeds in part.batches(first, length)
        ]
        for number, (part, seeds, result) in enumerate(results, 1):
            try:
                found[part.name].add(result.get(PATIENCE))
            except multiprocessing.TimeoutError:
                fault = 'its process hangs or died, at this seed or up to %d'
                found[part.name].faults.append((seeds[0], fault % seeds[-1]))
                break
            if number % max(1, len(results) // 20) == 0:
                progress('%s: %d of %d' % (part.name, number, len(results)))
    progress.done()
    return found


def _row(part: Part, tally: limits.Tally, cases: int) -> tuple[str, ...]:
    return (
        part.name,
        '%d' % cases,
        '%.2f s' % tally.slowest,
        '%.1f MiB' % tally.peak_mb if part.bound_memory else '',
        '%d' % len(tally.faults),
        ', '.join('%d %s' % (n, what) for what, n in tally.counts.items()),
    )


def _verdicts(
    found: ty.Mapping[str, limits.Tally], length: float
) -> list[printing.Verdict]:
    made = [
        printing.Verdict(
            '%s: no exception, nothing over %.0f s%s'
            % (
                name,
                limits.SECONDS,
                ' or %.0f MiB' % limits.MEMORY_MB
                if parts.BY_NAME[name].bound_memory
                else '',
            ),
            not tally.faults,
        )
        for name, tally in found.items()
    ]
    done = sum(
        count
        for tally in found.values()
        for what, count in tally.counts.items()
        if what.startswith('evaluations')
    )
    if done:
        wanted = int(EVALUATIONS * length)
        text = '%d evaluations, of %d' % (done, wanted)
        made.append(printing.Verdict(text, done >= wanted))
    return made


def _options(argv: ty.Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m tools.soak', description=__doc__
    )
    parser.add_argument(
        '--length',
        type=float,
        default=1.0,
        help='a part of the whole run, which takes long: 0.1',
    )
    parser.add_argument(
        '--small', action='store_true', help='a minute: --length %s' % SMALL
    )
    parser.add_argument(
        '--only',
        action='append',
        choices=list(parts.BY_NAME),
        help='these parts; the others are left out',
    )
    parser.add_argument(
        '--first', type=int, help='the first seed, instead of any'
    )
    parser.add_argument(
        '--seed',
        type=int,
        help='this case alone, of the part that --only names',
    )
    parser.add_argument(
        '--docs', metavar='DIR', help='write the figures into soak.rst there'
    )
    return parser.parse_args(argv)


def _show_faults(found: ty.Mapping[str, limits.Tally]) -> None:
    for name, tally in found.items():
        for seed, text in tally.faults[:10]:
            print('%s, seed %d: %s' % (name, seed, text))
            print(
                '    python -m tools.soak --only %s --seed %d' % (name, seed)
            )
        if len(tally.faults) > 10:
            print('%s: %d more' % (name, len(tally.faults) - 10))


def main(argv: ty.Sequence[str] | None = None) -> int:
    options = _options(argv)
    chosen = [parts.BY_NAME[name] for name in options.only or parts.BY_NAME]
    if options.seed is not None:
        tallies = {
            part.name: parts.run(part.name, [options.seed]) for part in chosen
        }
        _show_faults(tallies)
        return 1 if any(tally.faults for tally in tallies.values()) else 0
    length = SMALL if options.small else options.length
    first = options.first
    if first is None:
        # Others each time, so that more is found in the course of time.
        first = random.randrange(10**9)
    print('%g of the whole run, seeds from %d' % (length, first), flush=True)
    found = _run(chosen, first, length)
    rows = [
        _row(part, found[part.name], part.cases(length)) for part in chosen
    ]
    printing.heading('Hostile input')
    for row in rows:
        printing.wrapped('; '.join(map(': '.join, zip(HEAD, row))), '', '  ')
    odd = limits.Tally()
    for tally in found.values():
        odd.add(tally)
    unexpected = [(count, what) for what, count in odd.odd.most_common()]
    printing.heading("Logged as unexpected, of what nova's objects refuse")
    printing.table(('times', 'while'), unexpected)
    print()
    _show_faults(found)
    verdicts = _verdicts(found, length)
    good = printing.verdicts(verdicts)
    if options.docs:
        page.put(
            options.docs,
            'Hostile hosts, requests, files, documents and images',
            [
                'Taken on: %s. %g of the whole run, seeds from %d.'
                % (bench.machine(), length, first),
                '',
                *printing.rst(HEAD, rows),
                '',
                'Logged as unexpected, of hosts or requests that hold what '
                "nova's own objects refuse; of others nothing was:",
                '',
                *printing.rst(
                    ('times', 'while'),
                    [(str(count), what) for count, what in unexpected],
                ),
                '',
                *('* ' + str(each) for each in verdicts),
            ],
        )
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0

"""The same case in many threads at once, native ones and eventlet's.

``python -m tools.soak.crowd SEED...`` is the process that eventlet patches,
as nova patches its own: JSON on standard output.
"""

from __future__ import annotations

from concurrent import futures
import hashlib
import json
import os
import subprocess
import sys
import time
import typing as ty

from tools.soak.limits import Fault

THREADS = 64


def _same(outcomes: ty.Iterable[ty.Any], expected: ty.Any, where: str) -> None:
    for found in outcomes:
        for number, (one, other) in enumerate(zip(found, expected)):
            if one != other:
                raise Fault(
                    'request %d is answered otherwise %s' % (number, where)
                )


def evaluations(case: ty.Any) -> int:
    """Of a case in all threads."""
    return THREADS * 2 * len(case.states) * len(case.requests)


def threads(
    outcome: ty.Callable[[ty.Any], ty.Any], case: ty.Any, expected: ty.Any
) -> int:
    """Compare many threads' outcomes with one thread's.

    :returns: how many evaluations that was.
    :raises Fault: if one differs.
    """
    with futures.ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(outcome, case) for _ in range(THREADS)]
        _same((each.result() for each in running), expected, 'in threads')
    return evaluations(case)


def digest(outcome: ty.Any) -> str:
    return hashlib.sha256(repr(outcome).encode()).hexdigest()


def eventlets(seeds: ty.Sequence[int]) -> dict[str, str]:
    """The digests of cases under eventlet, by their seeds as text.

    :raises Fault: if threads differ, or that process fails.
    """
    done = subprocess.run(
        [sys.executable, '-m', __name__, *map(str, seeds)],
        capture_output=True,
        env=dict(os.environ, OS_NOVA_DISABLE_EVENTLET_PATCHING='false'),
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode('utf-8', 'replace').strip().split('\n')
        raise Fault('under eventlet: %s' % said[-1])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    from nova import monkey_patch

    monkey_patch.patch()
    import eventlet
    from eventlet import patcher

    from tools.bench import subjects
    from tools.soak import clouds
    from tools.soak import evaluate

    assert patcher.is_monkey_patched('thread')
    both, found = evaluate.plugins(), {}
    for seed in map(int, sys.argv[1:]):
        case = clouds.build(seed)
        # A turn for the others after each line that is logged.
        watching = evaluate.watching(True, lambda: time.sleep(0))
        with subjects.options(**case.options), watching:
            pool = eventlet.GreenPool(THREADS)
            outcomes = list(pool.imap(both.outcome, [case] * THREADS))
        _same(outcomes, outcomes[0], 'under eventlet (seed %d)' % seed)
        found[str(seed)] = digest(outcomes[0])
    print(json.dumps(found))


if __name__ == '__main__':
    main()

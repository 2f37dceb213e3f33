# SPDX-License-Identifier: Apache-2.0

"""Values that nobody expects, and documents that were damaged."""

from __future__ import annotations

import random
import typing as ty

#: Texts that any field of text may hold.
TEXTS = (
    '',
    ' ',
    '\n',
    '\0',
    '0',
    '-1',
    '1',
    '4096',
    '1e308',
    '-1e308',
    '1e400',
    'nan',
    'inf',
    '-inf',
    'None',
    'null',
    'true',
    'FALSE',
    '4.17',
    '4.17.3',
    '1.2.15',
    '99999999999.1',
    '1.2.3.4.5.6',
    '9' * 18,
    '9' * 19,
    '9' * 5000,
    '-' + '9' * 5000,
    '\u0664\u066b\u0661\u0667',
    '\u0967\u0968\u0969',
    '\xb2',
    'Ünïcödé',
    '\u202egnp.exe',
    '\U0001f4a9' * 40,
    '\ud800',
    'xen',
    'Xen',
    'hvm',
    '2026-11-22T10:00:00Z',
    '0001-01-01T00:00:00+23:59',
    '9999-12-31T23:59:59-23:59',
    '%s%n%(x)s{0}',
    "'; DROP TABLE hosts; --",
    'mysql+pymysql://nova:geheim@db/nova',
    'x' * 2000,
    '{"maxphysaddr": {"bits": 46}}',
    '{"maxphysaddr": {"bits": NaN}}',
    '[' * 5000,
)
#: Whole numbers that nova can hold: its database has 32 bits for each.
INTEGERS = (
    0,
    1,
    -1,
    2,
    511,
    512,
    4096,
    65536,
    -65536,
    2**31 - 1,
    -(2**31),
)
#: And those that it can't hold.
ENORMOUS = (2**63, -(10**30), 10**400)


class _Spiteful:
    """Raises whatever is asked of it."""

    def _raise(self, *_: object) -> ty.Any:
        raise RuntimeError('asked of a spiteful object')

    __eq__ = __lt__ = __hash__ = __str__ = __repr__ = _raise  # type: ignore[assignment]
    __bool__ = __iter__ = __len__ = __getitem__ = __int__ = _raise
    __float__ = __contains__ = _raise


#: What nova's objects never hold where these are put.
_WRONG: tuple[ty.Any, ...] = (
    None,
    True,
    float('nan'),
    float('inf'),
    -1.5,
    1e300,
    b'bytes',
    (),
    [],
    [[]],
    [None],
    [1, 2, 3],
    [('x86_64', 'xen')],
    [[[], {}, None]],
    {},
    {'num_instances': 'many'},
    {1: 2},
    {'metadata': None},
    set(),
    object(),
    object,
    _Spiteful(),
    *TEXTS[:4],
    *INTEGERS[:4],
    *ENORMOUS,
    'x' * 10**5,
    10**5000,
)


def wrong(rng: random.Random) -> ty.Any:
    """A value of a type that nova's objects never have there."""
    return rng.choice(_WRONG)


_SIGNS = '<>&\'"[]{}:,-*!|\t\n#?@%`'


def damaged(rng: random.Random, text: str) -> str:
    """A document after some accidents."""
    for _ in range(rng.randrange(1, 6)):
        size = len(text)
        at = rng.randrange(size + 1)
        to = min(size, at + int(rng.expovariate(1 / 40)))
        kind = rng.randrange(7)
        if kind == 0:
            text = text[:at]
        elif kind == 1:
            text = text[:at] + text[to:]
        elif kind == 2:
            text = text[:at] + text[at:to] * rng.choice((2, 3, 50)) + text[to:]
        elif kind == 3:
            text = text[:at] + rng.choice(TEXTS) + text[at:]
        elif kind == 4:
            text = text[:at] + chr(rng.randrange(0xD800)) + text[at + 1 :]
        elif kind == 5:
            text = (
                text[:at] + rng.choice('<>&\'"[]{}:,-*!|\t\n#?@%`') + text[at:]
            )
        else:
            other = rng.randrange(size + 1)
            text = text[:other] + text[at:to] + text[other:]
        # Damage upon damage must not grow without end.
        text = text[:65536]
    return text

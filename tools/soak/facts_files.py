# SPDX-License-Identifier: Apache-2.0

"""Hostile facts files: through the parser, and before a running filter."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import shutil
import tempfile
import typing as ty
import zlib

from nova_xen_sched import facts
from nova_xen_sched import plugin
from nova_xen_sched.cmd.facts import edit_file
from nova_xen_sched.facts import gather
from nova_xen_sched.facts import parse_file
from tests.unit import builders
from tools.bench import subjects
from tools.bench import world
from tools.soak import evaluate
from tools.soak import mutations
from tools.soak.limits import Fault
from tools.soak.limits import Tally

_NAMES = ('host-00000.example.org', 'a' * 60, 'xen-1', 'Ünïcödé', '')

_GOOD = """\
version: 1
defaults: &all {dom0_memory_mb: 4096, dom0_vcpus: 4}
patterns:
  - match: "xen-[0-9]*"   # of one kind
    xen_version: "4.17.3"
    libvirt_version: '9.0.0'
  - {match: "host-*", libvirt_migration_backports: true}
hosts:
  host-00000.example.org:
    <<: *all
    observed_at: 2026-11-22T10:00:00Z
    reserved_host_memory_mb: 512
  xen-1: {dom0_vcpus: 8}
"""


@functools.lru_cache(maxsize=None)
def _many() -> str:
    return world.facts_file(world.Shape(100, facts=world.FILE))


def _bombs(rng: random.Random) -> ty.Iterator[str]:
    """Small files that could take much."""
    deep, wide = rng.randrange(2, 60), rng.randrange(2, 12)
    yield 'version: 1\nhosts: ' + '[' * deep * 500
    yield 'version: 1\nhosts: ' + '{a: ' * deep + '1' + '}' * deep
    yield 'version: 1\nhosts: ' + '- ' * deep * 100
    yield '%s: 1' % ('? ' * deep * 100)
    for entry, begin in (('[%s]', '[x]'), ('{<<: [%s]}', '{dom0_vcpus: 1}')):
        # Each names the one before many times over.
        lines = ['version: 1', 'a0: &a0 ' + begin]
        for number in range(1, rng.randrange(2, 9)):
            again = ', '.join(['*a%d' % (number - 1)] * wide)
            lines.append('a%d: &a%d %s' % (number, number, entry % again))
        yield '\n'.join([*lines, 'hosts: {h: *a%d}' % (len(lines) - 2)])
    stars = '*'.join(rng.choice(('a', 'aa', '?')) for _ in range(deep))
    yield 'version: 1\npatterns: [{match: "*%s*b"}]' % stars
    yield 'version: 1\npatterns:\n' + ''.join(
        '- {match: "*a*%d*b"}\n' % n for n in range(deep * 20)
    )
    yield 'version: 1\npatterns: [{match: "%s"}]' % ('[!a' * deep * 9)
    for digits in ('9', '0x' + 'f', '1:', '0b1', '1_', '.9', '9e9'):
        yield 'version: 1\ndefaults: {dom0_vcpus: %s1}' % (digits * 6000)
    yield 'version: 1\nhosts: {h: {observed_at: 9999-99-99 25:61:61}}'
    yield 'version: 1\nhosts: &h {h: *h}'
    yield 'version: 1\nhosts:\n  xen-1: &x\n    dom0_vcpus: 1\n    <<: *x\n'
    yield 'version: 1\n<<: {<<: {<<: 1}}'
    for tag in ('!!python/object/apply:os.system [id]', '!!binary x', '!!set'):
        yield 'version: 1\nhosts: {h: %s}' % tag
    yield 'version: 1\n---\nversion: 1\n...\n%YAML 9.9\n---\n'
    yield ''.join('&a%d ' % n for n in range(deep)) + 'version: 1'
    yield 'version: 1\nhosts:\n' + ''.join(
        '  h%d: {dom0_vcpus: %d}\n' % (n, n) for n in range(deep * 20)
    )


def _values(rng: random.Random) -> str:
    """Facts of every kind with values of every kind."""
    values = (*mutations.TEXTS, *mutations.INTEGERS, None, True, 1.5, [], {})

    def entry() -> dict[str, ty.Any]:
        return {
            rng.choice((*facts.BY_NAME, rng.choice(mutations.TEXTS))): (
                rng.choice(values)
            )
            for _ in range(rng.randrange(8))
        }

    data: dict[str, ty.Any] = {
        'version': rng.choice((1, 1, 1, 1, '1', True, 2)),
        'defaults': entry(),
        'patterns': [
            {'match': rng.choice(('xen-*', *mutations.TEXTS)), **entry()}
            for _ in range(rng.randrange(5))
        ],
        'hosts': {
            rng.choice((*_NAMES, *mutations.TEXTS)): entry()
            for _ in range(rng.randrange(9))
        },
    }
    if rng.random() < 0.2:
        data[rng.choice(list(data))] = rng.choice(values)
    return json.dumps(data)


def made(rng: random.Random) -> bytes:
    """A hostile file; a few are good by chance."""
    kind = rng.random()
    if kind < 0.3:
        text = _values(rng)
    elif kind < 0.4:
        text = rng.choice(list(_bombs(rng)))
    else:
        text = rng.choice((_GOOD, _GOOD, _GOOD, _many()))
    if kind > 0.35:
        text = mutations.damaged(rng, text)
    coding = rng.choice(('utf-8',) * 8 + ('utf-16', 'latin-1'))
    content = text.encode(coding, rng.choice(('replace', 'ignore')))
    if rng.random() < 0.1:
        at = rng.randrange(len(content) + 1)
        content = content[:at] + rng.randbytes(5) + content[at:]
    return content


def _read(content: bytes) -> parse_file.Table | None:
    """What the file says, None if it is broken as a whole."""
    try:
        return parse_file.load(content, 'a facts file')
    except parse_file.FileError as e:
        if '\n' in str(e):
            raise Fault('more than a line: %s' % ascii(str(e))) from e
        return None


def _edited(content: bytes) -> None:
    """What facts export makes of the file."""
    with contextlib.suppress(parse_file.FileError):
        edit_file.edited(
            content.decode(),
            {name: {'dom0_vcpus': 4} for name in _NAMES if name},
        )


def parsed(seed: int, tally: Tally) -> None:
    """One file through the parser: see limits.run()."""
    evaluate.plugins()
    content = made(random.Random(seed))
    with evaluate.watching(False) as watch:
        table = tally.timed('reading it', lambda: _read(content))
        if table is not None:
            for name in _NAMES:
                tally.timed(
                    'looking a host up',
                    lambda name=name: _known(table, name),
                )
            tally.timed('exporting into it', lambda: _edited(content))
        tally.counts['refused' if table is None else 'read'] += 1
    if watch.unexpected or watch.failed:
        raise Fault('logged: %s' % [*watch.unexpected, *watch.failed])


def _known(table: parse_file.Table, name: str) -> dict[str, ty.Any]:
    """What is known of a host, as a request has it."""
    raw = table.of(name, name)
    reported = [('file', k, v, type(v), False) for k, v in raw.items()]
    return {
        key: fact.value for key, fact in gather.merge(reported).known.items()
    }


def _replace(path: str, content: bytes) -> None:
    with open(path + '.new', 'wb') as f:
        f.write(content)
    # It lies there since long, as such files do.
    os.utime(path + '.new', (1e9, 1e9 + zlib.crc32(content) % 10**6))
    os.replace(path + '.new', path)


def _harm(rng: random.Random, path: str) -> bytes | None:
    """Something happens to the file; what it says then, if it is one."""
    kind = rng.randrange(8)
    if kind == 0:
        os.unlink(path)
    elif kind == 1:
        os.unlink(path)
        os.mkdir(path)
    elif kind == 2:
        os.unlink(path)
        os.mkfifo(path)
    elif kind == 3:
        os.truncate(path, 2**40)
    elif kind == 4:
        content = made(rng)
        # In place, and just now: torn where the reader looks.
        with open(path, 'wb') as f:
            f.write(content)
        return content
    else:
        content = made(rng)
        _replace(path, content)
        return content
    return None


def filtered(seed: int, tally: Tally) -> None:
    """A good file, then a hostile one, before a running filter."""
    rng, both = random.Random(seed), evaluate.plugins()
    states = [builders.state(name) for name in _NAMES]
    spec = builders.spec({'img_hv_type': 'xen'})
    _, gatherer = plugin.start()
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, 'facts.yaml')

    def in_force(expected: parse_file.Table | None, when: str) -> None:
        with evaluate.watching(True) as watch:
            tally.timed('filtering', lambda: both.judge(states, spec))
            tally.timed('weighing', lambda: both.weigh(states, spec))
            known = gatherer.for_request(states, facts.BY_NAME)
            for state in states:
                found = {
                    key: fact.value for key, fact in known(state).known.items()
                }
                if found != _known(expected, state.host):
                    raise Fault('other facts are in force %s' % when)
        if watch.unexpected or watch.failed:
            raise Fault('logged: %s' % [*watch.unexpected, *watch.failed])

    try:
        _replace(path, _GOOD.encode())
        options = {
            'host_facts_file': path,
            'live_migration_check': 'always',
            'min_xen_version': '4.17.0',
            'refuse_dom0_overcommit': True,
        }
        with subjects.options(**options):
            good = _read(_GOOD.encode())
            in_force(good, 'at first')
            content = _harm(rng, path)
            table = None if content is None else _read(content)
            in_force(table or good, 'afterwards')
            tally.counts['last good facts' if table is None else 'new'] += 1
    finally:
        shutil.rmtree(folder)

# SPDX-License-Identifier: Apache-2.0

"""The command, before a stand-in for nova and hosts that were never asked.

libvirt is stood for here; tests/functional/test_publish.py has the real nova.
"""

from __future__ import annotations

import io
import json
import logging

import pytest

from nova_xen_sched import xenhost
from nova_xen_sched.cmd import application
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import plain
from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.facts import publish as publishing
from nova_xen_sched.xenhost import read_many
from tests.unit.cmd import schemas
from tests.unit.cmd.facts import fake
from tests.unit.cmd.facts.test_plan import OLD
from tests.unit.cmd.facts.test_plan import ours

NAMES = ('xen-a1', 'xen-a2', 'xen-b1')


class Nova(fake.FakeNova):
    #: So many calls until it is away.
    patience = 1000
    #: Until placement is away.
    placements_patience = 1000
    #: By host, what placement has; None for 512 MiB of each.
    reserves = None

    def hosts(self):
        return [nova_api.Host(name, name + '.lan', True) for name in NAMES]

    def create(self, name):
        self._count()
        return super().create(name)

    def change(self, aggregate_id, change):
        self._count()
        super().change(aggregate_id, change)

    def reserved_mb(self, host):
        self.placements_patience -= 1
        if self.placements_patience < 0:
            raise errors.Failure('Placement is away.')
        if self.reserves is None:
            return 512
        return self.reserves.get(host.name)

    def _count(self):
        self.patience -= 1
        if self.patience < 0:
            raise errors.Failure('nova is away.')


@pytest.fixture
def cloud(monkeypatch):
    found = Nova(NAMES, [ours(1, OLD, *NAMES)])
    monkeypatch.setattr(nova_api, 'Nova', lambda name: found)
    return found


@pytest.fixture
def publish(monkeypatch):
    # It quietens loggers, which other tests listen to.
    monkeypatch.setattr(publishing, '_CHATTY', ())

    def run(*options, code=0):
        """The rows, and what is said beside them."""
        out, err = io.StringIO(), io.StringIO()
        program = application.App(stdout=out, stderr=err)
        program.command_manager.add_command(
            'facts publish', publishing.Publish
        )
        root = logging.getLogger()
        before = root.handlers, root.level
        try:
            ended = program.run(
                ['--config-file', '/dev/null']
                + ['facts', 'publish', '-f', 'json', *options]
            )
        finally:
            root.handlers, root.level = before
        assert ended == code, err.getvalue()
        rows = json.loads(out.getvalue() or 'null')
        if rows is not None:
            schemas.check('facts-publish', rows)
        return rows, err.getvalue()

    return run


@pytest.fixture
def answers(monkeypatch):
    found = {}

    def asked(uris, timeout, step=None):
        return [found[uri] for uri in uris]

    monkeypatch.setattr(read_many, 'read', asked)
    monkeypatch.setattr(read_many, 'installed', lambda: True)

    def add(uri, hostname=None, **fields):
        host = hostname and xenhost.XenHost(
            uri=uri,
            hostname=hostname,
            hypervisor='Xen',
            libvirt_version='9.0.0',
            dom0=xenhost.Dom0(4096, 4096, xenhost.FIXED, 4),
            **fields,
        )
        found[uri] = read_many.Result(uri, host, None if host else 'refused')
        return ['--connect', uri]

    return add


def told(*options):
    return [word for each in options for word in each]


def of(cloud, host):
    return [
        each.metadata['xen:libvirt_version']
        for each in cloud.now
        if host in each.hosts
    ]


@pytest.mark.parametrize(
    'value',
    [
        '0001-01-01',
        '0001-01-01T00:00:00+14:00',
        '9999-12-31T23:00:00-01:00',
    ],
)
def test_a_time_in_an_aggregate_of_anybody(cloud, answers, publish, value):
    metadata = {aggregates.OBSERVED_AT: value}
    cloud.now.append(
        aggregates.Aggregate(9, 'theirs', metadata, frozenset(NAMES))
    )
    rows, said = publish(*answers('xen://a', 'xen-a1.lan'))
    assert rows
    assert 'xen:libvirt_version: 1.2.5 -> 9.0.0' in said


def test_from_hosts_by_the_names_that_libvirt_has(cloud, answers, publish):
    options = told(
        answers('xen+ssh://1/system', 'xen-a1.lan'),
        answers('xen+ssh://2/system', 'XEN-A2'),
    )
    rows, _ = publish(*options, '--apply')
    assert {row['result'] for row in rows} == {'done'}
    assert [of(cloud, host) for host in NAMES] == [
        ['9.0.0'],
        ['9.0.0'],
        ['1.2.5'],
    ]


def test_who_did_not_answer_stays_even_if_pruned(cloud, answers, publish):
    options = told(
        answers('xen+ssh://x/system', 'xen-a1.lan'),
        answers('xen+ssh://xen-a2/system'),
    )
    _, said = publish(*options, '--apply', '--prune', code=1)
    assert 'xen-a2 (xen+ssh://xen-a2/system) did not answer' in said
    assert [of(cloud, host) for host in NAMES] == [['9.0.0'], ['1.2.5'], []]


def test_nothing_is_pruned_while_a_host_is_unknown(cloud, answers, publish):
    options = told(
        answers('xen+ssh://1/system', 'xen-a1.lan'),
        answers('xen+ssh://192.0.2.1/system'),
    )
    _, said = publish(*options, '--apply', '--prune', code=1)
    assert 'Nothing is pruned' in said
    assert 'nova has no host 192.0.2.1' in said
    assert [of(cloud, host) for host in NAMES] == [
        ['9.0.0'],
        ['1.2.5'],
        ['1.2.5'],
    ]


def test_a_host_that_answers_in_part_keeps_its_facts(cloud, answers, publish):
    options = told(
        answers('xen+ssh://1/system', 'xen-a1.lan'),
        answers('xen+ssh://2/system', 'xen-a2.lan', problems={'dom0': 'no'}),
        answers('xen+ssh://3/system', 'xen-b1.lan', problems={'uri': 'no'}),
    )
    _, said = publish(*options, '--apply', '--prune', code=1)
    assert 'xen-a2.lan: left as before' in said
    assert [of(cloud, host) for host in NAMES] == [
        ['9.0.0'],
        ['1.2.5'],
        ['9.0.0'],
    ]


def test_no_host_answers(cloud, answers, publish):
    rows, said = publish(*answers('xen+ssh://xen-a1/system'), code=2)
    assert rows is None
    assert 'No host answered' in said


def test_two_places_to_take_facts_from(publish):
    for options in (
        ('--from-file', 'x', '--connect', 'y'),
        ('--from-placement', '--nova-host', 'y'),
        ('--from-placement', '--from-file', 'x'),
    ):
        _, said = publish(*options, code=2)
        assert said == (
            'Give one of --from-file, --from-placement, or hosts with '
            '--connect.\n'
        )


@pytest.mark.parametrize('patience, code', [(0, 2), (1, 1), (3, 1)])
def test_nova_goes_away(cloud, answers, publish, patience, code):
    options = told(*(answers(n, n) for n in NAMES[:2]))
    cloud.patience = patience
    rows, said = publish(*options, '--apply', code=code)
    assert 'nova is away.' in said
    if code == 2:
        assert 'Nothing was changed' in said
        assert cloud.now == [ours(1, OLD, *NAMES)]
        return
    results = [row['result'] for row in rows]
    assert results == ['done'] * patience + ['not_tried'] * (6 - patience)
    assert 'Changes made: %d, left: %d.' % (patience, 6 - patience) in said
    # Later it is there again.
    cloud.patience = 1000
    publish(*options, '--apply')
    assert of(cloud, 'xen-a1') == ['9.0.0']


@pytest.mark.parametrize(
    'text, said',
    [
        (None, 'No such file or directory.'),
        ('version: 2', 'it says version: 2, not version: 1.'),
        ('version: 1\nhosts: {a: {dom0_vcpus: x}}', "'x', not a whole"),
        ('version: 1\nhosts: {a: {dom0_cpu: 3}}', 'there is no fact'),
        ('version: 1\nhosts: {1: {4: 5}}', "there is no fact '4'"),
    ],
)
def test_a_file_with_mistakes_is_refused(cloud, publish, tmp_path, text, said):
    path = tmp_path / 'facts.yaml'
    if text is not None:
        path.write_text(text)
    rows, line = publish(
        '--from-file', str(path), '--apply', '--prune', code=2
    )
    assert rows is None
    assert said in line.splitlines()[-1]
    assert not cloud.calls


def test_an_aggregate_is_in_the_way(cloud, answers, publish):
    raw = {'libvirt_version': '9.0.0', 'dom0_memory_mb': 4096}
    raw.update(dom0_vcpus=4, observed_at='2026-11-22T10:00:00Z')
    raw.update(reserved_host_memory_mb=512)
    name = aggregates.name_of(aggregates.metadata_of(raw))
    mine = aggregates.Aggregate(9, name, {'mine': 'x'})
    cloud.now.append(mine)
    rows, said = publish(*answers('xen-a1', 'xen-a1'), '--apply', code=1)
    assert rows == []
    assert 'Aggregate %s is not ours' % name in said
    assert cloud.now == [ours(1, OLD, *NAMES), mine]


RESERVED = 'xen:reserved_host_memory_mb'


def reserved(cloud, host):
    return [
        each.metadata.get(RESERVED) for each in cloud.now if host in each.hosts
    ]


@pytest.fixture
def of_all(tmp_path):
    """A file that states another reserve of one host, and none of another."""
    path = tmp_path / 'facts.yaml'
    path.write_text(
        'version: 1\nhosts:\n'
        '  xen-a1: {dom0_vcpus: 4, reserved_host_memory_mb: 1024}\n'
        '  xen-a2: {dom0_vcpus: 4, reserved_host_memory_mb: 4352}\n'
        '  xen-b1: {dom0_vcpus: 4}\n'
    )
    return ('--from-file', str(path), '--apply')


def test_what_placement_has_counts_before_what_is_told(cloud, publish, of_all):
    cloud.reserves = dict.fromkeys(NAMES, 4352)
    _, said = publish(*of_all)
    assert [reserved(cloud, host) for host in NAMES] == [['4352']] * 3
    assert said.count('as was given') == 1
    assert (
        'xen-a1: %s is 4352, as placement has it, and not 1024, as was '
        'given.\n' % RESERVED
    ) in said


def test_placement_is_away_in_the_middle(cloud, publish, of_all):
    cloud.reserves = dict.fromkeys(NAMES, 2048)
    publish('--from-placement', '--apply')
    cloud.placements_patience = 1
    cloud.reserves = dict.fromkeys(NAMES, 8192)
    _, said = publish(*of_all, code=1)
    # As placement has it, as is told, and as it was published.
    assert [reserved(cloud, host) for host in NAMES] == [
        ['8192'],
        ['4352'],
        ['2048'],
    ]
    assert (
        'Placement is away. %s of xen-a2, xen-b1 stays as it was given, '
        'or else as it was published.\n' % RESERVED
    ) in said


def test_placement_has_no_memory_of_a_host(cloud, publish, of_all):
    cloud.reserves = {'xen-a1': 1024, 'xen-b1': 512}
    _, said = publish(*of_all, code=1)
    assert [reserved(cloud, host) for host in NAMES] == [
        ['1024'],
        ['4352'],
        ['512'],
    ]
    assert (
        'Placement has no inventory of MEMORY_MB: %s of xen-a2' % (RESERVED)
        in said
    )


def test_the_reserves_alone(cloud, publish):
    cloud.reserves = {'xen-a1': 4352, 'xen-a2': 4352, 'xen-b1': 512}
    publish('--from-placement', '--apply')
    assert [reserved(cloud, host) for host in NAMES] == [
        ['4352'],
        ['4352'],
        ['512'],
    ]
    # What else was published stays.
    assert [of(cloud, host) for host in NAMES] == [['1.2.5']] * 3
    cloud.reserves['xen-a2'] = 512
    _, said = publish('--from-placement', '--apply')
    assert reserved(cloud, 'xen-a2') == ['512']
    assert 'as was given' not in said
    before = list(cloud.now)
    cloud.placements_patience = 0
    _, said = publish('--from-placement', '--apply', code=2)
    assert said == 'Placement is away.\n'
    assert cloud.now == before


def test_of_a_host_without_facts_nothing_is_asked(cloud, publish, tmp_path):
    path = tmp_path / 'facts.yaml'
    path.write_text('version: 1\nhosts: {xen-a1: {}}\n')
    cloud.placements_patience = 0
    publish('--from-file', str(path), '--apply')
    assert reserved(cloud, 'xen-a1') == []


def test_a_long_name_of_a_host_fits_a_terminal(monkeypatch, tmp_path):
    monkeypatch.setattr(plain, 'terminal', lambda stream: (80, False))
    long = 'xen-a1.' + 'rack-' * 10 + 'example'
    cloud = Nova([long], [ours(1, OLD, long)])
    monkeypatch.setattr(nova_api, 'Nova', lambda name: cloud)
    host = nova_api.Host(long, long, True)
    monkeypatch.setattr(Nova, 'hosts', lambda self: [host])
    path = tmp_path / 'facts.yaml'
    path.write_text('version: 1\ndefaults: {dom0_vcpus: 4}\n')
    out = io.StringIO()
    program = application.App(stdout=out, stderr=io.StringIO())
    monkeypatch.setattr(program, 'configure_logging', lambda: None)
    code = program.run(['facts', 'publish', '--from-file', str(path)])
    lines = out.getvalue().splitlines()
    assert (code, max(map(len, lines)) <= 80) == (0, True)
    at = lines.index(long)
    assert lines[at + 1].split()[0] == 'add_host'

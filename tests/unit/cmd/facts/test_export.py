# SPDX-License-Identifier: Apache-2.0

"""facts export: the file, the difference, the commands, the exit code."""

from __future__ import annotations

import json
import re
import shlex

import pytest
import yaml

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import provider
from nova_xen_sched.compute import launcher
from nova_xen_sched.xenhost import nova_conf
from tests.unit.cmd import schemas

# Fixtures, which pytest finds by their names.
# ruff: noqa: F811
from tests.unit.cmd.facts.test_show import A
from tests.unit.cmd.facts.test_show import B
from tests.unit.cmd.facts.test_show import C
from tests.unit.cmd.facts.test_show import HERE
from tests.unit.cmd.facts.test_show import hosts  # noqa: F401
from tests.unit.cmd.facts.test_show import run  # noqa: F401
from tests.unit.xenhost import captured


@pytest.fixture(autouse=True)
def now(monkeypatch):
    from nova_xen_sched.xenhost import to_facts

    monkeypatch.setattr(to_facts, 'now', lambda: '2026-11-23T10:00:00Z')


def export(run, *arguments):
    return run('facts', 'export', *arguments)


def test_a_new_file_is_printed(hosts, run):
    hosts[HERE] = 'xen-4.17-hvm'
    code, out, err = export(run)
    assert (code, err) == (0, '')
    assert yaml.safe_load(out) == {
        'version': 1,
        'hosts': {
            'xenhost3.example.org': {
                'libvirt_version': '9.0.0',
                'xen_version': '4.17.5',
                'dom0_memory_mb': 1024,
                'dom0_vcpus': 2,
                'observed_at': '2026-11-23T10:00:00Z',
            }
        },
    }


def test_the_traits_as_a_file_of_nova(hosts, run):
    hosts[HERE] = 'xen-4.17-hvm'
    code, out, err = export(run, '--format', 'provider-yaml')
    assert (code, err) == (0, '')
    assert out.startswith('# Traits of the Xen host xenhost3.example.org in')
    assert yaml.safe_load(out) == {
        'meta': {'schema_version': '1.0'},
        'providers': [
            {
                'identification': {'uuid': '$COMPUTE_NODE'},
                'traits': {'additional': list(provider.TRAITS)},
            }
        ],
    }
    hosts[HERE] = 'xen-4.14-pv-only'
    _, out, _ = export(run, '--format', 'provider-yaml')
    (found,) = yaml.safe_load(out)['providers']
    assert provider.PV in found['traits']['additional']
    assert provider.HVM not in found['traits']['additional']


def test_the_file_of_nova_as_nova_reads_it(hosts, run, tmp_path):
    provider_config = pytest.importorskip('nova.compute.provider_config')
    hosts[HERE] = 'xen-4.17-hvm'
    _, out, _ = export(run, '--format', 'provider-yaml')
    (tmp_path / 'xen.yaml').write_text(out)
    found = provider_config.get_provider_configs(str(tmp_path))
    assert found['$COMPUTE_NODE']['traits']['additional'] == list(
        provider.TRAITS
    )


def test_no_file_of_nova_for_whom_it_would_be_wrong(hosts, run, tmp_path):
    assert nova_conf.NOVA_COMPUTE_XEN == launcher.DRIVER
    hosts.update({HERE: 'xen-4.17-hvm', A: 'xen-4.14-hvm'})
    wanted = ('--format', 'provider-yaml')
    two = ('--connect', HERE, '--connect', A)
    code, out, err = export(run, *wanted, *two)
    assert (code, out) == (2, '')
    assert 'is of one host' in err
    path = tmp_path / 'nova.conf'
    path.write_text('[DEFAULT]\ncompute_driver = %s\n' % launcher.DRIVER)
    code, out, err = export(run, *wanted, '--config-file', str(path))
    assert (code, out) == (2, '')
    assert 'runs nova-compute-xen' in err


PROVIDER = ('--format', 'provider-yaml')
LIBVIRT = 'compute_driver = libvirt.LibvirtDriver\n'


def with_slots(run, tmp_path, *arguments, nova=LIBVIRT):
    """Export them, with a nova.conf of so many lines."""
    path = tmp_path / 'nova.conf'
    path.write_text('[DEFAULT]\nhost = a1\n' + nova)
    arguments = (*PROVIDER, '--slots', *arguments)
    return export(run, *arguments, '--config-file', str(path))


@pytest.mark.parametrize(
    'options, slots',
    [
        # As tests/unit/test_provider.py has it: dom0's memory, or its vCPUs.
        ('', 'model'),
        ('dom0_memory_mb_per_hvm_guest = 100\ndom0_base_memory_mb = 24\n', 10),
        ('dom0_guests_per_vcpu = 2\ndom0_base_vcpus = 0\n', 4),
    ],
)
def test_slots_as_nova_reads_them(hosts, run, tmp_path, options, slots):
    hosts[HERE] = 'xen-4.17-hvm'
    xen = LIBVIRT + '[xen_scheduler]\n' + options
    code, out, err = with_slots(run, tmp_path, nova=xen)
    assert (code, err) == (0, '')
    if slots == 'model':
        # The dom0 of the capture: 1024 MiB and 2 vCPUs.
        slots = provider.free_slots(
            conf.defaults().dom0_model, dom0.Load(0, 1024, 2)
        )
    assert slots > 0
    assert out.startswith('# Traits and slots of the Xen host a1 in')
    (found,) = yaml.safe_load(out)['providers']
    assert found['inventories']['additional'] == [
        {
            provider.DOM0_SLOT: {
                'total': slots,
                'reserved': 0,
                'min_unit': 1,
                'max_unit': slots,
                'step_size': 1,
                'allocation_ratio': 1.0,
            }
        }
    ]
    assert found['traits'] == {'additional': list(provider.TRAITS)}
    nova = pytest.importorskip('nova.compute.provider_config')
    (tmp_path / 'xen.yaml').write_text(out)
    (read,) = nova.get_provider_configs(str(tmp_path)).values()
    assert read['inventories'] == found['inventories']


def test_a_dom0_without_room_has_a_slot_that_nobody_can_use(
    hosts, run, tmp_path
):
    hosts[HERE] = 'xen-4.17-hvm'
    xen = LIBVIRT + '[xen_scheduler]\ndom0_base_memory_mb = 1024\n'
    _, out, _ = with_slots(run, tmp_path, nova=xen)
    (found,) = yaml.safe_load(out)['providers']
    (inventory,) = found['inventories']['additional'][0].values()
    assert (inventory['total'], inventory['reserved']) == (1, 1)


@pytest.mark.parametrize(
    'capture, nova, said',
    [
        (
            'xen-4.14-hvm-6-guests',
            LIBVIRT,
            r'a1 has 6 guests \(hvm1, pv1, pv2, pv3, pv4 and 1 more\), and',
        ),
        ('xen-4.14-dom0-unsized', LIBVIRT, 'no known fixed size'),
        ('xen-4.17-hvm', '', 'no nova.conf here says its compute_driver'),
        (
            'xen-4.17-hvm',
            'compute_driver = %s\n' % launcher.DRIVER,
            'runs nova-compute-xen',
        ),
    ],
)
def test_no_slots_where_they_would_be_wrong(
    hosts, run, tmp_path, capture, nova, said
):
    hosts[HERE] = capture
    code, out, err = with_slots(run, tmp_path, nova=nova)
    assert (code, out) == (2, '')
    assert re.search(said, ' '.join(err.split()))


def test_no_slots_of_a_host_that_may_run_nova_compute_xen(
    hosts, run, tmp_path
):
    hosts[A] = 'xen-4.17-hvm'
    code, out, err = with_slots(run, tmp_path, '--connect', A)
    assert (code, out) == (2, '')
    assert 'Write slots in its own dom0' in ' '.join(err.split())


def test_no_slots_where_guests_are_not_known(
    hosts, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        captured.Connection,
        'listAllDomains',
        lambda self: (_ for _ in ()).throw(captured.LibvirtError('no list')),
    )
    hosts[HERE] = 'xen-4.17-hvm'
    code, out, err = with_slots(run, tmp_path)
    assert (code, out) == (2, '')
    assert 'a1: guest_names is not known: no list.' in err
    assert 'its guests are not known' in ' '.join(err.split())


def test_slots_go_with_that_file_only(hosts, run):
    code, _, err = export(run, '--slots')
    assert code == 2 and '--format provider-yaml only' in err


def test_the_facts_as_json(hosts, run, tmp_path):
    hosts.update({HERE: 'xen-4.17-hvm', A: 'xen-4.14-hvm'})
    options = ('--connect', HERE, '--connect', A)
    code, out, _ = export(run, '--format', 'json', *options)
    assert code == 0
    found = json.loads(out)
    schemas.check('facts-export', found)
    assert found == yaml.safe_load(export(run, *options)[1])
    code, _, err = export(run, '--format', 'json', '--file', 'x')
    assert code == 2 and '--format file only' in err


@pytest.mark.parametrize(
    'text, reserved',
    [
        ('reserved_host_memory_mb = 1536\n', 1536),
        # What it doesn't set is in force all the same, as nova's default.
        ('compute_driver = libvirt.LibvirtDriver\n', 512),
    ],
)
def test_what_nova_conf_reserves_is_exported(
    hosts, run, tmp_path, text, reserved
):
    hosts.update({HERE: 'xen-4.17-hvm', A: 'xen-4.14-hvm'})
    conf = tmp_path / 'nova.conf'
    conf.write_text('[DEFAULT]\nhost = a1\n' + text)
    options = ('--config-file', str(conf), 'facts', 'export')
    code, out, _ = run(*options)
    assert code == 0
    found = yaml.safe_load(out)['hosts']
    assert found['a1']['reserved_host_memory_mb'] == reserved
    # It is this host's, and no other's.
    code, out, _ = run(*options, '--connect', HERE, '--connect', A)
    assert code == 0
    (other,) = yaml.safe_load(out)['hosts'].keys() - {'a1'}
    assert 'reserved_host_memory_mb' not in yaml.safe_load(out)['hosts'][other]


def test_the_difference_is_shown_and_the_file_written(
    hosts,
    run,
    tmp_path,
):
    hosts.update({A: 'xen-4.17-hvm', B: 'xen-4.14-dom0-ballooned'})
    path = tmp_path / 'facts.yaml'
    path.write_text(
        '# ours\nversion: 1\nhosts:\n  a:\n    libvirt_version: "1.3.2"\n'
        '  z:\n    dom0_vcpus: 2\n'
    )
    before = path.read_text()
    arguments = (
        *('--file', str(path), '--connect', A, '--connect', B),
        *('--nova-host', 'a', '--nova-host', 'b'),
    )
    code, shown, err = export(run, *arguments, '--dry-run')
    assert code == 0 and path.read_text() == before
    code, out, err = export(run, *arguments)
    assert (code, out) == (0, shown)
    assert '+    dom0_memory_mb: 1024  # exported\n' in out
    assert not [line for line in out.splitlines()[2:] if line[0] == '-']
    assert 'a: libvirt_version stays "1.3.2", as written; the host' in err
    assert (
        "b: dom0's memory has no known fixed size: libvirt decides "
        'whether dom0 balloons'
    ) in err
    assert 'Written: %s, with the facts of a, b.' % path in err
    found = yaml.safe_load(path.read_text())['hosts']
    assert found['a']['libvirt_version'] == '1.3.2'
    assert 'dom0_memory_mb' not in found['b']
    assert found['z'] == {'dom0_vcpus': 2}
    # Once more: nothing is new.
    code, out, _ = export(run, *arguments)
    assert (code, out) == (0, '')


def test_an_entry_by_the_hosts_other_name_is_told(hosts, run, tmp_path):
    hosts[A] = 'xen-4.17-hvm'
    path = tmp_path / 'facts.yaml'
    before = (
        'version: 1\nhosts:\n  XenHost3:\n    dom0_vcpus: 1\n'
        '  xenhost3.example.com:\n    dom0_vcpus: 1\n'
    )
    arguments = ('--file', str(path), '--connect', A)
    for more, times in (((), 1), (('--nova-host', 'xenhost3.lan'), 0)):
        path.write_text(before)
        code, _, err = export(run, *arguments, *more)
        assert code == 0
        assert err.count('the file has xenhost3, which is all') == times
        assert err.count('--nova-host') == times
    # Where both are asked, they are two.
    hosts[B] = 'xen-4.14-hvm'
    path.write_text(before)
    _, _, err = export(
        run,
        *(*arguments, '--connect', B),
        *('--nova-host', 'xenhost3.example.org', '--nova-host', 'xenhost3'),
    )
    assert '--nova-host' not in err


def test_hosts_that_dont_answer_stay_as_they_are(
    hosts,
    run,
    tmp_path,
):
    hosts[A] = 'xen-4.17-hvm'
    path = tmp_path / 'facts.yaml'
    arguments = ('--file', str(path), '--connect', A, '--nova-host', 'a')
    assert export(run, *arguments)[0] == 0
    before = path.read_text()
    hosts[A] = 'no answer within 30 s'
    code, out, err = export(run, *arguments)
    assert (code, out) == (2, '')
    assert path.read_text() == before
    hosts[B] = 'xen-4.14-hvm'
    code, _, err = export(run, *arguments, '--connect', B, '--nova-host', 'b')
    assert code == 1 and 'did not answer' in err
    found = yaml.safe_load(path.read_text())['hosts']
    assert found['a']['libvirt_version'] == '9.0.0'
    assert found['b']['libvirt_version'] == '7.0.0'


@pytest.mark.parametrize(
    'text, said',
    [
        ('version: 1\nhosts: {a: {dom0_vcpus: 1}}', 'within braces'),
        ('- 1', 'it is broken'),
    ],
)
def test_a_file_that_cant_be_edited_stays_as_it_is(
    hosts,
    run,
    tmp_path,
    text,
    said,
):
    hosts[HERE] = 'xen-4.17-hvm'
    path = tmp_path / 'facts.yaml'
    path.write_text(text)
    code, out, err = export(run, '--file', str(path))
    assert (code, out) == (2, '')
    assert said in err and len(err.splitlines()) == 1
    assert path.read_text() == text


def test_commands_for_aggregates(hosts, run):
    hosts.update({A: 'xen-4.17-hvm', B: 'xen-4.17-hvm', C: 'xen-4.14-hvm'})
    code, out, err = export(
        run,
        *('--format', 'aggregates'),
        *('--connect', A, '--connect', B, '--connect', C),
        *('--nova-host', 'a', '--nova-host', 'b', '--nova-host', "c'"),
    )
    assert (code, err) == (0, '')
    commands = [shlex.split(line) for line in out.splitlines() if line]
    (first, in_a, in_b, second, in_c) = commands
    name = first[-1]
    assert name.startswith('nova-xen-sched-')
    assert first[:3] == ['openstack', 'aggregate', 'create']
    assert set(first[4:-1:2]) == {
        'xen:libvirt_version=9.0.0',
        'xen:dom0_memory_mb=1024',
        'xen:dom0_vcpus=2',
        'xen:observed_at=2026-11-23T10:00:00Z',
        # So that facts publish takes it over.
        'xen:managed_by=nova-xen-sched',
    }
    add = ['openstack', 'aggregate', 'add', 'host']
    assert in_a == [*add, name, 'a'] and in_b == [*add, name, 'b']
    assert in_c == [*add, second[-1], "c'"] and second[-1] != name


def test_an_aggregate_needs_novas_name(hosts, run):
    hosts[A] = 'xen-4.17-hvm'
    code, out, err = export(run, '--format', 'aggregates', '--connect', A)
    assert (code, out) == (2, '')
    assert 'xenhost3.example.org' in err and '--nova-host' in err


def test_two_hosts_of_one_name_are_refused(hosts, run):
    hosts.update({A: 'xen-4.17-hvm', B: 'xen-4.17-hvm'})
    code, out, err = export(run, '--connect', A, '--connect', B)
    assert (code, out) == (2, '')
    assert 'have the same name, xenhost3.example.org' in err


@pytest.mark.parametrize(
    'arguments',
    [('--format', 'aggregates', '--file', 'x'), ('--dry-run',)],
)
def test_options_that_dont_go_together(hosts, run, arguments):
    code, _, err = export(run, *arguments)
    assert code == 2 and '--file' in err

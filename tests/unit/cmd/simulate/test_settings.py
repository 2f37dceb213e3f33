# SPDX-License-Identifier: Apache-2.0

"""--set: names, values, and options as they were afterwards."""

from __future__ import annotations

import nova.conf
from oslo_config import cfg
import pytest

from nova_xen_sched import conf
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.simulate import boots
from nova_xen_sched.cmd.simulate import settings
from nova_xen_sched.cmd.simulate.settings import Setting

KNOWN = boots.known_options()


def test_both_groups_are_known():
    assert set(KNOWN) == {'xen_scheduler', 'filter_scheduler'}


@pytest.mark.parametrize(
    ('text', 'setting'),
    [
        (
            'dom0_guests_per_vcpu=30',
            Setting('xen_scheduler', 'dom0_guests_per_vcpu', 30.0),
        ),
        (
            'xen_scheduler.refuse_dom0_overcommit=yes',
            Setting('xen_scheduler', 'refuse_dom0_overcommit', True),
        ),
        (
            'disk_formats= raw, qcow2',
            Setting('xen_scheduler', 'disk_formats', ['raw', 'qcow2']),
        ),
        (
            'filter_scheduler.ram_weight_multiplier=-1.5',
            Setting('filter_scheduler', 'ram_weight_multiplier', -1.5),
        ),
        (
            'filter_scheduler.host_subset_size=3',
            Setting('filter_scheduler', 'host_subset_size', 3),
        ),
        (
            'filter_scheduler.enabled_filters=A,B',
            Setting('filter_scheduler', 'enabled_filters', ['A', 'B']),
        ),
        (
            'filter_scheduler.available_filters=a.b',
            Setting('filter_scheduler', 'available_filters', ['a.b']),
        ),
    ],
)
def test_values_are_read_by_the_options_own_types(text, setting):
    assert settings.parse([text], KNOWN) == [setting]


def test_the_last_of_a_name_counts():
    found = settings.parse(
        [
            'min_xen_version=4.14',
            'unknown_version=refuse',
            'min_xen_version=0',
        ],
        KNOWN,
    )
    assert [(each.label, each.value) for each in found] == [
        ('min_xen_version', '0'),
        ('unknown_version', 'refuse'),
    ]


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('x', "--set 'x' is not NAME=VALUE, such as "),
        ('=3', "--set '=3' is not NAME=VALUE"),
        (
            'dom0_guest_per_vcpu=3',
            "no option 'dom0_guest_per_vcpu' in [xen_scheduler] (nearest: "
            'dom0_guests_per_vcpu).',
        ),
        (
            'filter_scheduler.ram_weight_multiplyer=3',
            '(nearest: ram_weight_multiplier).',
        ),
        ('database.connection=x', 'options of [xen_scheduler] and [filter_'),
        (
            'dom0_guests_per_vcpu=nan',
            '=%r: this is no value of it; allowed: a number of guests from '
            '0.01 to 1000000000.' % 'nan',
        ),
        ('default_vm_mode=kvm', 'allowed: xen, hvm or any.'),
        (
            'filter_scheduler.host_subset_size=0',
            'allowed: a whole number from 1.',
        ),
        (
            'filter_scheduler.ram_weight_multiplier=much',
            'allowed: a number.',
        ),
        (
            'filter_scheduler.shuffle_best_same_weighed_hosts=maybe',
            'allowed: true or false.',
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(text, words):
    with pytest.raises(errors.Failure) as raised:
        settings.parse([text], KNOWN)
    assert words in str(raised.value)


def test_options_of_nova_wait_until_nova_is_loaded():
    # It is no option, which only nova can say.
    texts = ['filter_scheduler.nosuch=1', 'dom0_vcpus=2']
    found = settings.parse(texts, settings.ours())
    assert found == [Setting('xen_scheduler', 'dom0_vcpus', 2.0)]


def test_options_are_in_force_for_as_long_as_they_should_be():
    config = cfg.ConfigOpts()
    config([], default_config_files=[], default_config_dirs=[])
    conf.register_opts(config)
    before = conf.read(config)
    texts = [
        *('dom0_guests_per_vcpu=30', 'refuse_dom0_overcommit=true'),
        *('disk_formats=raw', 'host_facts_file='),
    ]
    with settings.in_force(config, settings.parse(texts, KNOWN)):
        found = conf.read(config)
        assert found.dom0_model.guests_per_vcpu == 30
        assert found.refuse_dom0_overcommit
        assert found.disk_formats == {'raw'}
    assert conf.read(config) == before


@pytest.mark.parametrize(
    'option', [each for every in KNOWN.values() for each in every]
)
def test_each_option_takes_its_default_as_text(option):
    """Whatever an option has where nobody sets it can be set by --set."""
    if option.default is None or option.multi:
        return
    text = option.default
    text = ','.join(text) if isinstance(text, list) else str(text)
    group = 'xen_scheduler'
    if option not in KNOWN[group]:
        group = 'filter_scheduler'
    (found,) = settings.parse(['%s.%s=%s' % (group, option.dest, text)], KNOWN)
    with settings.in_force(nova.conf.CONF, [found]):
        assert nova.conf.CONF[group][option.dest] == option.default

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from types import SimpleNamespace

from nova import conf as nova_conf
from oslo_config import cfg
from oslo_upgradecheck.upgradecheck import Code
import pytest

from nova_xen_sched.cmd.upgrade_check import check_plugins
from tests.unit import builders

OPTION = 'image_props_weight_multiplier'
GROUP = nova_conf.CONF.filter_scheduler


class Weigher:
    """One multiplier for all hosts."""

    def __init__(self, multiplier):
        self.multiplier = multiplier

    def weight_multiplier(self, state):
        return self.multiplier


class Dom0HeadroomWeigher(Weigher):
    """Ours, by its name."""


class ImagePropertiesWeigher(Weigher):
    """nova's, by its name."""


@pytest.fixture(autouse=True)
def _option():
    """The option of nova 31 on."""
    if OPTION in GROUP:
        yield
        return
    option = cfg.FloatOpt(OPTION, default=0.0)
    nova_conf.CONF.register_opt(option, 'filter_scheduler')
    yield
    nova_conf.CONF.unregister_opt(option, 'filter_scheduler')


def checked(*weighers, configured=1.0):
    deployment = SimpleNamespace(
        xen=[SimpleNamespace(name='xen-1', state=builders.state())],
        cloud=SimpleNamespace(weighers=weighers),
    )
    nova_conf.CONF.set_override(OPTION, configured, 'filter_scheduler')
    try:
        return (
            check_plugins.image_properties_weigher(deployment),
            check_plugins.multipliers(deployment),
        )
    finally:
        nova_conf.CONF.clear_override(OPTION, 'filter_scheduler')


@pytest.mark.parametrize(
    'theirs, ours, warns',
    [
        (5, 10, False),
        (6, 10, True),
        (-6, 10, True),
        (0, 10, False),
        # Of these another check warns.
        (6, 0, False),
        (6, -1, False),
    ],
)
def test_images_outweigh_headroom(theirs, ours, warns):
    result, others = checked(
        ImagePropertiesWeigher(theirs), Dom0HeadroomWeigher(ours)
    )
    assert (result.code is Code.WARNING) == warns
    assert (others.code is Code.WARNING) == (ours <= 0)
    if warns:
        assert result.hosts == ['xen-1']
        assert '%d beside 10, on 1 (xen-1)' % theirs in result.details


def test_what_is_off_outweighs_nothing():
    both = ImagePropertiesWeigher(100), Dom0HeadroomWeigher(10)
    for weighers, configured in (
        # nova's weighs nothing then, whatever an aggregate has.
        (both, 0.0),
        (both[:1], 1.0),
        (both[1:], 1.0),
    ):
        result, _ = checked(*weighers, configured=configured)
        assert result.code is Code.SUCCESS

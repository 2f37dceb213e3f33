# SPDX-License-Identifier: Apache-2.0

"""The lines of nova.conf that docs show are right for nova, and for us."""

from __future__ import annotations

import re

from nova import version
import nova.conf
import pytest

from nova_xen_sched import filters
from nova_xen_sched import weights
from tests.unit.docs import sources

INSTALL = sources.DOCS / 'install'
ENFORCED = INSTALL / 'nova-scheduler.conf'
REPORTED = INSTALL / 'report-only.conf'


def default(name):
    """What nova has where nobody sets it."""
    option = nova.conf.CONF.filter_scheduler._group._opts[name]['opt']
    return option.default


def values(path, name):
    return re.findall('^%s = (.*)$' % name, path.read_text(), re.M)


@pytest.mark.skipif(
    not version.version_string().startswith('34.'),
    reason='the lines are those of nova 34',
)
def test_the_filters_are_novas_and_ours():
    usual = ','.join(default('enabled_filters'))
    ours = usual.replace('ImageProperties', 'XenHost')
    beside = usual.replace('Image', 'XenHostFilter,Image')
    assert 'XenHostFilter' in ours
    assert values(ENFORCED, 'enabled_filters') == [ours]
    assert values(REPORTED, 'enabled_filters') == [beside]
    tools = (INSTALL / 'deployment-tools.rst').read_text()
    assert 'enabled_filters: %s\n' % beside in tools
    (puppet,) = re.findall(r'enabled_filters   => \[(.*?)\]', tools, re.S)
    assert re.findall(r"'(\w+)'", puppet) == beside.split(',')


@pytest.mark.parametrize('path', [ENFORCED, REPORTED])
def test_novas_own_filters_stay_available(path):
    assert values(path, 'available_filters') == [
        *default('available_filters'),
        '%s.%s' % (filters.__name__, filters.all_filters.__name__),
    ]


def test_novas_own_weighers_stay():
    (found,) = values(ENFORCED, 'weight_classes')
    assert found.split(',') == [
        *default('weight_classes'),
        '%s.%s' % (weights.__name__, weights.all_weighers.__name__),
    ]

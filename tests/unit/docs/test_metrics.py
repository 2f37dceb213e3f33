# SPDX-License-Identifier: Apache-2.0

"""Each metric is documented, with its labels."""

from __future__ import annotations

import re

import pytest

from nova_xen_sched.cmd.hosts.metrics import names
from tests.unit.docs import sources

PAGE = (sources.DOCS / 'admin' / 'metrics.rst').read_text(encoding='utf-8')


def documented():
    """By metric, its part of the page."""
    _, *parts = re.split(r'^\.\. metric:: (\w+)$', PAGE, flags=re.M)
    return dict(zip(parts[::2], parts[1::2]))


def test_each_metric_is_documented_in_order():
    assert list(documented()) == [each.name for each in names.METRICS]


def test_no_metric_is_left_out_of_the_list():
    constants = [
        each for each in vars(names).values() if isinstance(each, names.Metric)
    ]
    assert tuple(constants) == names.METRICS


def test_each_label_is_documented():
    for metric in names.METRICS:
        part = documented()[metric.name].partition('\n\n.. _')[0]
        listed = part.partition('*Labels:*')[2]
        found = re.findall('``([a-z_]+)``', listed)
        assert [e for e in found if e in metric.labels] == [*metric.labels], (
            metric.name
        )
        assert bool(listed) == bool(metric.labels)


def test_what_is_linked_to_exists():
    found = re.findall(':metric:`(.+?)`', PAGE)
    assert found and set(found) <= set(documented())


ETC = sources.ROOT / 'etc' / 'nova_xen_sched'


def test_each_alert_is_documented():
    text = (ETC / 'prometheus-alerts.yaml').read_text(encoding='utf-8')
    part = PAGE.partition('.. _alerts:')[2]
    assert re.findall(r'^``(Xen\w+)``$', part, re.M) == re.findall(
        r'alert: (\w+)', text
    )


@pytest.mark.parametrize(
    'name', ['prometheus-alerts.yaml', 'grafana-dashboard.json']
)
def test_nothing_is_asked_for_that_is_not_written(name):
    found = re.findall(r'\bnova_xen_\w+', (ETC / name).read_text())
    assert found and set(found) <= {each.name for each in names.METRICS}

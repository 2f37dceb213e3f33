# SPDX-License-Identifier: Apache-2.0

"""A real nova, whose metrics a real Prometheus has: dashboard and alert."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import json
import pathlib
import re
import time

from tests.functional import commands
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.test_hosts import stats
from tests.prometheus import servers

ETC = pathlib.Path(__file__).parents[2] / 'etc/nova_xen_sched'
DASHBOARD = json.loads((ETC / 'grafana-dashboard.json').read_text())
#: dom0 of "full" has memory for so many HVM guests.
SLOTS = 5
FACTS = """
version: 1
hosts:
  old: {libvirt_version: "1.2.5", observed_at: "2026-11-22T10:00:00Z"}
"""


def queries():
    """(panel, expression) of the dashboard, for all hosts."""
    for panel in DASHBOARD['panels']:
        for target in panel['targets']:
            text = target['expr'].replace('$compute_host', '.*')
            yield panel['title'], text


class TestCloud(FilterCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self._folder)
        facts = folder / 'facts.yaml'
        facts.write_text(FACTS)
        self.rewrite_conf(conf('host_facts_file = %s' % facts))
        self.start_hosts(
            [
                hosts.xen('full', stats=stats(SLOTS)),
                hosts.xen('other', stats=stats(20)),
                hosts.xen('old', stats={}),
            ]
        )
        # As it is, but not for half an hour.
        rules = folder / 'rules.yaml'
        text = (ETC / 'prometheus-alerts.yaml').read_text()
        rules.write_text(re.sub(r'\bfor: .*', 'for: 2s', text))
        running = servers.Prometheus(folder, rules, 3).running()
        self.prometheus = running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)

    def collect(self):
        """On each of the controllers, and until all of it is there."""
        began = time.time()
        for folder in self.prometheus.textfiles:
            path = folder / 'nova-xen-sched.prom'
            ran = commands.run('metrics', '--textfile', str(path))
            assert (ran.code, ran.err) == (0, '')
        name = 'nova_xen_metrics_last_success_timestamp_seconds'
        query = 'count(%s > %.3f) == 3' % (name, began)
        servers.wait(lambda: self.prometheus.query(query))

    # One cloud for both.
    def test_cloud(self):
        self.collect()
        self._check_the_dashboard()
        self._check_the_alert()

    def _check_the_dashboard(self):
        for title, query in queries():
            assert self.prometheus.query(query), (title, query)
        assert not self.prometheus.query('node_textfile_scrape_error > 0')

    def _check_the_alert(self):
        """A dom0 is filled, and emptied."""

        def firing():
            return self.prometheus.firing('XenDom0HeadroomLow')

        assert firing() == []
        image = self.create_image('hvm', **HVM)
        guests = [self.boot(image, host='full') for _ in range(SLOTS)]
        self.collect()
        servers.wait(firing)
        # Three controllers, and one alert.
        (labels,) = firing()
        assert labels['compute_host'] == 'full'
        assert labels['resource'] == 'dom0_memory'
        for each in guests:
            self.delete(each)
        self.collect()
        servers.wait(lambda: not firing())

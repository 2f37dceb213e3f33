# SPDX-License-Identifier: Apache-2.0

"""The lines that the documentation has an operator write enable the plugin."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import pathlib

from tests.functional import hosts
from tests.functional.cases import FilterCase
from tests.functional.cases import hvm_only
from tests.functional.cases import PV
from tests.functional.cases import sized

INSTALL = pathlib.Path(__file__).parents[2] / 'docs' / 'source' / 'install'


class _Documented(FilterCase):
    def start(self):
        """A host that can't run PV, which nova prefers, and one that can."""
        self.start_hosts(
            [
                hvm_only('hvmonly', **sized('large')),
                hosts.xen('xen', **sized('small')),
            ]
        )
        return self.create_image('pv', **PV)


class TestReportOnly(_Documented):
    NOVA_CONF = (INSTALL / 'report-only.conf').read_text()

    def test_it_logs_and_refuses_nothing(self):
        image = self.start()
        self.assert_boots_on('hvmonly', image)
        assert ': report_only: vm_mode=1' in self.log


class TestEnforced(_Documented):
    NOVA_CONF = (INSTALL / 'nova-scheduler.conf').read_text()

    def test_it_refuses(self):
        self.assert_boots_on('xen', self.start())

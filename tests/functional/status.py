# SPDX-License-Identifier: Apache-2.0

"""What the functional tests of upgrade check have in common."""

from __future__ import annotations

import contextlib
import io
import json
from unittest import mock

import nova.conf

from nova_xen_sched.cmd.nova import configuration
from nova_xen_sched.cmd.upgrade_check import command
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.unit.cmd import schemas

CONF = nova.conf.CONF

FINE, WARNING, FAILURE = range(3)
WELL = """
[DEFAULT]
reserved_host_memory_mb = 4096
[filter_scheduler]
weight_classes = nova.scheduler.weights.all_weighers,\
nova_xen_sched.weights.all_weighers
"""
STATS = {
    'xen_libvirt_version': '9.0.0',
    'xen_version': '4.17.5',
    'xen_dom0_memory_mb': '4096',
    'xen_dom0_vcpus': '8',
}


def well(*options):
    return conf(*options) + WELL


class StatusCase(FilterCase):
    NOVA_CONF = well()
    #: How many Xen hosts there are, beside one KVM host.
    XEN = 2

    def setUp(self):
        super().setUp()
        self.start_hosts(
            [hosts.xen('xen-%02d' % n, stats=STATS) for n in range(self.XEN)]
            + [hosts.kvm('kvm')]
        )

    def checked(self, *argv):
        """The exit code, and each check's (code, details)."""
        out = io.StringIO()
        with mock.patch.object(
            configuration, 'load'
        ), contextlib.redirect_stdout(out):
            code = command.main(['upgrade', 'check', '--json', *argv])
        schemas.check('upgrade-check', json.loads(out.getvalue()))
        self.by_code = {
            each['code']: each for each in json.loads(out.getvalue())['checks']
        }
        found = {
            each['check']: (
                each['result'],
                ' Remedy: '.join(
                    filter(None, (each['details'], each['remedy']))
                ),
            )
            for each in json.loads(out.getvalue())['checks']
        }
        for result, details in found.values():
            # Every failure says what to do.
            if result == FAILURE and len(found) > 1:
                self.assertRegex(details, 'Remedy: |Check the section ')
        self.assertEqual(max(result for result, _ in found.values()), code)
        return code, found

    @contextlib.contextmanager
    def with_options(self, *options):
        self.rewrite_conf(well(*options))
        yield
        self.rewrite_conf(well())

    @contextlib.contextmanager
    def with_flags(self, group='filter_scheduler', **flags):
        """What nova-scheduler reads at its start."""
        for name, value in flags.items():
            CONF.set_override(name, value, group=group)
        yield
        for name in flags:
            CONF.clear_override(name, group=group)

    def assert_only(self, name, result, *words):
        """This check finds something, and all others are well."""
        code, found = self.checked()
        self.assertEqual(result, code, found)
        self.assertEqual(
            {name: result},
            {each: found[each][0] for each in found if found[each][0]},
        )
        for each in words:
            self.assertIn(each, found[name][1])

    def assert_well(self):
        code, found = self.checked()
        self.assertEqual(FINE, code, found)
        return found

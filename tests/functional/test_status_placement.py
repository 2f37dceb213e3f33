# SPDX-License-Identifier: Apache-2.0

"""upgrade check of what placement is asked for, and of slots."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
from importlib import metadata
from unittest import mock

import nova.conf
from nova.objects import service
from nova.scheduler import request_filter
import pytest

from tests.functional import hosts
from tests.functional.cases import HVM
from tests.functional.status import STATS
from tests.functional.status import StatusCase
from tests.functional.status import WARNING

pytestmark = pytest.mark.commands

CONF = nova.conf.CONF

#: Before nova's fixture has put another in its place.
_OLDEST = service.get_minimum_version_all_cells


class TestPlacement(StatusCase):
    def test_prefilters(self):
        option = 'image_metadata_prefilter'
        with self.with_flags('scheduler', **{option: True}):
            # nova requires an architecture from 25 on.
            if int(metadata.version('nova').partition('.')[0]) >= 25:
                self.assert_only(
                    option, WARNING, 'HW_ARCH_X86_64: 2 (xen-00', 'false'
                )
                for n in range(2):
                    self.add_traits('xen-%02d' % n, 'HW_ARCH_X86_64')
            self.assert_well()
        option = 'query_placement_for_image_type_support'
        with self.with_flags('scheduler', **{option: True}):
            self.assert_only(
                option, WARNING, 'COMPUTE_IMAGE_TYPE_VHD: 2 (xen', 'convert'
            )

    @pytest.mark.skipif(
        not hasattr(request_filter, 'MIN_COMPUTE_VERSION_OWNER_TRAIT'),
        reason='nova requires OWNER_NOVA from 34 on',
    )
    def test_old_computes(self):
        now = service.SERVICE_VERSION
        profile = hosts.xen('xen-01', stats=STATS, service_version=53)
        self.change_host(profile)
        # Whether all are current, nova's fixture doesn't look.
        with mock.patch.object(
            service, 'get_minimum_version_all_cells', _OLDEST
        ):
            self.assert_only(
                'OWNER_NOVA',
                WARNING,
                'version 53, and 73 is needed',
                '1 (xen-01)',
                'default_log_levels',
            )
            # As nova has it.
            self.assertNotIn('OWNER_NOVA trait not added', self.log)
            self.boot(self.create_image('hvm', **HVM))
            self.assertIn('OWNER_NOVA trait not added', self.log)
            self.assertEqual(['xen-01'], self.by_code['owner_nova']['hosts'])
            levels = [
                *CONF.default_log_levels,
                'nova.scheduler.request_filter=ERROR',
            ]
            with self.with_flags(None, default_log_levels=levels):
                self.assert_well()
            self.change_host(profile.but(service_version=now))
            self.assert_well()

    def add_traits(self, host, *names):
        uuid = self._get_provider_uuid_by_host(host)
        for name in names:
            self._create_trait(name)
        now = self._get_provider_traits(uuid)
        self._set_provider_traits(uuid, [*now, *names])

    def test_what_is_required(self):
        trait = 'CUSTOM_XEN_LIVE_MIGRATION'
        self.add_traits('xen-01', trait)
        required = {'trait:' + trait: 'required'}
        image = self.create_image('live', **HVM, **required)
        server = self.assert_boots_on('xen-01', image)
        flavor = self.create_flavor(extra_specs=required)
        self.assert_only(
            trait + ' required',
            WARNING,
            'servers 1 (%s) and by the flavors 1 (' % server['id'],
            'remove the trait',
        )
        self.api.api_delete('/flavors/%s' % flavor)
        self.delete(server)
        self.assert_well()
        image = self.create_image('hvm', **HVM)
        server = self.boot(image)
        host = self.host_of(server)
        site = {'trait:CUSTOM_SITE': 'required'}
        option = 'enable_isolated_aggregate_filtering'
        with self.with_flags('scheduler', **{option: True}):
            self.assert_well()
            self.create_aggregate('site', [host], site)
            self.assert_only(
                option,
                WARNING,
                'CUSTOM_SITE of aggregate site, servers: 1 (%s)'
                % server['id'],
                'resize them',
            )
            self.assertEqual(
                [host], self.by_code['isolated_aggregates']['hosts']
            )
        self.assert_well()
        self.delete(server)

    def test_slots(self):
        key = 'resources:CUSTOM_XEN_DOM0_SLOT'
        image = self.create_image('hvm', **HVM)
        old = self.create_flavor()
        server = self.boot(image, old)
        host = self.host_of(server)
        self.assert_well()
        flavor = self.create_flavor(extra_specs={key: '1'})
        code, found = self.checked()
        self.assertEqual(WARNING, code)
        self.assertIn('(1 guest)', found['Flavors with a slot of dom0'][1])
        self.assertIn(key + '=1 ', found['Flavors with a slot of dom0'][1])
        self.assertEqual([host], self.by_code['slots']['hosts'])
        # The server keeps the flavor that it was booted with.
        self.api.post_extra_spec(old, {'extra_specs': {key: '1'}})
        self.assert_only(
            'Servers with a slot of dom0',
            WARNING,
            '1 (%s)' % server['id'],
            'resize',
        )
        self.assertEqual([host], self.by_code['guests_without_slot']['hosts'])
        self.delete(server)
        self.assert_well()
        for each in (old, flavor):
            self.api.api_delete('/flavors/%s' % each)

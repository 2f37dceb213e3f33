# SPDX-License-Identifier: Apache-2.0

"""What the commands use of nova is in the nova at hand, as they use it."""

from __future__ import annotations

import inspect

from nova import availability_zones
from nova import config
from nova import utils as nova_utils
from nova import weights as base_weights
from nova.compute import api as compute_api
from nova.compute import utils as compute_utils
import nova.conf
from nova.conf import scheduler
from nova.objects import image_meta
from nova.objects import request_spec
from nova.pci import request as pci_request
from nova.scheduler import filters
from nova.scheduler import host_manager
from nova.scheduler import request_filter
from nova.scheduler import utils
from nova.scheduler import weights
from nova.scheduler.client import report
from nova.virt import hardware
import pytest

from nova_xen_sched.cmd.nova import private

HostManager = host_manager.HostManager
API = compute_api.API
Client = report.SchedulerReportClient
Wanted = utils.ResourceRequest
Handler = filters.HostFilterHandler
RequestSpec = request_spec.RequestSpec


@pytest.mark.parametrize(
    ('function', 'arguments'),
    [
        # What private.py itself calls or stands in for.
        (config.parse_args, 'argv configure_db= init_rpc='),
        (HostManager, ''),
        (HostManager._init_instance_info, 'self computes_by_cell'),
        (
            HostManager._get_computes_for_cells,
            'self context cells compute_uuids',
        ),
        (Client, ''),
        (Client.get, 'self url version= global_request_id='),
        (Client.get_allocation_candidates, 'self context wanted'),
        (API._validate_flavor_image_nostatus, 'context image flavor disk'),
        (API._get_image_defined_bdms, 'self flavor image name'),
        (API.parse_availability_zone, 'context text'),
        (compute_api.HostAPI, 'rpcapi='),
        (
            availability_zones.get_availability_zones,
            'context api get_only_available=',
        ),
        # What others call, of functions that are nova's own as well.
        (HostManager.get_host_states_by_uuids, 'self context uuids spec'),
        (HostManager.get_filtered_hosts, 'self states spec'),
        (HostManager.get_weighed_hosts, 'self states spec'),
        (Handler.get_filtered_objects, 'self filters states spec index'),
        (Handler, ''),
        (Handler.get_matching_classes, 'self names'),
        (weights.HostWeightHandler, ''),
        (nova_utils.get_image_from_system_metadata, 'metadata'),
        (
            weights.HostWeightHandler.get_weighed_objects,
            'self weighers states spec',
        ),
        (weights.BaseHostWeigher.weigh_objects, 'self states spec'),
        (weights.BaseHostWeigher.weight_multiplier, 'self state'),
        (base_weights.normalize, 'weights minval= maxval='),
        (request_filter.process_reqspec, 'context spec'),
        (request_filter.transform_image_metadata, 'context spec'),
        (request_filter.require_image_type_support, 'context spec'),
        (
            utils.resources_from_request_spec,
            'context spec manager enable_pinning_translate=',
        ),
        (Wanted.to_querystring, 'self'),
        (Wanted.get_request_group, 'self identifier'),
        (utils.build_filter_properties, 'hints host node flavor'),
        (utils.setup_instance_group, 'context spec'),
        (utils.request_is_rebuild, 'spec'),
        (compute_utils.is_volume_backed_instance, 'context instance'),
        (hardware.numa_get_constraints, 'flavor image'),
        (pci_request.get_pci_requests_from_flavor, 'flavor'),
        (image_meta.ImageMetaProps.from_dict, 'properties'),
        (
            RequestSpec.from_components,
            'context uuid image flavor numa pci properties group zone '
            'project_id=',
        ),
        (RequestSpec.reset_forced_destinations, 'self'),
        (RequestSpec.ensure_project_and_user_id, 'self instance'),
        (RequestSpec.obj_clone, 'self'),
        (host_manager.HostState.consume_from_request, 'self spec'),
        (scheduler.list_opts, ''),
    ],
)
def test_nova_takes_what_it_is_given(function, arguments):
    given = arguments.split()
    named = {name[:-1]: None for name in given if name.endswith('=')}
    plain = given[: len(given) - len(named)]
    inspect.signature(function).bind(*plain, **named)


def test_a_host_manager_has_what_is_read_and_replaced(monkeypatch):
    read = inspect.getsource(HostManager.refresh_cells_caches)
    assert 'self.cells = ' in read
    assert 'self.enabled_cells = ' in read
    assert 'self.aggs_by_id' in inspect.getsource(HostManager)
    # There is no database.
    for name in ('refresh_cells_caches', '_init_aggregates'):
        monkeypatch.setattr(HostManager, name, lambda self: None)
    nova.conf.CONF([], project='nova', default_config_files=[])
    manager = private.HostManager()
    nova.conf.CONF.reset()
    assert {
        'enabled_filters',
        'filter_handler',
        'weighers',
        'track_instance_changes',
        '_instance_info',
    } <= set(vars(manager))


def test_a_host_has_what_is_copied_and_changed():
    state = host_manager.HostState('host', 'node', None)
    assert {
        'failed_builds',
        'free_disk_mb',
        'instances',
        'limits',
        'num_instances',
        'num_io_ops',
        'numa_topology',
        'pci_stats',
    } <= set(vars(state))
    read = inspect.getsource(host_manager.HostState)
    assert 'self.stats = ' in read
    assert 'self.service = ' in read


def test_stored_requests_are_in_a_table_with_a_manager():
    module = request_spec
    database = getattr(module, 'api_db_api', None)
    manager = (
        database.context_manager if database else module.db.api_context_manager
    )
    assert manager.reader.using
    table = module.api_models.RequestSpec
    assert {'instance_uuid', 'spec'} <= set(table.__table__.columns.keys())


def test_databases_are_configured_by_modules_of_config():
    modules = [
        each
        for each in vars(config).values()
        if inspect.ismodule(each) and 'nova.db' in each.__name__
    ]
    assert modules
    for each in modules:
        inspect.signature(each.configure).bind(nova.conf.CONF)

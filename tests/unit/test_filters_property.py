# SPDX-License-Identifier: Apache-2.0

"""The filter against a slow and obvious oracle, over random clouds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
import nova.conf
from nova.scheduler.filters import image_props_filter
import pytest

from nova_xen_sched import filters
from nova_xen_sched import log
from tests.unit import builders

CONF = nova.conf.CONF

ARCHITECTURES = ['x86_64', 'i686', 'aarch64']
TYPES = ['xen', 'kvm', 'qemu']
MODES = ['xen', 'hvm']

triples = st.tuples(
    st.sampled_from(ARCHITECTURES),
    st.sampled_from(TYPES),
    st.sampled_from(MODES),
)
states = st.builds(
    lambda types, hv_type, version: builders.state(
        types=types, hypervisor_type=hv_type, hypervisor_version=version
    ),
    st.lists(triples, max_size=5),
    st.sampled_from(['Xen', 'xen', 'XenServer', 'QEMU', None]),
    st.sampled_from([None, 0, 4014000, 4017000, 8002000]),
)
images = st.fixed_dictionaries(
    {
        'hw_architecture': st.sampled_from([None] + ARCHITECTURES),
        'img_hv_type': st.sampled_from([None] + TYPES),
        'hw_vm_mode': st.sampled_from([None] + MODES),
        'img_hv_requested_version': st.sampled_from(
            [None, '>=4.15', '>=4.0,<5.0', '<4.17.0']
        ),
    }
).map(lambda image: {k: v for k, v in image.items() if v is not None})
formats = st.sampled_from([None, 'raw', 'qcow2', 'vmdk'])
requests = st.sampled_from([builders.spec, builders.moved, builders.rebuilt])


def oracle(state, image, disk_format, is_bfv, request, options):
    """Every rule written out, nothing shared with the package."""
    types = [tuple(t) for t in state.supported_instances]
    is_xen = (state.hypervisor_type or '').lower() == 'xen' and 'xen' in [
        t[1] for t in types
    ]
    wanted = [
        image.get('hw_architecture'),
        image.get('img_hv_type'),
        image.get('hw_vm_mode'),
    ]
    named = wanted != [None, None, None]
    if is_xen and wanted[2] is None and options['mode'] != 'any':
        wanted[2] = options['mode']
    if wanted != [None, None, None]:
        fits = False
        for triple in types:
            if all(w in (None, have) for w, have in zip(wanted, triple)):
                fits = True
        if not fits:
            return False
    if named and state.hypervisor_version:
        low_high = {
            None: (0, 99000000),
            '>=4.15': (4015000, 99000000),
            '>=4.0,<5.0': (4000000, 4999999),
            '<4.17.0': (0, 4016999),
        }[image.get('img_hv_requested_version')]
        if not low_high[0] <= state.hypervisor_version <= low_high[1]:
            return False
    if is_xen and request is not builders.moved:
        if options['required'] and 'img_hv_type' not in image:
            return False
        if options['formats'] and disk_format and not is_bfv:
            return disk_format in options['formats']
    return True


@pytest.fixture(scope='module', autouse=True)
def config():
    CONF([], project='nova', default_config_files=[])

    def fail(doing):
        raise  # noqa: PLE0704  what goes wrong accepts; here it must show

    real, log.unexpected = log.unexpected, fail
    yield
    log.unexpected = real
    CONF.reset()


@given(
    hosts=st.lists(states, max_size=6),
    image=images,
    disk_format=formats,
    is_bfv=st.booleans(),
    request_type=requests,
    options=st.fixed_dictionaries(
        {
            'mode': st.sampled_from(['xen', 'hvm', 'any']),
            'required': st.booleans(),
            'formats': st.sampled_from([[], ['raw', 'qcow2']]),
        }
    ),
)
def test_the_filter_agrees_with_the_oracle(
    hosts, image, disk_format, is_bfv, request_type, options
):
    spec = request_type(
        image,
        image={'disk_format': disk_format} if disk_format else {},
        is_bfv=is_bfv,
    )
    group = 'xen_scheduler'
    CONF.set_override('default_vm_mode', options['mode'], group)
    CONF.set_override('require_hypervisor_type', options['required'], group)
    CONF.set_override('disk_formats', options['formats'], group)
    passed = filters.XenHostFilter().filter_all(hosts, spec)
    assert [id(state) for state in passed] == [
        id(state)
        for state in hosts
        if oracle(state, image, disk_format, is_bfv, request_type, options)
    ]


def test_the_default_passes_hosts_at_all():
    """Or the next test would hold of a filter that passes none."""
    CONF.reset()
    CONF([], project='nova', default_config_files=[])
    hosts = [builders.state()]
    spec = builders.spec({'hw_vm_mode': 'hvm'})
    assert list(filters.XenHostFilter().filter_all(hosts, spec)) == hosts


@given(hosts=st.lists(states, max_size=6), image=images)
def test_the_default_passes_no_host_that_nova_refuses(hosts, image):
    """It is a replacement: stricter than nova, never laxer."""
    CONF.reset()
    CONF([], project='nova', default_config_files=[])
    spec = builders.spec(image)
    stock = image_props_filter.ImagePropertiesFilter()
    for state in filters.XenHostFilter().filter_all(hosts, spec):
        assert stock.host_passes(state, spec)

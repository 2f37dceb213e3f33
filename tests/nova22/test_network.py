# SPDX-License-Identifier: Apache-2.0

"""Guests with ports of Neutron's linuxbridge, under nova 22.

The interface's XML is what libvirt 7.0.0 answers of such a guest on Xen 4.14:
it has no address.
"""

from __future__ import annotations

from unittest import mock

import pytest

from nova_xen_sched.compute import launcher

if launcher.complaint_of_nova():
    pytest.skip('this nova has no Xen', allow_module_level=True)

from lxml import etree
from nova import context
from nova import exception
from nova import objects
from nova.network import model
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import guest as libvirt_guest

from tests.nova22.fakes import Domain
from tests.unit.compute.instances import instance

PORT = '5a0e5d04-0f1b-4cf5-9a17-2ec1b2a5ac0d'
MAC = 'fa:16:3e:5b:2c:11'
TAP = 'tap5a0e5d04-0f'

INTERFACE = (
    "<interface type='bridge'><mac address='%s'/>"
    "<source bridge='brq2c1f4a5e-7b'/><target dev='%s'/>%%s</interface>"
    % (MAC, TAP)
)
GUEST = '<domain><uuid>b644dec6</uuid><devices>%s</devices></domain>'


def port(name=TAP, **fields):
    return model.VIF(
        id=PORT,
        address=MAC,
        type='bridge',
        vnic_type='normal',
        devname=name,
        details={'port_filter': True},
        profile={},
        network=model.Network(
            id='2c1f4a5e-7b0c-4d5d-8e1f-0a6f6a0f9b3e',
            bridge='brq2c1f4a5e-7b',
            subnets=[],
            should_create_bridge=True,
        ),
        **fields,
    )


def interface(made, mode, vif=None, **properties):
    """The XML of a guest's interface."""
    guest = instance(vm_mode=mode, image_ref='an-image')
    found = made.vif_driver.get_config(
        guest,
        vif or port(),
        objects.ImageMeta.from_dict({'properties': properties}),
        guest.flavor,
        'xen',
    )
    return etree.fromstring(found.to_xml())


def model_of(xml):
    found = xml.find('model')
    return None if found is None else found.get('type')


# What an interface is


@pytest.mark.parametrize('mode', ['xen', None])
def test_a_pv_guest_s_interface_is_nova_s(on, mode):
    made = on()
    stock = on(of=libvirt_driver.LibvirtDriver)
    ours, novas = (
        etree.tostring(interface(each, mode)) for each in (made, stock)
    )
    assert ours == novas
    assert model_of(interface(made, mode)) is None


def test_stock_nova_leaves_an_hvm_guest_s_interface_to_libxl(on):
    stock = on(of=libvirt_driver.LibvirtDriver)
    assert model_of(interface(stock, 'hvm')) is None


def test_an_hvm_guest_gets_netfront(on):
    xml = interface(on(), 'hvm')
    assert model_of(xml) == 'netfront'
    assert xml.find('target').get('dev') == TAP
    assert xml.find('source').get('bridge') == 'brq2c1f4a5e-7b'


def test_an_image_may_ask_for_netfront(on):
    assert model_of(interface(on(), 'hvm', hw_vif_model='netfront')) == (
        'netfront'
    )


@pytest.mark.parametrize('wanted', ['e1000', 'rtl8139', 'ne2k_pci', 'pcnet'])
def test_an_emulated_nic_needs_a_name_that_leaves_room(on, wanted):
    made = on()
    with pytest.raises(
        exception.ImageUnacceptable,
        match=r'an-image.*hw_vif_model=%s.*tap5a0e5d04-0f-emu, which is 18 '
        'characters long' % wanted,
    ):
        interface(made, 'hvm', hw_vif_model=wanted)
    short = interface(made, 'hvm', port('tap12345678'), hw_vif_model=wanted)
    assert model_of(short) == wanted
    with pytest.raises(exception.ImageUnacceptable, match='16 characters'):
        interface(made, 'hvm', port('tap123456789'), hw_vif_model=wanted)


@pytest.mark.parametrize('mode', ['xen', None])
def test_a_pv_guest_has_no_other_than_netfront(on, mode):
    assert model_of(interface(on(), mode)) is None
    for wanted in ('e1000', 'netfront'):
        xml = interface(on(), mode, hw_vif_model=wanted)
        assert model_of(xml) == 'netfront'


def test_a_pci_device_is_left_alone(on):
    vif = port()
    vif.update(
        type='hostdev_physical',
        vnic_type='direct-physical',
        profile={'pci_slot': '0000:06:00.1'},
    )
    assert interface(on(), 'hvm', vif).tag == 'hostdev'


# Live migration


class Live(Domain):
    """A guest that runs, and has an interface.

    :param address: of that, as other hypervisors give one.
    """

    def __init__(self, address=''):
        super().__init__()
        self.xml = GUEST % INTERFACE % address

    def XMLDesc(self, flags):  # noqa: N802
        return self.xml


def migrate(made, domain):
    """nova's own _live_migration_operation, with the port's new binding."""
    guest = instance(
        vm_mode='xen',
        system_metadata={},
        resources=None,
        migration_context=None,
    )
    vif = objects.VIFMigrateData(
        port_id=PORT,
        vnic_type='normal',
        vif_type='bridge',
        vif_details={'port_filter': True},
        profile={},
        host='xenhost2',
        source_vif=port(),
    )
    data = objects.LibvirtLiveMigrateData(
        block_migration=False,
        bdms=[],
        serial_listen_addr=None,
        serial_listen_ports=[],
        vifs=[vif],
    )
    made._live_migration_operation(
        context.get_admin_context(),
        guest,
        'xenhost2',
        False,
        data,
        libvirt_guest.Guest(domain),
        [],
    )


def test_stock_nova_can_not_live_migrate_a_port(on):
    stock = on(of=libvirt_driver.LibvirtDriver)
    stock._parse_migration_flags()
    with pytest.raises(TypeError, match='expected lxml'):
        migrate(stock, Live())


def test_a_port_is_live_migrated(on):
    made = on()
    made._parse_migration_flags()
    domain = Live()
    migrate(made, domain)
    ((uri, params),) = domain.migrated
    assert uri == 'xen+tcp://xenhost2/system'
    xml = etree.fromstring(params['destination_xml'])
    (found,) = xml.iterfind('./devices/interface')
    assert found.find('mac').get('address') == MAC
    assert found.find('target').get('dev') == TAP
    assert found.find('address') is None


def test_an_address_that_is_there_stays(on):
    made = on()
    made._parse_migration_flags()
    address = "<address type='pci' slot='0x04'/>"
    domain = Live(address)
    migrate(made, domain)
    ((_, params),) = domain.migrated
    xml = etree.fromstring(params['destination_xml'])
    (found,) = xml.iterfind('./devices/interface')
    (kept,) = found.findall('address')
    assert kept.attrib == {'type': 'pci', 'slot': '0x04'}


def test_only_the_xml_for_another_host_is_marked(on):
    on()
    from nova_xen_sched.compute.guest import Guest

    domain = mock.Mock()
    domain.XMLDesc.side_effect = Live().XMLDesc
    assert Guest(domain).get_xml_desc() == Live().xml
    assert '<address' in Guest(domain).get_xml_desc(dump_migratable=True)

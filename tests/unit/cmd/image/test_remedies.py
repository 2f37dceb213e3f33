# SPDX-License-Identifier: Apache-2.0


"""Images that will surprise on Xen hosts."""

from __future__ import annotations

import shlex

import pytest

from nova_xen_sched.cmd.image import nova_properties
from nova_xen_sched.cmd.image import remedies
from nova_xen_sched.cmd.image.remedies import Code

ID = 'c3e58657-1aec-4804-94eb-166cff02600d'
HVM = {'hypervisor_type': 'xen', 'vm_mode': 'hvm'}


def image_of(name, disk_format, properties):
    return {
        'id': ID,
        'name': name,
        'disk_format': disk_format,
        'properties': properties,
    }


def findings(properties, disk_format='raw', mixed=True):
    image = image_of('an image', disk_format, properties)
    return list(remedies.findings(image, mixed))


def codes(*args, **kwargs):
    return [each.code for each in findings(*args, **kwargs)]


@pytest.mark.parametrize(
    'properties',
    [
        HVM,
        dict(HVM, hw_vm_mode='hvm'),
        dict(HVM, img_hv_type='xen'),
        {'hypervisor_type': 'xen', 'vm_mode': 'xen'},
        {'hypervisor_type': 'Xen', 'vm_mode': 'pv', 'hw_vm_mode': 'xen'},
        # PV by either name, and built so.
        {'hypervisor_type': 'xen', 'hw_vm_mode': 'xen'},
        {'hypervisor_type': 'xen'},
        # Not for Xen.
        {'hypervisor_type': 'kvm', 'hw_vm_mode': 'hvm'},
        {'img_hv_type': 'qemu'},
    ],
)
def test_nothing_surprises(properties):
    assert codes(properties) == []


def test_the_new_name_alone_is_scheduled_as_hvm_and_built_as_pv():
    (found,) = findings({'hypervisor_type': 'xen', 'hw_vm_mode': 'hvm'})
    assert found.code is Code.VM_MODE_NAMES
    # Which driver a compute has can't be seen, so both are spoken of.
    assert found.problem == (
        "scheduled as HVM by hw_vm_mode=hvm; nova's own libvirt driver "
        'builds it as PV, because it reads vm_mode only, which is not set; '
        'nova-compute-xen builds it as HVM'
    )
    assert found.mend == 'openstack image set --property vm_mode=hvm ' + ID


def test_the_names_differ():
    (found,) = findings(dict(HVM, hw_vm_mode='xen'))
    # By either driver.
    assert found.problem == (
        'scheduled as PV by hw_vm_mode=xen, but built as HVM by vm_mode=hvm'
    )
    assert found.mend == 'openstack image set --property vm_mode=xen ' + ID


def test_untyped_matters_in_a_mixed_cloud_only():
    assert codes({}) == [Code.NO_HYPERVISOR_TYPE]
    assert codes({}, mixed=False) == []


@pytest.mark.parametrize('mixed', [True, False])
def test_a_mode_without_a_type(mixed):
    (found,) = findings({'vm_mode': 'hvm'}, mixed=mixed)
    assert found.code is Code.VM_MODE_WITHOUT_TYPE
    assert (
        found.mend
        == 'openstack image set --property hypervisor_type=xen ' + ID
    )


@pytest.mark.parametrize('name', ['raw', 'qcow2', 'vhd', 'QCOW2', None])
def test_formats_of_the_guide(name):
    assert codes(HVM, name) == []


def test_a_format_is_mended_by_a_converted_copy():
    (found,) = findings(HVM, 'vhdx')
    assert found.code is Code.DISK_FORMAT
    save, convert, create = (
        shlex.split(command) for command in found.mend.split(' && ')
    )
    assert save[-1] == ID
    assert convert[:6] == ['qemu-img', 'convert', '-f', 'vhdx', '-O', 'qcow2']
    assert create[-1] == 'an image'
    assert 'vm_mode=hvm' in create
    assert 'hypervisor_type=xen' in create


@pytest.mark.parametrize('name', ['aki', 'ari'])
def test_kernels_and_ramdisks_are_no_images(name):
    assert codes({}, name) == []


@pytest.mark.parametrize(
    ('properties', 'mend'),
    [
        ({'vm_mode': 'hvm '}, 'set --property vm_mode=hvm'),
        ({'hypervisor_type': 'xenn'}, 'set --property hypervisor_type=xen'),
        ({'vm_mode': 'PVH'}, 'unset --property vm_mode'),
        ({'hw_vif_model': 'ne2kpci'}, 'set --property hw_vif_model=ne2k_pci'),
        ({'hw_cpu_cores': 'two'}, 'unset --property hw_cpu_cores'),
    ],
)
def test_values_that_nova_refuses(properties, mend):
    found = findings(dict({'hypervisor_type': 'kvm'}, **properties))
    assert [each.code for each in found] == [Code.REFUSED_BY_NOVA]
    assert found[0].mend == 'openstack image %s %s' % (mend, ID)


def test_what_nova_refuses_of_several_properties_together():
    found = findings(
        dict(HVM, **{'hw_numa_cpus.0': '0', 'hw_numa_cpus.1': 'x-'})
    )
    assert [each.code for each in found] == [Code.REFUSED_BY_NOVA]
    assert 'hw_numa_cpus.1' in found[0].problem


def test_what_nova_takes_after_the_line_was_run():
    """Each line for a wrong value leads to an image that nova takes."""
    for properties in (
        {'vm_mode': 'hvm '},
        {'vm_mode': ''},
        {'hw_vif_model': 'ne2kpci'},
        {'architecture': 'X86-64'},
    ):
        (refused,) = nova_properties.refused(properties)
        left = dict(properties)
        if refused.nearest is None:
            del left[refused.name]
        else:
            left[refused.name] = refused.nearest
        assert list(nova_properties.refused(left)) == []


def test_names_are_quoted_for_the_shell():
    image = image_of("it's; rm", 'vmdk', HVM)
    (found,) = remedies.findings(image, False)
    assert shlex.split(found.mend)[-1] == "it's; rm"


def test_without_nova_values_are_compared_as_they_are(monkeypatch):
    monkeypatch.setattr(nova_properties, 'fields', None)
    monkeypatch.setattr(nova_properties, 'image_meta', None)
    assert codes(dict(HVM, vm_mode='HVM', hw_vm_mode='hvm')) == []
    assert codes({'hypervisor_type': 'xen', 'hw_vm_mode': 'hvm'}) == [
        Code.VM_MODE_NAMES
    ]
    assert codes({'hypervisor_type': 'foo'}) == []

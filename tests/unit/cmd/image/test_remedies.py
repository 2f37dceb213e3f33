# SPDX-License-Identifier: Apache-2.0


"""Images that will surprise on Xen hosts."""

from __future__ import annotations

import json
import shlex

from nova.objects import image_meta
import pytest

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
    (found,) = findings({'vm_mode': 'xen'}, mixed=mixed)
    assert found.code is Code.VM_MODE_WITHOUT_TYPE
    assert (
        found.mend
        == 'openstack image set --property hypervisor_type=xen ' + ID
    )


@pytest.mark.parametrize(
    ('properties', 'code', 'said'),
    [
        (
            {'vm_mode': 'hvm'},
            Code.VM_MODE_WITHOUT_TYPE,
            {'hypervisor_type=xen', 'hypervisor_type=kvm'},
        ),
        *(
            (
                properties,
                Code.NO_HYPERVISOR_TYPE,
                {
                    'hypervisor_type=xen',
                    'hypervisor_type=kvm',
                    'vm_mode=hvm',
                    'vm_mode=xen',
                },
            )
            for properties in (
                {},
                # nova 22's Xen hosts have neither.
                {'hw_disk_bus': 'virtio', 'hw_vif_model': 'virtio'},
                {'kernel_id': ID, 'ramdisk_id': ID},
            )
        ),
    ],
)
def test_for_which_hypervisor_an_image_is_meant_is_not_guessed(
    properties, code, said
):
    (found,) = findings(properties)
    assert (found.code, found.mend) == (code, '')
    assert said == {
        word.strip(',;') for word in found.problem.split() if '=' in word
    }


PV = {'hypervisor_type': 'xen', 'vm_mode': 'xen'}


@pytest.mark.parametrize('properties', [HVM, PV, {'hypervisor_type': 'xen'}])
@pytest.mark.parametrize('model', ['e1000', 'rtl8139'])
def test_an_emulated_nic_gives_way_to_netfront(properties, model):
    (found,) = findings(dict(properties, hw_vif_model=model))
    assert found.code is Code.VIF_MODEL
    assert found.problem.startswith('hw_vif_model=%s: with a port' % model)
    assert found.mend == (
        'openstack image set --property hw_vif_model=netfront ' + ID
    )
    assert codes(dict(properties, hw_vif_model='netfront')) == []


@pytest.mark.parametrize('hypervisor_type', ['kvm', None])
def test_an_emulated_nic_of_others_is_theirs(hypervisor_type):
    properties = {'vm_mode': 'hvm', 'hw_vif_model': 'e1000'}
    if hypervisor_type:
        properties['hypervisor_type'] = hypervisor_type
    assert Code.VIF_MODEL not in codes(properties)


@pytest.mark.parametrize(
    'disk_format, properties, is_vhd',
    [
        ('vhd', {}, True),
        ('VHD', HVM, True),
        ('vhd', {'img_hv_type': 'xen'}, True),
        ('vhd', {'hypervisor_type': 'hyperv'}, False),
        ('vhdx', {}, False),
        (None, {}, False),
    ],
)
def test_what_is_a_vhd_for_xen(disk_format, properties, is_vhd):
    image = image_of('an image', disk_format, properties)
    assert remedies.is_vhd(image) == is_vhd


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
        ({'hypervisor_type': 'xenn'}, 'unset --property hypervisor_type'),
        ({'vm_mode': 'PVH'}, 'unset --property vm_mode'),
        ({'hw_vif_model': 'ne2kpci'}, 'set --property hw_vif_model=ne2k_pci'),
        ({'hw_cpu_cores': 'two'}, 'unset --property hw_cpu_cores'),
    ],
)
def test_values_that_nova_refuses(properties, mend):
    found = findings(dict({'hypervisor_type': 'kvm'}, **properties))
    assert [each.code for each in found] == [Code.REFUSED_BY_NOVA]
    assert found[0].mend == 'openstack image %s %s' % (mend, ID)


@pytest.mark.parametrize('value', ['a' * 3000, 'a ' * 3000, 'a\n\nb', ['a']])
def test_what_an_owner_wrote_is_one_short_line(value):
    (found,) = findings({'hypervisor_type': 'kvm', 'hw_vif_model': value})
    assert '\n' not in found.problem
    assert len(found.problem) < 1500


def test_what_nova_refuses_of_several_properties_together():
    found = findings(
        dict(HVM, **{'hw_numa_cpus.0': '0', 'hw_numa_cpus.1': 'x-'})
    )
    assert [each.code for each in found] == [Code.REFUSED_BY_NOVA]
    assert 'hw_numa_cpus.1' in found[0].problem


#: Some of what an image may need to boot, or to be as safe as it was meant.
KEPT = {
    'hw_emulation_architecture': 'riscv64',
    'hw_ephemeral_encryption_format': 'lux',
    'hw_firmware_type': 'uefi2',
    'hw_maxphysaddr_mode': 'much',
    'hw_mem_encryption_model': 'amd',
    # hw_tpm_model without it nova refuses too.
    'hw_tpm_version': '2.1',
    # Likewise hw_cpu_thread_policy.
    'hw_cpu_policy': 'dedicatd',
    'hypervisor_version_requires': '4.4',
    'img_config_drive': 'True',
    'os_secure_boot': 'on',
    'vmware_adaptertype': 'ide2',
}


@pytest.mark.parametrize('name', KEPT)
def test_what_an_image_may_need_is_not_removed(name):
    found = findings(dict(HVM, **{name: KEPT[name]}))
    if name not in image_meta.ImageMetaProps.fields and name.startswith('hw_'):
        assert found == []  # of a later nova
        return
    assert [(each.code, each.mend) for each in found] == [
        (Code.REFUSED_BY_NOVA, '')
    ]
    assert 'correct %s, do not remove it' % name in found[0].problem


@pytest.mark.parametrize(
    ('properties', 'holds'),
    [
        ({'architecture': 'riscv64'}, 'holds: a host of any architecture'),
        ({'hypervisor_type': 'xenn'}, 'holds: a host of any hypervisor type'),
        ({'vm_mode': 'PVH'}, 'holds: PV on Xen hosts'),
        # The other name holds then.
        ({'vm_mode': 'PVH', 'hw_vm_mode': 'hvm'}, 'holds'),
        ({'hw_vif_model': 'e1001'}, 'holds'),
    ],
)
def test_what_holds_without_a_property_is_told(properties, holds):
    found = findings(dict({'hypervisor_type': 'kvm'}, **properties))
    assert found[0].problem.endswith("nova's default " + holds)


@pytest.mark.parametrize(
    ('name', 'value', 'meant'),
    [
        ('architecture', 'arm64', 'aarch64'),
        ('hw_architecture', 'ARM64', 'aarch64'),
        ('hw_emulation_architecture', 'arm64', None),
        ('architecture', 'X86-64', 'x86_64'),
        ('architecture', 'x64', 'x86_64'),
        # nova has none of these; what is spelled alike is another thing.
        ('architecture', 'riscv64', None),
        ('architecture', 'armv8', None),
        ('architecture', 'mips32', None),
        ('hw_vif_model', 'e1001', None),
        ('hw_vif_model', 'vmxnet2', None),
        ('hw_tpm_version', '2.1', None),
        ('hypervisor_type', 'xem', None),
        ('hypervisor_type', 'Hyper-V', 'hyperv'),
        ('hypervisor_type', 'XenServer', 'xen'),
        # No bus has this name, though a hypervisor has.
        ('hw_disk_bus', 'xenserver', None),
        ('vm_mode', 'hvn', None),
        ('vm_mode', 'paravirtual', 'xen'),
    ],
)
def test_what_is_spelled_alike_is_not_meant(name, value, meant):
    found = findings({'hypervisor_type': 'kvm', name: value})
    if name not in image_meta.ImageMetaProps.fields and name.startswith('hw_'):
        assert found == []  # of a later nova
        return
    line = 'openstack image unset --property %s %s' % (name, ID)
    if meant:
        line = 'openstack image set --property %s=%s %s' % (name, meant, ID)
    elif name in KEPT:
        line = ''
    assert [each.mend for each in found] == [line]


@pytest.mark.parametrize('mode', ['exe', 'uml', 'EXE'])
@pytest.mark.parametrize('name', ['vm_mode', 'hw_vm_mode'])
def test_a_vm_mode_of_no_xen_host_is_no_finding(name, mode):
    assert codes({name: mode}) == []
    assert codes({name: mode, 'hypervisor_type': 'xen'}) == []


def test_a_vm_mode_of_no_xen_host_beside_one_that_is():
    (found,) = findings(dict(HVM, vm_mode='uml', hw_vm_mode='hvm'))
    assert found.mend == 'openstack image set --property vm_mode=hvm ' + ID


@pytest.mark.parametrize('name', ['architecture', 'hw_architecture'])
def test_hvm_and_pv_are_of_x86(name):
    for other in ('aarch64', 'ppc64le', 's390x'):
        assert codes({name: other}) == []
        assert codes({name: other, 'hw_vm_mode': 'hvm'}) == []
    for own in ('x86_64', 'AMD64', 'i386', 'i686'):
        assert codes({name: own}) == [Code.NO_HYPERVISOR_TYPE]


#: What nova writes when it takes a snapshot of a volume-backed server.
MAPPING = {
    'boot_index': 0,
    'source_type': 'snapshot',
    'destination_type': 'volume',
    'device_name': '/dev/vda',
    'snapshot_id': '2b6e2a2d-6f9e-4cb4-9a2b-5a2b6f8f5a10',
    'volume_size': 8,
}


def test_a_copy_has_all_that_makes_the_image_boot():
    data = dict(MAPPING, boot_index=1, device_name='/dev/vdb')
    kept = {
        'kernel_id': '5c3f3d1e-7f0c-4d6e-8b7a-7d3c1b1c9f01',
        'ramdisk_id': '5c3f3d1e-7f0c-4d6e-8b7a-7d3c1b1c9f02',
        'os_type': 'linux',
        'os_command_line': 'root=/dev/xvda1 console=hvc0',
        'hw_disk_bus': 'xen',
        'hw_firmware_type': 'uefi',
        'trait:CUSTOM_A': 'required',
        'architecture': 'x86_64',
        'bdm_v2': 'True',
    }
    image = dict(
        image_of(
            'ami',
            'ami',
            {
                **HVM,
                **kept,
                'block_device_mapping': [data],
                'os_glance_importing_to_stores': '',
                'owner_specified.openstack.md5': '68b329da9893e340',
                'img_signature': 'c2ln',
                'img_signature_hash_method': 'SHA-256',
                'instance_uuid': None,
            },
        ),
        container_format='ami',
        min_disk=5,
        min_ram=512,
    )
    (found,) = remedies.findings(image, True)
    assert 'sign it' in found.problem
    create = shlex.split(found.mend.split(' && ')[-1])
    given = {
        create[n + 1].partition('=')[0]: create[n + 1].partition('=')[2]
        for n, word in enumerate(create)
        if word == '--property'
    }
    assert json.loads(given.pop('block_device_mapping')) == [data]
    assert given == {**HVM, **kept}
    assert create[create.index('--min-disk') + 1] == '5'
    assert create[create.index('--min-ram') + 1] == '512'


def test_a_copy_has_the_values_as_mended():
    properties = dict(HVM, hw_disk_bus='XEN ', hw_vif_model='nosuch')
    *_, found = findings(properties, 'vmdk')
    create = shlex.split(found.mend)
    assert 'hw_disk_bus=xen' in create
    assert 'hw_vif_model' not in found.mend


@pytest.mark.parametrize(
    ('values', 'word'),
    [
        ({'container_format': 'ova'}, 'ova'),
        ({'container_format': 'compressed'}, 'compressed'),
        ({'properties': dict(HVM, cinder_encryption_key_id=ID)}, 'encrypted'),
        ({'properties': dict(HVM, os_encrypt_format='LUKS')}, 'encrypted'),
        (
            {'properties': dict(HVM, hw_ephemeral_encryption_secret_uuid=ID)},
            'encrypted',
        ),
        ({'disk_format': 'luks'}, 'encrypted'),
        # qemu-img does not know it; and a CD is no disk.
        ({'disk_format': 'gpt'}, 'no disk format gpt'),
        ({'disk_format': 'ISO'}, 'no disk format iso'),
        ({'status': 'queued'}, 'it is queued'),
        ({'status': 'deactivated'}, 'it is deactivated'),
    ],
)
def test_no_line_copies_what_makes_no_disk(values, word):
    image = dict(image_of('an image', 'vmdk', HVM), **values)
    (found,) = remedies.findings(image, True)
    assert (found.code, found.mend) == (Code.DISK_FORMAT, '')
    assert word in found.problem


def test_no_line_makes_a_copy_that_nova_refuses():
    refused, found = findings(dict(HVM, block_device_mapping='x'), 'vmdk')
    assert refused.code is Code.REFUSED_BY_NOVA
    assert (found.code, found.mend) == (Code.DISK_FORMAT, '')
    assert 'once nova takes its properties' in found.problem


@pytest.mark.parametrize('name', ['vm_mode', 'hw_vm_mode'])
@pytest.mark.parametrize('mode', ['exe', 'uml'])
def test_what_no_xen_host_runs_is_not_copied_for_one(name, mode):
    assert findings({'hypervisor_type': 'xen', name: mode}, 'vmdk') == []


def test_a_copy_is_built_as_it_is_scheduled():
    image = {'hypervisor_type': 'xen', 'hw_vm_mode': 'hvm'}
    mode, found = findings(image, 'vmdk')
    assert mode.code is Code.VM_MODE_NAMES
    words = shlex.split(found.mend.split(' && ')[-1])
    assert {'vm_mode=hvm', 'hw_vm_mode=hvm'} < set(words)


def test_a_line_that_a_terminal_would_show_otherwise_is_not_offered():
    for name, properties in (
        ('a\x1b[2J', HVM),
        ('a', dict(HVM, os_distro='a\u202eb')),
    ):
        (found,) = remedies.findings(image_of(name, 'vmdk', properties), True)
        assert found.mend == ''
        assert found.problem.endswith('it has signs that no terminal shows')


def test_names_are_quoted_for_the_shell():
    image = image_of("it's; rm", 'vmdk', HVM)
    (found,) = remedies.findings(image, False)
    assert shlex.split(found.mend)[-1] == "it's; rm"

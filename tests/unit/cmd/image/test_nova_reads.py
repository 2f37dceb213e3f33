# SPDX-License-Identifier: Apache-2.0

"""What image check says of an image is what nova does with it.

nova's own client of Glance and its ImageMeta read the images here, before and
after the lines that image check has for them.
"""

from __future__ import annotations

import itertools
import json
import shlex

from glanceclient.v2 import image_schema
import hypothesis
from hypothesis import strategies as st
from nova import exception
from nova import objects
from nova.image import glance
from nova.objects import fields
from nova.objects import image_meta
import pytest

from nova_xen_sched.cmd.image import nova_properties
from nova_xen_sched.cmd.image import remedies
from nova_xen_sched.cmd.image.remedies import Code
from nova_xen_sched.cmd.nova import images
from nova_xen_sched.cmd.nova import private
from nova_xen_sched.cmd.nova import request_spec

Props = image_meta.ImageMetaProps
ID = 'c3e58657-1aec-4804-94eb-166cff02600d'
ROOT = {
    'boot_index': 0,
    'source_type': 'snapshot',
    'destination_type': 'volume',
    'device_type': 'disk',
    'disk_bus': 'xen',
    'device_name': '/dev/xvda',
    'snapshot_id': '2b6e2a2d-6f9e-4cb4-9a2b-5a2b6f8f5a10',
    'volume_id': None,
    'volume_size': 8,
    'delete_on_termination': False,
    'no_device': None,
}
DATA = dict(ROOT, boot_index=None, device_name='/dev/xvdb')
LOCAL = dict(ROOT, source_type='image', destination_type='local', image_id=ID)


def in_glance(properties, **values):
    """Glance's JSON of an image, written as nova's snapshots are."""
    written = glance._convert_to_string({'properties': properties})
    return {
        'id': ID,
        'name': 'an image',
        'status': 'active',
        'visibility': 'private',
        'protected': False,
        'os_hidden': False,
        'container_format': 'bare',
        'disk_format': 'raw',
        'size': 0,
        'min_disk': 0,
        'min_ram': 0,
        'tags': [],
        'self': '/v2/images/' + ID,
        'file': '/v2/images/%s/file' % ID,
        'schema': '/v2/schemas/image',
        'created_at': '2026-01-02T03:04:05Z',
        **written['properties'],
        **values,
    }


SNAPSHOT = in_glance(
    {
        'block_device_mapping': [ROOT, DATA],
        'bdm_v2': 'True',
        'root_device_name': '/dev/xvda',
        'hypervisor_type': 'xen',
        'vm_mode': 'hvm',
        'mappings': [{'virtual': 'root', 'device': 'xvda'}],
    },
    disk_format=None,
    container_format=None,
)


class _FromGlance(dict):
    """What nova's client of Glance gets from glanceclient."""

    schema = image_schema._BASE_SCHEMA


def nova_reads(found):
    """nova's dict of an image, and its ImageMeta."""
    read = glance._translate_from_glance(_FromGlance(found))
    return read, image_meta.ImageMeta.from_dict(read)


def takes(found):
    try:
        nova_reads(found)
    except Exception:
        return False
    return True


def check(found):
    return list(remedies.findings(images.as_nova_has_it(found), True))


def after(found, line):
    """Glance's JSON of an image after a line for it was run."""
    words = shlex.split(line)
    assert words[:2] == ['openstack', 'image']
    assert words[-1] == ID
    changed = dict(found)
    for option, value in zip(words[3:-1:2], words[4:-1:2]):
        assert option == '--property'
        if words[2] == 'unset':
            del changed[value]
        else:
            assert words[2] == 'set'
            name, _, changed[name] = value.partition('=')
    return changed


def test_properties_are_as_novas_client_reads_them():
    for found in (SNAPSHOT, in_glance({'architecture': 'x86_64'})):
        read, _ = nova_reads(found)
        assert images.as_nova_has_it(found)['properties'] == read['properties']
    # The newer name nova does not parse.
    text = {'img_block_device_mapping': json.dumps([ROOT])}
    assert images.as_nova_reads(text) == text
    assert not takes(in_glance(text))


def test_a_snapshot_of_a_volume_backed_server_is_fine():
    assert takes(SNAPSHOT)
    assert check(SNAPSHOT) == []
    # It has no data, so that its format says nothing.
    assert check(dict(SNAPSHOT, disk_format='vmdk')) == []


@pytest.mark.parametrize('text', ['[{', 'null', '{}', '["a"]', '[' * 9999])
@pytest.mark.parametrize(
    'name',
    [
        'block_device_mapping',
        'mappings',
        'img_block_device_mapping',
        'img_mappings',
    ],
)
def test_mappings_that_nova_fails_on_are_told_and_not_removed(name, text):
    broken = in_glance({'hypervisor_type': 'xen', name: text})
    assert not takes(broken)
    (found,) = check(broken)
    assert (found.code, found.mend) == (Code.REFUSED_BY_NOVA, '')
    assert name in found.problem


def test_what_may_be_removed_nova_reads():
    """And no more than the type and the devices of a guest."""
    older = getattr(Props, '_legacy_property_map', {})
    known = {*Props.fields, *nova_properties._READ_TOO}
    # Of later novas than this one.
    assert not [
        name
        for name in nova_properties._REMOVABLE - known
        if not name.startswith('hw_')
    ]
    assert not [
        name
        for name in nova_properties._REMOVABLE
        if older.get(name, name).startswith(
            (
                'hw_ephemeral',
                'hw_firmware',
                'hw_mem',
                'hw_numa',
                'hw_tpm',
                'img_bdm',
                'img_block',
                'img_mappings',
                'img_root',
                'img_signature',
                'os_secure',
                'trait',
            )
        )
    ]


def _bad_values():
    older = getattr(Props, '_legacy_property_map', {})
    for name in sorted({*Props.fields, *older}):
        for value in ('nosuch', 'X86-64', 'LUKS ', '-', '1.2.3', ''):
            if not takes(in_glance({name: value})):
                yield name, value


@pytest.mark.parametrize(('name', 'value'), _bad_values())
def test_a_line_is_proved_by_nova(name, value):
    """What a setting's line leaves nova takes; nothing else has one."""
    before = in_glance({'hypervisor_type': 'kvm', name: value})
    found = [each for each in check(before) if name in each.mend]
    if not found:
        assert name not in nova_properties._REMOVABLE
        return
    left = after(before, found[0].mend)
    assert takes(left)
    # Nothing else was touched.
    assert {k: v for k, v in left.items() if k != name} == {
        k: v for k, v in before.items() if k != name
    }
    if name in left:
        _, read = nova_reads(left)
        assert read.properties.obj_what_changed()


_PROPERTIES = {
    'hypervisor_type': ['xen', 'Xapi', 'xenn', 'kvm', 'XenServer'],
    'img_hv_type': ['xen', 'qemu', ' xen'],
    'vm_mode': ['hvm', 'pv', 'HV', 'exe', 'PVH', 'hvm '],
    'hw_vm_mode': ['hvm', 'xen', 'baremetal', 'uml', 'xenpvh', ''],
    'architecture': ['amd64', 'arm64', 'riscv64', 'x86_64'],
    'hw_cpu_cores': ['2', 'two', '2 '],
    'hw_numa_nodes': ['1'],
    'hw_numa_cpus.0': ['0', 'x-'],
    'hw_numa_cpus.1': ['1', 'x-'],
    'hw_numa_mem.0': ['512', '1 GB'],
    'block_device_mapping': [[ROOT], [LOCAL, DATA], 'x'],
    'bdm_v2': ['True'],
    'os_distro': ['debian'],
}


@hypothesis.given(
    st.fixed_dictionaries(
        {}, optional={k: st.sampled_from(v) for k, v in _PROPERTIES.items()}
    )
)
def test_all_lines_together_are_proved_by_nova(properties):
    image = in_glance(properties)
    by_hand = False
    for found in check(image):
        if found.mend:
            image = after(image, found.mend)
        by_hand |= not found.mend
    assert takes(image) or by_hand
    # What carries data is as it was, and numbers that belong together.
    for name, value in in_glance(properties).items():
        if name.startswith(('block', 'bdm', 'hw_numa')):
            assert image[name] == value


def copied(line):
    """Glance's JSON of the image that a line for a copy makes."""
    create = shlex.split(line.split(' && ')[-1])
    assert create[:3] == ['openstack', 'image', 'create']
    options = list(zip(create[3:-1:2], create[4:-1:2]))
    given = dict(options)
    properties = dict(
        value.split('=', 1) for name, value in options if name == '--property'
    )
    return in_glance(
        properties,
        disk_format=given['--disk-format'],
        container_format=given['--container-format'],
    )


@hypothesis.given(
    st.fixed_dictionaries(
        {}, optional={k: st.sampled_from(v) for k, v in _PROPERTIES.items()}
    )
)
def test_a_copy_is_proved_by_nova(properties):
    offers_a_good_copy(properties)


def test_a_copy_is_offered_at_all():
    for properties in (
        {},
        {'hypervisor_type': 'xen', 'hw_vm_mode': 'hvm', 'os_distro': 'debian'},
        {'vm_mode': 'hvm ', 'hw_cpu_cores': 'two', 'architecture': 'amd64'},
    ):
        assert offers_a_good_copy(properties), properties


def offers_a_good_copy(properties):
    """Whether the image has a line for a copy; what that makes is good."""
    lines = [
        found.mend
        for found in check(in_glance(properties, disk_format='vmdk'))
        if found.code is Code.DISK_FORMAT and found.mend
    ]
    for line in lines:
        copy = copied(line)
        assert takes(copy)
        # It is scheduled as it is built, and in a format of Xen hosts.
        assert {each.code for each in check(copy)} <= {
            Code.VM_MODE_WITHOUT_TYPE,
            Code.NO_HYPERVISOR_TYPE,
        }
    return bool(lines)


@pytest.fixture
def objects_are_there(clean):
    objects.register_all()


@pytest.mark.parametrize(
    ('properties', 'from_volume'),
    [
        ({}, False),
        ({'bdm_v2': 'True', 'block_device_mapping': [ROOT, DATA]}, True),
        ({'bdm_v2': 'True', 'block_device_mapping': [DATA]}, False),
        ({'bdm_v2': 'True', 'block_device_mapping': [LOCAL, DATA]}, False),
        ({'bdm_v2': 'True', 'block_device_mapping': []}, False),
        (
            {
                'bdm_v2': 'True',
                'block_device_mapping': [dict(ROOT, boot_index='0')],
            },
            True,
        ),
        ({'bdm_v2': 'False', 'block_device_mapping': [ROOT]}, True),
        ({'bdm_v2': '', 'block_device_mapping': [ROOT]}, False),
        (
            {
                'mappings': [
                    {'virtual': 'ami', 'device': 'vda'},
                    {'virtual': 'root', 'device': '/dev/sda1'},
                ],
                'block_device_mapping': [
                    {'device_name': 'sda1', 'snapshot_id': ID}
                ],
            },
            True,
        ),
        # As before Havana, and as EC2's images are.
        (
            {
                'root_device_name': '/dev/sda1',
                'block_device_mapping': [
                    {'device_name': 'sda1', 'snapshot_id': ID}
                ],
            },
            True,
        ),
        (
            {
                'block_device_mapping': [
                    {'device_name': 'vda', 'volume_id': ID}
                ]
            },
            True,
        ),
        (
            {
                'block_device_mapping': [
                    {'device_name': 'vdb', 'snapshot_id': ID}
                ]
            },
            False,
        ),
    ],
)
def test_an_image_that_boots_from_a_volume(
    objects_are_there, properties, from_volume
):
    read, _ = nova_reads(in_glance(properties))
    flavor = request_spec.flavor_of(512, 1, 10)
    volume = private.volume_of_image(read, flavor)
    assert (volume is not None) is from_volume
    # image check has no nova to ask everywhere.
    ours = images.as_nova_has_it(in_glance(properties))['properties']
    assert remedies.boots_from_volume(ours) is from_volume
    # Nothing was changed.
    assert ours == read['properties']


KINDS = {
    'Architecture': fields.Architecture,
    'HVType': fields.HVType,
    'VMMode': fields.VMMode,
}


def _words(kind):
    """All words that nova's function knows, by its own code too."""
    consts = kind.canonicalize.__func__.__code__.co_consts
    flat = itertools.chain.from_iterable(
        [each] if isinstance(each, str) else each
        for each in consts
        if isinstance(each, (str, tuple, frozenset))
    )
    return {*kind.ALL, *(each for each in flat if ' ' not in each)}


@pytest.mark.parametrize('name', KINDS)
def test_the_same_words_count_as_in_nova(name):
    kind = KINDS[name]
    words = _words(kind)
    assert set(nova_properties.SYNONYMS[name]) < words
    for word in sorted(words | set(nova_properties.SYNONYMS[name])):
        for spelled in (word, word.upper(), word.title()):
            try:
                expected = kind.canonicalize(spelled)
            except exception.NovaException:
                # Such as the word "name" of its code.
                expected = word
                assert word not in nova_properties.SYNONYMS[name]
            assert nova_properties.canonical(name, spelled) == expected
    assert nova_properties.canonical(name, None) is None


@pytest.mark.parametrize('mixed', [True, False])
def test_without_nova_it_judges_the_same(monkeypatch, mixed):
    """But for values that nova refuses, of which it says nothing."""
    types = [None, 'Xen', 'xapi', 'XAPI', 'kvm', 'nosuch', '']
    modes = [None, *_words(fields.VMMode), 'PVH', 'Pv', 'HV', '']
    cases = [
        {k: v for k, v in zip(('hypervisor_type', *names), values) if v}
        for names in (('vm_mode', 'hw_vm_mode'), ('architecture', 'vm_mode'))
        for values in itertools.product(
            types,
            modes
            if names[0] == 'vm_mode'
            else [None, *_words(fields.Architecture)],
            modes,
        )
    ]

    def judged():
        return [
            [
                each
                for each in remedies.findings(
                    {'id': ID, 'properties': properties}, mixed
                )
                if each.code is not Code.REFUSED_BY_NOVA
            ]
            for properties in cases
        ]

    with_nova = judged()
    monkeypatch.setattr(nova_properties, '_props', lambda: None)
    without = judged()
    assert any(with_nova)
    for properties, here, there in zip(cases, with_nova, without):
        assert here == there, properties


# What nova is not asked about


class _Watched(dict):
    """Properties that remember which of them nova looks for."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.names = set()

    def __contains__(self, name):
        self.names.add(name)
        return super().__contains__(name)

    def get(self, name, default=None):
        self.names.add(name)
        return super().get(name, default)


def test_nova_reads_no_other_names():
    watched = _Watched()
    Props.from_dict(watched)
    assert 'hypervisor_type' in watched.names
    assert not [
        name for name in watched.names if nova_properties._taken(name, None)
    ]


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('hw_cpu_sockets', '2'),
        ('hw_cpu_policy', 'dedicated'),
        ('hw_video_ram', '64'),
        ('hw_mem_page_size', 'large'),
        ('hw_watchdog_action', 'reset'),
        ('os_secure_boot', 'required'),
        ('os_shutdown_timeout', '60'),
    ],
)
def test_nova_is_not_asked_about_ordinary_values(monkeypatch, name, value):
    """To import it would double the time that the command takes."""

    def asked():
        pytest.fail('nova is asked')

    monkeypatch.setattr(nova_properties, '_props', asked)
    assert nova_properties.refused({name: value, 'vm_mode': 'hvm'}) == []


def test_nova_takes_what_it_is_not_asked_about():
    together = {}
    for name, values in nova_properties.TAKEN.items():
        for value in values or ('', 'a', '0', 'Debian GNU/Linux 12', '\u4e2d'):
            assert nova_properties._complaint({name: value}) is None
            together[name] = value
    assert nova_properties._complaint(together) is None


@hypothesis.given(
    st.sampled_from(sorted(nova_properties.TAKEN)), st.text(max_size=300)
)
def test_what_is_found_is_what_nova_says(name, value):
    found = nova_properties.refused({name: value})
    assert [each.why for each in found] == [
        why
        for why in [nova_properties._complaint({name: value})]
        if why is not None
    ]


def test_nova_is_asked_about_each_other_value():
    for name, values in nova_properties.TAKEN.items():
        assert not nova_properties._taken(name, ['hvm'])
        if values is not None:
            assert not nova_properties._taken(name, 'nonsense')
    (refused,) = nova_properties.refused({'os_type': 'linux', 'vm_mode': 'x'})
    assert refused.name == 'vm_mode'

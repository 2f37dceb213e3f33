# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from nova_xen_sched import conf
from nova_xen_sched import rules
from nova_xen_sched.refusal import Code
from nova_xen_sched.request import ANY_MOVE
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.request import Kind
from tests.unit import builders

HVM = builders.host(builders.XEN_HVM, 'Xen', 4017000)
PV_ONLY = builders.host(builders.XEN_PV, 'Xen', 4014000)
HVM_ONLY = builders.host(builders.XEN_HVM_ONLY, 'Xen', 4017000)
XAPI = builders.host(builders.XEN_HVM_ONLY, 'XenServer', 7006000)
KVM = builders.host(builders.KVM, 'QEMU', 8002000)
SILENT = builders.host()

REBUILD = frozenset({Kind.REBUILD})


def codes(guest, host, **settings):
    verdict = rules.Judge(guest, conf.defaults(**settings))(host, every=True)
    return [str(refusal.code) for refusal in verdict.refusals]


def guest(**values):
    return GuestRequest(**values)


@pytest.mark.parametrize(
    'asked, host, expected',
    [
        # position by position: a PV image's "xen" is not a type
        ({'vm_mode': 'xen'}, HVM_ONLY, ['vm_mode']),
        ({'vm_mode': 'xen'}, HVM, []),
        ({'vm_mode': 'xen'}, KVM, ['vm_mode']),
        ({'vm_mode': 'hvm'}, PV_ONLY, ['vm_mode']),
        ({'vm_mode': 'hvm'}, KVM, []),
        ({'hypervisor_type': 'xen', 'vm_mode': 'hvm'}, HVM, []),
        ({'hypervisor_type': 'xen'}, KVM, ['hypervisor_type']),
        ({'hypervisor_type': 'kvm'}, HVM, ['hypervisor_type']),
        ({'hypervisor_type': 'kvm'}, KVM, []),
        ({'architecture': 'aarch64'}, KVM, ['architecture']),
        ({'architecture': 'aarch64'}, HVM, ['architecture']),
        # i686 HVM and x86_64 PV are offered, i686 PV is not
        ({'architecture': 'i686', 'vm_mode': 'xen'}, HVM, ['guest_type']),
        ({'architecture': 'i686', 'vm_mode': 'hvm'}, HVM, []),
        ({'architecture': 'i686'}, HVM, ['pv_by_default']),
        # all that is wrong, in order
        (
            {
                'architecture': 'ppc64',
                'hypervisor_type': 'kvm',
                'vm_mode': 'hvm',
            },
            PV_ONLY,
            ['architecture', 'hypervisor_type', 'vm_mode'],
        ),
        # a host that never reported takes only guests that name nothing
        ({}, SILENT, []),
        ({'vm_mode': 'hvm'}, SILENT, ['vm_mode']),
    ],
)
def test_guest_type(asked, host, expected):
    assert codes(guest(**asked), host) == expected


@pytest.mark.parametrize(
    'host, by_mode',
    [
        (HVM, {'xen': [], 'hvm': [], 'any': []}),
        (PV_ONLY, {'xen': [], 'hvm': ['pv_by_default'], 'any': []}),
        (HVM_ONLY, {'xen': ['pv_by_default'], 'hvm': [], 'any': []}),
        (XAPI, {'xen': [], 'hvm': [], 'any': []}),
        (KVM, {'xen': [], 'hvm': [], 'any': []}),
    ],
)
def test_pv_by_default(host, by_mode):
    for mode, expected in by_mode.items():
        assert codes(guest(), host, default_vm_mode=mode) == expected


def test_pv_by_default_is_silent_where_nothing_fits():
    asked = guest(hypervisor_type='kvm')
    assert codes(asked, HVM_ONLY) == ['hypervisor_type']


@pytest.mark.parametrize(
    'asked, host, expected',
    [
        ({'vm_mode': 'hvm'}, HVM, ['hypervisor_version']),
        ({'vm_mode': 'hvm'}, KVM, []),
        # as in nova: unless a part of a guest type is named, it's not read
        ({}, HVM, []),
        ({'vm_mode': 'hvm'}, builders.host(builders.KVM, 'QEMU', None), []),
        ({'vm_mode': 'hvm'}, builders.host(builders.KVM, 'QEMU', 0), []),
        ({'vm_mode': 'hvm'}, builders.host(builders.KVM, 'QEMU', -1), []),
    ],
)
def test_hypervisor_version(asked, host, expected):
    asked = guest(hypervisor_version_requires='>=5.0', **asked)
    assert codes(asked, host) == expected


@pytest.mark.parametrize(
    'required, offered, expected',
    [
        (42, 42, []),
        (42, 48, []),
        (42, 40, ['maxphysaddr_bits']),
        (42, None, []),
        (None, 40, []),
    ],
)
def test_maxphysaddr_bits(required, offered, expected):
    host = builders.host(
        builders.KVM, 'QEMU', 8002000, maxphysaddr_bits=offered
    )
    asked = guest(vm_mode='hvm', maxphysaddr_bits=required)
    assert codes(asked, host) == expected
    assert codes(guest(maxphysaddr_bits=required), host) == []


def test_hypervisor_type_required():
    required = {'require_hypervisor_type': True}
    wanted = ['hypervisor_type_required']
    assert codes(guest(), HVM, **required) == wanted
    assert codes(guest(kinds=REBUILD), HVM, **required) == wanted
    assert codes(guest(kinds=ANY_MOVE), HVM, **required) == []
    assert codes(guest(hypervisor_type='xen'), HVM, **required) == []
    assert codes(guest(), KVM, **required) == []
    assert codes(guest(), XAPI, **required) == []
    assert codes(guest(), HVM) == []


def test_disk_format():
    listed = {'disk_formats': frozenset({'raw', 'qcow2', 'vhd'})}

    def judged(host=HVM, disk_format='vmdk', **values):
        return codes(guest(disk_format=disk_format, **values), host, **listed)

    assert judged() == ['disk_format']
    assert judged(kinds=REBUILD) == ['disk_format']
    assert judged(kinds=ANY_MOVE) == []
    assert judged(boot_from_volume=True) == []
    assert judged(disk_format='vhd') == []
    assert judged(disk_format=None) == []
    assert judged(host=KVM) == []
    assert judged(host=XAPI) == []
    assert codes(guest(disk_format='vmdk'), HVM) == []


def test_report_only_leaves_the_decision_to_the_next_rule():
    asked = guest(hypervisor_type='kvm', vm_mode='hvm')
    verdict = rules.Judge(
        asked, conf.defaults(report_only=frozenset({Code.HYPERVISOR_TYPE}))
    )(PV_ONLY)
    assert verdict.refusal.code is Code.VM_MODE
    assert [r.code for r in verdict.refusals] == [
        Code.HYPERVISOR_TYPE,
        Code.VM_MODE,
    ]


def test_it_stops_at_the_refusal_that_decides_unless_all_are_wanted():
    asked = guest(architecture='ppc64', hypervisor_type='kvm', vm_mode='hvm')
    first = rules.Judge(asked, conf.defaults())(PV_ONLY)
    assert [r.code for r in first.refusals] == [Code.ARCHITECTURE]
    every = rules.Judge(asked, conf.defaults())(PV_ONLY, every=True)
    assert every.refusal == first.refusal
    assert [r.code for r in every.refusals] == [
        Code.ARCHITECTURE,
        Code.HYPERVISOR_TYPE,
        Code.VM_MODE,
    ]


def test_report_only_all_accepts():
    verdict = rules.Judge(
        guest(vm_mode='hvm'), conf.defaults(report_only=frozenset(Code))
    )(PV_ONLY)
    assert verdict.refusal is None
    assert [r.code for r in verdict.refusals] == [Code.VM_MODE]


def test_nothing_against_a_host_is_one_verdict():
    verdict = rules.Judge(guest(), conf.defaults())(HVM)
    assert verdict is rules.ACCEPTED


SENTENCES = [
    (
        {'architecture': 'aarch64'},
        HVM,
        {},
        "architecture: the image's architecture is aarch64, the host offers "
        "i686, x86_64; correct the image's hw_architecture (or "
        'architecture) if it is wrong',
    ),
    (
        {'hypervisor_type': 'xen'},
        KVM,
        {},
        "hypervisor_type: the image's hypervisor_type is xen, the host "
        "offers kvm, qemu; correct the image's img_hv_type (or "
        'hypervisor_type) if it is wrong',
    ),
    (
        {'vm_mode': 'hvm'},
        PV_ONLY,
        {},
        "vm_mode: the image's vm_mode is hvm (HVM), the host offers xen "
        '(PV); enable hardware virtualization (VT-x, AMD-V) in the '
        "host's firmware, or use an image that can run as PV",
    ),
    (
        {'vm_mode': 'xen'},
        KVM,
        {},
        "vm_mode: the image's vm_mode is xen (PV), the host offers hvm "
        "(HVM); correct the image's hw_vm_mode (or vm_mode) if it is wrong",
    ),
    (
        {'architecture': 'i686', 'vm_mode': 'xen'},
        HVM,
        {},
        'guest_type: the image asks for i686/*/xen together, the host '
        'offers i686/xen/hvm, x86_64/xen/hvm, x86_64/xen/xen; correct the '
        "image's hw_architecture, img_hv_type or hw_vm_mode if one is wrong",
    ),
    (
        {},
        HVM_ONLY,
        {},
        'pv_by_default: the image names no vm_mode, so a Xen host builds '
        'it as xen (PV), and the host offers hvm (HVM); set the '
        "image's vm_mode to hvm if it can run so",
    ),
    (
        {'vm_mode': 'hvm', 'hypervisor_version_requires': '>=4.18'},
        HVM,
        {},
        'hypervisor_version: the image requires hypervisor version '
        ">=4.18, the host reports 4.17.0; correct the image's "
        'img_hv_requested_version (or hypervisor_version_requires), or '
        'upgrade the host; of Xen nova knows no patch level, so 4.14.6 '
        'counts as 4.14.0',
    ),
    (
        {'vm_mode': 'hvm', 'maxphysaddr_bits': 48},
        builders.host(builders.KVM, 'QEMU', 8002000, maxphysaddr_bits=40),
        {},
        "maxphysaddr_bits: the image's hw_maxphysaddr_bits is 48, the host "
        "has 40; lower the image's hw_maxphysaddr_bits if the guest can do "
        'with less',
    ),
    (
        {},
        HVM,
        {'require_hypervisor_type': True},
        'hypervisor_type_required: the image names no hypervisor_type, '
        'and [xen_scheduler] require_hypervisor_type is set; set '
        'hypervisor_type=xen on the image if it is meant for Xen',
    ),
    (
        {'disk_format': 'vmdk'},
        HVM,
        {'disk_formats': frozenset({'raw', 'qcow2'})},
        "disk_format: the image's disk_format is vmdk, [xen_scheduler] "
        'disk_formats lists qcow2, raw; convert the image (qemu-img '
        'convert), or boot from a volume',
    ),
]


@pytest.mark.parametrize('asked, host, settings, sentence', SENTENCES)
def test_sentences(asked, host, settings, sentence):
    verdict = rules.Judge(guest(**asked), conf.defaults(**settings))(
        host, every=True
    )
    assert [str(refusal) for refusal in verdict.refusals] == [sentence]


def test_every_code_has_its_sentence_here():
    """The others stand in test_versions.py and test_dom0.py."""
    said = {sentence.split(':')[0] for *_, sentence in SENTENCES}
    assert {code.value for code in Code} - said == {
        'xen_too_old',
        'xen_unknown',
        'libvirt_too_old',
        'libvirt_unknown',
        'live_migration_unknown',
        'dom0_memory',
        'dom0_cpu',
        'host_memory',
    }

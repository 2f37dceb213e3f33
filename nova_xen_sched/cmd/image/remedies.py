# SPDX-License-Identifier: Apache-2.0

"""Images that will surprise on Xen hosts, and the command that mends each."""

from __future__ import annotations

import enum
import shlex
import typing as ty

from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.image import nova_properties

#: What Xen takes, by OpenStack's guide to Xen via libvirt.
GUIDE_FORMATS = ('raw', 'qcow2', 'vhd')
#: A kernel or a ramdisk beside an image: no guest is booted from it alone.
_NO_IMAGES = frozenset({'aki', 'ari'})
#: What qemu-img calls otherwise than Glance.
_QEMU_NAMES = {'vhd': 'vpc', 'ploop': 'parallels', 'iso': 'raw', 'ami': 'raw'}

#: The newer name and the older; nova takes the newer if both are there.
_TYPES = ('img_hv_type', 'hypervisor_type')
_MODES = ('hw_vm_mode', 'vm_mode')
#: Properties that a converted copy needs.
_KEPT = (*_TYPES, *_MODES, 'architecture', 'hw_architecture')

XEN = 'xen'

#: An image as cmd.nova.images has it.
Image = ty.Mapping[str, ty.Any]


class Code(str, enum.Enum):
    """The kinds of findings; stable, additions only."""

    REFUSED_BY_NOVA = 'refused_by_nova'
    VM_MODE_NAMES = 'vm_mode_names'
    VM_MODE_WITHOUT_TYPE = 'vm_mode_without_type'
    NO_HYPERVISOR_TYPE = 'no_hypervisor_type'
    DISK_FORMAT = 'disk_format'

    def __str__(self) -> str:
        return self.value


class Finding(ty.NamedTuple):
    """One thing that will surprise.

    :ivar problem: what happens, as a clause.
    :ivar mend: a command line; nothing in it is left to be filled in.
    """

    code: Code
    problem: str
    mend: str


def findings(
    image: Image, mixed: bool, formats: tuple[str, ...] = GUIDE_FORMATS
) -> ty.Iterator[Finding]:
    """What will surprise about an image.

    :param mixed: whether the cloud has other hosts than Xen hosts.
    :param formats: the disk formats that Xen hosts take, in lower case.
    """
    known = _properties(image)
    refused = set()
    for each in nova_properties.refused(known):
        yield _refused(image, each)
        refused.add(each.name)
        del known[each.name]
    disk_format = (image.get('disk_format') or '').lower()
    if disk_format in _NO_IMAGES:
        return
    hypervisor_type = nova_properties.canonical(
        'HVType', known.get('img_hv_type') or known.get('hypervisor_type')
    )
    if hypervisor_type not in (None, XEN):
        return
    new, old = (
        nova_properties.canonical('VMMode', known.get(n)) for n in _MODES
    )
    modes_are_known = refused.isdisjoint(_MODES)
    # nova's libvirt driver reads the older name only, and builds PV where
    # it isn't there; nova-compute-xen takes the newer one then. Which of them
    # a compute has can't be seen through nova's API.
    if modes_are_known and new and new != (old or XEN):
        yield _vm_mode_names(image, new, old)
    if hypervisor_type is None and refused.isdisjoint(_TYPES):
        if new or old:
            yield _vm_mode_without_type(image, new or old)
        elif mixed and modes_are_known:
            yield _no_hypervisor_type(image)
    if disk_format and disk_format not in formats:
        yield _disk_format(image, disk_format, formats)


def _properties(image: Image) -> dict[str, str]:
    return {
        name: value
        for name, value in image['properties'].items()
        if isinstance(value, str)
    }


def _refused(image: Image, each: nova_properties.Refused) -> Finding:
    problem = 'nova refuses to boot it: %s=%s: %s' % (
        each.name,
        each.value,
        each.why,
    )
    if each.accepted:
        problem += '; it takes %s' % ', '.join(each.accepted)
    if each.nearest is not None:
        mend = _set(image, **{each.name: each.nearest})
    else:
        mend = shlex.join(
            ['openstack', 'image', 'unset', '--property', each.name]
            + [image['id']]
        )
    return Finding(Code.REFUSED_BY_NOVA, problem, mend)


def _vm_mode_names(image: Image, new: str, old: str | None) -> Finding:
    built = old or XEN
    names = (
        tables.MODES.get(new, new),
        image['properties']['hw_vm_mode'],
        tables.MODES.get(built, built),
    )
    if old:
        problem = 'scheduled as %s by hw_vm_mode=%s, but built as %s by ' % (
            names
        )
        problem += 'vm_mode=%s' % image['properties']['vm_mode']
    else:
        problem = (
            "scheduled as %s by hw_vm_mode=%s; nova's own libvirt driver "
            'builds it as %s, because it reads vm_mode only, which is not '
            'set; nova-compute-xen builds it as %s'
        ) % (*names, names[0])
    return Finding(Code.VM_MODE_NAMES, problem, _set(image, vm_mode=new))


def _vm_mode_without_type(image: Image, mode: str | None) -> Finding:
    return Finding(
        Code.VM_MODE_WITHOUT_TYPE,
        'vm_mode %s without hypervisor_type: it may go to any host that '
        'offers %s; if it is meant for Xen, say so'
        % (mode, 'hvm, KVM too' if mode == 'hvm' else mode),
        _set(image, hypervisor_type=XEN),
    )


def _no_hypervisor_type(image: Image) -> Finding:
    return Finding(
        Code.NO_HYPERVISOR_TYPE,
        'no hypervisor_type: it may go to Xen hosts, which build it as '
        'PV, and to all others; the line keeps it on Xen as HVM (vm_mode '
        'xen for PV; for KVM set hypervisor_type alone)',
        _set(image, hypervisor_type=XEN, vm_mode='hvm'),
    )


def _disk_format(
    image: Image, disk_format: str, formats: tuple[str, ...]
) -> Finding:
    """Its remedy is a converted copy: Glance keeps an image's format."""
    target = 'qcow2' if 'qcow2' in formats else formats[0]
    id_ = image['id']
    old, new = '%s.%s' % (id_, disk_format), '%s.%s' % (id_, target)
    properties = _properties(image)
    kept = {name: properties[name] for name in _KEPT if name in properties}
    return Finding(
        Code.DISK_FORMAT,
        'disk format %s; Xen hosts take %s; if it is meant for Xen, make a '
        'converted copy' % (disk_format, ', '.join(formats)),
        ' && '.join(
            map(
                shlex.join,
                (
                    ['openstack', 'image', 'save', '--file', old, id_],
                    ['qemu-img', 'convert', '-f', _qemu(disk_format)]
                    + ['-O', _qemu(target), old, new],
                    ['openstack', 'image', 'create']
                    + ['--container-format', 'bare', '--disk-format', target]
                    + [
                        *_options(kept),
                        '--file',
                        new,
                        image.get('name') or '',
                    ],
                ),
            )
        ),
    )


def _qemu(disk_format: str) -> str:
    return _QEMU_NAMES.get(disk_format, disk_format)


def _set(image: Image, **properties: str) -> str:
    return shlex.join(
        ['openstack', 'image', 'set', *_options(properties), image['id']]
    )


def _options(properties: ty.Mapping[str, str]) -> list[str]:
    return [
        word
        for each in properties.items()
        for word in ('--property', '%s=%s' % each)
    ]

# SPDX-License-Identifier: Apache-2.0


"""Images that will surprise on Xen hosts, and the command that mends each.

What nova makes of a value it is asked itself: image_values.py.
"""

from __future__ import annotations

import dataclasses
import enum
import shlex
import typing as ty

from nova_xen_sched.cmd.image import values

#: What Xen takes, by OpenStack's guide to Xen via libvirt.
GUIDE_FORMATS = ('raw', 'qcow2', 'vhd')
#: A kernel or a ramdisk beside an image: no guest is booted from it alone.
_NO_IMAGES = frozenset({'aki', 'ari'})

#: What qemu-img calls otherwise than Glance.
_QEMU_NAMES = {'vhd': 'vpc', 'ploop': 'parallels', 'iso': 'raw', 'ami': 'raw'}
#: Properties that a converted copy needs.
_KEPT = (
    'hypervisor_type',
    'img_hv_type',
    'vm_mode',
    'hw_vm_mode',
    'architecture',
    'hw_architecture',
)

XEN = 'xen'
_MODES = {'xen': 'PV', 'hvm': 'HVM'}


class Code(str, enum.Enum):
    """The kinds of findings; stable, additions only."""

    REFUSED_BY_NOVA = 'refused_by_nova'
    VM_MODE_NAMES = 'vm_mode_names'
    VM_MODE_WITHOUT_TYPE = 'vm_mode_without_type'
    NO_HYPERVISOR_TYPE = 'no_hypervisor_type'
    DISK_FORMAT = 'disk_format'

    def __str__(self) -> str:
        return self.value


@dataclasses.dataclass(frozen=True)
class Image:
    """An image, as far as it matters here.

    :ivar properties: its properties, by Glance's names.
    """

    id: str
    name: str
    disk_format: str | None
    properties: ty.Mapping[str, str]

    @classmethod
    def of(cls, image: ty.Mapping[str, ty.Any]) -> Image:
        """An image as view.images has it."""
        return cls(
            id=image['id'],
            name=image.get('name') or '',
            disk_format=image.get('disk_format'),
            properties={
                name: value
                for name, value in image['properties'].items()
                if isinstance(value, str)
            },
        )


@dataclasses.dataclass(frozen=True)
class Finding:
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
    refused = tuple(values.refused(image.properties))
    for each in refused:
        yield _refused(image, each)
    if (image.disk_format or '').lower() in _NO_IMAGES:
        return
    names = {each.name for each in refused}
    read = _Read(image, names)
    if not read.may_be_for_xen:
        return
    yield from _vm_mode_names(image, read)
    yield from _hypervisor_type(image, read, mixed)
    yield from _disk_format(image, read, formats)


class _Read:
    """The properties that matter, as nova reads them."""

    def __init__(self, image: Image, refused: set[str]) -> None:
        def get(name: str) -> str | None:
            # The refused are a finding of their own.
            return None if name in refused else image.properties.get(name)

        hv_type = get('img_hv_type') or get('hypervisor_type')
        self.hypervisor_type = values.hypervisor_type(hv_type)
        self.new_mode = values.vm_mode(get('hw_vm_mode'))
        self.old_mode = values.vm_mode(get('vm_mode'))
        #: nova's scheduler takes the newer name if both are there.
        self.mode = self.new_mode or self.old_mode
        self.any_refused_type = bool(
            refused & {'img_hv_type', 'hypervisor_type'}
        )
        self.any_refused_mode = bool(refused & {'hw_vm_mode', 'vm_mode'})

    @property
    def may_be_for_xen(self) -> bool:
        return self.hypervisor_type in (None, XEN)


def _refused(image: Image, each: values.Refused) -> Finding:
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
        mend = 'openstack image unset --property %s %s' % (
            shlex.quote(each.name),
            shlex.quote(image.id),
        )
    return Finding(Code.REFUSED_BY_NOVA, problem, mend)


def _vm_mode_names(image: Image, read: _Read) -> ty.Iterator[Finding]:
    # nova's libvirt driver reads the older name only, and builds PV where
    # it isn't there; nova-compute-xen takes the newer one then. Which of them
    # a compute has can't be seen through nova's API.
    built = read.old_mode or XEN
    if read.any_refused_mode or not read.new_mode or read.new_mode == built:
        return
    names = (
        _MODES.get(read.new_mode, read.new_mode),
        image.properties['hw_vm_mode'],
        _MODES.get(built, built),
    )
    if read.old_mode:
        problem = (
            'scheduled as %s by hw_vm_mode=%s, but built as %s by ' % names
        )
        problem += 'vm_mode=%s' % image.properties['vm_mode']
    else:
        problem = (
            "scheduled as %s by hw_vm_mode=%s; nova's own libvirt driver "
            'builds it as %s, because it reads vm_mode only, which is not '
            'set; nova-compute-xen builds it as %s'
        ) % (names + names[:1])
    yield Finding(
        Code.VM_MODE_NAMES, problem, _set(image, vm_mode=read.new_mode)
    )


def _hypervisor_type(
    image: Image, read: _Read, mixed: bool
) -> ty.Iterator[Finding]:
    if read.hypervisor_type is not None or read.any_refused_type:
        return
    if read.mode is not None:
        yield Finding(
            Code.VM_MODE_WITHOUT_TYPE,
            'vm_mode %s without hypervisor_type: it may go to any host that '
            'offers %s; if it is meant for Xen, say so'
            % (
                read.mode,
                'hvm, KVM too' if read.mode == 'hvm' else read.mode,
            ),
            _set(image, hypervisor_type=XEN),
        )
    elif mixed and not read.any_refused_mode:
        yield Finding(
            Code.NO_HYPERVISOR_TYPE,
            'no hypervisor_type: it may go to Xen hosts, which build it as '
            'PV, and to all others; the line keeps it on Xen as HVM (vm_mode '
            'xen for PV; for KVM set hypervisor_type alone)',
            _set(image, hypervisor_type=XEN, vm_mode='hvm'),
        )


def _disk_format(
    image: Image, read: _Read, formats: tuple[str, ...]
) -> ty.Iterator[Finding]:
    found = (image.disk_format or '').lower()
    if not found or found in formats:
        return
    yield Finding(
        Code.DISK_FORMAT,
        'disk format %s; Xen hosts take %s; if it is meant for Xen, make a '
        'converted copy' % (found, ', '.join(formats)),
        _convert(image, found, formats),
    )


def _convert(image: Image, found: str, formats: tuple[str, ...]) -> str:
    """Commands for a converted copy: Glance keeps the format of an image."""
    target = 'qcow2' if 'qcow2' in formats else formats[0]
    old = image.id + '.' + found
    new = image.id + '.' + target
    kept = [
        word
        for name in _KEPT
        if name in image.properties
        for word in ('--property', '%s=%s' % (name, image.properties[name]))
    ]
    commands: list[list[str]] = [
        ['openstack', 'image', 'save', '--file', old, image.id],
        ['qemu-img', 'convert', '-f', _qemu(found), '-O', _qemu(target)]
        + [old, new],
        ['openstack', 'image', 'create', '--container-format', 'bare']
        + ['--disk-format', target, *kept, '--file', new, image.name],
    ]
    return ' && '.join(
        ' '.join(map(shlex.quote, command)) for command in commands
    )


def _qemu(disk_format: str) -> str:
    return _QEMU_NAMES.get(disk_format, disk_format)


def _set(image: Image, **properties: str) -> str:
    return 'openstack image set %s %s' % (
        ' '.join(
            '--property %s' % shlex.quote('%s=%s' % each)
            for each in properties.items()
        ),
        shlex.quote(image.id),
    )

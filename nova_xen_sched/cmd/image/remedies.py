# SPDX-License-Identifier: Apache-2.0

"""Images that Xen hosts would not run as meant, and how to correct each."""

from __future__ import annotations

import enum
import shlex
import typing as ty

from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.image import converted
from nova_xen_sched.cmd.image import nova_properties

#: What Xen takes, by OpenStack's guide to Xen via libvirt.
GUIDE_FORMATS = ('raw', 'qcow2', 'vhd')
#: A kernel or a ramdisk beside an image: no guest is booted from it alone.
_NO_IMAGES = frozenset({'aki', 'ari'})

#: The newer name and the older; nova takes the newer if both are there.
_TYPES = ('img_hv_type', 'hypervisor_type')
_MODES = ('hw_vm_mode', 'vm_mode')
_ARCHITECTURES = ('hw_architecture', 'architecture')
#: Those of Xen hosts, where HVM and PV are what vm_mode says.
_X86 = (None, 'i686', 'x86_64')

XEN = 'xen'
#: The hw_vif_model that needs no NIC to be emulated.
_NETFRONT = 'netfront'
#: The vm_modes that a Xen host may offer, and those of others.
_ON_XEN = ('hvm', XEN)
_OFF_XEN = ('exe', 'uml')
_VM_MODES = (*_ON_XEN, *_OFF_XEN)

#: An image as cmd.nova.images has it.
Image = ty.Mapping[str, ty.Any]


class Code(str, enum.Enum):
    """The kinds of findings; stable, additions only."""

    REFUSED_BY_NOVA = 'refused_by_nova'
    VM_MODE_NAMES = 'vm_mode_names'
    VM_MODE_WITHOUT_TYPE = 'vm_mode_without_type'
    NO_HYPERVISOR_TYPE = 'no_hypervisor_type'
    VIF_MODEL = 'vif_model'
    DISK_FORMAT = 'disk_format'
    LIVE_MIGRATION_REQUIRED = 'live_migration_required'
    TRAIT_ON_NO_HOST = 'trait_on_no_host'
    TRAIT_NOT_ON_EVERY_HOST = 'trait_not_on_every_host'
    NO_TRAIT_REQUIRED = 'no_trait_required'

    def __str__(self) -> str:
        return self.value


class Finding(ty.NamedTuple):
    """One thing that is wrong with an image.

    :ivar problem: what happens, as a clause.
    :ivar mend: a command line; nothing in it is left to be filled in. Empty
        where only a person can tell what is right, such as for which
        hypervisor an image is meant.
    """

    code: Code
    problem: str
    mend: str


def findings(
    image: Image, mixed: bool, formats: tuple[str, ...] = GUIDE_FORMATS
) -> ty.Iterator[Finding]:
    """What is wrong with an image.

    :param mixed: whether the cloud has other hosts than Xen hosts.
    :param formats: the disk formats that Xen hosts take, in lower case.
    """
    # With what wrong values are meant to say; the others are wrong where there
    # is no nova, too.
    known = dict(image['properties'])
    removed = set()
    correct = True
    for each in nova_properties.refused(known):
        yield _refused(image, each)
        if each.meant is not None:
            known[each.name] = each.meant
        elif each.removable:
            removed.add(each.name)
        else:
            correct = False
    disk_format = (image.get('disk_format') or '').lower()
    if disk_format in _NO_IMAGES:
        return
    hypervisor_type = _first('HVType', known, _TYPES)
    if hypervisor_type not in (None, XEN):
        return
    if _first('Architecture', known, _ARCHITECTURES) not in _X86:
        return
    new, old = (
        nova_properties.canonical('VMMode', known.get(n)) for n in _MODES
    )
    if {new, old} <= {None, *_VM_MODES}:
        yield from _modes(image, new, old, hypervisor_type, mixed)
    model = known.get('hw_vif_model')
    if (
        hypervisor_type == XEN
        and (new or old) not in _OFF_XEN
        and model not in (None, _NETFRONT)
    ):
        yield Finding(
            Code.VIF_MODEL,
            'hw_vif_model=%s: with a port no guest starts on Xen hosts, but '
            'for PV guests by nova-compute-xen: nova or libvirt refuse the '
            'model, or the emulated NIC of an HVM guest gets a name that is '
            "too long for Linux; netfront is Xen's own, for which the guest "
            'needs a driver' % nova_properties.shortened(str(model)),
            _set(image, hw_vif_model=_NETFRONT),
        )
    if not disk_format or disk_format in formats or boots_from_volume(known):
        return
    if (new or old) in _OFF_XEN:
        return
    copied = {n: v for n, v in known.items() if n not in removed}
    if new in _ON_XEN:
        copied['vm_mode'] = new
    problem, mend = converted.copy(image, copied, formats, correct)
    yield Finding(Code.DISK_FORMAT, problem, mend)


def is_vhd(image: Image) -> bool:
    """Whether an image that may go to Xen hosts is a vhd."""
    return (image.get('disk_format') or '').lower() == 'vhd' and guest_type(
        image['properties']
    )[0] in (None, XEN)


def guest_type(
    properties: ty.Mapping[str, ty.Any],
) -> tuple[str | None, str | None]:
    """The hypervisor type and the vm_mode, in nova's spelling, if any."""
    return (
        _first('HVType', properties, _TYPES),
        _first('VMMode', properties, _MODES),
    )


def _modes(
    image: Image,
    new: str | None,
    old: str | None,
    hypervisor_type: str | None,
    mixed: bool,
) -> ty.Iterator[Finding]:
    """What is wrong with the vm_mode, by its newer and its older name."""
    # nova's libvirt driver reads the older name only, and builds PV where it
    # isn't there; nova-compute-xen takes the newer one then. Which of them a
    # compute has can't be seen through nova's API.
    if new in _ON_XEN and new != (old or XEN):
        yield _vm_mode_names(image, new, old)
    mode = new or old
    if hypervisor_type is None and mode in _ON_XEN:
        yield Finding(
            Code.VM_MODE_WITHOUT_TYPE,
            'vm_mode hvm without hypervisor_type: it may go to any host that '
            'offers hvm, KVM too; set hypervisor_type=xen if it is meant for '
            'Xen, hypervisor_type=kvm if for KVM'
            if mode == 'hvm'
            else 'vm_mode xen (PV) without hypervisor_type: it may go to any '
            'host that offers PV; the command names Xen, which alone has PV',
            # HVM guests run on other hypervisors, too.
            _set(image, hypervisor_type=XEN) if mode == XEN else '',
        )
    elif hypervisor_type is None and not mode and mixed:
        yield Finding(
            Code.NO_HYPERVISOR_TYPE,
            'no hypervisor_type: it may go to Xen hosts, which build it as '
            'PV, and to all others; if it is meant for Xen, set '
            'hypervisor_type=xen, and vm_mode=hvm for HVM or vm_mode=xen for '
            'PV; if for KVM, set hypervisor_type=kvm',
            '',
        )


def boots_from_volume(properties: ty.Mapping[str, ty.Any]) -> bool:
    """Whether nova boots an image from a volume that its mapping names.

    So it is with a snapshot of a volume-backed server, which has no data.
    """
    root = properties.get('root_device_name') or next(
        (
            each.get('device')
            for each in _entries(properties.get('mappings'))
            if each.get('virtual') == 'root'
        ),
        'vda',
    )
    for each in _entries(properties.get('block_device_mapping')):
        if properties.get('bdm_v2'):
            # nova takes its digit as text, too.
            if str(each.get('boot_index')) == '0':
                return each.get('destination_type') == 'volume'
        elif _device(each.get('device_name')) == _device(root):
            return bool(each.get('snapshot_id') or each.get('volume_id'))
    return False


def _entries(mapping: ty.Any) -> ty.Iterator[ty.Mapping[str, ty.Any]]:
    for each in mapping if isinstance(mapping, list) else ():
        if isinstance(each, dict):
            yield each


def _device(name: ty.Any) -> str:
    return str(name).rpartition('/')[2]


def _first(
    kind: str, properties: ty.Mapping[str, ty.Any], names: ty.Iterable[str]
) -> str | None:
    """The value of the first name that has one, in nova's spelling."""
    values = (
        nova_properties.canonical(kind, properties.get(n)) for n in names
    )
    return next((each for each in values if each is not None), None)


def _refused(image: Image, each: nova_properties.Refused) -> Finding:
    problem = 'nova refuses to boot it: %s=%s: %s' % (
        each.name,
        nova_properties.shortened(str(each.value)),
        each.why,
    )
    if each.accepted:
        problem += '; it takes %s' % ', '.join(each.accepted)
    mend = ''
    if each.meant is not None:
        mend = _set(image, **{each.name: each.meant})
    elif each.removable:
        problem += "; the command removes %s, and nova's default holds%s" % (
            each.name,
            _default(image, each.name),
        )
        mend = shlex.join(
            ['openstack', 'image', 'unset', '--property', each.name]
            + [image['id']]
        )
    else:
        problem += '; correct %s, do not remove it: the image may need it' % (
            each.name
        )
    return Finding(Code.REFUSED_BY_NOVA, problem, mend)


def _default(image: Image, name: str) -> str:
    """What of a guest type holds where a property is removed, if any does."""
    for names, default in (
        (_ARCHITECTURES, 'a host of any architecture'),
        (_TYPES, 'a host of any hypervisor type'),
        (_MODES, 'PV on Xen hosts'),
    ):
        if name in names and not any(
            other in image['properties'] for other in names if other != name
        ):
            return ': ' + default
    return ''


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


def _set(image: Image, **properties: str) -> str:
    return shlex.join(
        ['openstack', 'image', 'set', *converted.options(properties)]
        + [image['id']]
    )

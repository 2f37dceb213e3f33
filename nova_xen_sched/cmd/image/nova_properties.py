# SPDX-License-Identifier: Apache-2.0

"""What nova makes of an image's properties, by nova's own objects.

nova's lists of values differ between releases, so only what all of them take
is kept here: where an image has nothing else, nova is not imported, which
takes two seconds. On a machine without nova no value is known to be refused;
of those that nova takes the same words count.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import textwrap
import typing as ty

#: The other words that nova takes for a value, from nova 22 on to 34.
SYNONYMS: ty.Mapping[str, ty.Mapping[str, str]] = {
    'Architecture': {
        **dict.fromkeys(('i386', 'i486', 'i586'), 'i686'),
        **dict.fromkeys(('x86_32', 'x86_32p'), 'i686'),
        'amd64': 'x86_64',
    },
    'HVType': {'xapi': 'xen'},
    'VMMode': {'pv': 'xen', 'hv': 'hvm', 'baremetal': 'hvm'},
}
#: Other names of the same thing, which nova refuses: of Debian, of libvirt's
#: and EC2's documentation, and of products.
_OTHER_NAMES: ty.Mapping[str, ty.Mapping[str, str]] = {
    'hw_architecture': {
        'arm64': 'aarch64',
        'ppc64el': 'ppc64le',
        'x64': 'x86_64',
    },
    'img_hv_type': {
        'esx': 'vmware',
        'esxi': 'vmware',
        'virtualbox': 'vbox',
        'virtuozzo': 'vz',
        'xenserver': 'xen',
    },
    'hw_vm_mode': {'paravirtual': 'xen'},
}
#: How the names begin that nova reads; and all older ones, which don't. Of
#: neither kind is what glance, cinder and openstacksdk write on their own.
_READ = ('hw_', 'img_', 'os_', 'trait')
_READ_TOO = frozenset(
    [
        'architecture',
        'auto_disk_config',
        'bdm_v2',
        'bittorrent',
        'block_device_mapping',
        'cache_in_nova',
        'hypervisor_type',
        'hypervisor_version_requires',
        'ipxe_boot',
        'mappings',
        'owner_id',
        'root_device_name',
        'vm_mode',
        'vmware_adaptertype',
        'vmware_disktype',
        'vmware_image_version',
        'vmware_linked_clone',
        'vmware_ostype',
        'xenapi_device_id',
        'xenapi_image_compression_level',
        'xenapi_skip_agent_inject_files_at_boot',
        'xenapi_skip_agent_inject_ssh',
        'xenapi_use_agent',
    ]
)
_BUSES = ('ide', 'scsi', 'usb', 'virtio', 'xen')
_FLAGS = ('False', 'True', 'false', 'no', 'true', 'yes')
_NUMBERS = tuple(map(str, range(1, 1025)))
_X86 = ('i686', 'x86_64')
#: Usual values that nova 22 to 34 take; None for any text.
TAKEN: ty.Mapping[str, tuple[str, ...] | None] = {
    'architecture': _X86,
    'hw_architecture': _X86,
    'hypervisor_type': ('kvm', 'qemu', 'xen'),
    'img_hv_type': ('kvm', 'qemu', 'xen'),
    'vm_mode': ('hvm', 'xen'),
    'hw_vm_mode': ('hvm', 'xen'),
    'hw_boot_menu': _FLAGS,
    'hw_cdrom_bus': _BUSES,
    'hw_cpu_cores': _NUMBERS,
    'hw_cpu_max_cores': _NUMBERS,
    'hw_cpu_max_sockets': _NUMBERS,
    'hw_cpu_max_threads': _NUMBERS,
    'hw_cpu_policy': ('dedicated', 'shared'),
    'hw_cpu_sockets': _NUMBERS,
    'hw_cpu_thread_policy': ('isolate', 'prefer', 'require'),
    'hw_cpu_threads': _NUMBERS,
    'hw_disk_bus': _BUSES,
    'hw_disk_type': None,
    'hw_firmware_type': ('bios', 'uefi'),
    'hw_machine_type': None,
    'hw_mem_page_size': None,
    'hw_numa_nodes': _NUMBERS,
    'hw_pointer_model': ('usbtablet',),
    'hw_qemu_guest_agent': _FLAGS,
    'hw_rng_model': ('virtio',),
    'hw_scsi_model': ('virtio-scsi',),
    'hw_serial_port_count': _NUMBERS,
    'hw_vif_model': ('e1000', 'netfront', 'rtl8139', 'virtio'),
    'hw_vif_multiqueue_enabled': _FLAGS,
    'hw_video_model': ('cirrus', 'qxl', 'vga', 'virtio', 'xen'),
    'hw_video_ram': _NUMBERS,
    'hw_watchdog_action': ('disabled', 'none', 'pause', 'poweroff', 'reset'),
    'img_config_drive': ('mandatory', 'optional'),
    'img_hide_hypervisor_id': _FLAGS,
    'os_admin_user': None,
    'os_command_line': None,
    'os_distro': None,
    'os_require_quiesce': _FLAGS,
    'os_secure_boot': ('disabled', 'optional', 'required'),
    'os_shutdown_timeout': None,
    'os_type': ('linux', 'windows'),
    'os_version': None,
    'owner_id': None,
    'root_device_name': None,
}
#: What may be removed: nova has a default for each, with which the image keeps
#: its data, its keys, its firmware and what protects it. No other is.
_REMOVABLE = frozenset(
    [
        'architecture',
        'bittorrent',
        'hw_architecture',
        'hw_boot_menu',
        'hw_cdrom_bus',
        'hw_cpu_cores',
        'hw_cpu_max_cores',
        'hw_cpu_max_sockets',
        'hw_cpu_max_threads',
        'hw_cpu_sockets',
        'hw_cpu_threads',
        'hw_device_id',
        'hw_disk_bus',
        'hw_floppy_bus',
        'hw_input_bus',
        'hw_pmu',
        'hw_pointer_model',
        'hw_qemu_guest_agent',
        'hw_redirected_usb_ports',
        'hw_rescue_bus',
        'hw_rescue_device',
        'hw_rng_model',
        'hw_scsi_model',
        'hw_serial_port_count',
        'hw_sound_model',
        'hw_time_hpet',
        'hw_usb_model',
        'hw_vif_model',
        'hw_vif_multiqueue_enabled',
        'hw_video_model',
        'hw_video_ram',
        'hw_virtio_packed_ring',
        'hw_vm_mode',
        'hw_watchdog_action',
        'hypervisor_type',
        'img_bittorrent',
        'img_compression_level',
        'img_hv_type',
        'img_version',
        'os_type',
        'vm_mode',
        'vmware_image_version',
        'xenapi_device_id',
        'xenapi_image_compression_level',
    ]
)


class Refused(ty.NamedTuple):
    """A property whose value nova refuses.

    :ivar name: as it stands on the image.
    :ivar why: nova's own words, on one short line.
    :ivar accepted: the values that nova takes; empty where they are no list.
    :ivar meant: how nova writes what the value names; None if nova has no
        such thing, or that would be a guess.
    """

    name: str
    value: ty.Any
    why: str
    accepted: tuple[str, ...] = ()
    meant: str | None = None

    @property
    def removable(self) -> bool:
        """Whether the image loses nothing by going without it."""
        return self.name in _REMOVABLE


@functools.lru_cache(maxsize=None)
def _props() -> ty.Any:
    """nova's ImageMetaProps; None where there is no nova.

    To import it takes two seconds.
    """
    try:
        from nova.objects import image_meta
    except ImportError:
        return None
    return image_meta.ImageMetaProps


def nova_is_here() -> bool:
    """Whether nova's objects can be asked."""
    return importlib.util.find_spec('nova') is not None


def canonical(kind: str, value: ty.Any) -> str | None:
    """nova's spelling of a value that it takes; any other in lower case.

    :param kind: of :data:`SYNONYMS`. PV is the VMMode xen.
    :returns: None for no text.
    """
    if not isinstance(value, str):
        return None
    word = value.lower()
    return SYNONYMS[kind].get(word, word)


def refused(properties: ty.Mapping[str, ty.Any]) -> list[Refused]:
    """The properties for which nova refuses to boot the image.

    :param properties: of the image, as nova's client of Glance hands them on.
    """
    if all(_taken(*each) for each in properties.items()) or _props() is None:
        return []
    found = []
    left = dict(properties)
    for name, value in properties.items():
        why = _complaint({name: value})
        if why is not None:
            found.append(Refused(name, value, why, *_choices(name, value)))
            del left[name]
    # Such as hw_numa_cpus.1, which nova reads only behind .0: the one with
    # which it begins to refuse the others.
    so_far: dict[str, ty.Any] = {}
    for name in sorted(left):
        so_far[name] = left[name]
        why = _complaint(so_far)
        if why is not None:
            found.append(Refused(name, so_far.pop(name), why))
    return found


def _taken(name: str, value: ty.Any) -> bool:
    """Whether nova is known to take a property, whatever its release is."""
    if not name.startswith(_READ) and name not in _READ_TOO:
        return True
    if not isinstance(value, str) or name not in TAKEN:
        return False
    usual = TAKEN[name]
    return usual is None or value in usual


def _complaint(properties: ty.Mapping[str, ty.Any]) -> str | None:
    """nova's words against properties, None if it takes them."""
    try:
        # It takes entries out of what it is given.
        _props().from_dict(dict(properties))
    except Exception as e:  # noqa: BLE001  nova raises various kinds
        return shortened(str(e))
    return None


def shortened(text: str) -> str:
    """A text of an image's owner, or with one, on one line of few words."""
    return textwrap.shorten(text, 500, placeholder='...')


def _choices(name: str, value: ty.Any) -> tuple[tuple[str, ...], str | None]:
    """The values that nova takes for a property, and which one is meant."""
    props = _props()
    # nova has no other table of the older names.
    current = getattr(props, '_legacy_property_map', {}).get(name, name)
    field: ty.Any = props.fields.get(current)
    accepted = tuple(getattr(field, 'valid_values', None) or ())
    if not isinstance(value, str):
        return accepted, None
    word = value.strip().lower()
    candidates = [value.strip(), word]
    candidates += [each for each in accepted if _plain(each) == _plain(word)]
    candidates += [_OTHER_NAMES.get(current, {}).get(word, '')]
    for candidate in candidates:
        if candidate and _complaint({name: candidate}) is None:
            return accepted, candidate
    return accepted, None


def _plain(word: str) -> str:
    """A word without what is only written: X86-64 and x86_64 are the same."""
    return re.sub(r'[-_\s]', '', word.lower())

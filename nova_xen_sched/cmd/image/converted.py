# SPDX-License-Identifier: Apache-2.0

"""A copy of an image in a format that Xen hosts take."""

from __future__ import annotations

import json
import shlex
import typing as ty

from nova_xen_sched import redact

#: What qemu-img converts, and what it calls that. An iso is not here: nova
#: boots it as a CD, and a copy in another format as a disk.
_QEMU_NAMES = {
    **{each: each for each in ('raw', 'qcow2', 'vdi', 'vhdx', 'vmdk')},
    'ami': 'raw',
    'ploop': 'parallels',
    'vhd': 'vpc',
}
#: How properties begin that a copy has not: what Glance keeps for itself, and
#: sums and signatures of the data.
_OF_THE_DATA = ('os_glance_', 'owner_specified.', 'img_signature')
#: How properties begin of data that is encrypted: cinder's, Glance's, nova's.
_ENCRYPTED = (
    'cinder_encryption_',
    'hw_ephemeral_encryption_secret_uuid',
    'os_decrypt_',
    'os_encrypt_',
)
#: Containers in which the data is a disk as it is.
_PLAIN_CONTAINERS = ('', 'ami', 'bare')


def copy(
    image: ty.Mapping[str, ty.Any],
    properties: ty.Mapping[str, ty.Any],
    formats: tuple[str, ...],
    correct: bool,
) -> tuple[str, str]:
    """How to have an image in another format; Glance keeps an image's own.

    :param image: as cmd.nova.images has it, with a disk_format.
    :param properties: of the copy.
    :param formats: the disk formats that Xen hosts take, in lower case.
    :param correct: whether nova takes these properties.
    :returns: what is wrong, as a clause, and the commands; empty if they
        would make no image that nova boots.
    """
    disk_format = image['disk_format'].lower()
    problem = (
        'disk format %s; Xen hosts take %s; if it is meant for Xen, make a '
        'converted copy' % (disk_format, ', '.join(formats))
    )
    why_not = _why_not(image, properties, disk_format, correct)
    if why_not:
        return '%s %s' % (problem, why_not), ''
    if any(name.startswith('img_signature') for name in properties):
        problem += ', and sign it: the signature is of the old data'
    target = 'qcow2' if 'qcow2' in formats else formats[0]
    id_ = image['id']
    old, new = '%s.%s' % (id_, disk_format), '%s.%s' % (id_, target)
    create = ['openstack', 'image', 'create', '--container-format', 'bare']
    create += ['--disk-format', target]
    for name in ('min_disk', 'min_ram'):
        if image.get(name):
            create += ['--' + name.replace('_', '-'), str(image[name])]
    create += options(
        {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in properties.items()
            if value is not None and not name.startswith(_OF_THE_DATA)
        }
    )
    create += ['--file', new, image.get('name') or '']
    convert = ['qemu-img', 'convert', '-f', _QEMU_NAMES[disk_format]]
    convert += ['-O', _QEMU_NAMES.get(target, target), old, new]
    save = ['openstack', 'image', 'save', '--file', old, id_]
    line = ' && '.join(map(shlex.join, (save, convert, create)))
    if redact.printable(line) != line:
        # A terminal would show, and have one paste, another one.
        return '%s by hand: it has signs that no terminal shows' % problem, ''
    return problem, line


def _why_not(
    image: ty.Mapping[str, ty.Any],
    properties: ty.Mapping[str, ty.Any],
    disk_format: str,
    correct: bool,
) -> str:
    """Why no command is offered, as the end of a clause; empty if one is."""
    container = (image.get('container_format') or '').lower()
    status = image.get('status') or 'active'
    encrypted = any(name.startswith(_ENCRYPTED) for name in properties)
    if container not in _PLAIN_CONTAINERS:
        return 'of the disk in its container, %s' % container
    if encrypted or disk_format == 'luks':
        return 'of its decrypted data: it is encrypted'
    if disk_format not in _QEMU_NAMES:
        return 'from its source: qemu-img has no disk format %s' % disk_format
    if status != 'active':
        return 'once it is active: it is %s' % status
    return '' if correct else 'once nova takes its properties'


def options(properties: ty.Mapping[str, str]) -> list[str]:
    """The words of the openstack command that set properties."""
    return [
        word
        for each in properties.items()
        for word in ('--property', '%s=%s' % each)
    ]

# SPDX-License-Identifier: Apache-2.0

"""Images in the formats that OpenStack's guide names beside raw."""

from __future__ import annotations

from pathlib import Path
import subprocess
import tempfile

from tests.e2e.client import host_of
from tests.e2e.client import Server
from tests.e2e.processes import Failure
from tests.e2e.report import Step
from tests.xen.e2e import guests
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.speaker import LABEL
from tests.xen.emulator.guests import HVM_DISK

TITLE = 'Images in other formats'

#: What Glance calls it, and how qemu-img makes it. By itself it makes a VHD as
#: large as whole cylinders, which nova can not always convert ("Image size is
#: not a multiple of request alignment").
_FORMATS = (
    ('qcow2', ('-O', 'qcow2')),
    ('vhd', ('-O', 'vpc', '-o', 'force_size=on')),
)


def run(cloud: Cloud) -> None:
    cloud.empty()
    cloud.need_speaker()
    for name, words in _FORMATS:
        _pv(cloud, name, words)
        _hvm(cloud, name, words)


def _pv(cloud: Cloud, name: str, words: tuple[str, ...]) -> None:
    with cloud.report.step('boot a PV guest of a %s image' % name) as step:
        cloud.image[name] = cloud.client.create_image(
            name,
            content=_converted(LABEL.encode().ljust(1 << 20, b'\0'), words),
            disk_format=name,
            **cloud.client.properties(cloud.image['speaker']),
        )
        guest = cloud.speaker(step, name, image=name)
        label = guest.run('head -c %d /dev/xvda' % len(LABEL))
        step.check(label == LABEL, 'its disk begins with %r' % label)
        step.says('it reads what is in it')
        _disk(cloud, step, guest.server)
        cloud.client.delete(guest.server)


def _hvm(cloud: Cloud, name: str, words: tuple[str, ...]) -> None:
    with cloud.report.step('boot an HVM guest of a %s image' % name) as step:
        cloud.image[name] = cloud.client.create_image(
            name,
            content=_converted(HVM_DISK, words),
            disk_format=name,
            hw_vm_mode='hvm',
        )
        server = cloud.boot(step, name, image=name)
        line = guests.last_line(cloud.pair[host_of(server)], server, 'hvm')
        step.says('it runs from it: %s' % line)
        _disk(cloud, step, server)
        cloud.client.delete(server)


def _disk(cloud: Cloud, step: Step, server: Server) -> None:
    """nova made it raw."""
    printed = cloud.pair[host_of(server)].run(
        'virsh -c xen:///system dumpxml %s | '
        "sed -n '/<disk/,/<.disk/p'" % guests.domain(server)
    )
    disk = ' '.join(printed.split())
    step.says('', disk)
    step.check("type='raw'" in disk, 'not of a raw disk')


def _converted(content: bytes, words: tuple[str, ...]) -> bytes:
    """A disk in another format."""
    with tempfile.TemporaryDirectory() as folder:
        raw, made = Path(folder) / 'raw', Path(folder) / 'made'
        raw.write_bytes(content)
        done = subprocess.run(
            ['qemu-img', 'convert', '-f', 'raw', *words, raw, made],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failure('qemu-img convert: %s' % done.stderr)
        return made.read_bytes()

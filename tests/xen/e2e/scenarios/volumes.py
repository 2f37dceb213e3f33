# SPDX-License-Identifier: Apache-2.0

"""Volumes of Cinder, over NFS."""

from __future__ import annotations

import typing as ty

from tests.e2e.processes import Failure
from tests.e2e.processes import until
from tests.xen.e2e import moves
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.cloud import PATIENCE
from tests.xen.e2e.guests import domain
from tests.xen.e2e.hosts import NAMES
from tests.xen.e2e.speaker import LABEL
from tests.xen.e2e.speaker import Speaker

TITLE = 'Volumes'

#: Not from what the guest has read before.
_LABEL = 'echo 3 >/proc/sys/vm/drop_caches; head -c %d /dev/xvda' % len(LABEL)


def run(cloud: Cloud) -> None:
    cloud.empty()
    cloud.need_speaker()
    with cloud.report.step('Cinder, with volumes over NFS') as step:
        cloud.need_volumes()
        (service,) = [
            each
            for each in _ask(cloud, 'GET', '/os-services')['services']
            if each['binary'] == 'cinder-volume'
        ]
        step.says('%(host)s is %(state)s' % service)
    _attached(cloud)
    _booted(cloud)


def _ask(cloud: Cloud, method: str, path: str, body: ty.Any = None) -> ty.Any:
    return cloud.client.ask(method, path, body, service='volumev3')


def _volume(cloud: Cloud, **fields: ty.Any) -> str:
    """A new volume of 1 GiB; its id."""
    made: str = _ask(
        cloud, 'POST', '/volumes', {'volume': {'size': 1, **fields}}
    )['volume']['id']
    _until(cloud, made, 'available')
    return made


def _until(cloud: Cloud, volume: str, status: str) -> None:
    found = ''

    def as_wanted() -> bool:
        nonlocal found
        found = _ask(cloud, 'GET', '/volumes/' + volume)['volume']['status']
        if found.startswith('error'):
            raise Failure('the volume is %s' % found)
        return found == status

    until(as_wanted, 'the volume to be %s' % status, PATIENCE)


def _disks(guest: Speaker) -> set[str]:
    return set(guest.run('ls /sys/block').split())


def _attach(cloud: Cloud, guest: Speaker, volume: str) -> str:
    """Attach it; what the guest calls it."""
    before = _disks(guest)
    path = '/servers/%s/os-volume_attachments' % guest.server['id']
    cloud.client.ask('POST', path, {'volumeAttachment': {'volumeId': volume}})
    _until(cloud, volume, 'in-use')
    found = until(
        lambda: _disks(guest) - before, 'a disk more in the guest', PATIENCE
    )
    (name,) = found
    return str(name)


def _detach(cloud: Cloud, guest: Speaker, volume: str, name: str) -> None:
    path = '/servers/%s/os-volume_attachments/%s'
    cloud.client.ask('DELETE', path % (guest.server['id'], volume))
    _until(cloud, volume, 'available')
    until(
        lambda: name not in _disks(guest),
        '%s to go from the guest' % name,
        PATIENCE,
    )


def _attached(cloud: Cloud) -> None:
    """To one guest, then to one on the other host."""
    with cloud.report.step('attach a volume, detach it') as step:
        volume = _volume(cloud, name='data')
        text = 'WRITTEN BY ONE'
        for number, host in enumerate(NAMES):
            guest = cloud.speaker(step, 'volume', host)
            name = _attach(cloud, guest, volume)
            size = guest.run('cat /sys/block/%s/size' % name)
            step.check(
                size == str(1 << 21), '%s has %s sectors' % (name, size)
            )
            if not number:
                guest.run(
                    'printf "%s" | dd of=/dev/%s bs=512 conv=sync '
                    '2>/dev/null; sync' % (text, name)
                )
            found = guest.run('head -c %d /dev/%s' % (len(text), name))
            step.check(found == text, 'the volume has %r' % found)
            _detach(cloud, guest, volume, name)
            step.says('%s on %s' % (name, host))
            cloud.client.delete(guest.server)
        step.says('the second guest reads what the first wrote')
        _ask(cloud, 'DELETE', '/volumes/' + volume)


def _booted(cloud: Cloud) -> None:
    guest: Speaker | None = None
    with cloud.report.step('boot a PV guest from a volume') as step:
        volume = _volume(cloud, name='root', imageRef=cloud.image['speaker'])
        guest = cloud.speaker(
            step,
            'from-volume',
            imageRef='',
            block_device_mapping_v2=[
                {
                    'boot_index': 0,
                    'uuid': volume,
                    'source_type': 'volume',
                    'destination_type': 'volume',
                    'delete_on_termination': True,
                }
            ],
        )
        label = guest.run(_LABEL)
        step.check(label == LABEL, 'its disk begins with %r' % label)
        source = cloud.pair[guest.host].run(
            'virsh -c xen:///system domblklist %s' % domain(guest.server)
        )
        step.says('on %s' % guest.host, *source.strip().split('\n'))
        step.check('volume-' + volume in source, 'not from its volume')
    if guest is not None:
        _live_migrate(cloud, guest)
        cloud.client.delete(guest.server)


def _live_migrate(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('live-migrate it') as step:
        moves.speaker(cloud, step, guest)
        label = guest.run(_LABEL)
        step.check(label == LABEL, 'its disk begins with %r' % label)

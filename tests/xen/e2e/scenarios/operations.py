# SPDX-License-Identifier: Apache-2.0

"""What users and operators do with guests, one after the other."""

from __future__ import annotations

import json

from tests.e2e.processes import Failure
from tests.e2e.processes import until
from tests.e2e.report import Step
from tests.xen.e2e import libxl
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.cloud import PATIENCE
from tests.xen.e2e.cloud import SMALL_MB
from tests.xen.e2e.guests import domain
from tests.xen.e2e.speaker import goes_on
from tests.xen.e2e.speaker import Life
from tests.xen.e2e.speaker import Speaker

TITLE = 'What is done with guests'

_SWAP_MB = 64
_METADATA = {'kept': 'in the config drive'}
#: What a second image begins with.
_OTHER_LABEL = 'DISK TWO'


def run(cloud: Cloud) -> None:
    cloud.empty()
    cloud.need_speaker()
    guest = _booted(cloud)
    if guest is not None:
        _pause(cloud, guest)
        _suspend(cloud, guest)
        _soft_reboot(cloud, guest)
        _hard_reboot(cloud, guest)
        _snapshot(cloud, guest)
        _rebuild(cloud, guest)
        _shelve(cloud, guest)
        cloud.client.delete(guest.server)
    _with_disks(cloud)


def _booted(cloud: Cloud) -> Speaker | None:
    found: Speaker | None = None
    with cloud.report.step('boot a PV guest with a config drive') as step:
        found = guest = cloud.speaker(
            step, 'done-to', config_drive=True, metadata=_METADATA
        )
        _config_drive(step, guest)
        step.says('on %s; its disks are %s' % (guest.host, _blocks(guest)))
    return found


def _with_disks(cloud: Cloud) -> None:
    with cloud.report.step(
        'boot a PV guest with swap and ephemeral disk'
    ) as step:
        if 'disks' not in cloud.flavor:
            cloud.flavor['disks'] = cloud.client.create_flavor(
                'disks',
                SMALL_MB,
                disk=0,
                swap=_SWAP_MB,
                **{'OS-FLV-EXT-DATA:ephemeral': 1},
            )
        guest = cloud.speaker(step, 'disks', flavor=cloud.flavor['disks'])
        blocks = _blocks(guest)
        step.says('on %s; its disks are %s' % (guest.host, blocks))
        wanted = {'xvdb %d' % (1024 * 1024), 'xvdc %d' % (_SWAP_MB * 1024)}
        step.check(
            wanted <= set(blocks.split(', ')),
            'not the ephemeral disk of 1 GiB and swap of %d MiB' % _SWAP_MB,
        )
        cloud.client.delete(guest.server)


def _blocks(guest: Speaker) -> str:
    """Its disks and their sizes, KiB."""
    printed = guest.run('cat /proc/partitions')
    rows = [line.split() for line in printed.split('\n')[1:] if line.strip()]
    return ', '.join('%s %s' % (row[3], row[2]) for row in rows)


def _config_drive(step: Step, guest: Speaker) -> None:
    kept = guest.run(
        'mkdir -p /mnt; for disk in $(awk \'NR > 2 { print "/dev/" $4 }\''
        ' /proc/partitions); do'
        ' mount -r -t iso9660 $disk /mnt 2>/dev/null && break; done;'
        ' cat /mnt/openstack/latest/meta_data.json; umount /mnt'
    )
    step.check(
        json.loads(kept)['meta'] == _METADATA,
        'the config drive has %s' % kept,
    )


def _pause(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('pause and unpause') as step:
        before = guest.life()
        guest.server = cloud.client.do(
            guest.server, {'pause': None}, 'pause', 'PAUSED'
        )
        state = cloud.pair[guest.host].run(
            'virsh -c xen:///system domstate ' + domain(guest.server)
        )
        step.check(state.strip() == 'paused', 'libvirt says %s' % state)
        guest.server = cloud.client.do(
            guest.server, {'unpause': None}, 'unpause', 'ACTIVE'
        )
        step.says(goes_on(before, guest.wait()))


def _anew(step: Step, guest: Speaker, before: Life) -> None:
    """Wait until it has been started anew."""
    found = guest.wait(than=before)
    step.says(
        'anew: uptime %.0f s before, %.0f after'
        % (before.uptime, found.uptime)
    )


def _suspend(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('suspend and resume') as step:
        before = guest.life()
        guest.server = cloud.client.do(
            guest.server, {'suspend': None}, 'suspend', 'SUSPENDED'
        )
        host = cloud.pair[guest.host]
        step.check(
            domain(guest.server) not in host.domains(),
            'it still runs on %s' % host.name,
        )
        guest.server = cloud.client.do(
            guest.server, {'resume': None}, 'resume', 'ACTIVE'
        )
        step.says(goes_on(before, guest.wait()))


def _soft_reboot(cloud: Cloud, guest: Speaker) -> None:
    """nova makes a hard one of it where the guest isn't started again."""
    with cloud.report.step('soft reboot') as step:

        def reboot() -> None:
            before = guest.life()
            logged = len(cloud.computes.log(guest.host))
            guest.server = cloud.client.do(
                guest.server, {'reboot': {'type': 'SOFT'}}, 'reboot', 'ACTIVE'
            )
            _anew(step, guest, before)
            log = cloud.computes.log(guest.host)[logged:]
            if 'Instance soft rebooted successfully' not in log:
                raise Failure('nova had to make it a hard reboot')

        libxl.repeated(step, cloud.pair, reboot)
        step.says('the guest ended by itself')


def _hard_reboot(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('hard reboot') as step:

        def reboot() -> None:
            before = guest.life()
            guest.server = cloud.client.do(
                guest.server, {'reboot': {'type': 'HARD'}}, 'reboot', 'ACTIVE'
            )
            _anew(step, guest, before)

        libxl.repeated(step, cloud.pair, reboot)


def _snapshot(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('snapshot, and a boot of it') as step:
        guest.mark('SNAPPED')
        before = guest.life()
        path = '/servers/%s/action' % guest.server['id']
        image = cloud.client.ask(
            'POST', path, {'createImage': {'name': 'snapshot'}}
        )['image_id']

        def ready() -> bool:
            found = cloud.client.ask(
                'GET', '/v2/images/' + image, service='image'
            )
            step.check(
                found['status'] in ('queued', 'saving', 'active'),
                'the image is %s' % found['status'],
            )
            return bool(found['status'] == 'active')

        until(ready, 'the image', PATIENCE)
        guest.server = cloud.client.idle(guest.server, 'createImage')
        step.says(goes_on(before, guest.wait()))
        cloud.image['snapshot'] = image
        copy = cloud.speaker(step, 'snapshot', image='snapshot')
        copy.marked('SNAPPED')
        step.says('one booted from it on %s has its disk' % copy.host)
        cloud.client.delete(copy.server)


def _rebuild(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('rebuild with another image') as step:
        other = cloud.client.create_image(
            'other',
            content=_OTHER_LABEL.encode().ljust(1 << 20, b'\0'),
            **cloud.client.properties(cloud.image['speaker']),
        )
        host = guest.host
        guest.server = cloud.client.rebuild(guest.server, other)
        guest.wait()
        found = guest.run('head -c 8 /dev/xvda')
        step.says('on %s, its disk begins with %s' % (guest.host, found))
        step.check(
            found == _OTHER_LABEL and guest.host == host, 'not that image'
        )
        guest.mark('REBUILT')


def _shelve(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('shelve and unshelve') as step:
        host = cloud.pair[guest.host]
        guest.server = cloud.client.do(
            guest.server, {'shelve': None}, 'shelve', 'SHELVED_OFFLOADED'
        )
        step.check(
            domain(guest.server) not in host.domains(),
            'it still runs on %s' % host.name,
        )
        guest.server = cloud.client.do(
            guest.server, {'unshelve': None}, 'unshelve', 'ACTIVE'
        )
        guest.wait()
        guest.marked('REBUILT')
        step.says(
            'from %s, unshelved on %s with its disk' % (host.name, guest.host)
        )

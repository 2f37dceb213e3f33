# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""First part of the demo: which hosts can run the guest at all."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any
from typing import Callable

from nova.scheduler.filters import image_props_filter

from tests.demo import printing
from tests.functional import hosts

GIB = 1024

PV = ('x86_64', 'xen', 'xen')

#: Refusals by a site's own choice; the host could run the guest.
SITE_POLICY = ('hypervisor_type_required', 'disk_format')


def profiles() -> list[hosts.HostProfile]:
    """Eight computes of different sizes, so that no two weigh the same."""

    def sized(n: int) -> dict[str, int]:
        # The more, the more of everything: nova's weighers agree.
        return {
            'memory_mb': n * 16 * GIB,
            'vcpus': n * 8,
            'local_gb': n * 250,
        }

    hvm_only = hosts.xen('xen-hvm', 'xen-4.17-hvm', **sized(12))
    return [
        hvm_only.but(
            supported_instances=tuple(
                t for t in hvm_only.supported_instances if t != PV
            )
        ),
        hosts.xen('xen-a1', 'xen-4.17-hvm', **sized(10)),
        hosts.xen('xen-a2', 'xen-4.14-hvm', **sized(8)),
        hosts.xen('xen-a3', 'xen-4.14-hvm-6-guests', **sized(6)),
        hosts.xen('xen-pv1', 'xen-4.14-pv-only', **sized(9)),
        hosts.xen('xen-pv2', 'xen-4.14-pv-only', **sized(5)),
        hosts.kvm('kvm-1', **sized(7)),
        hosts.kvm('kvm-2', **sized(4)),
    ]


REMARKS = {
    'xen-hvm': 'as xen-4.17-hvm, less its PV entry: Xen built without PV',
    'kvm-1': 'as nova reports KVM hosts',
    'kvm-2': 'as nova reports KVM hosts',
    'xen-a1': 'captured: xen-4.17-hvm',
    'xen-a2': 'captured: xen-4.14-hvm',
    'xen-a3': 'captured: xen-4.14-hvm-6-guests',
    'xen-pv1': 'captured: xen-4.14-pv-only',
    'xen-pv2': 'captured: xen-4.14-pv-only',
}


def describe(host: hosts.HostProfile) -> tuple[Any, ...]:
    major, minor = divmod(host.hypervisor_version // 1000, 1000)
    types = collections.defaultdict(list)
    for arch, hv_type, mode in host.supported_instances:
        name = {'xen': 'PV', 'hvm': 'HVM'}[mode]
        if hv_type != 'qemu':
            types[name].append(arch)
    return (
        host.name,
        '%s %d.%d' % (host.hypervisor_type, major, minor),
        ', '.join(
            '%s (%s)' % (name, ', '.join(sorted(archs)))
            for name, archs in sorted(types.items(), reverse=True)
        ),
        host.memory_mb // GIB,
        host.vcpus,
        REMARKS.get(host.name, ''),
    )


def show_hosts(cloud: Any) -> None:
    printing.table(
        ('host', 'reports', 'guest types', 'GiB', 'vCPUs', 'from'),
        [describe(host) for host in profiles()],
    )


@dataclasses.dataclass
class Scene:
    """One request, what came of it, and what stock nova would have done."""

    title: str
    outcome: str
    #: (code, sentence) -> hosts refused for it
    refused: dict[tuple[str, str], list[str]]
    #: Refused hosts that ImagePropertiesFilter lets through.
    stock_lets_through: list[str]
    stock_chooses: str | None

    def show(self, number: int) -> None:
        stock = self.stock_chooses or 'no host'
        code = self.code_against(stock)
        if code in SITE_POLICY:
            stock += ' (against %s)' % code
        elif code:
            stock += " (can't run it)"
        print(
            '%2d  %-54s %s  %s'
            % (
                number,
                self.title,
                printing.coloured(self.outcome.ljust(8), 'good'),
                printing.coloured(
                    'stock nova: ' + stock, 'bad' if code else 'plain'
                ),
            )
        )
        for (code, sentence), names in self.refused.items():
            lets = [n for n in names if n in self.stock_lets_through]
            printing.wrapped(', '.join(names), '      ', 6)
            if lets:
                note = '' if lets == names else ' ' + ', '.join(lets)
                print(
                    printing.coloured(
                        '        (ImagePropertiesFilter lets%s through)'
                        % (note or ' them' if len(names) > 1 else ' it'),
                        'bad',
                    )
                )
            printing.wrapped('%s: %s' % (code, sentence), '        ', 8)
        print()

    def code_against(self, host: str | None) -> str | None:
        """Why a host should not have been chosen; None if nothing is."""
        for (code, _), names in self.refused.items():
            if host in names:
                return code
        return None

    def cannot_run(self, host: str | None) -> bool:
        code = self.code_against(host)
        return code is not None and code not in SITE_POLICY


class Play:
    """The requests, one after the other, on a running cloud."""

    def __init__(self, cloud: Any, progress: printing.Progress) -> None:
        """:param progress: is told of each request before it is made."""
        self.cloud = cloud
        self.progress = progress
        self.scenes: list[Scene] = []
        self._stock = image_props_filter.ImagePropertiesFilter()

    @property
    def _filter(self) -> Any:
        return next(
            f
            for f in self.cloud.host_manager.enabled_filters
            if type(f).__name__ == 'XenHostFilter'
        )

    def request(self, title: str, act: Callable[[], Any]) -> Any:
        """Do a request, and note what the scheduler was asked and said."""
        self.progress(title)
        # As each nova-compute does every minute; it ends the last request's
        # I/O in the eyes of nova's weighers.
        for host in profiles():
            self.cloud.change_host(host)
        scene: Scene | None = None

        def asking(asked: Any) -> None:
            nonlocal scene
            scene = scene or self._scene(title, asked)

        self.cloud.on_asked = asking
        try:
            server = act()
        finally:
            self.cloud.on_asked = None
        assert scene is not None, 'the scheduler was not asked'
        scene.outcome = self.outcome(server)
        self.scenes.append(scene)
        self.progress.done()
        scene.show(len(self.scenes))
        return server

    def outcome(self, server: Any) -> str:
        if self.cloud.asked[-1].names_out == []:
            return 'no host'
        return str(self.cloud.host_of(server))

    def _scene(self, title: str, asked: Any) -> Scene:
        """What both filters make of the candidates, before any is taken."""
        refused: dict[tuple[str, str], list[str]] = {}
        lets = []
        passing = []
        for state in sorted(asked.candidates, key=lambda s: s.host):
            passes = self._stock.host_passes(state, asked.spec)
            if passes:
                passing.append(state)
            found = self._filter.refusals(state, asked.spec)
            if found:
                key = (str(found[0].code), found[0].reason)
                refused.setdefault(key, []).append(state.host)
                if passes:
                    lets.append(state.host)
        return Scene(
            title, '', refused, lets, self._stock_choice(asked, passing)
        )

    def _stock_choice(self, asked: Any, passing: list[Any]) -> str | None:
        """The host that nova's own weighers put first."""
        if not passing:
            return None
        manager = self.cloud.host_manager
        weighed = manager.get_weighed_hosts(passing, asked.spec)
        return str(weighed[0].obj.host)


def play(cloud: Any, progress: printing.Progress) -> list[Scene]:
    """Boot, move and rebuild guests of every type."""
    do = Play(cloud, progress)
    xen = {'hypervisor_type': 'xen'}
    hvm = cloud.create_image('hvm', vm_mode='hvm', **xen)
    pv = cloud.create_image('pv', vm_mode='xen', **xen)
    no_mode = cloud.create_image('xen, no vm_mode', **xen)
    kvm = cloud.create_image('kvm', hypervisor_type='kvm')
    untyped = cloud.create_image('untyped')
    i386_pv = cloud.create_image(
        'pv i686', vm_mode='xen', architecture='i686', **xen
    )
    vmdk = cloud.create_image('vmdk', 'vmdk', vm_mode='hvm', **xen)

    hvm_guest = do.request(
        'boot an HVM image (type xen, mode hvm)', lambda: cloud.boot(hvm)
    )
    pv_guest = do.request(
        'boot a PV image (type xen, mode xen)', lambda: cloud.boot(pv)
    )
    do.request('boot a Xen image without vm_mode', lambda: cloud.boot(no_mode))
    do.request('boot a KVM image (type kvm)', lambda: cloud.boot(kvm))
    do.request('boot an image that names nothing', lambda: cloud.boot(untyped))
    do.request(
        'boot a 32-bit PV image',
        lambda: cloud.boot(i386_pv, wait='ERROR'),
    )
    do.request(
        'boot a vmdk image; disk_formats = raw,qcow2,vhd',
        lambda: cloud.boot(vmdk, wait='ERROR'),
    )
    do.request(
        'boot from a volume made of the vmdk image',
        lambda: cloud.boot(vmdk, volume=True),
    )
    do.request(
        'live-migrate the HVM guest', lambda: cloud.live_migrate(hvm_guest)
    )
    do.request(
        'cold-migrate the PV guest', lambda: cloud.cold_migrate(pv_guest)
    )
    do.request(
        'evacuate the HVM guest; its host is down',
        lambda: cloud.evacuate(hvm_guest),
    )
    do.request(
        'rebuild the PV guest where it is from the HVM image',
        lambda: cloud.rebuild(pv_guest, hvm, fails='NoValidHost'),
    )
    return do.scenes

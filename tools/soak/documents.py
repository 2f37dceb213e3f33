# SPDX-License-Identifier: Apache-2.0

"""What hosts and Glance answer, damaged: capabilities, domains, images."""

from __future__ import annotations

import json
import random
import shlex
import typing as ty

from nova_xen_sched import xenhost
from nova_xen_sched.cmd.image import remedies
from nova_xen_sched.cmd.nova import images
from nova_xen_sched.facts import gather
from nova_xen_sched.xenhost import findings
from nova_xen_sched.xenhost import local
from nova_xen_sched.xenhost import reader
from nova_xen_sched.xenhost import to_facts
from tests.unit.xenhost import captured
from tools.soak import mutations
from tools.soak.limits import Fault
from tools.soak.limits import Tally

_XML = [path.read_text() for path in sorted(captured.CAPTURES.glob('*/*.xml'))]
_TEXTS = {
    name: [p.read_text() for p in sorted(captured.CAPTURES.glob('*/' + name))]
    for name in ('xl-info.txt', 'xl-vcpu-list.txt', 'proc-meminfo.txt')
}
_LAUGHS = """<!DOCTYPE capabilities [<!ENTITY a0 "ha">%s]>
<capabilities><host>&a%d;</host></capabilities>"""


def _xml(rng: random.Random) -> str:
    kind = rng.randrange(20)
    if kind == 0:
        depth = rng.randrange(1, 10000)
        return '<capabilities>' + '<guest>' * depth
    if kind == 1:
        depth = rng.randrange(1, 10000)
        return (
            '<capabilities>'
            + '<guest>' * depth
            + '</guest>' * depth
            + '</capabilities>'
        )
    if kind == 2:
        depth = rng.randrange(1, 12)
        entities = ''.join(
            '<!ENTITY a%d "%s">' % (n, '&a%d;' % (n - 1) * 10)
            for n in range(1, depth + 1)
        )
        return _LAUGHS % (entities, depth)
    if kind == 3:
        coding = rng.choice(('utf-16', 'utf-7', 'nonsense', 'ascii'))
        return '<?xml version="1.0" encoding="%s"?>' % coding + rng.choice(
            _XML
        )
    return mutations.damaged(rng, rng.choice(_XML))


class _Host(captured.Connection):
    """A captured host, some of whose answers are not as libvirt's."""

    def __init__(self, rng: random.Random) -> None:
        uri = rng.choice(('xen:///system', 'xen+ssh://h/system', 'x://[::'))
        super().__init__(rng.choice(captured.ALL), uri)
        self.alive = rng.random() < 0.8
        self._capabilities = _xml(rng)
        for answers in (self.conn, *self.domains.values()):
            for name in list(answers):
                if rng.random() < 0.2:
                    answers[name] = _answer(rng, answers[name])
                elif rng.random() < 0.02:
                    del answers[name]


def _answer(rng: random.Random, answer: ty.Any) -> ty.Any:
    if isinstance(answer, list) and answer and rng.random() < 0.8:
        changed = list(answer)
        changed[rng.randrange(len(changed))] = rng.choice(
            (*mutations.INTEGERS, *mutations.ENORMOUS, None, 'x')
        )
        return changed[: rng.randrange(len(changed) + 3)]
    return mutations.wrong(rng)


class _Dom0(local.LocalHost):
    """A dom0 whose files and xl say what nobody expects."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__('/nowhere')
        self._rng = rng

    def text(self, path: str) -> str | None:
        known = {
            'sys/hypervisor/type': 'xen\n',
            'proc/xen/capabilities': 'control_d\n',
        }
        if path in known:
            return known[path]
        if path == 'proc/meminfo':
            return self._damaged('proc-meminfo.txt')
        return self._rng.choice((None, *mutations.TEXTS))

    def xl(self, *arguments: str) -> str | None:
        return self._damaged('xl-%s.txt' % arguments[0])

    def _damaged(self, name: str) -> str:
        return mutations.damaged(self._rng, self._rng.choice(_TEXTS[name]))


def hosts(seed: int, tally: Tally) -> None:
    """One damaged document, and a host that answers with one."""
    rng = random.Random(seed)
    text = _xml(rng)

    def capabilities() -> int:
        read = 0
        for part in (reader.guest_types, reader.live_migration):
            try:
                part(text)
                read += 1
            except ValueError:
                pass
        return read

    found = tally.timed('reading capabilities', capabilities)
    tally.counts['documents read' if found else 'documents refused'] += 1
    tally.timed('reading a host', lambda: _host(random.Random(seed)))
    tally.counts['hosts'] += 1


def _host(rng: random.Random) -> None:
    """All that is made of a host that answers so."""
    found = reader.read(_Host(rng), local=_Dom0(rng))
    for problem in found.problems.values():
        if '\n' in problem:
            raise Fault('a problem of several lines: %s' % ascii(problem))
    for each in findings.findings(found):
        if '\n' in each.text + each.remedy:
            raise Fault('a finding of several lines: %s' % ascii(each))
    raw = to_facts.facts_of(found)
    reported = [('file', k, v, type(v), False) for k, v in raw.items()]
    unread = gather.merge(reported).remarks
    if unread:
        raise Fault('facts of its own that it refuses: %s' % ascii(unread))
    if xenhost.from_dict(json.loads(json.dumps(found.as_dict()))) != found:
        raise Fault('it is another host once it was written')


_PROPERTIES: ty.Mapping[str, tuple[str, ...]] = {
    'architecture': ('x86_64', 'arm64', 'riscv64', 'i686'),
    'hw_architecture': ('x86_64', 'amd64'),
    'hypervisor_type': ('xen', 'kvm', 'Xen', 'vmware', 'hyperv'),
    'img_hv_type': ('xen', 'qemu', 'xenapi'),
    'vm_mode': ('hvm', 'xen', 'pv', 'exe', 'uml', 'xenpvh'),
    'hw_vm_mode': ('hvm', 'xen', 'hv', 'HVM'),
    'hypervisor_version_requires': ('>=4.4', '>=x', '4', '<'),
    'hw_numa_nodes': ('1', '0', '-1'),
    'hw_numa_cpus.1': ('0,1', 'x'),
    'hw_numa_mem.0': ('512',),
    'hw_cpu_sockets': ('1',),
    'kernel_id': ('2f0d9a4c-8b1e-4035-9d1a-6c3c6d3a0b11',),
    'ramdisk_id': ('', 'null'),
    'block_device_mapping': ('[]', '[{"device_name": "/dev/sda"}]', '[{'),
    'mappings': ('[]', '[{"virtual": "ami", "device": "sda"}]', '{}'),
    'root_device_name': ('/dev/vda',),
    'bdm_v2': ('True', 'maybe'),
    'os_type': ('windows', 'linux'),
    'os_require_quiesce': ('yes', 'no', 'perhaps'),
    'img_signature': ('x',),
    'traits': ('required',),
}
#: What carries data, or what an image needs to boot.
_DATA = frozenset(
    ('bdm_v2', 'block_device_mapping', 'img_signature', 'kernel_id')
    + ('mappings', 'ramdisk_id', 'root_device_name')
)
_FORMATS = (
    'raw',
    'qcow2',
    'vhd',
    'vmdk',
    'aki',
    'ari',
    'ami',
    'iso',
    'gpt',
    None,
)


def _image(rng: random.Random) -> dict[str, ty.Any]:
    """Glance's JSON of an image; it always has an id."""
    image: dict[str, ty.Any] = {
        'id': '2f0d9a4c-8b1e-4035-9d1a-6c3c6d3a0b11',
        'name': rng.choice(('debian', None, *mutations.TEXTS)),
        'status': rng.choice(('active', 'active', 'queued', None)),
        'disk_format': rng.choice(_FORMATS),
        'container_format': 'bare',
        'size': rng.choice((None, *mutations.INTEGERS)),
        'min_disk': rng.choice((0, *mutations.INTEGERS)),
        'min_ram': rng.choice((0, *mutations.INTEGERS)),
        'tags': [],
        'owner': rng.choice((None, 'p', *mutations.TEXTS)),
    }
    for name in rng.sample(list(image), rng.randrange(3)):
        if name != 'id':
            image.pop(name)
    for name in rng.sample(list(_PROPERTIES), rng.randrange(8)):
        # Glance holds texts alone, whatever they say.
        image[name] = rng.choice((*_PROPERTIES[name], *mutations.TEXTS))
    for _ in range(rng.randrange(3)):
        image[rng.choice(mutations.TEXTS)] = rng.choice(mutations.TEXTS)
    if rng.random() < 0.1:
        name = rng.choice(list(_PROPERTIES))
        image[name] = rng.choice((None, [], {}, 5, True, ['xen'], 1e308))
    return image


def glance(seed: int, tally: Tally) -> None:
    """What image check says of one image: see limits.run()."""
    rng = random.Random(seed)
    image = _image(rng)
    mixed = rng.random() < 0.5

    def judged() -> list[remedies.Finding]:
        return list(remedies.findings(images.as_nova_has_it(image), mixed))

    found = tally.timed('judging it', judged)
    for each in found:
        words = shlex.split(each.mend)
        if words and words[0] != 'openstack':
            raise Fault('a mend that is no command: %s' % ascii(each.mend))
        if 'unset' in words and not _DATA.isdisjoint(words):
            raise Fault('a mend takes data off: %s' % ascii(each.mend))
    tally.counts['findings'] += len(found)
    tally.counts['images'] += 1

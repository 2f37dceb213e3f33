# SPDX-License-Identifier: Apache-2.0

"""The disk of an emulated Xen host, built once out of Debian packages."""

from __future__ import annotations

import dataclasses
import fcntl
import gzip
import hashlib
import os
from pathlib import Path
import shutil

from tests.xen.emulator import machine

#: Which Debian has which Xen: 11 has 4.14.6 and libvirt 7.0.0, 12 has 4.17.5
#: and libvirt 9.0.0.
SUITES = {'4.14': 'bullseye', '4.17': 'bookworm'}
KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

#: Debian packages that this machine needs, to build it and to boot it.
PACKAGES = (
    'debian-archive-keyring',
    'debootstrap',
    'e2fsprogs',
    'ipxe-qemu',
    'openssh-client',
    'qemu-system-x86',
    'qemu-utils',
    'seabios',
)

XEN = ('xen-hypervisor-%s-amd64', 'xen-utils-%s')
#: What has the device models of HVM guests, and of PV guests with files as
#: disks.
DEVICE_MODELS = {'4.14': 'qemu-system-x86', '4.17': 'qemu-system-xen'}
#: Its dom0's kernel, libvirt, and a way in.
XEN_HOST = (
    'busybox-static',
    'ifupdown',
    'initramfs-tools',
    'iproute2',
    'libpam-systemd',
    'libvirt-clients',
    'libvirt-daemon-driver-xen',
    'libvirt-daemon-system',
    'linux-image-amd64',
    'openssh-server',
    'procps',
    'qemu-utils',
    'systemd-sysv',
)
#: What the documentation's commands install in a dom0 without nova: there
#: they find all of it.
COMMANDS = (
    'python3-cliff',
    'python3-libvirt',
    'python3-oslo.config',
    'python3-oslo.log',
    'python3-stevedore',
    'python3-venv',
    # For pip, which reaches no index there.
    'python3-wheel',
    'python3-yaml',
)

FILES = {
    'etc/fstab': '/dev/vda / ext4 defaults,noatime 0 0\n',
    'etc/hostname': 'xenhost\n',
    'etc/hosts': (
        '127.0.0.1 localhost\n10.0.2.15 xenhost.example.org xenhost\n'
    ),
    # QEMU's user network.
    'etc/network/interfaces': (
        'auto lo eth0\n'
        'iface lo inet loopback\n'
        'iface eth0 inet static\n'
        '  address 10.0.2.15/24\n'
        '  gateway 10.0.2.2\n'
    ),
    'etc/initramfs-tools/conf.d/xen-host': 'MODULES=list\n',
    'etc/initramfs-tools/modules': (
        'virtio_pci\nvirtio_blk\nvirtio_net\next4\n'
    ),
    'etc/ssh/sshd_config.d/xen-host.conf': (
        'UseDNS no\nPasswordAuthentication no\n'
    ),
    # In pip's words: without an environment of its own for the build, for
    # which it would ask an index.
    'etc/pip.conf': '[install]\nno-build-isolation = false\n',
    # A guest: dom0's kernel, and one program that says that it lives.
    'usr/share/xen-host/guest/init': (
        '#!/bin/sh\n'
        'mount -t proc proc /proc\n'
        'mount -t devtmpfs dev /dev\n'
        'while :; do\n'
        '  read -r up idle </proc/uptime\n'
        '  echo "GUEST UP $up"\n'
        '  sleep 5\n'
        'done\n'
    ),
}

#: Run in the new root. The line that goes from libvirt's list of processors:
#: Xen shows AMD processors without SEP, QEMU's has no other model that fits,
#: and libvirt 7.0 crashes where none does.
SCRIPT = r"""
set -eu
update-initramfs -u
sed -i "/name='sep'/d" /usr/share/libvirt/cpu_map/x86_qemu64.xml
cd /usr/share/xen-host/guest
chmod 755 init
mkdir -p bin dev proc
cp /bin/busybox bin/busybox
for name in sh mount sleep; do ln -sf busybox bin/$name; done
find . | cpio --quiet -o -H newc | gzip >../guest-initrd.gz
systemctl -q mask apt-daily.timer apt-daily-upgrade.timer cron.service \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    libvirt-guests.service logrotate.timer
rm -f /etc/apt/sources.list /usr/sbin/policy-rc.d
apt-get clean
rm -rf /var/lib/apt/lists/*
"""

SSH_CONFIG = """\
Host *
  User root
  IdentityFile {folder}/ssh-key
  IdentitiesOnly yes
  HostKeyAlias xen-host
  UserKnownHostsFile {folder}/known-hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  BatchMode yes
  LogLevel ERROR
"""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What an image is made of.

    :param name: of its folder.
    :param packages: beside what every image has.
    :param files: a path below the root, and what is in it; also beside.
    :param script: a shell script that is run in it, last.
    :param xen: Xen's version.
    :param trees: folders of this machine, which it has at the same paths.
    :param version: of what they have; changes with it.
    """

    name: str = 'xen-host'
    packages: tuple[str, ...] = COMMANDS
    files: tuple[tuple[str, str], ...] = ()
    script: str = ''
    xen: str = '4.14'
    trees: tuple[str, ...] = ()
    version: str = ''

    @property
    def suite(self) -> str:
        return SUITES[self.xen]

    @property
    def debs(self) -> tuple[str, ...]:
        """All packages that are asked for."""
        return (
            *(each % self.xen for each in XEN),
            DEVICE_MODELS[self.xen],
            *XEN_HOST,
            *self.packages,
        )

    @property
    def stamp(self) -> str:
        """Changes with anything that the image is made of."""
        parts = (self, self.suite, self.debs, sorted(FILES.items()), SCRIPT)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Image:
    """A built image: the disk, what boots it, and the key to it."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / 'disk.raw'

    @property
    def xen(self) -> Path:
        return self.folder / 'xen'

    @property
    def kernel(self) -> Path:
        return self.folder / 'vmlinuz'

    @property
    def initrd(self) -> Path:
        return self.folder / 'initrd.img'

    @property
    def ssh_config(self) -> Path:
        return self.folder / 'ssh-config'

    @property
    def ssh(self) -> Path:
        """ssh with that configuration, for those who run an ssh."""
        return self.folder / 'ssh'


def built(cache: Path, recipe: Recipe, log: machine.Log) -> Image:
    """The image of a recipe: from the cache, or built now.

    An image is whole or absent: it is built beside, and then renamed. What
    this machine lacks to build and to boot it is installed first.

    :raises machine.Failure: says what is missing, or which step failed.
    """
    machine.need(PACKAGES, log)
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / recipe.name
    image = Image(folder)
    with (cache / (recipe.name + '.lock')).open('w') as lock:
        # Two at once: the second waits, and finds it built.
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / 'stamp'
        if stamp.exists() and stamp.read_text() == recipe.stamp:
            return image
        if os.geteuid():
            raise machine.Failure(
                'The image of the Xen host is built by debootstrap, which '
                'needs root: run this as root.'
            )
        new = cache / (recipe.name + '.new')
        _remove(new)
        new.mkdir(mode=0o700)
        try:
            _build(new, folder, recipe, log)
            (new / 'stamp').write_text(recipe.stamp)
            _remove(folder)
            new.rename(folder)
        finally:
            _remove(new)
    return image


def mirror() -> str:
    """Where this machine has Debian from, by its own configuration of apt.

    :raises machine.Failure: if it has none.
    """
    listed = machine.output(
        [
            'apt-get',
            'indextargets',
            '--format',
            '$(LABEL) $(COMPONENT) $(REPO_URI)',
            'Created-By: Packages',
        ]
    )
    for line in listed.splitlines():
        label, component, uri = line.split(' ', 2)
        if (label, component) == ('Debian', 'main'):
            return uri
    raise machine.Failure(
        "apt of this machine knows no mirror of Debian's main: add one to "
        'its sources and run apt-get update.'
    )


def _build(new: Path, folder: Path, recipe: Recipe, log: machine.Log) -> None:
    root = new / 'root'
    logs = log.folder / 'build.log'
    source = mirror()
    environment = dict(
        os.environ,
        DEBIAN_FRONTEND='noninteractive',
        LC_ALL='C',
        PATH='/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    )

    def inside(command: list[str], what: str) -> None:
        machine.run(
            ['chroot', str(root), *command], logs, what, env=environment
        )

    log('building the image: Debian %s' % recipe.suite)
    machine.run(
        ['debootstrap', '--variant=minbase', '--arch=amd64']
        + ['--keyring=%s' % KEYRING, recipe.suite, str(root), source],
        logs,
        'debootstrap',
        env=environment,
    )
    for path, text in (*FILES.items(), *recipe.files):
        _write(root / path, text)
    # Nothing that is installed there may start here.
    _write(root / 'usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755)
    _write(
        root / 'etc/apt/sources.list',
        'deb %s %s main\n' % (source, recipe.suite),
    )
    shutil.copy('/etc/resolv.conf', root / 'etc/resolv.conf')
    log('building the image: Xen, libvirt and what they need')
    inside(['apt-get', '-q', 'update'], 'apt-get update')
    # Debian's packages of OpenStack can't be configured without.
    inside(['mount', '-t', 'proc', 'proc', '/proc'], 'mounting /proc')
    inside(
        ['apt-get', '-qy', '--no-install-recommends']
        + ['-o', 'Dpkg::Options::=--force-confold']
        + ['-o', 'Dpkg::Options::=--force-unsafe-io']
        + ['install', *recipe.debs],
        'apt-get install in the image',
    )
    log('building the image: its configuration and its disk')
    inside(['sh', '-c', SCRIPT + recipe.script], 'the configuration')
    inside(['umount', '/proc'], 'unmounting /proc')
    for tree in recipe.trees:
        # cp 9.1 fails with --parents and an absolute path.
        machine.run(
            ['cp', '-a', '--parents', tree.lstrip('/'), str(root)],
            logs,
            'copying ' + tree,
            cwd='/',
        )
    _keys(new, folder, root, logs)
    boot = root / 'boot'
    shutil.copy(_only(boot, 'vmlinuz-*'), new / 'vmlinuz')
    shutil.copy(_only(boot, 'initrd.img-*'), new / 'initrd.img')
    shutil.copy(
        _only(boot, 'vmlinuz-*'), root / 'usr/share/xen-host/guest-vmlinuz'
    )
    # QEMU reads a multiboot kernel as it is only.
    with gzip.open(_only(boot, 'xen-*-amd64.gz')) as packed:
        (new / 'xen').write_bytes(packed.read())
    # What writes to it writes to an overlay, and is thrown away with it.
    machine.run(
        ['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-d', str(root)]
        + [str(new / 'disk.raw'), '8G'],
        logs,
        'mke2fs',
        env=environment,
    )
    _remove(root)


def _keys(new: Path, folder: Path, root: Path, logs: Path) -> None:
    """A key of this image's own, and how ssh knows the host by."""
    key = new / 'ssh-key'
    machine.run(
        ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'xen-host']
        + ['-f', str(key)],
        logs,
        'ssh-keygen',
    )
    _write(
        root / 'root/.ssh/authorized_keys',
        key.with_suffix('.pub').read_text(),
        0o600,
    )
    host = (root / 'etc/ssh/ssh_host_ed25519_key.pub').read_text()
    (new / 'known-hosts').write_text('xen-host %s' % host)
    # By the name that the folder will have.
    (new / 'ssh-config').write_text(SSH_CONFIG.format(folder=folder))
    _write(
        new / 'ssh',
        '#!/bin/sh\nexec ssh -F "%s" "$@"\n' % (folder / 'ssh-config'),
        0o755,
    )


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise machine.Failure(
            'The image has %d files %s, instead of one.'
            % (len(found), pattern)
        )
    return found[0]


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _remove(folder: Path) -> None:
    """Remove a folder, but never what is mounted below it."""
    for line in reversed(Path('/proc/mounts').read_text().splitlines()):
        mounted = Path(line.split()[1])
        if folder in mounted.parents:
            machine.output(['umount', str(mounted)])
    if folder.exists():
        machine.output(['rm', '-rf', '--one-file-system', str(folder)])

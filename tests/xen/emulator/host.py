# SPDX-License-Identifier: Apache-2.0

"""One emulated Xen host: it is started, spoken to, and ended."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
import typing as ty
from urllib import parse

from tests.xen.emulator import machine
from tests.xen.emulator.image import Image

#: How long a boot may take, seconds: ten times that on an idle machine.
PATIENCE = 1200
#: How long one command in dom0 may take.
COMMAND = 300


@dataclasses.dataclass(frozen=True)
class Hardware:
    """The machine that is emulated, and how Xen divides it.

    :param name: of its log.
    :param memory_mb: RAM.
    :param cpus: of all; more than this machine has make it no faster.
    :param xen: words for Xen's command line: dom0_mem= and others.
    :param dom0: words for that of dom0's kernel.
    :param online: let dom0 reach out, to this machine as 10.0.2.2.
    :param devices: further words for QEMU.
    """

    name: str
    memory_mb: int = 4096
    cpus: int = 2
    xen: tuple[str, ...] = ()
    dom0: tuple[str, ...] = ()
    online: bool = False
    devices: tuple[str, ...] = ()


class Disk:
    """A host's own disk over that of the image; as a context, gone after it.

    :ivar folder: has it, and what else goes with it.
    """

    def __init__(self, image: Image) -> None:
        self.image = image
        # Short, for the names of sockets.
        self.folder = Path(tempfile.mkdtemp(prefix='xen-host-'))

    def __enter__(self) -> Disk:
        return self

    def __exit__(self, *_exc: ty.Any) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def made(self, log: Path) -> Path:
        """The disk, empty the first time."""
        path = self.folder / 'disk.qcow2'
        if not path.exists():
            machine.run(
                ['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw']
                + ['-b', str(self.image.disk), str(path)],
                log,
                'qemu-img',
            )
        return path


class Host:
    """A running host; as a context, ended at its end, however that comes.

    :ivar console: what Xen and dom0 wrote to the serial line, a file.
    """

    def __init__(
        self, disk: Disk, hardware: Hardware, log: machine.Log
    ) -> None:
        self.hardware = hardware
        self.console = log.folder / ('%s-console.log' % hardware.name)
        self._disk = disk
        self._image = disk.image
        self.log = log
        self._commands = log.folder / ('%s-commands.log' % hardware.name)
        self._errors = log.folder / ('%s-qemu.log' % hardware.name)
        self._qemu: subprocess.Popen[bytes] | None = None
        self._ssh: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self.port = 0

    def __enter__(self) -> Host:
        try:
            self.start()
            self.wait()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_exc: ty.Any) -> None:
        self.end()

    @property
    def uri(self) -> str:
        """By which a libvirt elsewhere on this machine asks this one."""
        return 'xen+ssh://root@127.0.0.1:%d/system?command=%s' % (
            self.port,
            parse.quote(str(self._image.ssh), safe=''),
        )

    def run(self, command: str, patience: int = COMMAND) -> str:
        """What a shell command in dom0 prints.

        :param patience: how long it may take, seconds.
        :raises machine.Failure: if it fails, or takes longer.
        """
        done = self._in_dom0(command, patience=patience)
        if done.returncode:
            raise machine.Failure(
                'In dom0 of %s, %r failed (%d): %s. See %s'
                % (
                    self.hardware.name,
                    command,
                    done.returncode,
                    done.stderr.decode('utf-8', 'replace').strip(),
                    self._commands,
                )
            )
        return done.stdout.decode('utf-8', 'replace')

    def status(
        self, command: str, patience: int = COMMAND
    ) -> tuple[int, str, str]:
        """A command's exit code, output and errors."""
        done = self._in_dom0(command, patience=patience)
        return (
            done.returncode,
            done.stdout.decode('utf-8', 'replace'),
            done.stderr.decode('utf-8', 'replace'),
        )

    def write(self, path: str, content: bytes) -> None:
        """A file in dom0."""
        self._in_dom0('cat >%s' % shlex.quote(path), content)

    def power_off(self) -> None:
        """Shut it down, so that its disk can be used again.

        :raises machine.Failure: if it doesn't.
        """
        self.status('systemctl poweroff')
        try:
            if self._qemu is not None:
                self._qemu.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise machine.Failure(
                '%s was not off within %d s; see %s'
                % (self.hardware.name, PATIENCE, self.console)
            ) from None

    def end(self) -> None:
        """End what was started. May be called again."""
        for process in (self._ssh, self._qemu):
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self) -> None:
        """Switch it on. QEMU ends with the thread that calls this."""
        disk = self._disk.made(self._errors)
        self.port = _free_port()
        self._began = time.monotonic()
        with self._errors.open('ab') as errors:
            # Not in our process group: Ctrl-C is ours to hear. And it dies
            # with us, however we die.
            self._qemu = subprocess.Popen(
                ['setpriv', '--pdeathsig', 'KILL', 'nice', *self._words(disk)],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )

    @property
    def _mac(self) -> str:
        """One of its own: Neutron's agents take their ids from it."""
        own = hashlib.sha256(self.hardware.name.encode()).hexdigest()
        return ':'.join(('52:54:00', own[:2], own[2:4], own[4:6]))

    def _words(self, disk: Path) -> list[str]:
        hardware = self.hardware
        network = 'user,id=net,hostfwd=tcp:127.0.0.1:%d-:22' % self.port
        if not hardware.online:
            network += ',restrict=on'
        xen = ('console=com1', 'com1=115200,8n1', *hardware.xen)
        dom0 = ('root=/dev/vda', 'rw', 'console=hvc0', 'net.ifnames=0')
        words = {
            '-name': hardware.name,
            '-accel': 'tcg,thread=multi',
            # With AMD's virtualization, which QEMU can emulate: HVM guests.
            '-cpu': 'qemu64,+svm,+npt',
            '-m': str(hardware.memory_mb),
            '-smp': str(hardware.cpus),
            '-kernel': str(self._image.xen),
            '-append': ' '.join(xen),
            # Both in one, as modules of a multiboot kernel.
            '-initrd': '%s %s,%s'
            % (
                self._image.kernel,
                ' '.join(dom0 + hardware.dom0),
                self._image.initrd,
            ),
            '-drive': 'file=%s,if=virtio,cache=unsafe' % disk,
            '-netdev': network,
            '-device': 'virtio-net-pci,netdev=net,mac=' + self._mac,
            '-display': 'none',
            '-monitor': 'none',
            '-serial': 'file:%s' % self.console,
        }
        return (
            ['qemu-system-x86_64', '-no-reboot']
            + [word for pair in words.items() for word in pair]
            + list(hardware.devices)
        )

    def wait(self) -> None:
        """Until dom0 lets us in and its libvirt answers."""
        deadline = time.monotonic() + PATIENCE
        control = self._disk.folder / 'ssh'
        while not control.exists():
            self._still_alive(deadline)
            if self._ssh is None or self._ssh.poll() is not None:
                time.sleep(1)
                # One connection for all that is said to dom0.
                with self._errors.open('ab') as errors:
                    self._ssh = subprocess.Popen(
                        ['setpriv', '--pdeathsig', 'KILL']
                        + self._ssh_words('-M', '-N'),
                        stdin=subprocess.DEVNULL,
                        stdout=errors,
                        stderr=errors,
                        start_new_session=True,
                    )
            time.sleep(0.2)
        while self.status('virsh -c xen:///system list')[0]:
            self._still_alive(deadline)
            time.sleep(1)
        self.log(
            '%s: up after %d s'
            % (self.hardware.name, time.monotonic() - self._began)
        )

    def _still_alive(self, deadline: float) -> None:
        if self._qemu is None or self._qemu.poll() is not None:
            raise machine.Failure(
                'QEMU of %s ended: see %s and %s'
                % (self.hardware.name, self._errors, self.console)
            )
        if time.monotonic() > deadline:
            raise machine.Failure(
                '%s was not up within %d s: see %s and %s'
                % (self.hardware.name, PATIENCE, self.console, self._errors)
            )

    def _ssh_words(self, *options: str) -> list[str]:
        return [
            str(self._image.ssh),
            '-o',
            'ControlPath=%s' % (self._disk.folder / 'ssh'),
            '-o',
            'ConnectTimeout=60',
            '-p',
            str(self.port),
            *options,
            '127.0.0.1',
        ]

    def _in_dom0(
        self, command: str, content: bytes = b'', patience: int = COMMAND
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            done = subprocess.run(
                self._ssh_words() + [command],
                input=content,
                capture_output=True,
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise machine.Failure(
                'In dom0 of %s, %r was not done within %d s; see %s'
                % (self.hardware.name, command, patience, self.console)
            ) from None
        with self._commands.open('ab') as log:
            log.write(b'# %s\n' % command.encode())
            log.write(done.stdout + done.stderr)
            log.write(b'[%d]\n' % done.returncode)
        return done


def _free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port: int = free.getsockname()[1]
        return port

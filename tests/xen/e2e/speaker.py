# SPDX-License-Identifier: Apache-2.0

"""A PV guest that can be spoken to: its image, and what it is told."""

from __future__ import annotations

import re
import shlex
import typing as ty

from tests.e2e.client import Client
from tests.e2e.client import host_of
from tests.e2e.client import Server
from tests.e2e.processes import Failure
from tests.e2e.processes import until
from tests.xen.e2e.guests import domain
from tests.xen.e2e.hosts import Pair
from tests.xen.e2e.recipe import SPEAKER
from tests.xen.emulator.guests import COMMAND_LINE
from tests.xen.emulator.guests import KERNEL

#: What iPXE does; meanwhile it answers who asks for it, and pings.
_ASK_FOR_ADDRESS = 'dhcp net0 && sleep 1000000'
#: How long its boot may take, seconds, and what else it does.
PATIENCE = 600
#: What its PV image begins with, for who looks at its disk.
LABEL = 'DISK ONE'

#: Run in dom0 as python3 - NAME SECONDS COMMAND: what comes between two
#: marks, and the exit code. The lines that it writes by itself are left
#: out.
_ASK = r"""
import os, re, select, subprocess, sys, time, tty

name, seconds, command = sys.argv[1:]

def output(*words):
    return subprocess.check_output(words, universal_newlines=True).strip()

path = output('xenstore-read', '/local/domain/%s/console/tty' % (
    output('xl', 'domid', name)))
fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
tty.setraw(fd)
mark = '%08x' % (time.time_ns() & 0xffffffff)
# The marks aren't in the line itself, should it be echoed. A line that was
# begun by another is ended.
line = "\necho B''%s; { %s; } 2>&1; echo E''%s=$?\n" % (mark, command, mark)
os.write(fd, line.encode())
deadline = time.monotonic() + float(seconds)
said = ''
while 'E' + mark + '=' not in said or not said.endswith('\n'):
    left = deadline - time.monotonic()
    if left < 0 or not select.select([fd], [], [], left)[0]:
        sys.exit('no answer within %s s: %r' % (seconds, said[-500:]))
    said += os.read(fd, 65536).decode('utf-8', 'replace').replace('\r', '')
body, _, code = said.rpartition('B' + mark + '\n')[2].partition(
    'E' + mark + '=')
# Behind what ends without a newline, too.
print(re.sub(r'GUEST UP [^\n]*\n', '', body), end='')
sys.exit(int(code.split()[0]))
"""


def upload(client: Client, pair: Pair) -> dict[str, str]:
    """Put its image into Glance, and iPXE as an HVM guest; name -> id.

    iPXE has a network driver of its own for Xen's. Linux as an HVM guest ends
    in a triple fault on a processor that QEMU emulates.
    """
    parts = {
        name: client.create_image(
            'speaker-' + name,
            content=pair.read(path),
            disk_format=kind,
            container_format=kind,
        )
        for name, kind, path in (
            ('aki', 'aki', KERNEL),
            ('ari', 'ari', '/%s/initrd.gz' % SPEAKER),
            ('ipxe', 'aki', '/boot/ipxe.lkrn'),
        )
    }
    return {
        'speaker': client.create_image(
            'speaker',
            content=LABEL.encode().ljust(1 << 20, b'\0'),
            img_hv_type='xen',
            hw_vm_mode='xen',
            kernel_id=parts['aki'],
            ramdisk_id=parts['ari'],
            os_command_line=COMMAND_LINE,
        ),
        'ipxe': client.create_image(
            'ipxe',
            content=bytes(1 << 20),
            img_hv_type='xen',
            hw_vm_mode='hvm',
            kernel_id=parts['ipxe'],
            os_command_line=_ASK_FOR_ADDRESS,
        ),
    }


class Life(ty.NamedTuple):
    """Of a guest, by its own kernel.

    :ivar boot: another one at each boot.
    :ivar uptime: seconds.
    """

    boot: str
    uptime: float


def goes_on(before: Life, after: Life) -> str:
    """What shows that a guest goes on.

    :raises Failure: if it was started anew
    """
    if after.boot != before.boot:
        raise Failure('it was started anew')
    return 'uptime %.0f s before, %.0f after' % (before.uptime, after.uptime)


class Speaker:
    """One of them.

    :ivar server: what nova has of it
    """

    def __init__(self, pair: Pair, server: Server) -> None:
        self._pair = pair
        self.server = server

    @property
    def host(self) -> str:
        return host_of(self.server)

    def status(self, command: str, seconds: int = 60) -> tuple[int, str]:
        """A shell command's exit code, and what it printed.

        :raises Failure: if the guest says nothing
        """
        code, printed, complaints = self._pair[self.host].host.status(
            'python3 - %s %d %s <<"END OF IT"\n%s\nEND OF IT'
            % (
                domain(self.server),
                seconds,
                shlex.quote(command),
                _ASK,
            ),
            seconds + 60,
        )
        if complaints:
            raise Failure(
                '%s on %s, %r: %s'
                % (domain(self.server), self.host, command, complaints[-500:])
            )
        return code, printed

    def run(self, command: str, seconds: int = 60) -> str:
        """What a shell command in it prints.

        :raises Failure: if it fails
        """
        code, printed = self.status(command, seconds)
        if code:
            raise Failure(
                '%s: %r failed (%d): %s'
                % (domain(self.server), command, code, printed[-300:])
            )
        return printed.strip()

    def life(self) -> Life:
        boot, uptime, _ = self.run(
            'cat /proc/sys/kernel/random/boot_id /proc/uptime'
        ).split()
        return Life(boot, float(uptime))

    def mark(self, text: str) -> None:
        """Write onto its disk."""
        self.run(
            'printf "%s" | dd of=/dev/xvda bs=1 seek=512 conv=notrunc '
            '2>/dev/null; sync' % text
        )

    def marked(self, text: str) -> None:
        """:raises Failure: unless that was written onto its disk"""
        found = self.run(
            'dd if=/dev/xvda bs=1 skip=512 count=%d 2>/dev/null' % len(text)
        )
        if found != text:
            raise Failure('its disk has %r, not %r' % (found, text))

    def wait(self, than: Life | None = None) -> Life:
        """Until it answers.

        :param than: its life before a reboot: until it has another.
        """
        said = ''

        def answers() -> Life | None:
            nonlocal said
            try:
                found = self.life()
            except (Failure, ValueError) as e:
                said = str(e)
                return None
            return None if than and found.boot == than.boot else found

        try:
            found: Life = until(answers, 'an answer of the guest', PATIENCE)
        except Failure as e:
            raise Failure('%s: %s' % (e, said)) from e
        return found

    def address(self) -> str:
        """Until it has one by DHCP: that."""

        def found() -> str:
            printed = self.run('ip -4 -o addr show dev eth0')
            match = re.search(r'inet ([0-9.]+)/', printed)
            return match[1] if match else ''

        address: str = until(found, 'an address of the guest', PATIENCE)
        return address

    def pings(self, address: str, count: int = 3) -> tuple[int, int]:
        """Of so many pings how many were sent and answered."""
        _, printed = self.status(
            'ping -c %d -W 3 %s' % (count, address), 60 + count * 5
        )
        found = re.search(r'(\d+) packets transmitted, (\d+)', printed)
        if found is None:
            raise Failure('ping: %s' % printed)
        return int(found[1]), int(found[2])

# SPDX-License-Identifier: Apache-2.0

"""``make xen-host``: facts show on a real Xen host, beside what xl says."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys
import time
import typing as ty

from tests.xen.emulator import image
from tests.xen.emulator import machine
from tests.xen.emulator.host import Disk
from tests.xen.emulator.host import Hardware
from tests.xen.emulator.host import Host
from tests.xen.facts import commands
from tests.xen.facts import compare
from tests.xen.facts import guests
from tools import printing

#: The guide's: dom0 has a size of its own, and its CPU for itself.
FIXED = Hardware(
    name='fixed',
    xen=('dom0_mem=1024M,max:1024M', 'dom0_max_vcpus=1', 'dom0_vcpus_pin'),
)
#: As Xen comes: dom0 has all, and gives memory to each guest that starts.
BALLOONING = Hardware(name='ballooning', memory_mb=3072)

GUESTS = (('pv1', 'pv'), ('pvh1', 'pvh'), ('hvm1', 'hvm'))
#: How often a comparison may begin anew because the host was changing.
TRIES = 10


def main() -> int:
    parser = argparse.ArgumentParser(
        prog='python -m tests.xen.facts', description=__doc__
    )
    parser.add_argument(
        '--cache',
        type=Path,
        default=commands.PROJECT / '.xen-host',
        help='where images and logs are kept (%(default)s)',
    )
    cache = parser.parse_args().cache.resolve()
    log = machine.Log(cache / 'logs')
    log('logs: %s' % log.folder)
    try:
        with machine.ended_by_signals():
            return _all(cache, log)
    except machine.Failure as e:
        print('xen-host: %s' % e, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('xen-host: interrupted; all is ended.', file=sys.stderr)
        return 130


def _all(cache: Path, log: machine.Log) -> int:
    machine.need(commands.PACKAGES, log)
    built = image.built(cache, image.Recipe(), log)
    log('installing nova-xen-sched on this machine')
    outside = commands.install_outside(cache / 'outside', log)
    situations = []
    with Disk(built) as disk:
        for hardware in (FIXED, BALLOONING):
            log('%s: booting Xen' % hardware.name)
            with Host(disk, hardware, log) as host:
                if hardware is FIXED:
                    # It stays on the disk.
                    commands.install_inside(host, log)
                situations += _with_and_without_guests(host, outside, log)
                log('%s: shutting down' % hardware.name)
                host.power_off()
    rows = [row for situation in situations for row in situation]
    differ = sum(not row.agree for row in rows)
    log(
        '%d facts in %d situations: %s'
        % (
            len(rows),
            len(situations),
            '%d DISAGREE' % differ if differ else 'all agree with xl',
        )
    )
    return 1 if differ else 0


def _with_and_without_guests(
    host: Host, outside: Path, log: machine.Log
) -> list[list[compare.Row]]:
    found = [_situation('no guests', host, outside, log)]
    for name, mode in GUESTS:
        log('%s: starting a guest, %s' % (host.hardware.name, mode.upper()))
        guests.start(host, name, mode)
    found.append(_situation('PV, PVH and HVM guests', host, outside, log))
    # dom0 has nobody to shut them down.
    for name, _mode in GUESTS:
        host.run('virsh -q -c xen:///system destroy %s' % name)
    return found


def _situation(
    what: str, host: Host, outside: Path, log: machine.Log
) -> list[compare.Row]:
    """Read a host that keeps still in all three ways, and print them."""
    name = host.hardware.name
    log('%s, %s: asking xl, and facts show twice' % (name, what))
    for _ in range(TRIES):
        by_xl = compare.ByXl.read(host)
        inside = commands.show_inside(host)
        elsewhere = commands.show_outside(outside, host)
        if compare.ByXl.read(host) == by_xl:
            break
        # dom0 is still giving memory back.
        time.sleep(1)
    else:
        raise machine.Failure(
            '%s: what xl says has changed %d times in a row; see the logs in '
            '%s' % (name, TRIES, log.folder)
        )
    rows = by_xl.rows(inside, elsewhere)
    answers = {'xl': by_xl.texts, 'inside': inside, 'outside': elsewhere}
    answered = '%s-%d-guests.json' % (name, by_xl.facts['guests'])
    (log.folder / answered).write_text(json.dumps(answers, indent=1))
    printing.heading(
        '%s: %s; %s'
        % (name, ' '.join(host.hardware.xen) or 'dom0_mem unset', what)
    )
    printing.table(
        ('fact', 'xl', 'inside', 'outside', 'agree'),
        [
            (
                row.fact,
                *map(_text, (row.xl, row.inside, row.outside)),
                'yes' if row.agree else 'NO',
            )
            for row in rows
        ],
    )
    print(flush=True)
    return rows


def _text(value: ty.Any) -> str:
    if value is None:
        return 'unknown'
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, list):
        return ' '.join(value)
    if isinstance(value, dict):
        return ' '.join('%s:%d' % each for each in sorted(value.items()))
    return str(value)


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0

"""Which guests are booted, and in which order; a mix is read from a file.

Nothing here knows nova.
"""

from __future__ import annotations

import argparse
import dataclasses
import typing as ty

from nova_xen_sched import log
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.facts import read_yaml
from nova_xen_sched.nearest import nearest

#: As many guests as a simulation boots at most.
MOST = 100000


@dataclasses.dataclass(frozen=True)
class Guests:
    """Guests of one kind.

    :ivar count: how many.
    :ivar flavor: the name or id of one of nova's; None for the sizes.
    :ivar ram: MiB; None as for guest_arguments, and vcpus and disk, too.
    :ivar image: the name or id of an image in Glance; None for vm_mode.
    :ivar vm_mode: of guest_arguments.VM_MODES.
    """

    count: int
    flavor: str | None = None
    ram: int | None = None
    vcpus: int | None = None
    disk: int | None = None
    image: str | None = None
    vm_mode: str = 'hvm'


_NUMBERS: ty.Mapping[str, ty.Callable[[str], int]] = {
    'count': guest_arguments.whole,
    'ram': guest_arguments.whole,
    'vcpus': guest_arguments.whole,
    'disk': guest_arguments.natural,
}
_KEYS = tuple(each.name for each in dataclasses.fields(Guests))
_SHAPE = (
    'a mix is a list, in which each entry has a count, a flavor or some of '
    'ram, vcpus and disk, and an image or a vm_mode'
)


def read(path: str) -> list[Guests]:
    """The mix of a file.

    :raises errors.Failure: if it can't be read, or anything in it is wrong:
        which value, where it stands, and what is allowed.
    """
    try:
        with open(path, 'rb') as f:
            content = f.read()
        found = read_yaml.parse(content)
    except OSError as e:
        raise errors.Failure(
            "%s can't be read: %s: check the path." % (path, e.strerror or e)
        ) from e
    except read_yaml.YamlError as e:
        raise errors.Failure('%s is no YAML: %s.' % (path, e)) from e
    if not isinstance(found, list) or not found:
        raise errors.Failure('%s has no list: %s.' % (path, _SHAPE))
    mix = []
    for number, entry in enumerate(found, 1):
        try:
            mix.append(_guests(entry))
        except ValueError as e:
            raise errors.Failure(
                '%s, entry %d: %s.' % (path, number, e)
            ) from e
    check(mix)
    return mix


def check(mix: ty.Sequence[Guests]) -> None:
    """Refuse more guests than can be simulated.

    :raises errors.Failure: naming both.
    """
    total = sum(each.count for each in mix)
    if total > MOST:
        raise errors.Failure(
            'At most %d guests are simulated, and these are %d.'
            % (MOST, total)
        )


def _guests(entry: ty.Any) -> Guests:
    """One entry of a file.

    :raises ValueError: what is wrong in it, and what is allowed.
    """
    if not isinstance(entry, dict):
        raise ValueError('%s is no mapping: %s' % (log.shown(entry), _SHAPE))
    for name in entry:
        if name not in _KEYS:
            near = nearest(str(name), _KEYS)
            raise ValueError(
                '%s is no key%s; allowed: %s'
                % (
                    log.shown(name),
                    ' (nearest: %s)' % near if near else '',
                    ', '.join(_KEYS),
                )
            )
    if 'count' not in entry:
        raise ValueError('count is missing: how many guests there are to be')
    found = {name: _value(name, value) for name, value in entry.items()}
    sizes = [name for name in ('ram', 'vcpus', 'disk') if name in found]
    if 'flavor' in found and sizes:
        raise ValueError(
            'flavor and %s: leave out one of the two' % ', '.join(sizes)
        )
    if 'image' in found and 'vm_mode' in found:
        raise ValueError('image and vm_mode: leave out one of the two')
    return Guests(**found)


def _value(name: str, value: ty.Any) -> ty.Any:
    """A value of an entry.

    :raises ValueError: naming it.
    """
    # As YAML has it: 2048, and "2048" as well.
    text = '' if value is None else str(value)
    if name in _NUMBERS:
        try:
            return _NUMBERS[name](text)
        except argparse.ArgumentTypeError as e:
            raise ValueError('%s is %s' % (name, e)) from None
    if isinstance(value, (dict, list)) or not text.strip():
        raise ValueError('%s is %s: give one name' % (name, log.shown(value)))
    if name == 'vm_mode':
        if text.lower() not in guest_arguments.VM_MODES:
            raise ValueError(
                'vm_mode is %s; allowed: %s'
                % (log.shown(value), ', '.join(guest_arguments.VM_MODES))
            )
        return text.lower()
    return text


def order(counts: ty.Sequence[int]) -> list[int]:
    """In which order guests of several kinds come: in proportion.

    :param counts: how many there are of each kind.
    :returns: the index of each guest's kind. Whenever one is chosen, it is of
        the kind that is the most behind its share, of equal ones the first.
    """
    total = sum(counts)
    done = [0] * len(counts)
    found = []
    for number in range(1, total + 1):
        # In whole numbers, so that nothing is rounded.
        behind = [
            count * number - have * total for count, have in zip(counts, done)
        ]
        chosen = max(range(len(counts)), key=behind.__getitem__)
        done[chosen] += 1
        found.append(chosen)
    return found

# SPDX-License-Identifier: Apache-2.0

"""What nova makes of an image's properties, by nova's own objects.

nova's lists of values differ between releases, so none is kept here. On a
machine without nova values are only compared in lower case, and none is
known to be refused.
"""

from __future__ import annotations

import difflib
import typing as ty

try:
    from nova.objects import fields
    from nova.objects import image_meta
except ImportError:  # image check runs where there is no nova, too
    fields = image_meta = None


class Refused(ty.NamedTuple):
    """A property whose value nova refuses.

    :ivar name: as it stands on the image.
    :ivar why: nova's own words, on one line.
    :ivar accepted: the values that nova takes; empty where they are no list.
    :ivar nearest: the one of them that was likely meant; None if that would
        be a guess.
    """

    name: str
    value: str
    why: str
    accepted: tuple[str, ...] = ()
    nearest: str | None = None


def nova_is_here() -> bool:
    """Whether nova's objects can be asked."""
    return image_meta is not None


def canonical(kind: str, value: str | None) -> str | None:
    """nova's spelling of a value; None for one that it refuses.

    :param kind: 'HVType' or 'VMMode', where PV is xen.
    """
    if not value:
        return None
    if fields is None:
        return value.lower()
    try:
        found: str | None = getattr(fields, kind).canonicalize(value)
    except Exception:  # noqa: BLE001  which one differs between novas
        return None
    return found


def refused(properties: ty.Mapping[str, str]) -> list[Refused]:
    """The properties for which nova refuses to boot the image.

    :param properties: of the image, by their names in Glance.
    """
    if image_meta is None or _complaint(properties) is None:
        return []
    found = []
    for name, value in properties.items():
        why = _complaint({name: value})
        if why is not None:
            found.append(Refused(name, value, why, *_choices(name, value)))
    if found:
        return found
    # Such as hw_numa_cpus.1, which nova reads only behind .0: the one with
    # which it begins to refuse the others.
    so_far: dict[str, str] = {}
    for name in sorted(properties):
        so_far[name] = properties[name]
        why = _complaint(so_far)
        if why is not None:
            return [Refused(name, properties[name], why)]
    return []


def _complaint(properties: ty.Mapping[str, str]) -> str | None:
    """nova's words against properties, None if it takes them."""
    try:
        # It takes entries out of what it is given.
        image_meta.ImageMetaProps.from_dict(dict(properties))
    except Exception as e:  # noqa: BLE001  nova raises various kinds
        return ' '.join(str(e).split())
    return None


def _choices(name: str, value: str) -> tuple[tuple[str, ...], str | None]:
    """The values that nova takes for a property, and the nearest if close."""
    props = image_meta.ImageMetaProps
    # nova has no other table of the older names.
    current = getattr(props, '_legacy_property_map', {}).get(name, name)
    field: ty.Any = props.fields.get(current)
    accepted = tuple(getattr(field, 'valid_values', None) or ())
    for candidate in (value.strip(), value.strip().lower()):
        if candidate and _complaint({name: candidate}) is None:
            return accepted, candidate
    close = difflib.get_close_matches(value.lower(), accepted, 1, 0.8)
    return accepted, next(iter(close), None)

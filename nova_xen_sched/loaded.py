# SPDX-License-Identifier: Apache-2.0

"""Fields of nova's Instances, of those only that have them loaded.

A field that isn't would be read from the database, one query each.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import typing as ty

from nova_xen_sched import redact

LOG = redact.logger(__name__)

#: Where nova's objects keep a loaded field, which is 25 times as fast as
#: obj_attr_is_set and the getter.
_PRIVATE = '_obj_%s'


def values(guests: list[ty.Any], field: str) -> list[ty.Any]:
    """The values of a field, of guests that have it loaded.

    :param guests: nova Instances.
    """
    name = _PRIVATE % field
    # Of 50 guests in 4 us, not 14; a stub has no such attribute.
    with contextlib.suppress(AttributeError):
        return list(map(operator.attrgetter(name), guests))
    if _kept_as_ever():
        return [each[name] for each in map(vars, guests) if name in each]
    return [
        getattr(each, field) for each in guests if each.obj_attr_is_set(field)
    ]


@functools.lru_cache(maxsize=None)
def _kept_as_ever() -> bool:
    """Whether nova's objects still keep their fields by the private names."""
    from nova import objects

    if _PRIVATE % 'vm_mode' in vars(objects.Instance(vm_mode=None)):
        return True
    LOG.warning(
        'oslo.versionedobjects keeps fields otherwise than nova-xen-sched '
        'knows; those of guests are read more slowly. Please report it.'
    )
    return False

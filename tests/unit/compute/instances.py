# SPDX-License-Identifier: Apache-2.0

"""Guests as nova's database has them."""

from __future__ import annotations

from nova.objects.flavor import Flavor
from nova.objects.instance import Instance
from oslo_utils import uuidutils


def instance(specs=None, **fields):
    """A nova Instance that runs.

    :param specs: the extra specs of its flavor.
    """
    fields = {
        'uuid': uuidutils.generate_uuid(),
        'vm_mode': 'hvm',
        'vm_state': 'active',
        'task_state': None,
        'memory_mb': 512,
        'vcpus': 1,
        'flavor': Flavor(extra_specs=specs or {}),
        **fields,
    }
    return Instance(**fields)


def booting(**fields):
    """One that is about to be spawned for the first time."""
    return instance(vm_state='building', task_state='spawning', **fields)

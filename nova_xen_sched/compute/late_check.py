# SPDX-License-Identifier: Apache-2.0

"""Refuses a guest on the host itself, where dom0 or Xen can't carry it.

Two schedulers may choose one host at one moment. The last that can say no,
before anything is built, is the host: nova goes on to the next one.
"""

from __future__ import annotations

import math
import threading
import typing as ty

from nova.compute import task_states
from nova.compute import vm_states

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import log
from nova_xen_sched.host import Host
from nova_xen_sched.load import mode_of
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.rules.overcommit import overcommits

LOG = log.logger(__name__)


def is_boot(instance: ty.Any) -> bool:
    """Whether nova would build the guest elsewhere, if it is refused here.

    It wouldn't for a rebuild, an evacuation or an unshelve.

    :param instance: a nova Instance that is to be spawned.
    """
    return (
        instance.vm_state == vm_states.BUILDING
        and instance.task_state == task_states.SPAWNING
    )


class LateCheck:
    """Judges each guest that is about to start here.

    :param read_guests: reads the nova Instances of this host.
    :param load_of: what dom0 serves with such instances.
    :param read_free_mb: reads the RAM that Xen has left, MiB; None where
        that is not known, or means nothing.
    """

    def __init__(
        self,
        read_guests: ty.Callable[[], list[ty.Any]],
        load_of: ty.Callable[[list[ty.Any]], dom0.Load],
        read_free_mb: ty.Callable[[], int | None],
    ) -> None:
        self._read_guests = read_guests
        self._load_of = load_of
        self._read_free_mb = read_free_mb
        self._lock = threading.Lock()
        # Of the guests here, those that were judged and not refused.
        self._admitted: set[str] = set()

    def refusal(
        self,
        instance: ty.Any,
        vm_mode: str | None,
        settings: conf.Settings,
    ) -> str | None:
        """Why this guest must not start here, a sentence; None if it may.

        It never raises: a guest that can't be judged may start.

        :param instance: its nova Instance.
        :param vm_mode: by which it is built.
        """
        try:
            # Guests are built at once, and each must see those before it.
            with self._lock:
                found = self._refusals(instance, vm_mode, settings)
                enforced = [
                    each
                    for each in found
                    if each.enforced(settings.report_only)
                ]
                if not enforced and settings.refuse_dom0_overcommit:
                    self._admitted.add(instance.uuid)
            for each in found:
                LOG.warning(
                    'This guest does not fit on this host: %(refusal)s',
                    {'refusal': each},
                    instance=instance,
                )
            return str(enforced[0]) if enforced else None
        except Exception:  # noqa: BLE001  nothing may reach nova
            log.unexpected('judging a guest that is to start; it may start')
            return None

    def _refusals(
        self,
        instance: ty.Any,
        vm_mode: str | None,
        settings: conf.Settings,
    ) -> list[Refusal]:
        model = settings.dom0_model
        mode = mode_of(vm_mode, settings)
        guest = mode, instance.memory_mb, instance.vcpus
        free_mb = self._read_free_mb()
        needed_mb = math.ceil(model.overhead.whole_mb(*guest))
        if free_mb is not None and free_mb < needed_mb:
            return [
                Refusal(
                    Code.HOST_MEMORY,
                    'Xen itself has %d MiB of RAM left, and this guest takes '
                    '%d MiB with its overhead' % (free_mb, needed_mb),
                    'use another host, or a smaller flavor',
                )
            ]
        if not settings.refuse_dom0_overcommit:
            return []
        others = self._others(instance)
        load = self._load_of(others)._replace(free_mb=free_mb)
        over = dom0.overcommitted(model, model.plus(load, *guest))
        host = Host(is_xen=True, overcommitted=over)
        found = [
            overcommits(each.resource, GuestRequest(), host, settings)
            for each in over
        ]
        return [each for each in found if each]

    def _others(self, instance: ty.Any) -> list[ty.Any]:
        """The guests here, less this one and those that come after it."""
        here = self._read_guests()
        # Others are gone: deleted, or built elsewhere.
        self._admitted &= {each.uuid for each in here}
        return [
            each
            for each in here
            if each.uuid != instance.uuid
            and (
                each.vm_state != vm_states.BUILDING
                or each.uuid in self._admitted
            )
        ]

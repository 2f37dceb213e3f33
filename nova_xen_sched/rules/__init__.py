# SPDX-License-Identifier: Apache-2.0

"""The rules: can this host take this guest?

A rule is a plain function of (guest, host, settings) that returns None or a
Refusal. XenHostFilter and everything that explains it run the same table,
so they can't disagree.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched.dom0 import Resource
from nova_xen_sched.host import Host
from nova_xen_sched.load import LOAD_FACTS
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.request import Kind
from nova_xen_sched.rules import image
from nova_xen_sched.rules import overcommit
from nova_xen_sched.rules import versions

EVERY = frozenset(Kind)
# A guest that exists must not be stranded by a rule for new ones.
NEW_IMAGE = frozenset({Kind.BOOT, Kind.REBUILD})
# A rebuild stays where it is, and an evacuated guest is better there than
# down.
NEW_PLACE = frozenset({Kind.BOOT, Kind.MOVE, Kind.LIVE_MIGRATION})
# A rebuild takes no more than its guest has.
TAKES_MORE = EVERY - {Kind.REBUILD}


class Rule(ty.NamedTuple):
    """A rule, and when it applies.

    :ivar refuses: the rule.
    :ivar kinds: of request, which it applies to; a new set of them needs a
        sentence in Judge._if_it_applies().
    :ivar facts: the names of those that it reads; the host has no others.
    :ivar needs_load: whether it reads what the guest would overcommit.
    :ivar on: whether the options have it on.
    """

    refuses: ty.Callable[
        [GuestRequest, Host, conf.Settings], ty.Optional[Refusal]
    ]
    kinds: ty.FrozenSet[Kind] = EVERY
    facts: ty.FrozenSet[str] = frozenset()
    needs_load: bool = False
    on: ty.Callable[[conf.Settings], bool] = lambda settings: True


_LIBVIRT = frozenset({'libvirt_version', 'libvirt_migration_backports'})

#: The rules in the order in which they are judged: the first one decides.
RULES: tuple[Rule, ...] = (
    Rule(functools.partial(image.part, Code.ARCHITECTURE)),
    Rule(functools.partial(image.part, Code.HYPERVISOR_TYPE)),
    Rule(functools.partial(image.part, Code.VM_MODE)),
    Rule(image.guest_type),
    Rule(image.pv_by_default),
    Rule(image.hypervisor_version),
    Rule(image.maxphysaddr_bits),
    Rule(image.hypervisor_type_required, NEW_IMAGE),
    Rule(image.disk_format, NEW_IMAGE),
    Rule(
        versions.xen_version,
        NEW_PLACE,
        frozenset({'xen_version'}),
        on=lambda settings: settings.min_xen_version is not None,
    ),
    Rule(
        versions.libvirt_version,
        NEW_PLACE,
        _LIBVIRT,
        on=lambda settings: settings.live_migration_check == 'always',
    ),
    Rule(
        versions.libvirt_version,
        frozenset({Kind.LIVE_MIGRATION}),
        _LIBVIRT,
        on=lambda settings: settings.live_migration_check == 'live_migration',
    ),
    *(
        Rule(
            functools.partial(overcommit.overcommits, resource),
            TAKES_MORE,
            LOAD_FACTS,
            needs_load=True,
            on=lambda settings: settings.refuse_dom0_overcommit,
        )
        for resource in Resource
    ),
)


@dataclasses.dataclass(frozen=True, eq=False)
class Verdict:
    """What the rules say of one host.

    :ivar refusal: the refusal that decides, None if the host is accepted.
    :ivar refusals: this one and those before it, which report_only names, so
        that they don't decide; or every reason against the host.
    """

    refusal: Refusal | None = None
    refusals: tuple[Refusal, ...] = ()


#: The verdict on a host against which nothing speaks, and that on one which
#: can't be judged, for an unexpected error. They are told apart by identity.
ACCEPTED = Verdict()
UNJUDGED = Verdict()


class Judge:
    """Judges hosts for one guest by the rules that apply to its request.

    :param kind_in_cell: reads what the request does, where its RequestSpec
        can't tell; None if that can't be told. Called only where a refusal
        depends on it.
    :ivar facts: the names of the facts that the rules need.
    :ivar needs_load: whether any of them needs the hosts' loads.
    """

    def __init__(
        self,
        guest: GuestRequest,
        settings: conf.Settings,
        kind_in_cell: ty.Callable[[], Kind | None] = lambda: None,
    ) -> None:
        self._guest = guest
        self._settings = settings
        self._kind_in_cell = kind_in_cell
        self._rules = [
            rule
            for rule in RULES
            if rule.on(settings) and not rule.kinds.isdisjoint(guest.kinds)
        ]
        self.facts = frozenset().union(*(rule.facts for rule in self._rules))
        self.needs_load = any(rule.needs_load for rule in self._rules)

    def __call__(self, host: Host, every: bool = False) -> Verdict:
        """Whether the host can take the guest.

        :param every: don't stop at the refusal that decides.
        """
        decides: Refusal | None = None
        found: list[Refusal] = []
        for rule in self._rules:
            refusal = rule.refuses(self._guest, host, self._settings)
            if refusal is not None and not self._guest.kinds <= rule.kinds:
                refusal = self._if_it_applies(refusal, rule.kinds)
            if refusal is None:
                continue
            found.append(refusal)
            if decides is None and refusal.enforced(
                self._settings.report_only
            ):
                decides = refusal
                if not every:
                    break
        return Verdict(decides, tuple(found)) if found else ACCEPTED

    def _if_it_applies(
        self, refusal: Refusal, kinds: frozenset[Kind]
    ) -> Refusal | None:
        """A refusal that depends on what the request does."""
        kind = self._kind_in_cell()
        if kind is not None:
            return refusal if kind in kinds else None
        if self._settings.live_migration_unknown == 'accept':
            return None
        if kinds == {Kind.LIVE_MIGRATION}:
            reason = 'this is a live migration; if it is'
        else:
            reason = "this is an evacuation; if it isn't"
        return Refusal(
            Code.LIVE_MIGRATION_UNKNOWN,
            "it can't be told whether %s, %s: %s"
            % (reason, refusal.code, refusal.reason),
            "see in the log why the instance can't be read in its cell's "
            'database, or set [xen_scheduler] live_migration_unknown = accept',
            otherwise=refusal.code,
        )

# SPDX-License-Identifier: Apache-2.0

"""The rules: can this host take this guest?

A rule is a plain function of (guest, host, settings) that returns None or a
Refusal. XenHostFilter and everything that explains it run the same table,
so they can't disagree.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched.host import Host
from nova_xen_sched.host import LOAD_FACTS
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.request import Kind
from nova_xen_sched.rules import dom0
from nova_xen_sched.rules import guest_types
from nova_xen_sched.rules import images
from nova_xen_sched.rules import versions

RuleFunction = ty.Callable[
    [GuestRequest, Host, conf.Settings], ty.Optional[Refusal]
]

#: Which requests a rule counts for, under the settings.
Kinds = ty.Callable[[conf.Settings], ty.FrozenSet[Kind]]


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule, and when it counts.

    :ivar codes: of its refusals.
    :ivar facts: the names of those that it needs.
    :ivar needs_load: whether it looks at what the guest would overcommit.
    """

    codes: tuple[Code, ...]
    refuses: RuleFunction
    kinds: Kinds
    facts: frozenset[str] = frozenset()
    needs_load: bool = False


_EVERY = frozenset(Kind)
_NONE: frozenset[Kind] = frozenset()
# A guest that exists must not be stranded by a rule for new ones.
_NEW_IMAGE = frozenset({Kind.BOOT, Kind.REBUILD})
# A rebuild stays where it is, and an evacuated guest is better there than
# down.
_NEW_PLACE = frozenset({Kind.BOOT, Kind.MOVE, Kind.LIVE_MIGRATION})
_ONLY_LIVE_MIGRATION = frozenset({Kind.LIVE_MIGRATION})
# A rebuild takes no more than its guest has.
_TAKES_ROOM = _EVERY - {Kind.REBUILD}


def _every(settings: conf.Settings) -> frozenset[Kind]:
    return _EVERY


def _new_image(settings: conf.Settings) -> frozenset[Kind]:
    return _NEW_IMAGE


def _xen(settings: conf.Settings) -> frozenset[Kind]:
    return _NONE if settings.min_xen_version is None else _NEW_PLACE


def _live_migration(settings: conf.Settings) -> frozenset[Kind]:
    if settings.min_libvirt_version is None:
        return _NONE
    if settings.live_migration_check == 'always':
        return _NEW_PLACE
    if settings.live_migration_check == 'live_migration':
        return _ONLY_LIVE_MIGRATION
    return _NONE


def _dom0(settings: conf.Settings) -> frozenset[Kind]:
    return _TAKES_ROOM if settings.refuse_dom0_overcommit else _NONE


#: The rules in the order in which they are judged: the first one decides.
RULES: tuple[Rule, ...] = (
    Rule((Code.ARCHITECTURE,), guest_types.architecture, _every),
    Rule((Code.HYPERVISOR_TYPE,), guest_types.hypervisor_type, _every),
    Rule((Code.VM_MODE,), guest_types.vm_mode, _every),
    Rule((Code.GUEST_TYPE,), guest_types.guest_type, _every),
    Rule((Code.PV_BY_DEFAULT,), guest_types.pv_by_default, _every),
    Rule((Code.HYPERVISOR_VERSION,), guest_types.hypervisor_version, _every),
    Rule((Code.MAXPHYSADDR_BITS,), guest_types.maxphysaddr_bits, _every),
    Rule(
        (Code.HYPERVISOR_TYPE_REQUIRED,),
        images.hypervisor_type_required,
        _new_image,
    ),
    Rule((Code.DISK_FORMAT,), images.disk_format, _new_image),
    Rule(
        (Code.XEN_TOO_OLD, Code.XEN_UNKNOWN),
        versions.xen_version,
        _xen,
        frozenset({'xen_version'}),
    ),
    Rule(
        (
            Code.LIBVIRT_TOO_OLD,
            Code.LIBVIRT_UNKNOWN,
            Code.LIVE_MIGRATION_UNKNOWN,
        ),
        versions.libvirt_version,
        _live_migration,
        frozenset({'libvirt_version', 'libvirt_migration_backports'}),
    ),
    Rule(
        (Code.DOM0_MEMORY,),
        dom0.dom0_memory,
        _dom0,
        LOAD_FACTS,
        needs_load=True,
    ),
    Rule(
        (Code.DOM0_CPU,),
        dom0.dom0_cpu,
        _dom0,
        LOAD_FACTS,
        needs_load=True,
    ),
    Rule(
        (Code.HOST_MEMORY,),
        dom0.host_memory,
        _dom0,
        LOAD_FACTS,
        needs_load=True,
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


#: The verdict on a host against which nothing speaks.
ACCEPTED = Verdict()


#: Rules, and the requests that each counts for.
Counting = ty.Sequence[ty.Tuple[Rule, ty.FrozenSet[Kind]]]


def that_count(guest: GuestRequest, settings: conf.Settings) -> Counting:
    """The rules that may count for the guest, and what each counts for."""
    each = ((rule, rule.kinds(settings)) for rule in RULES)
    return [
        (rule, counts_for)
        for rule, counts_for in each
        if not counts_for.isdisjoint(guest.kinds)
    ]


def facts_that_matter(counting: Counting) -> frozenset[str]:
    """The names of the facts that the rules need."""
    return frozenset().union(*(rule.facts for rule, _ in counting))


def load_matters(counting: Counting) -> bool:
    """Whether any of the rules needs hosts' loads."""
    return any(rule.needs_load for rule, _ in counting)


#: Tells what a request does where its RequestSpec can't; None if nothing can.
Tell = ty.Callable[[], ty.Optional[Kind]]


def _nothing_tells() -> Kind | None:
    return None


def judge(
    guest: GuestRequest,
    host: Host,
    settings: conf.Settings,
    tell: Tell = _nothing_tells,
    counting: Counting | None = None,
    every: bool = False,
) -> Verdict:
    """Whether the host can take the guest.

    :param tell: asked only where a refusal depends on it.
    :param counting: what that_count() says, for who judges many hosts.
    :param every: don't stop at the refusal that decides.
    """
    if counting is None:
        counting = that_count(guest, settings)
    decides: Refusal | None = None
    found: list[Refusal] = []
    for rule, counts_for in counting:
        refusal = rule.refuses(guest, host, settings)
        if refusal is not None and not guest.kinds <= counts_for:
            refusal = _if_it_counts(refusal, counts_for, tell(), settings)
        if refusal is None:
            continue
        found.append(refusal)
        if decides is None and refusal.enforced(settings.report_only):
            decides = refusal
            if not every:
                break
    return Verdict(decides, tuple(found)) if found else ACCEPTED


def _if_it_counts(
    refusal: Refusal,
    counts_for: frozenset[Kind],
    kind: Kind | None,
    settings: conf.Settings,
) -> Refusal | None:
    """A refusal that depends on what the request does.

    :param kind: what was told of that, None if nothing was.
    """
    if kind is not None:
        return refusal if kind in counts_for else None
    if settings.live_migration_unknown == 'accept':
        return None
    return _untold(refusal, counts_for)


def _untold(refusal: Refusal, counts_for: frozenset[Kind]) -> Refusal:
    """A refusal that would count if the request were what can't be told."""
    if counts_for == {Kind.LIVE_MIGRATION}:
        reason = "it can't be told whether this is a live migration; if it is"
    else:
        reason = "it can't be told whether this is an evacuation; if it isn't"
    return Refusal(
        Code.LIVE_MIGRATION_UNKNOWN,
        '%s, %s: %s' % (reason, refusal.code, refusal.reason),
        "see in the log why the instance can't be read in its cell's "
        'database, or set [xen_scheduler] live_migration_unknown = accept',
        otherwise=refusal.code,
    )

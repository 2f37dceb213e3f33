# SPDX-License-Identifier: Apache-2.0

"""The other options of a simulation: --set NAME=VALUE.

Values are read by the options' own types. Nothing here knows nova.
"""

from __future__ import annotations

import contextlib
import typing as ty

from oslo_config import cfg
from oslo_config import types

from nova_xen_sched import conf
from nova_xen_sched import log
from nova_xen_sched.cmd import errors
from nova_xen_sched.nearest import nearest

#: The groups that may be set; without a group it is the first one.
XEN, NOVA = conf.GROUP.name, 'filter_scheduler'
#: By group, its options.
Known = ty.Mapping[str, ty.Sequence[cfg.Opt]]


class Setting(ty.NamedTuple):
    """An option as it is to be.

    :ivar value: as the option's type has it.
    """

    group: str
    name: str
    value: ty.Any

    @property
    def label(self) -> str:
        """Its name, with the group unless that is ours."""
        return self.name if self.group == XEN else '.'.join(self[:2])


def ours() -> Known:
    """The options of [xen_scheduler]."""
    return {group.name: opts for group, opts in conf.list_opts()}


def parse(texts: ty.Iterable[str], known: Known) -> list[Setting]:
    """What is given as NAME=VALUE or GROUP.NAME=VALUE.

    :param known: what can be set; a group that isn't in it is left for later,
        if it is one of nova's.
    :returns: each option once, as it was given last.
    :raises errors.Failure: if a name is no option, or a value is none of it.
    """
    found: dict[tuple[str, str], Setting] = {}
    for text in texts:
        full, equals, value = text.partition('=')
        if not equals or not full.strip():
            raise errors.Failure(
                '--set %s is not NAME=VALUE, such as '
                'dom0_guests_per_vcpu=30.' % log.shown(text)
            )
        before, dot, name = full.strip().rpartition('.')
        group = before if dot else XEN
        if group not in (XEN, NOVA):
            raise errors.Failure(
                '--set %s: options of [%s] and [%s] can be set, as '
                'NAME=VALUE or %s.NAME=VALUE.'
                % (log.shown(text), XEN, NOVA, NOVA)
            )
        if group in known:
            option = _option(group, name, known[group])
            found[group, name] = Setting(group, name, _value(option, value))
    return list(found.values())


def _option(group: str, name: str, known: ty.Sequence[cfg.Opt]) -> cfg.Opt:
    by_name = {option.dest: option for option in known}
    if name not in by_name:
        near = nearest(name, by_name)
        raise errors.Failure(
            'There is no option %s in [%s]%s.'
            % (log.shown(name), group, ' (nearest: %s)' % near if near else '')
        )
    return by_name[name]


def _value(option: cfg.Opt, text: str) -> ty.Any:
    try:
        value = option.type(text.strip())
    except ValueError as e:
        allowed = getattr(option.type, 'allowed', '') or _allowed(option.type)
        why = 'allowed: %s' % allowed if allowed else errors.one_line(e)
        raise errors.Failure(
            '--set %s=%s: this is no value of it; %s.'
            % (option.dest, log.shown(text), why)
        ) from e
    return [value] if option.multi else value


def _allowed(kind: ty.Any) -> str:
    """What one of oslo.config's own types takes; '' if it says that itself."""
    if isinstance(kind, types.Boolean):
        return 'true or false'
    if isinstance(kind, types.String) and kind.choices:
        return ', '.join(map(str, kind.choices))
    if not isinstance(kind, types.Number):
        return ''
    parts = [
        'a whole number' if isinstance(kind, types.Integer) else 'a number'
    ]
    if kind.min is not None:
        parts.append('from %g' % kind.min)
    if kind.max is not None:
        parts.append('to %g' % kind.max)
    return ' '.join(parts)


@contextlib.contextmanager
def in_force(
    config: cfg.ConfigOpts, settings: ty.Sequence[Setting]
) -> ty.Iterator[None]:
    """While options are as they are set; in this process alone."""
    for each in settings:
        config.set_override(each.name, each.value, each.group)
    try:
        yield
    finally:
        for each in settings:
            config.clear_override(each.name, each.group)

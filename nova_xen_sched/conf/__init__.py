# SPDX-License-Identifier: Apache-2.0

"""The options of ``[xen_scheduler]``, and one snapshot of them a request."""

from __future__ import annotations

import dataclasses
import typing as ty

from oslo_config import cfg

from nova_xen_sched import log
from nova_xen_sched import refusal
from nova_xen_sched.conf import dom0
from nova_xen_sched.conf import facts
from nova_xen_sched.conf import files
from nova_xen_sched.conf import rules
from nova_xen_sched.conf import values
from nova_xen_sched.dom0 import Model
from nova_xen_sched.dom0 import OVERHEADS
from nova_xen_sched.nearest import nearest
from nova_xen_sched.versions import parse
from nova_xen_sched.versions import Version

LOG = log.logger(__name__)

GROUP = cfg.OptGroup(
    files.GROUP,
    title='Scheduling of guests on Xen hosts',
    help="""
Options of nova-xen-sched, which nova-scheduler reads: XenHostFilter and
what belongs to it. nova-compute-xen reads those of dom0, the two minimum
versions, ``default_vm_mode`` and ``report_only`` in its own nova.conf: keep
them the same. A *Xen host* here is a compute that runs Xen through
libvirt: it reports ``hypervisor_type`` Xen and a guest type of the type xen.
XenServer (XAPI) computes are none.

A wrong value of any option stops nova-scheduler or nova-compute-xen at its
start. After SIGHUP the last good values stay in force, and one ERROR line
names the wrong one.
""",
)

#: In the order of the sample file.
_ALL_OPTS = [*rules.OPTS, *facts.OPTS, *dom0.OPTS]
_BY_NAME = {opt.dest: opt for opt in _ALL_OPTS}


class OptionError(ValueError):
    """A value in [xen_scheduler] that can't be used.

    As text it is one line: the option, where it stands, the value there and
    what is allowed.

    :param conf: the configuration.
    :param name: of the option.
    :param why: it can't be used, where what is allowed doesn't say it.
    """

    def __init__(self, conf: cfg.ConfigOpts, name: str, why: str = '') -> None:
        super().__init__(name, why)
        self._conf = conf

    def __str__(self) -> str:
        name, why = self.args
        kind = _BY_NAME[name].type
        places = list(files.places(self._conf, name))
        if not why:
            # The first counts, unless a file was changed since it was read.
            places.sort(key=lambda place: not _is_wrong(kind, place[1]))
        text = '[%s] %s has a wrong value' % (files.GROUP, name)
        for place, value in places[:1]:
            text += ' in %s: %s' % (place, log.shown(value, values.MOST_SHOWN))
        if why:
            text += ' (%s)' % ' '.join(why.split())
        return '%s; allowed: %s' % (text, kind.allowed)


def _is_wrong(kind: ty.Any, text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return True
    return False


@dataclasses.dataclass(frozen=True)
class Settings:
    """The options as they were at one moment; one is taken a request.

    Fields are named as the options, and hold their values in the form in
    which the rules use them; dom0_model holds the figures of the dom0 model.
    """

    default_vm_mode: str
    require_hypervisor_type: bool
    disk_formats: frozenset[str]
    live_migration_check: str
    min_libvirt_version: Version | None
    min_xen_version: Version | None
    unknown_version: str
    live_migration_unknown: str
    live_migration_read_timeout: float
    fact_sources: tuple[str, ...]
    host_facts_file: str | None
    facts_max_age: float
    dom0_memory_mb: float
    dom0_vcpus: float
    dom0_model: Model
    dom0_headroom_weight_multiplier: float
    refuse_dom0_overcommit: bool
    report_only: frozenset[refusal.Code]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration."""
    # A group holds the values; two configurations must not share one.
    conf.register_group(cfg.OptGroup(GROUP.name, GROUP.title, GROUP.help))
    conf.register_opts(_ALL_OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """All options, as oslo-config-generator takes them."""
    return [(GROUP, _ALL_OPTS)]


def _minimum(text: str) -> Version | None:
    """A minimum version, or None where 0 switches it off."""
    version = parse(text)
    return version if any(version) else None


def _report_only(codes: ty.Iterable[str]) -> frozenset[refusal.Code]:
    if rules.ALL_CODES in codes:
        return frozenset(refusal.Code)
    return frozenset(refusal.Code(code) for code in codes)


#: The form in which the rules use an option, where it is another.
_FORMS: dict[str, ty.Callable[[ty.Any], ty.Any]] = {
    'disk_formats': lambda names: frozenset(map(str.lower, names)),
    'fact_sources': tuple,
    'guest_memory_overhead': OVERHEADS.__getitem__,
    'min_libvirt_version': _minimum,
    'min_xen_version': _minimum,
    'report_only': _report_only,
}

#: The figures of the dom0 model, and their options.
_MODEL = {
    'base_memory_mb': 'dom0_base_memory_mb',
    'base_vcpus': 'dom0_base_vcpus',
    'hvm_memory_mb': 'dom0_memory_mb_per_hvm_guest',
    'pv_memory_mb': 'dom0_memory_mb_per_pv_guest',
    'pvh_memory_mb': 'dom0_memory_mb_per_pvh_guest',
    'guests_per_vcpu': 'dom0_guests_per_vcpu',
    'hvm_share': 'dom0_hvm_share',
    'overhead': 'guest_memory_overhead',
}


def read(conf: cfg.ConfigOpts) -> Settings:
    """Take a snapshot of the options.

    :param conf: a configuration on which :func:`register_opts` was called.
    :raises OptionError: and nothing else, whatever a value is.
    """
    found = {opt.dest: _read(conf, opt) for opt in _ALL_OPTS}
    model = Model(**{name: found.pop(opt) for name, opt in _MODEL.items()})
    return Settings(dom0_model=model, **found)


def defaults(**changes: ty.Any) -> Settings:
    """The options as they are where nobody sets any, but for some."""
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[], use_env=False)
    register_opts(conf)
    return dataclasses.replace(read(conf), **changes)


def _read(conf: cfg.ConfigOpts, opt: cfg.Opt) -> ty.Any:
    try:
        value = conf[files.GROUP][opt.dest]
        if value is None and opt.default is not None:
            raise ValueError('it is None')  # an override may be
        form = _FORMS.get(opt.dest)
        return form(value) if form else value
    except ValueError as e:
        raise OptionError(conf, opt.dest) from e
    except RecursionError:
        # Its text depends on the stack, which is another each time.
        raise OptionError(conf, opt.dest, 'it names itself') from None
    except Exception as e:
        # A reference ($name) raises what it likes.
        raise OptionError(conf, opt.dest, str(e)) from e


def unknown_names(conf: cfg.ConfigOpts) -> list[tuple[str, str | None]]:
    """Names in the files' [xen_scheduler] that are no option.

    oslo.config accepts them silently, so a typo would leave a rule off.

    :returns: (name, the option's name that is nearest to it or None).
    """
    known = list(_BY_NAME)
    found = []
    for _path, options in files.files(conf):
        for name in options:
            if name not in known and name not in found:
                found.append(name)
    return [(name, nearest(name, known)) for name in found]


def _warn_of_unknown_names(
    conf: cfg.ConfigOpts, _changed: ty.Any = None
) -> None:
    for name, near in unknown_names(conf):
        if log.NOTICES.first(('unknown option', name)):
            LOG.warning(
                '[%(group)s] %(name)s is no option of nova-xen-sched and '
                'has no effect%(hint)s.',
                {
                    'group': files.GROUP,
                    'name': name,
                    'hint': ' (nearest: %s)' % near if near else '',
                },
            )


class Options:
    """The options of a running nova-scheduler.

    :param conf: nova's configuration.
    :raises OptionError: when made, if a value is wrong; later never.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        register_opts(conf)
        self._last_good = read(conf)
        _warn_of_unknown_names(conf)
        # And whenever SIGHUP has the files read again.
        conf.register_mutate_hook(_warn_of_unknown_names)
        conf.register_mutate_hook(lambda *_: self.current())

    def current(self) -> Settings:
        """The options now, or the last good ones while a value is wrong."""
        try:
            self._last_good = read(self._conf)
            log.NOTICES.forget('wrong value')
        except OptionError as e:
            # Once per wrong value, not once per request or plugin.
            which = '%s: %s' % (e.args, e.__cause__)
            if log.NOTICES.grown('wrong value', [which]):
                LOG.error('%s. The last good values stay in force.', str(e))
        except Exception:  # noqa: BLE001  nothing may reach nova
            log.unexpected(
                'reading the options; the last good values stay in force'
            )
        return self._last_good

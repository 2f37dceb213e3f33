# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The options of ``[xen_scheduler]``, and one snapshot of them a request."""

from __future__ import annotations

import dataclasses
import difflib
import glob
import itertools
import os
import re
from typing import Any
from typing import Iterable

from oslo_config import cfg
from oslo_config import types
from oslo_log import log as logging

from nova_xen_sched import notices
from nova_xen_sched import refusal

LOG = logging.getLogger(__name__)

GROUP = cfg.OptGroup(
    'xen_scheduler',
    title='Scheduling of guests on Xen hosts',
    help="""
Options of nova-xen-sched, which nova-scheduler reads: XenHostFilter and
what belongs to it. A *Xen host* here is a compute that runs Xen through
libvirt: it reports ``hypervisor_type`` Xen and a guest type of the type xen.
XenServer (XAPI) computes are none.

A wrong value of any option stops nova-scheduler at its start. After SIGHUP
the last good values stay in force, and one ERROR line names the wrong one.
""",
)

ALL_CODES = 'all'

guest_type_opts = [
    cfg.Opt(
        'default_vm_mode',
        type=types.String(choices=['xen', 'hvm', 'any'], ignore_case=True),
        default='xen',
        mutable=True,
        help="""
The mode in which a Xen host's nova-compute builds a guest whose image names
no ``vm_mode``.

The libvirt driver builds such a guest paravirtualized (PV), so a host that
offers only HVM can't run it; nova's ImagePropertiesFilter lets it through
all the same, and the boot fails on the compute.

Possible values:

* ``xen``: PV, as nova's libvirt driver does. The default, from its source.
* ``hvm``: for sites whose computes were changed to build HVM guests.
* ``any``: such an image may go to any Xen host, as nova's own filter has it.

Related options:

* ``report_only`` with the code ``pv_by_default``
""",
    ),
    cfg.Opt(
        'require_hypervisor_type',
        type=types.Boolean(),
        default=False,
        mutable=True,
        help="""
Refuse Xen hosts to images that name no ``hypervisor_type``.

In a cloud with Xen and other hypervisors an image without the property can
land on either, and most images run on one of them only. With this option an
untyped image goes to no Xen host. It counts for boots and rebuilds: guests
that exist already can still be moved.

Possible values:

* ``false``: untyped images may go to Xen hosts. The default, as in nova.
* ``true``: they may not; the refusal code is ``hypervisor_type_required``.
""",
    ),
    cfg.Opt(
        'disk_formats',
        type=types.List(
            item_type=types.String(
                regex='^[A-Za-z0-9][A-Za-z0-9_.+-]*$', ignore_case=True
            )
        ),
        default=[],
        mutable=True,
        help="""
The image formats (Glance's ``disk_format``) that Xen hosts accept.

It counts for boots and rebuilds. A guest that boots from a volume is not
looked at: its image was converted when the volume was made. Neither is an
image whose format is unknown. Computes with ``force_raw_images`` (nova's
default) convert most formats themselves: a list matters where they don't.

Possible values:

* empty: every format is accepted. The default, as in nova.
* a list, like ``raw,qcow2,vhd``: the formats that OpenStack's guide to Xen
  via libvirt names. The refusal code is ``disk_format``.
""",
    ),
]

adoption_opts = [
    cfg.Opt(
        'report_only',
        type=types.List(
            item_type=types.String(
                choices=[ALL_CODES] + [code.value for code in refusal.Code]
            )
        ),
        default=[],
        mutable=True,
        help="""
Refusal codes that are logged and explained, but not enforced.

For adopting the plugin without risk: with ``all``, XenHostFilter refuses no
host, and its log lines say which hosts it would have refused and why. Keep
ImagePropertiesFilter enabled meanwhile.

Possible values:

* empty: every rule is enforced. The default.
* a list of codes, like ``pv_by_default,disk_format``
* ``all``
""",
    ),
]

_ALL_OPTS = list(itertools.chain(guest_type_opts, adoption_opts))


class OptionError(ValueError):
    """A value in [xen_scheduler] that can't be used; one line, names it."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The options as they were at one moment; one is taken a request.

    Fields are named as the options, and hold their values in the form in
    which the rules use them.
    """

    default_vm_mode: str = 'xen'
    require_hypervisor_type: bool = False
    disk_formats: frozenset[str] = frozenset()
    report_only: frozenset[refusal.Code] = frozenset()


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(_ALL_OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """All options, as oslo-config-generator takes them."""
    return [(GROUP, _ALL_OPTS)]


def _read(conf: cfg.ConfigOpts, name: str) -> Any:
    try:
        return conf[GROUP.name][name]
    except (cfg.Error, ValueError) as e:
        raise OptionError(
            '[%s] %s %s' % (GROUP.name, name, _complaint(e))
        ) from e


def _complaint(error: Exception) -> str:
    """oslo.config's words without its internal objects, on one line.

    It says: Value for option NAME from LocationInfo(location=..., detail=
    'FILE') is not valid: WHY.
    """
    text = ' '.join(str(error).split())
    found = re.search(r"detail='([^']*)'\)? is not valid: (.*)$", text)
    if found is None:
        return 'has a wrong value: %s' % text
    return 'has a wrong value in %s: %s' % found.groups()


def _report_only(codes: Iterable[str]) -> frozenset[refusal.Code]:
    if ALL_CODES in codes:
        return frozenset(refusal.Code)
    return frozenset(refusal.Code(code) for code in codes)


def read(conf: cfg.ConfigOpts) -> Settings:
    """Take a snapshot of the options.

    :param conf: a configuration on which :func:`register_opts` was called.
    :raises OptionError: names the option, its file and what is allowed.
    """
    return Settings(
        default_vm_mode=_read(conf, 'default_vm_mode').lower(),
        require_hypervisor_type=_read(conf, 'require_hypervisor_type'),
        disk_formats=frozenset(
            name.lower() for name in _read(conf, 'disk_formats')
        ),
        report_only=_report_only(_read(conf, 'report_only')),
    )


def unknown_names(conf: cfg.ConfigOpts) -> list[tuple[str, str | None]]:
    """Names in the files' [xen_scheduler] that are no option.

    oslo.config accepts them silently, so a typo would leave a rule off.

    :returns: (name, the option's name that is nearest to it or None).
    """
    known = [opt.dest for opt in _ALL_OPTS]
    files = list(conf.config_file or [])
    for folder in conf.config_dir or []:
        files += sorted(glob.glob(os.path.join(folder, '*.conf')))
    found = []
    for path in files:
        sections: dict[str, dict[str, list[str]]] = {}
        try:
            cfg.ConfigParser(path, sections).parse()
        except (OSError, cfg.ParseError, UnicodeDecodeError):
            continue  # what oslo.config can't read it has complained of
        for name in sections.get(GROUP.name, {}):
            if name not in known and name not in found:
                found.append(name)
    return [
        (name, next(iter(difflib.get_close_matches(name, known, 1)), None))
        for name in found
    ]


class Options:
    """The options of a running nova-scheduler.

    :param conf: nova's configuration.
    :raises OptionError: when made, if a value is wrong; later never.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        register_opts(conf)
        self._last_good = read(conf)
        self._complaint = ''
        for name, nearest in unknown_names(conf):
            if notices.NOTICES.first(('unknown option', name)):
                LOG.warning(
                    '[%(group)s] %(name)s is no option of nova-xen-sched and '
                    'has no effect%(hint)s.',
                    {
                        'group': GROUP.name,
                        'name': name,
                        'hint': (nearest and ' (nearest: %s)' % nearest) or '',
                    },
                )

    def current(self) -> Settings:
        """The options now, or the last good ones while a value is wrong."""
        try:
            self._last_good = read(self._conf)
        except OptionError as e:
            # Once per wrong value, not once per request.
            if str(e) != self._complaint:
                self._complaint = str(e)
                LOG.error('%s. The last good values stay in force.', e)
        else:
            self._complaint = ''
        return self._last_good

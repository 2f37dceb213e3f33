# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched-status upgrade check: is all as it should be?

It reads what nova-scheduler reads and changes nothing. It ends with 0 if all
is well, 1 with warnings, 2 with failures, as oslo.upgradecheck has it.
"""

from __future__ import annotations

import functools
import logging
import sys
import traceback
import types
import typing as ty

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from nova_xen_sched import redact
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import nova
from nova_xen_sched.conf import files

#: The check of what all others need.
_READABLE = 'Configuration and databases'
#: That of oslo.upgradecheck for what is unexpected.
_ERROR = 255


class Checks(upgradecheck.UpgradeCommands):  # type: ignore[misc,unused-ignore]
    """The checks; each is run once, in their order."""

    display_title = 'nova-xen-sched'

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        super().__init__()
        self._conf = conf
        self._upgrade_checks: ty.Any = ()

    def check(self) -> ty.Any:
        """Look at everything, print it, and return the worst code."""
        try:
            self._upgrade_checks = self._checks()
            return super().check()
        except Exception as e:  # noqa: BLE001  oslo.upgradecheck prints all
            if self._conf.debug:
                sys.stderr.write(traceback.format_exc())
            else:
                sys.stderr.write(errors.unexpected(e) + '\n')
            return _ERROR

    def _checks(self) -> ty.Any:
        """The checks, in the order in which they are shown."""
        try:
            found = self._deployment()
        except errors.Failure as e:
            if self._conf.debug:
                raise
            failed = upgradecheck.Result(upgradecheck.Code.FAILURE, str(e))
            return (
                (
                    _READABLE,
                    functools.partial(_checked, lambda _: failed, None),
                ),
            )
        from nova_xen_sched.cmd.upgrade_check import check_facts as facts
        from nova_xen_sched.cmd.upgrade_check import check_hosts as hosts
        from nova_xen_sched.cmd.upgrade_check import check_plugins as plugins

        checks = (
            (_READABLE, hosts.readable),
            ('XenHostFilter enabled', plugins.filter_enabled),
            ('Dom0HeadroomWeigher enabled', plugins.weigher_enabled),
            ('Option names', plugins.option_names),
            ('ImagePropertiesFilter', plugins.image_properties_filter),
            ('Hosts that the rules refuse', hosts.refused),
            ('Memory kept for dom0', hosts.reserved_memory),
            ('reserved_host_memory_mb', hosts.reserves),
            ('Memory sold more than once', hosts.ram_allocation_ratio),
            ('Facts file', facts.facts_file),
            ('Facts for hosts that exist', facts.nonexistent),
            ('Facts known', facts.unknown),
            ('Facts readable and fresh', facts.remarks),
            ('Multipliers', plugins.multipliers),
            ('HypervisorVersionWeigher', plugins.hypervisor_version),
            ('max_placement_results', plugins.max_placement_results),
            (
                'AggregateImagePropertiesIsolation',
                plugins.aggregate_image_properties_isolation,
            ),
        )
        return tuple(
            (name, functools.partial(_checked, check, found))
            for name, check in checks
        )

    def _deployment(self) -> ty.Any:
        """What there is to check."""
        cloud = nova.open_cloud(
            types.SimpleNamespace(
                config_file=self._conf.config_file,
                config_dir=self._conf.config_dir,
                verbose_level=2 if self._conf.debug else 0,
            )
        )
        # It imports nova, whose configuration had to be loaded first.
        from nova_xen_sched.cmd.upgrade_check import deployment

        return deployment.Deployment(cloud)


def _checked(check: ty.Any, deployment: ty.Any, _self: ty.Any) -> ty.Any:
    """The result of a check as it may be printed."""
    try:
        result = check(deployment)
    except errors.Failure as e:
        # Such as placement, which not every check needs.
        result = upgradecheck.Result(upgradecheck.Code.FAILURE, str(e))
    # Before oslo.upgradecheck breaks it into lines.
    result.details = redact.passwords(result.details or '') or None
    return result


def run(argv: list[str]) -> int:
    """Run the checks, and return the exit code."""
    base.quieten()
    logging.basicConfig(format='%(message)s', level=logging.WARNING)
    base.quieten_loggers()
    conf = cfg.ConfigOpts()
    conf.register_cli_opt(
        cfg.BoolOpt(
            'debug', default=False, help='Show where an error comes from.'
        )
    )
    with base.safe_stderr():
        try:
            # Its own --config-file is handed on to nova.
            return int(
                upgradecheck.main(
                    conf,
                    'nova-xen-sched-status',
                    Checks(conf),
                    argv=argv,
                    default_config_files=[],
                )
            )
        except files.ERRORS as e:
            sys.stderr.write('%s\n' % files.complaint(e, argv))
            return errors.FAILED

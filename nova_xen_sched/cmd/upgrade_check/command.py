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
import typing as ty

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from nova_xen_sched import redact
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import nova as view

#: What is checked where there is nothing else to look at.
_READABLE = 'Configuration and databases'
#: That of oslo.upgradecheck for what is unexpected.
_ERROR = 255


class _Options:
    """What the view wants to know of the command line."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.config_file = list(conf.config_file or [])
        self.config_dir = list(conf.config_dir or [])
        self.verbose_level = 2 if conf.debug else 0


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
            return self._check()
        except Exception:  # noqa: BLE001  oslo.upgradecheck prints all of it
            trace = redact.passwords(traceback.format_exc())
            sys.stdout.write('Error:\n%s\n' % trace)
            return _ERROR

    def _check(self) -> ty.Any:
        try:
            situation = _look(_Options(self._conf))
        except errors.Failure as e:
            if self._conf.debug:
                raise
            failed = _shown(upgradecheck.Code.FAILURE, str(e))
            self._upgrade_checks = ((_READABLE, lambda _self: failed),)
            return super().check()
        from nova_xen_sched.cmd import upgrade_check

        silent = '; '.join(situation.view.silent.values())
        readable = _shown(
            upgradecheck.Code.WARNING if silent else upgradecheck.Code.SUCCESS,
            '%d Xen hosts of %d.%s'
            % (
                len(situation.xen),
                len(situation.seen),
                ' The others are not known: ' + silent if silent else '',
            ),
        )
        self._upgrade_checks = (
            (_READABLE, lambda _self: readable),
            *(
                (check.name, functools.partial(_result, check, situation))
                for check in upgrade_check.CHECKS
            ),
        )
        return super().check()


def _look(options: ty.Any) -> ty.Any:
    """What there is to check."""
    found = view.open_view(options)
    import nova.conf

    from nova_xen_sched.cmd.nova import xen_hosts
    from nova_xen_sched.cmd.upgrade_check import situation

    return situation.Situation(
        nova.conf.CONF,
        xen_hosts.settings(),
        found,
        tuple(xen_hosts.see(found.host_states())),
    )


def _result(check: ty.Any, situation: ty.Any, _commands: ty.Any) -> ty.Any:
    """One check, as oslo.upgradecheck takes it."""
    try:
        finding = check.function(situation)
    except errors.Failure as e:
        # Such as placement, which not every check needs.
        return _shown(upgradecheck.Code.FAILURE, str(e))
    return _shown(upgradecheck.Code(finding.level.value), finding.details)


def _shown(code: ty.Any, details: str) -> ty.Any:
    """A result as it may be printed."""
    return upgradecheck.Result(code, redact.passwords(details) or None)


def main(argv: list[str] | None = None) -> int:
    """Run the checks.

    :returns: 0 all is well, 1 warnings, 2 failures or wrong usage, 255 an
        error.
    """
    base.quieten()
    logging.basicConfig(format='%(message)s', level=logging.WARNING)
    base.quieten_loggers()
    conf = cfg.ConfigOpts()
    conf.register_cli_opt(
        cfg.BoolOpt(
            'debug', default=False, help='Show where an error comes from.'
        )
    )
    with redact.stderr():
        try:
            # Its own --config-file is handed on to nova.
            return int(
                upgradecheck.main(
                    conf,
                    'nova-xen-sched-status',
                    Checks(conf),
                    argv=sys.argv[1:] if argv is None else argv,
                    default_config_files=[],
                )
            )
        except cfg.Error as e:
            sys.stderr.write(' '.join(str(e).split()) + '\n')
            return errors.FAILED


if __name__ == '__main__':
    sys.exit(main())

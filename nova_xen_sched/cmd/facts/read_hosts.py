# SPDX-License-Identifier: Apache-2.0

"""What the commands that read Xen hosts have in common."""

from __future__ import annotations

import argparse
import dataclasses
import typing as ty
from urllib import parse

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched import xenhost
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.xenhost import read_many
from nova_xen_sched.xenhost import reader
from nova_xen_sched.xenhost import to_facts
from nova_xen_sched.xenhost import XenHost

if ty.TYPE_CHECKING:
    from nova_xen_sched.xenhost import nova_conf

HERE = 'xen:///system'
#: Seconds for each host.
TIMEOUT = 30.0


@dataclasses.dataclass(frozen=True)
class Result(read_many.Result):
    """What became of reading one host, and who it is.

    :ivar name: of the host: nova's where it is known, else libvirt's.
    :ivar nova_name: nova's name of it, None where it isn't known.
    :ivar nova: its nova.conf, None where it is another machine's.
    """

    name: str = ''
    nova_name: ty.Optional[str] = None
    nova: ty.Optional[nova_conf.NovaConf] = None


class ReadsHosts(base.Command):
    """A command that reads Xen hosts.

    :ivar nova: nova's configuration on this machine.
    """

    nova: nova_conf.NovaConf

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--connect',
            metavar='URI',
            type=options.filled,
            action='append',
            help="A host's libvirt, such as xen+ssh://root@xen-a1/system or "
            'xen+tls://xen-a1/system; may be given several times. Without it '
            'this host is read: %s.' % HERE,
        )
        parser.add_argument(
            '--nova-host',
            metavar='NAME',
            type=options.filled,
            action='append',
            help="nova's name of the host (Host in `openstack compute service "
            "list'), for each --connect one, in the same order. Without it: "
            '[DEFAULT]host of the nova.conf on this host for this host, and '
            "for others libvirt's name.",
        )
        parser.add_argument(
            '--timeout',
            metavar='SECONDS',
            type=_seconds,
            default=TIMEOUT,
            help='How long a host may take (%(default)g).',
        )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        super().check_usage(parsed_args)
        names = parsed_args.nova_host or []
        count = len(parsed_args.connect or [HERE])
        if names and len(names) != count:
            raise errors.Failure(
                '--nova-host was given %d times for %s. Give one for each '
                '--connect, in the same order.'
                % (len(names), tables.counted(count))
            )

    def read_hosts(self, parsed_args: argparse.Namespace) -> list[Result]:
        """Read every host.

        Those that did not answer, or not in full, are named, and the exit
        code is set: to FAILED if none answered, to FINDINGS if one did not.

        :returns: one for each URI, in their order.
        :raises errors.Failure: if libvirt's Python binding is missing, or
            nova.conf is wrong.
        """
        uris = parsed_args.connect or [HERE]
        self.nova = self._read_nova_conf(uris)
        names = parsed_args.nova_host or [None] * len(uris)
        if not read_many.installed():
            raise errors.Failure(read_many.INSTALL)
        with Progress('Asking hosts', len(uris)) as progress:
            answers = read_many.read(uris, parsed_args.timeout, progress.step)
        results = [
            _result(answer, name, self.nova)
            for answer, name in zip(answers, names)
        ]
        if not any(each.host for each in results):
            self.exit_code = errors.FAILED
        for each in results:
            problems = each.host.problems if each.host else {}
            if each.error is not None:
                who = '%s (%s)' % (each.name, each.uri)
                if each.name == each.uri:
                    who = each.uri
                self.say(
                    '%s did not answer: %s.' % (who, each.error.rstrip('.')),
                    error=True,
                )
            for part, why in problems.items():
                self.say(
                    '%s: %s is not known: %s.' % (each.name, part, why),
                    error=True,
                )
            if each.error or problems:
                self.exit_code = self.exit_code or errors.FINDINGS
        return results

    def _read_nova_conf(self, uris: list[str]) -> nova_conf.NovaConf:
        """nova's configuration here, as the application's options name it.

        One that isn't named matters only where this host is asked.
        """
        # It imports oslo.config, a quarter of the time of --help.
        from nova_xen_sched.xenhost import nova_conf

        of = self.app.options
        try:
            return nova_conf.read(of.config_file, of.config_dir)
        except nova_conf.ConfError as e:
            named = of.config_file or of.config_dir
            if not named and not any(map(reader.is_local, uris)):
                return nova_conf.NovaConf()
            raise errors.Failure(
                '%s --config-file names another, /dev/null none.' % e
            ) from e

    def facts_of(self, results: list[Result]) -> dict[str, facts.Raw]:
        """The facts of the hosts that answered, by their names.

        What a host can't report is said, and the exit code set for one that
        reports nothing.

        :raises errors.Failure: if two have the same name, or none reports
            anything.
        """
        found: dict[str, facts.Raw] = {}
        uris: dict[str, str] = {}
        for each in results:
            if each.host is None:
                continue
            other = uris.setdefault(each.name.lower(), each.uri)
            if other is not each.uri:
                raise errors.Failure(
                    '%s and %s have the same name, %s: give each its name '
                    'with --nova-host.' % (other, each.uri, each.name)
                )
            reserved_mb = (
                each.nova.reserved_host_memory_mb if each.nova else None
            )
            raw = to_facts.facts_of(
                each.host, reserved_host_memory_mb=reserved_mb
            )
            if raw:
                found[each.name] = raw
            else:
                self.exit_code = errors.FINDINGS
            left_out = _left_out(each.host)
            if left_out:
                self.say('%s: %s.' % (each.name, left_out))
        if not found:
            raise errors.Failure('There are no facts: no Xen host answered.')
        return found


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    # A day; what is no number is not in between.
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(
            'not a number of seconds above 0 and up to 86400: %s'
            % log.shown(text, 80)
        )
    return value


def _result(
    answer: read_many.Result, name: str | None, nova: nova_conf.NovaConf
) -> Result:
    own = nova if reader.is_local(answer.uri) else None
    nova_name = name or (own.host if own else None)
    hostname = answer.host.hostname if answer.host else None
    name = nova_name or hostname or _host_in(answer.uri)
    return Result(**vars(answer), name=name, nova_name=nova_name, nova=own)


def _host_in(uri: str) -> str:
    try:
        return parse.urlsplit(uri).hostname or uri
    except ValueError:
        return uri


def _left_out(host: XenHost) -> str | None:
    """What a host doesn't report, and why."""
    if not host.is_xen:
        return "libvirt's driver here is %s, not that of Xen: no facts" % (
            host.hypervisor or 'unknown'
        )
    if host.dom0 is None or host.dom0.sizing == xenhost.FIXED:
        return None
    return (
        "dom0's memory has no known fixed size: %s%s. Set dom0_mem= (facts "
        'show says how much), or write the fact dom0_memory_mb yourself'
        % (
            'dom0 balloons, because '
            if host.dom0.sizing == xenhost.BALLOONING
            else '',
            host.dom0.sizing_reason,
        )
    )

# SPDX-License-Identifier: Apache-2.0

"""What the commands that ask Xen hosts have in common."""

from __future__ import annotations

import argparse
import dataclasses
import typing as ty
from urllib import parse

from nova_xen_sched import facts
from nova_xen_sched import xenhost
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.xenhost import nova_conf
from nova_xen_sched.xenhost import read_many
from nova_xen_sched.xenhost import reader
from nova_xen_sched.xenhost import to_facts
from nova_xen_sched.xenhost import XenHost

HERE = 'xen:///system'
#: Seconds for each host.
TIMEOUT = 30.0


@dataclasses.dataclass(frozen=True)
class Asked:
    """One host that was asked.

    :ivar uri: by which.
    :ivar name: of the host: nova's where it is known, else libvirt's.
    :ivar nova_name: nova's name of it, None where it isn't known.
    :ivar host: what it says of itself, None if it did not answer.
    :ivar error: why not.
    :ivar nova: its nova.conf, None where it is another machine's.
    """

    uri: str
    name: str
    nova_name: ty.Optional[str] = None
    host: ty.Optional[XenHost] = None
    error: ty.Optional[str] = None
    nova: ty.Optional[nova_conf.NovaConf] = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say whom to ask."""
    parser.add_argument(
        '--connect',
        metavar='URI',
        action='append',
        help="A host's libvirt, such as xen+ssh://root@xen-a1/system or "
        'xen+tls://xen-a1/system; may be given several times. Without it '
        'this host is asked: %s.' % HERE,
    )
    parser.add_argument(
        '--nova-host',
        metavar='NAME',
        action='append',
        help="nova's name of the host (Host in `openstack compute service "
        "list'), for each --connect one, in the same order. Without it: "
        '[DEFAULT]host of the nova.conf on this host for this host, and for '
        "others libvirt's name.",
    )
    parser.add_argument(
        '--timeout',
        metavar='SECONDS',
        type=_seconds,
        default=TIMEOUT,
        help='How long a host may take (%(default)g).',
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    # A day; what is no number is not in between.
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(
            'not a number of seconds above 0 and up to 86400: %s' % text
        )
    return value


def configuration(
    options: argparse.Namespace,
    parsed_args: argparse.Namespace | None = None,
) -> nova_conf.NovaConf:
    """nova's configuration here, as the application's options name it.

    One that isn't named matters only where this host is asked.

    :param parsed_args: the command's, None if it matters always.
    :raises errors.Failure: if it is there, but wrong.
    """
    try:
        return nova_conf.read(options.config_file, options.config_dir)
    except nova_conf.ConfError as e:
        named = options.config_file or options.config_dir
        matters = parsed_args is None or any(
            map(reader.is_local, _uris(parsed_args))
        )
        if not named and not matters:
            return nova_conf.NovaConf()
        raise errors.Failure(
            "nova's configuration can't be read: %s. Mend it, run this as a "
            'user who may read it, or name another with --config-file '
            '(/dev/null for none).' % str(e).rstrip('.')
        ) from e


def _uris(parsed_args: argparse.Namespace) -> list[str]:
    return parsed_args.connect or [HERE]


def ask_all(
    parsed_args: argparse.Namespace, nova: nova_conf.NovaConf
) -> list[Asked]:
    """Ask every host.

    :param nova: the configuration on this machine.
    :returns: one for each URI, in their order.
    :raises errors.Failure: if libvirt's Python binding is missing, or there
        are not as many names as hosts.
    """
    uris = _uris(parsed_args)
    names = parsed_args.nova_host
    if names is not None and len(names) != len(uris):
        raise errors.Failure(
            '--nova-host was given %d times for %d hosts. Give one for each '
            '--connect, in the same order.' % (len(names), len(uris))
        )
    if not read_many.installed():
        raise errors.Failure(read_many.INSTALL)
    with base.Progress('Asking hosts', len(uris)) as progress:
        answers = read_many.read(uris, parsed_args.timeout, progress.step)
    return [
        _asked(answer, names[i] if names else None, nova)
        for i, answer in enumerate(answers)
    ]


def _asked(
    answer: read_many.Result, name: str | None, nova: nova_conf.NovaConf
) -> Asked:
    own = nova if reader.is_local(answer.uri) else None
    nova_name = name or (own.host if own else None)
    return Asked(
        uri=answer.uri,
        name=nova_name
        or (answer.host.hostname if answer.host else None)
        or _host_in(answer.uri),
        nova_name=nova_name,
        host=answer.host,
        error=answer.error,
        nova=own,
    )


def _host_in(uri: str) -> str:
    try:
        return parse.urlsplit(uri).hostname or uri
    except ValueError:
        return uri


def stated_by(
    command: base._Command, asked: list[Asked]
) -> dict[str, facts.Raw]:
    """What the hosts that answered state, by their names.

    What a host can't state is said, and the exit code set for one that states
    nothing.

    :raises errors.Failure: if two have the same name, or none states anything.
    """
    found: dict[str, facts.Raw] = {}
    named: dict[str, str] = {}
    for each in asked:
        if each.host is None:
            continue
        other = named.setdefault(each.name.lower(), each.uri)
        if other is not each.uri:
            raise errors.Failure(
                '%s and %s have the same name, %s: say who is who with '
                '--nova-host.' % (other, each.uri, each.name)
            )
        raw = to_facts.facts_of(
            each.host,
            reserved_host_memory_mb=each.nova.reserved_host_memory_mb
            if each.nova
            else None,
        )
        if raw:
            found[each.name] = raw
        else:
            command.exit_code = errors.FINDINGS
        for line in _left_out(each.host):
            command.say('%s: %s.' % (each.name, line))
    if not found:
        raise errors.Failure('There are no facts: no Xen host answered.')
    return found


def _left_out(host: XenHost) -> ty.Iterator[str]:
    """What a host doesn't state, and why."""
    dom0 = host.dom0
    if not host.is_xen:
        yield (
            "libvirt's driver here is %s, not that of Xen: no facts"
            % (host.hypervisor or 'unknown')
        )
    elif dom0 is not None and dom0.sizing != xenhost.FIXED:
        yield (
            "dom0's memory is no size that can be stated, it %s: set "
            'dom0_mem= (facts show says how much), or state dom0_memory_mb '
            'yourself'
            % (
                'balloons'
                if dom0.sizing == xenhost.BALLOONING
                else "can't be told whether it balloons"
            )
        )


def complain(command: base._Command, asked: list[Asked]) -> None:
    """Name the hosts that did not answer, or not in full; set the exit code.

    It becomes FAILED if none answered, FINDINGS if one did not.
    """
    for each in asked:
        if each.error is not None:
            command.say(
                '%s did not answer: %s.'
                % (
                    each.uri
                    if each.name == each.uri
                    else '%s (%s)' % (each.name, each.uri),
                    each.error.rstrip('.'),
                )
            )
        elif each.host and each.host.problems:
            for part, why in each.host.problems.items():
                command.say(
                    '%s: %s is not known: %s.' % (each.name, part, why)
                )
    if not any(each.host for each in asked):
        command.exit_code = errors.FAILED
    elif any(each.error or _partial(each.host) for each in asked):
        command.exit_code = errors.FINDINGS


def _partial(host: XenHost | None) -> bool:
    return host is not None and bool(host.problems)

# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched-status upgrade check: is all as it should be?

It reads what nova-scheduler reads and changes nothing. It ends with 0 if all
is well, 1 with warnings, 2 with failures, as oslo.upgradecheck has it.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import traceback
import typing as ty

from oslo_upgradecheck import upgradecheck

from nova_xen_sched import redact
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import plain
from nova_xen_sched.cmd import streams
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.progress import Progress

#: The check of what all others need.
_READABLE = 'Configuration and databases'
#: That of oslo.upgradecheck for what is unexpected.
_ERROR = 255

_EPILOG = """\
By default problems are shown; --verbose shows all checks. --json has all.

exit codes:
  0    all is well
  1    warnings
  2    failures, or wrong usage
  255  an unexpected error
"""

Check = ty.Tuple[str, ty.Callable[[ty.Any], upgradecheck.Result]]


def _checks() -> tuple[Check, ...]:
    """The checks, in the order in which they are shown."""
    from nova_xen_sched.cmd.upgrade_check import check_facts as facts
    from nova_xen_sched.cmd.upgrade_check import check_hosts as hosts
    from nova_xen_sched.cmd.upgrade_check import check_plugins as plugins

    return (
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


def _results(
    arguments: argparse.Namespace,
) -> ty.Iterator[tuple[str, upgradecheck.Result]]:
    """The name and the result of each check, which is run once.

    Where what all of them need is out of reach, there is one alone.
    """
    try:
        cloud = nova.open_cloud(arguments)
        # It imports nova, whose configuration had to be loaded first.
        from nova_xen_sched.cmd.upgrade_check import deployment

        with Progress("Reading nova's hosts"):
            found = deployment.Deployment(cloud)
    except errors.Failure as e:
        yield _READABLE, _failed(e, arguments)
        return
    for name, check in _checks():
        try:
            with Progress('Checking: %s' % name):
                result = check(found)
        except errors.Failure as e:
            # Such as placement, which not every check needs.
            result = _failed(e, arguments)
        # Before it is broken into lines.
        result.details = redact.passwords(result.details or '') or None
        yield name, result


def _failed(
    error: errors.Failure, arguments: argparse.Namespace
) -> upgradecheck.Result:
    if arguments.debug:
        traceback.print_exc()
    text = redact.passwords(str(error))
    return upgradecheck.Result(upgradecheck.Code.FAILURE, text)


def _as_json(found: ty.Iterable[tuple[str, upgradecheck.Result]]) -> str:
    """As newer releases of oslo.upgradecheck print it."""
    checks = [
        {
            'check': name,
            'result': int(result.code),
            'details': result.details,
        }
        for name, result in found
    ]
    return json.dumps({'name': 'nova-xen-sched', 'checks': checks}) + '\n'


def _as_text(
    found: ty.Iterable[tuple[str, upgradecheck.Result]], every: bool
) -> str:
    """What is wrong, a paragraph each, and a line for the rest.

    :param every: whether what is well gets a paragraph, too.
    """
    width, colour = plain.terminal(sys.stdout)
    width = min(width or tables.WIDTH, tables.WIDTH)
    lines, passed = [], 0
    for name, result in found:
        is_fine = result.code == upgradecheck.Code.SUCCESS
        passed += is_fine
        if is_fine and not every:
            continue
        word = upgradecheck.UPGRADE_CHECK_MSG_MAP[result.code]
        details = (result.details or '').replace(' Remedy: ', '\nRemedy: ')
        text = '%s\n%s' % (name, details)
        row = [tables.Cell(word, bad=not is_fine), text.rstrip()]
        lines += [*plain.lines([row], width, colour), '']
    if passed:
        lines.append('%s passed.' % tables.counted(passed, 'check'))
    return '\n'.join(lines) + '\n'


def run(argv: list[str]) -> int:
    """Run the checks, and return the exit code."""
    streams.quieten()
    parser = options.parser(
        'nova-xen-sched-status',
        'Check what nova-scheduler reads of Xen hosts. Nothing is changed.',
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.usage = '%(prog)s [options] upgrade check'
    parser.add_argument(
        '-h', '--help', action='help', help='Show this, and exit.'
    )
    parser.add_argument(
        '--json', action='store_true', help='Print all checks as JSON.'
    )
    for word in ('upgrade', 'check'):
        parser.add_argument(word, choices=[word], help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    logging.basicConfig(format='%(message)s', level=options.level(arguments))
    streams.quieten_loggers(arguments.verbose_level)
    Progress.verbose = arguments.verbose_level > 0
    with streams.safe_stderr():
        try:
            found = list(_results(arguments))
        except Exception as e:  # noqa: BLE001  no traceback, but for --debug
            if arguments.debug:
                traceback.print_exc()
            else:
                sys.stderr.write(errors.unexpected(e) + '\n')
            return _ERROR
    if arguments.json:
        sys.stdout.write(_as_json(found))
    else:
        sys.stdout.write(_as_text(found, arguments.verbose_level > 0))
    return max(int(result.code) for _, result in found)

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

#: The check of what all others need: its code and name.
_READABLE = ('readable', 'Configuration and databases')
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


class Checked(ty.NamedTuple):
    """A check that was run.

    :ivar code: of the check, for programs; stable, additions only.
    :ivar name: of the check, for a person.
    """

    code: str
    name: str
    result: upgradecheck.Result


#: A check that is not run yet: its code, its name, and what runs it.
Check = ty.Tuple[str, str, ty.Callable[[ty.Any], upgradecheck.Result]]


def _checks() -> tuple[Check, ...]:
    """The checks, in the order in which they are shown."""
    from nova_xen_sched.cmd.upgrade_check import check_facts as facts
    from nova_xen_sched.cmd.upgrade_check import check_hosts as hosts
    from nova_xen_sched.cmd.upgrade_check import check_placement as placement
    from nova_xen_sched.cmd.upgrade_check import check_plugins as plugins
    from nova_xen_sched.cmd.upgrade_check import check_slots as slots

    return (
        (*_READABLE, hosts.readable),
        ('xen_host_filter', 'XenHostFilter enabled', plugins.filter_enabled),
        (
            'dom0_headroom_weigher',
            'Dom0HeadroomWeigher enabled',
            plugins.weigher_enabled,
        ),
        ('option_names', 'Option names', plugins.option_names),
        (
            'image_properties_filter',
            'ImagePropertiesFilter',
            plugins.image_properties_filter,
        ),
        ('hosts_refused', 'Hosts that the rules refuse', hosts.refused),
        ('memory_for_dom0', 'Memory kept for dom0', hosts.reserved_memory),
        ('reserved_host_memory_mb', 'reserved_host_memory_mb', hosts.reserves),
        (
            'ram_allocation_ratio',
            'Memory sold more than once',
            hosts.ram_allocation_ratio,
        ),
        ('facts_file', 'Facts file', facts.facts_file),
        ('facts_of_hosts', 'Facts for hosts that exist', facts.nonexistent),
        ('facts_known', 'Facts known', facts.unknown),
        ('facts_readable', 'Facts readable and fresh', facts.remarks),
        ('multipliers', 'Multipliers', plugins.multipliers),
        (
            'image_properties_weigher',
            'ImagePropertiesWeigher',
            plugins.image_properties_weigher,
        ),
        (
            'hypervisor_version_weigher',
            'HypervisorVersionWeigher',
            plugins.hypervisor_version,
        ),
        (
            'max_placement_results',
            'max_placement_results',
            placement.max_placement_results,
        ),
        (
            'image_metadata_prefilter',
            'image_metadata_prefilter',
            placement.image_metadata_prefilter,
        ),
        (
            'image_type_support',
            'query_placement_for_image_type_support',
            placement.image_type_support,
        ),
        ('owner_nova', 'OWNER_NOVA', placement.owner_nova),
        (
            'isolated_aggregates',
            'enable_isolated_aggregate_filtering',
            placement.isolated_aggregates,
        ),
        (
            'live_migration_required',
            'CUSTOM_XEN_LIVE_MIGRATION required',
            placement.live_migration_required,
        ),
        ('slots', 'Flavors with a slot of dom0', slots.flavors),
        (
            'guests_without_slot',
            'Servers with a slot of dom0',
            slots.guests,
        ),
        (
            'aggregate_image_properties_isolation',
            'AggregateImagePropertiesIsolation',
            plugins.aggregate_image_properties_isolation,
        ),
    )


def _results(arguments: argparse.Namespace) -> ty.Iterator[Checked]:
    """Each check, which is run once.

    Where what all of them need is out of reach, there is one alone.
    """
    try:
        cloud = nova.open_cloud(arguments)
        # It imports nova, whose configuration had to be loaded first.
        from nova_xen_sched.cmd.upgrade_check import deployment

        with Progress("Reading nova's hosts"):
            found = deployment.Deployment(cloud)
    except errors.Failure as e:
        yield Checked(*_READABLE, _failed(e, arguments))
        return
    checks = _checks()
    with Progress('Checking', len(checks)) as progress:
        for code, name, check in checks:
            try:
                result = check(found)
            except errors.Failure as e:
                # Such as placement, which not every check needs.
                result = _failed(e, arguments)
            # Before it is broken into lines.
            for part in ('details', 'remedy'):
                text = redact.passwords(getattr(result, part, None) or '')
                setattr(result, part, text or None)
            yield Checked(code, name, result)
            progress.step()


def _failed(
    error: errors.Failure, arguments: argparse.Namespace
) -> upgradecheck.Result:
    if arguments.debug:
        traceback.print_exc()
    text = redact.passwords(str(error))
    return upgradecheck.Result(upgradecheck.Code.FAILURE, text)


def _as_json(found: ty.Iterable[Checked]) -> str:
    """The checks with the keys that oslo.upgradecheck has, and more."""
    checks = []
    for code, name, result in found:
        passed = result.code == upgradecheck.Code.SUCCESS
        checks.append(
            {
                'check': name,
                'code': code,
                'result': int(result.code),
                'passed': passed,
                # Else it could not be run.
                'problem': getattr(
                    result, 'what', None if passed else 'out_of_reach'
                ),
                'hosts': getattr(result, 'hosts', []),
                'details': result.details,
                'remedy': getattr(result, 'remedy', None),
            }
        )
    return json.dumps({'name': 'nova-xen-sched', 'checks': checks}) + '\n'


def _as_text(found: ty.Iterable[Checked], every: bool) -> str:
    """What is wrong, a paragraph each, and a line for the rest.

    :param every: whether what is well gets a paragraph, too.
    """
    width, colour = plain.terminal(sys.stdout)
    width = min(width or tables.WIDTH, tables.WIDTH)
    # What several checks lack, as placement, is said once.
    names: dict[tuple[ty.Any, ...], list[str]] = {}
    passed = 0
    for _, name, result in found:
        is_fine = result.code == upgradecheck.Code.SUCCESS
        passed += is_fine
        if every or not is_fine:
            text = result.details or ''
            if getattr(result, 'remedy', ''):
                text += '\nRemedy: ' + result.remedy
            key = result.code, text, name if is_fine else ''
            names.setdefault(key, []).append(name)
    lines = []
    for (code, text, _), same in names.items():
        word = tables.Cell(
            upgradecheck.UPGRADE_CHECK_MSG_MAP[code],
            bad=code != upgradecheck.Code.SUCCESS,
        )
        row = [word, ('%s\n%s' % (', '.join(same), text)).rstrip()]
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
    return max(int(each.result.code) for each in found)

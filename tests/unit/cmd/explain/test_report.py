# SPDX-License-Identifier: Apache-2.0

"""What a person and a program read of an answer."""

from __future__ import annotations

import json
import os
import pathlib

from nova_xen_sched import dom0
from nova_xen_sched.cmd import columns
from nova_xen_sched.cmd import plain
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.explain import report
from nova_xen_sched.cmd.explain import report_host
from nova_xen_sched.cmd.explain import result
from nova_xen_sched.cmd.explain import rows
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova.causes import Cause
from nova_xen_sched.cmd.tables import Coded
from tests.unit import builders
from tests.unit.cmd import schemas

GOLDEN = pathlib.Path(__file__).parents[3] / 'fixtures' / 'golden'
TOO_OLD = result.Reason('libvirt_too_old', 'libvirt is 1', 'upgrade it', False)


def dom0_memory(needed):
    return result.Reason(
        'dom0_memory', '%d MiB are needed' % needed, 'give it more', False
    )


def reported(reason):
    return result.Reason(reason.code, reason.reason, reason.remedy, True)


def weighed(name, rank, weight, *reasons, xen=True):
    state = builders.state(name) if xen else builders.kvm_state(name)
    shares = (
        result.Share('RAMWeigher', 2048.0, 0.5, 1.0),
        result.Share('OddOne', -1.0, weight - 0.5, 1.0),
    )
    return result.HostResult(
        state, reasons=reasons, rank=rank, weight=weight, shares=shares
    )


def refused(name, step, *reasons, why='its purpose', remedy=''):
    return result.HostResult(
        builders.state(name), filtering.Step(step, why, (), remedy), reasons
    )


def answered(hosts=(), others=(), without=(), notes=()):
    return result.Result(
        list(hosts),
        list(others),
        {
            weigher: [each for each in hosts if each.host in names]
            for weigher, names in dict(without).items()
        },
        list(notes),
    )


def text(parts):
    """What is written, with tables as their rows."""
    lines = []
    for part in parts:
        if isinstance(part, str):
            lines.append(part)
        else:
            lines.append('| ' + ' | '.join(part.columns))
            for row in part.rows:
                lines.append('| ' + ' | '.join(map(str, row)))
    return '\n'.join(lines)


def of_all(given, limit=20):
    return text(report.of_all(given, limit))


def test_the_first_line_is_the_answer():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 2, 1.0)],
        [refused('c', 'ComputeFilter')],
    )
    assert of_all(given).splitlines()[0] == (
        'a comes first, of 2 hosts that can take the guest; 1 of 3 are '
        'refused.'
    )


def test_what_nova_refuses_whatever_the_hosts_comes_first():
    given = answered([weighed('a', 1, 2.0)], [refused('c', 'conductor')])
    given.nova_refuses.append(
        Coded('vm_state', 'nova refuses it.', 'start it')
    )
    assert of_all(given).splitlines()[:4] == [
        'nova refuses it.',
        '    start it',
        'If nova did not refuse:',
        'a is the only host that can take the guest; 1 of 2 are refused.',
    ]
    assert "Passed over by nova's conductor, 1:\n  c\n" in of_all(given)
    one = text(report_host.of_one(given, given.weighed[0], ()))
    assert one.startswith(
        'nova refuses it.\n    start it\nIf nova did not refuse:\n'
        'a is the only host that can take the guest.\n'
    )
    assert rows.outcome(given)['nova_refuses'] == [
        {
            'code': 'vm_state',
            'why': 'nova refuses it.',
            'commands': ['start it'],
        }
    ]


def test_what_nova_refuses_without_any_host_is_all():
    given = answered()
    given.nova_refuses.append(Coded('cell0', 'nova refuses it.'))
    assert of_all(given) == 'nova refuses it.'
    schemas.check('explain', {'outcome': rows.outcome(given), 'hosts': []})


def test_a_host_that_is_the_only_one():
    given = answered([weighed('a', 1, 0.0, xen=False)])
    assert of_all(given) == 'a is the only host that can take the guest.'


def test_hosts_of_equal_weight_are_shown_as_such():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 1, 2.0), weighed('c', 3, 1.0)]
    )
    assert of_all(given).startswith('a and b come first with equal weight, ')


def test_no_host():
    given = answered((), [refused('c', 'ComputeFilter')])
    assert of_all(given).splitlines()[0] == (
        'No valid host. Of 1 host: 1 refused by ComputeFilter.'
    )
    assert of_all(answered()).startswith('No valid host: there are no hosts')


def test_why_the_host_that_was_asked_for_is_refused_comes_first():
    bound = [refused(name, 'request') for name in 'ab']
    given = answered((), [*bound, refused('c', 'XenHostFilter', TOO_OLD)])
    assert of_all(given).splitlines()[0] == (
        'No valid host. Of 3 hosts: 1 refused for libvirt_too_old, 2 ruled '
        'out by the request itself.'
    )


def test_whom_the_request_itself_rules_out_is_not_named():
    bound = [refused(n, 'request', why='it is bound to c') for n in 'ab']
    assert of_all(answered((), bound)).splitlines()[1:] == [
        '',
        'Ruled out by the request itself, 2: it is bound to c',
    ]


def test_all_of_many_hosts_are_not_named():
    out = [left_out(n, RAM, MEMORY_MB=5) for n in 'abcdef']
    given = answered((), out)
    assert '  Without enough memory (MEMORY_MB), 6: all hosts' in of_all(given)
    assert 'MB), 6: a, b, c, d, e, f' in of_all(given, 0)
    given = answered((), [*out, left_out('g', NEEDS)])
    assert 'MB), 6: a, b, c, d, e, f' in of_all(given)


def test_counterfactuals_and_notes_follow():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 2, 1.0), weighed('c', 2, 1.0)],
        without={
            'One': ['b'],
            'Two': ['b', 'c'],
            'All': ['a', 'b', 'c'],
        },
        notes=[Coded('a', 'A note.')],
    )
    assert of_all(given).splitlines()[1:5] == [
        'Without One, b would come first.',
        'Without Two, b and c would come first with equal weight.',
        'Without All, all would have equal weight.',
        'A note.',
    ]


def test_the_hosts_by_weight():
    given = answered([weighed('a', 1, 10.0), weighed('b', 2, -1.0)])
    assert (
        '| Host | Rank | Weight | RAM | OddOne\n'
        '| a | 1 | 10.0000 | 0.5000 | 9.5000\n'
        '| b | 2 | -1.0000 | 0.5000 | -1.5000'
    ) in of_all(given)


def test_what_report_only_lets_pass_is_marked():
    given = answered([weighed('a', 1, 2.0, reported(TOO_OLD))])
    assert '| a * | 1 | 2.0000' in of_all(given)
    assert (
        '* would be refused, if it were not for report_only:\n'
        '  libvirt_too_old (report_only), 1: a\n'
        '    libvirt is 1\n'
        '    -> upgrade it'
    ) in of_all(given)


def test_refusals_are_counted_by_step_and_reason():
    given = answered(
        (),
        [
            refused('p', 'placement', why='no room', remedy='look there'),
            refused('d', 'ComputeFilter'),
            refused('a', 'XenHostFilter', TOO_OLD),
            refused('b', 'XenHostFilter', TOO_OLD, dom0_memory(1)),
            refused('c', 'XenHostFilter', reported(TOO_OLD), dom0_memory(2)),
        ],
    )
    assert of_all(given).splitlines()[1:] == [
        '',
        'Left out by placement, 1:',
        '  p',
        '    no room',
        '    -> look there',
        '',
        'Refused by ComputeFilter, 1:',
        '  d',
        '    its purpose',
        '',
        'Refused by XenHostFilter, 3:',
        '  libvirt_too_old, 2: a, b',
        '    libvirt is 1',
        '    -> upgrade it',
        '    also: dom0_memory 1',
        '  dom0_memory, 1: c',
        '    2 MiB are needed',
        '    -> give it more',
        '    also: libvirt_too_old (report_only) 1',
    ]


def test_a_large_cloud_is_short():
    given = answered(
        [weighed('w%d' % n, n + 1, 500.0 - n) for n in range(500)],
        [
            refused('r%03d' % n, 'XenHostFilter', dom0_memory(n))
            for n in range(500)
        ],
    )
    lines = of_all(given, 2).splitlines()
    assert len(lines) < 25
    assert '... and 498 hosts more; --limit 0 shows all.' in lines
    assert '  dom0_memory, 500: r000, r001 and 498 more' in lines
    assert (
        '    and 497 more like it; --host NAME shows the one of a host'
    ) in lines
    # And all of them are there.
    assert len(of_all(given, 0).splitlines()) > 500


def test_one_host_that_is_refused():
    given = answered(
        (), [refused('a', 'XenHostFilter', TOO_OLD, dom0_memory(1))]
    )
    assert text(
        report_host.of_one(given, given.refused[0], ())
    ).splitlines() == [
        'a is refused by XenHostFilter.',
        '  libvirt_too_old: libvirt is 1',
        '    -> upgrade it',
        '  dom0_memory: 1 MiB are needed',
        '    -> give it more',
    ]


def test_one_host_that_another_step_refused():
    given = answered(
        (),
        [refused('a', 'placement', remedy='ask UUID of HOST')],
        notes=[Coded('a', 'A note.', 'run this')],
    )
    state = given.refused[0].state
    state.uuid = '12-34'
    assert text(
        report_host.of_one(given, given.refused[0], ())
    ).splitlines() == [
        'a is left out by placement.',
        '  its purpose',
        '  -> ask 12-34 of a',
        'A note.',
        '    run this',
    ]


def test_a_tied_host_has_its_own_rank():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 2, 1.0), weighed('c', 2, 1.0)]
    )
    assert text(report_host.of_one(given, given.weighed[2], ())).startswith(
        'c has rank 2 of 3, tied with b, and the weight 1.0000; a comes first '
        'with 2.0000.'
    )
    given = answered([weighed('a', 1, 2.0), weighed('b', 1, 2.0)])
    assert text(report_host.of_one(given, given.weighed[1], ())).startswith(
        'b has rank 1 of 2, tied with a, and the weight 2.0000.'
    )


RAM = Cause('resource', 'MEMORY_MB', asked=4096)
NEEDS = Cause('trait', 'CUSTOM_FAST', True)
FORBIDS = Cause('trait', 'CUSTOM_OLD', False)


def left_out(name, *causes, step='placement', **free):
    found = refused(name, step, why='')
    found.causes, found.free = causes, free
    return found


def no_host():
    return answered(
        (),
        [
            left_out('p', RAM, NEEDS, MEMORY_MB=512),
            left_out('q', RAM, MEMORY_MB=1024),
            left_out('r', RAM, FORBIDS, MEMORY_MB=0),
        ],
    )


def test_no_host_says_what_is_short_and_where_the_most_is():
    assert of_all(no_host()).splitlines() == [
        'No valid host. Of 3 hosts: all without enough memory (MEMORY_MB), 1 '
        'without the required trait CUSTOM_FAST, 1 with the forbidden trait '
        'CUSTOM_OLD.',
        '',
        'Left out by placement, 3:',
        '  Without enough memory (MEMORY_MB), 3: p, q, r',
        '    the request needs 4096 MiB; the most that is free is 1024 MiB, '
        'on q',
        '  Without the required trait CUSTOM_FAST, 1: p',
        '    openstack resource provider list --required CUSTOM_FAST',
        '  With the forbidden trait CUSTOM_OLD, 1: r',
        '    openstack resource provider list --required CUSTOM_OLD',
    ]


def test_one_host_says_what_it_has_itself():
    given = no_host()
    assert text(report_host.of_one(given, given.refused[0], ())).splitlines()[
        :3
    ] == [
        'p is left out by placement.',
        '  Without enough memory (MEMORY_MB): the request needs 4096 MiB; the '
        'most that is free is 512 MiB',
        '  Without the required trait CUSTOM_FAST',
    ]


def test_programs_have_codes():
    given = no_host()
    cells = columns.shown(rows.row(given, given.refused[0], ()), 'json')
    row = {
        name: cell.machine_readable()
        if isinstance(cell, tables.Cell)
        else cell
        for name, cell in zip(rows.COLUMNS, cells)
    }
    outcome = rows.outcome(given)
    schemas.check('explain', {'outcome': outcome, 'hosts': [row]})
    short = {
        'code': 'resource',
        'name': 'MEMORY_MB',
        'required': None,
        'aggregates': [],
        'asked': 4096,
        'unit': 'MiB',
    }
    assert row['causes'][0] == dict(short, free=512)
    (step,) = outcome['steps']
    assert step['causes'][0] == dict(short, hosts=3, most_free=1024, host='q')
    assert not outcome['found']


def test_what_one_guest_may_have_and_what_nobody_has():
    most = Cause('resource', 'VCPU', asked=20, per_guest=True)
    assert most.text(16, 'a') == (
        'the request needs 20 vCPUs; the most that one guest can get is '
        '16 vCPUs, on a'
    )
    assert Cause('resource', 'CUSTOM_GPU', asked=1).text(0, '') == (
        'the request needs 1; nothing is free on any'
    )


def test_commands_to_paste_have_lines_of_their_own():
    out = [
        left_out('p', Cause('disabled'), step='ComputeFilter'),
        left_out('q', Cause('down', remedy='see'), step='ComputeFilter'),
    ]
    given = answered((), out)
    services = (
        '    openstack compute service list --long --service nova-compute'
    )
    assert of_all(given).splitlines()[2:] == [
        'Refused by ComputeFilter, 2:',
        '  With a disabled nova-compute, 1: p',
        services,
        '    openstack compute service set --enable p nova-compute',
        '  With a nova-compute that is down, 1: q',
        '    -> see',
        services,
    ]


def test_it_fits_the_terminal():
    """UPDATE_GOLDEN=1 writes the page anew."""
    name = 'compute-%d-' + 'rack-12-' * 6 + 'site'
    assert len(name % 1) == 62

    def host(number, *shares):
        found = weighed(name % number, number, 5.0 - number)
        found.shares = tuple(
            result.Share(weigher, 1.0, share, 1.0)
            for weigher, share in zip(
                (
                    'RAMWeigher',
                    'DiskWeigher',
                    'CPUWeigher',
                    'ServerGroupSoftAntiAffinityWeigher',
                    'Dom0HeadroomWeigher',
                ),
                shares,
            )
        )
        return found

    given = answered(
        [
            host(1, 1.0, 1.0, 0.5, 0.1, 1.0),
            host(2, 0.5, 1.0, 0.75, 0.1, 0.5),
            host(3, 0.25, 1.0, -1.0, 0.1, -14.0),
        ],
        [
            *(left_out(name % n, RAM, NEEDS, MEMORY_MB=n) for n in (4, 5)),
            refused(name % 6, 'XenHostFilter', TOO_OLD, dom0_memory(1)),
        ],
        without={'Dom0HeadroomWeigher': [name % 2]},
    )
    pages = []
    for width in (80, 120, 200):
        lines = ['%d columns' % width]
        for parts in (
            report.of_all(given, 20),
            report_host.of_one(given, given.weighed[1], ROOMS),
        ):
            lines.append('')
            for part in parts:
                if isinstance(part, str):
                    lines += tables.paragraph(part, width).splitlines() or ['']
                else:
                    rows_ = [list(part.columns), *part.rows]
                    lines += plain.lines(rows_, width, titled=True)
        assert max(map(len, lines)) <= width
        pages.append('\n'.join(lines) + '\n')
    path = GOLDEN / 'explain.txt'
    if os.environ.get('UPDATE_GOLDEN'):
        path.write_text('\n'.join(pages))
    assert path.read_text() == '\n'.join(pages)


def test_one_host_that_is_weighed():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 2, 1.0)],
        without={'OddOne': ['b']},
    )
    assert text(
        report_host.of_one(given, given.weighed[1], ())
    ).splitlines() == [
        'b has rank 2 of 2 and the weight 1.0000; a comes first with 2.0000.',
        'Without OddOne, b would come first.',
        '',
        '| Weigher | Raw | Normalised | Multiplier | Share',
        '| RAMWeigher | 2048.0000 | 0.5000 | 1.0000 | 0.5000',
        '| OddOne | -1.0000 | 0.5000 | 1.0000 | 0.5000',
    ]


def test_a_host_that_is_first_anyway_needs_no_other_weighers():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 2, 1.0)],
        without={'OddOne': ['a', 'b']},
    )
    one = text(report_host.of_one(given, given.weighed[0], ()))
    assert 'Without' not in one
    other = text(report_host.of_one(given, given.weighed[1], ()))
    assert 'Without OddOne, b would be among the first.' in other


ROOMS = (
    dom0.Usage(dom0.Resource.DOM0_CPU, 60, 3),
    dom0.Usage(dom0.Resource.HOST_MEMORY, 8000, 6000, dom0.REPORTED),
)


def test_rooms_say_what_is_computed_and_what_xen_reports():
    given = answered([weighed('a', 1, 2.0)])
    assert (
        '\n\nResources of a with the guest:\n'
        '| Resource | Capacity | Used | Unit | Left | Source\n'
        '| dom0_cpu | 60 | 3 | guests | 95 % | computed\n'
        '| host_memory | 8000 | 6000 | MiB | 25 % | reported by Xen\n'
    ) in text(report_host.of_one(given, given.weighed[0], ROOMS))


def test_a_row_has_the_rooms():
    given = answered([weighed('a', 1, 2.0)])
    cells = rows.row(given, given.weighed[0], ROOMS)
    rooms = dict(zip(rows.COLUMNS, cells))['resources']
    assert rooms.machine_readable() == [
        {
            'resource': 'dom0_cpu',
            'capacity': 60,
            'used': 3,
            'unit': 'guests',
            'headroom': 0.95,
            'source': 'computed',
        },
        {
            'resource': 'host_memory',
            'capacity': 8000,
            'used': 6000,
            'unit': 'MiB',
            'headroom': 0.25,
            'source': 'reported by Xen',
        },
    ]
    assert columns.shown(rooms, 'csv') == (
        'dom0_cpu 95 % (computed); host_memory 25 % (reported by Xen)'
    )


def test_the_logs_are_named_where_a_xen_host_comes_first():
    logs = ('/var/log/libvirt/libxl/', '/var/log/xen/', 'qemu-dm-')
    given = of_all(answered([weighed('a', 1, 2.0)]))
    assert all(each in given for each in logs)
    given = of_all(answered([weighed('a', 1, 2.0, xen=False)]))
    assert not any(each in given for each in logs)


def test_a_row_has_every_column():
    given = answered(
        [weighed('a', 1, 2.0, reported(TOO_OLD))],
        [refused('b', 'XenHostFilter', TOO_OLD)],
        without={'W': ['a']},
    )
    first = {
        name: cell.machine_readable()
        if isinstance(cell, tables.Cell)
        else cell
        for name, cell in zip(
            rows.COLUMNS, rows.row(given, given.weighed[0], ())
        )
    }
    assert json.loads(json.dumps(first)) == first
    assert first == {
        'rank': 1,
        'host': 'a',
        'result': 'first',
        'weight': 2.0,
        'step': None,
        'why': None,
        'causes': [],
        'reasons': [
            {
                'code': 'libvirt_too_old',
                'reason': 'libvirt is 1',
                'remedy': 'upgrade it',
                'report_only': True,
            }
        ],
        'shares': {
            'RAMWeigher': {
                'raw': 2048.0,
                'normalised': 0.5,
                'multiplier': 1.0,
                'share': 0.5,
            },
            'OddOne': {
                'raw': -1.0,
                'normalised': 1.5,
                'multiplier': 1.0,
                'share': 1.5,
            },
        },
        'first_without': ['W'],
        'resources': [],
    }
    assert rows.outcome(given) == {
        'found': True,
        'partial': False,
        'nova_refuses': [],
        'first': ['a'],
        'hosts': 2,
        'weighed': 1,
        'refused': 1,
        'steps': [
            {
                'step': 'XenHostFilter',
                'refused': 1,
                'causes': [],
                'reasons': {'libvirt_too_old': 1},
            }
        ],
        'notes': [],
    }
    assert columns.shown(rows.row(given, given.refused[0], ()), 'csv') == [
        '',
        'b',
        'refused',
        '',
        'XenHostFilter',
        'its purpose',
        '',
        'libvirt_too_old',
        '',
        '',
        '',
    ]


def test_the_result_in_a_word():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 1, 2.0), weighed('c', 3, 1.0)],
        [refused('d', 'ComputeFilter')],
    )
    assert [given.outcome(each) for each in given.hosts] == [
        'tied',
        'tied',
        'weighed',
        'refused',
    ]

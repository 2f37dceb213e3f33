# SPDX-License-Identifier: Apache-2.0

"""What a person and a program read of an answer."""

from __future__ import annotations

import json

from nova_xen_sched import dom0
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.explain import report
from nova_xen_sched.cmd.explain import result
from nova_xen_sched.cmd.nova import filtering
from tests.unit import builders

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
        result.Share('IoOpsWeigher', 0.0, 0.0, -1.0),
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
        'a comes first, of 2 hosts that can take it; 1 of 3 are refused.'
    )


def test_what_nova_refuses_whatever_the_hosts_comes_first():
    given = answered([weighed('a', 1, 2.0)], [refused('c', 'conductor')])
    given.nova_refuses.append('nova refuses it.')
    first = 'a comes first, of 1 host that can take it; 1 of 2 are refused.'
    assert of_all(given).splitlines()[:3] == [
        'nova refuses it.',
        'If it did not:',
        first,
    ]
    assert "Passed over by nova's conductor, 1:\n  c\n" in of_all(given)
    one = text(report.of_one(given, given.weighed[0], ()))
    assert one.startswith('nova refuses it.\nIf it did not:\n' + first)
    row = dict(zip(result.COLUMNS, result.row(given, given.weighed[0], ())))
    assert row['nova_refuses'].machine_readable() == ['nova refuses it.']


def test_hosts_of_equal_weight_are_shown_as_such():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 1, 2.0), weighed('c', 3, 1.0)]
    )
    assert of_all(given).startswith('a and b come first with equal weight, ')


def test_no_host():
    given = answered((), [refused('c', 'ComputeFilter')])
    assert of_all(given).splitlines()[0] == (
        'No valid host: the only host is refused.'
    )
    assert of_all(answered()).startswith('No valid host: there are no hosts')


def test_counterfactuals_and_notes_follow():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 2, 1.0), weighed('c', 2, 1.0)],
        without={
            'One': ['b'],
            'Two': ['b', 'c'],
            'All': ['a', 'b', 'c'],
        },
        notes=['A note.'],
    )
    assert of_all(given).splitlines()[1:5] == [
        'Without One, b would come first.',
        'Without Two, b and c would come first with equal weight.',
        'Without All, all would have equal weight.',
        'A note.',
    ]


def test_weighers_that_make_no_difference_are_left_out_of_the_table():
    given = answered([weighed('a', 1, 10.0), weighed('b', 2, -1.0)])
    assert (
        '| rank | host | weight | RAM | OddOne\n'
        '| 1 | a | 10.0000 | 0.5000 |  9.5000\n'
        '| 2 | b | -1.0000 | 0.5000 | -1.5000'
    ) in of_all(given)


def test_what_report_only_lets_pass_is_marked():
    given = answered([weighed('a', 1, 2.0, reported(TOO_OLD))])
    assert '| 1 | a * | 2.0000' in of_all(given)
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
    assert text(report.of_one(given, given.refused[0], ())).splitlines() == [
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
        notes=['A note.'],
    )
    state = given.refused[0].state
    state.uuid = '12-34'
    assert text(report.of_one(given, given.refused[0], ())).splitlines() == [
        'a is left out by placement.',
        '  its purpose',
        '  -> ask 12-34 of a',
        'A note.',
    ]


def test_one_host_that_is_weighed():
    given = answered(
        [weighed('a', 1, 2.0), weighed('b', 2, 1.0)],
        without={'OddOne': ['b']},
    )
    assert text(report.of_one(given, given.weighed[1], ())).splitlines() == [
        'b has rank 2 of 2 with the weight 1.0000; a comes first with 2.0000.',
        'Without OddOne, it would come first.',
        '',
        '| weigher | raw | normalised | multiplier | share',
        '| RAMWeigher | 2048.0000 | 0.5000 |  1.0000 | 0.5000',
        '| IoOpsWeigher |    0.0000 | 0.0000 | -1.0000 | 0.0000',
        '| OddOne |   -1.0000 | 0.5000 |  1.0000 | 0.5000',
    ]


ROOMS = (
    dom0.Usage(dom0.Resource.DOM0_CPU, 60, 3),
    dom0.Usage(dom0.Resource.HOST_MEMORY, 8000, 6000, dom0.REPORTED),
)


def test_rooms_say_what_is_computed_and_what_xen_reports():
    given = answered([weighed('a', 1, 2.0)])
    assert (
        '\n\nIts rooms with the guest:\n'
        '| room | capacity | used | unit | left | source\n'
        '| dom0_cpu |   60 |    3 | guests | 95 % | computed\n'
        '| host_memory | 8000 | 6000 | MiB | 25 % | reported by Xen\n'
    ) in text(report.of_one(given, given.weighed[0], ROOMS))


def test_a_row_has_the_rooms():
    given = answered([weighed('a', 1, 2.0)])
    rooms = result.row(given, given.weighed[0], ROOMS)[-2]
    assert rooms.machine_readable() == [
        {
            'room': 'dom0_cpu',
            'capacity': 60,
            'used': 3,
            'unit': 'guests',
            'headroom': 0.95,
            'source': 'computed',
        },
        {
            'room': 'host_memory',
            'capacity': 8000,
            'used': 6000,
            'unit': 'MiB',
            'headroom': 0.25,
            'source': 'reported by Xen',
        },
    ]
    assert base.shown(rooms, 'csv') == (
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
            result.COLUMNS, result.row(given, given.weighed[0], ())
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
            'IoOpsWeigher': {
                'raw': 0.0,
                'normalised': 0.0,
                'multiplier': -1.0,
                'share': -0.0,
            },
            'OddOne': {
                'raw': -1.0,
                'normalised': 1.5,
                'multiplier': 1.0,
                'share': 1.5,
            },
        },
        'first_without': ['W'],
        'rooms': [],
        'nova_refuses': [],
    }
    assert base.shown(result.row(given, given.refused[0], ()), 'csv') == [
        '',
        'b',
        'refused',
        '',
        'XenHostFilter',
        'its purpose',
        'libvirt_too_old',
        '',
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

# SPDX-License-Identifier: Apache-2.0

"""simulate: wrong usage, which needs no nova.

tests/functional has the same command with a real nova.
"""

from __future__ import annotations

import pytest

from nova_xen_sched.cmd import app


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--flavor', 'f', '--ram', '4'), '--flavor goes without --ram, '),
        (('--image', 'i', '--vm-mode', 'pv'), '--image goes without --vm-'),
        (('--mix', 'm', '--count', '4'), '--mix goes without --count, '),
        (('--mix', 'm', '--disk', '0'), '--mix goes without --count, '),
        (('--mix', 'm', '--image', 'i'), '--mix goes without --count, '),
        (('--mix', 'm', '--vm-mode', 'pv'), '--mix goes without --count, '),
        (('--mix', '/nosuch'), "/nosuch can't be read: No such file"),
        (('--count', '100001'), 'At most 100000 guests are simulated, and '),
        (('--set', 'x'), "--set 'x' is not NAME=VALUE, such as "),
        (('--set', 'x=1'), "There is no option 'x' in [xen_scheduler]."),
        (('-c', 'nosuch'), 'There is no column nosuch. Name some of host, '),
        (('-c', 'after_set'), 'There is no column after_set. Name some of '),
    ],
)
def test_wrong_usage_is_one_line(arguments, words, capsys):
    # Before any configuration is looked for.
    assert app.main(['simulate', *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ''
    assert err.startswith(words)
    assert err.count('\n') == 1


@pytest.mark.parametrize('value', ['0', '-1', 'x'])
def test_a_count_is_1_or_more(value, capsys):
    with pytest.raises(SystemExit) as ended:
        app.main(['simulate', '--count=' + value])
    assert ended.value.code == 2
    assert 'not a whole number from 1 to ' in capsys.readouterr().err

# SPDX-License-Identifier: Apache-2.0

"""Whether nova's functions are still the text that was measured.

The driver stands for them, adds to them or hands over to them. It was tried
on real Xen hosts with Debian's nova 22.0.1, and is tested here with 22.4.0.
A vendor's nova 22 may differ: then this fails, and the override of that name
in nova_xen_sched/compute/ is to be compared with it.
"""

from __future__ import annotations

import pathlib

import nova
import pytest

from nova_xen_sched.compute import launcher
from tests.unit.compute import nova_text


def test_this_nova_s_functions_are_those_that_were_measured():
    if launcher.complaint_of_nova():
        pytest.skip('this nova has no Xen: there is nothing to compare')
    from nova import version

    major = int(version.version_string().split('.')[0])
    folder = pathlib.Path(nova.__file__).parent
    assert nova_text.digests(folder) in nova_text.MEASURED[major]


@pytest.mark.parametrize('change', [('1 +', '2 +'), ('@d', '@e')])
def test_a_change_of_text_changes_the_digest(tmp_path, monkeypatch, change):
    monkeypatch.setattr(nova_text, 'FUNCTIONS', {'a.py': ('A.b', 'c')})
    text = 'class A:\n    @d\n    def b(self):\n        return 1 + 1\n\n'
    (tmp_path / 'a.py').write_text(text + 'c = 3\ndef c():\n    pass\n')
    before = nova_text.digests(tmp_path)
    (tmp_path / 'a.py').write_text(
        (tmp_path / 'a.py').read_text().replace(*change)
    )
    after = nova_text.digests(tmp_path)
    assert after['A.b'] != before['A.b']
    assert after['c'] == before['c']


def test_a_function_that_is_gone_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(nova_text, 'FUNCTIONS', {'a.py': ('gone',)})
    (tmp_path / 'a.py').write_text('')
    with pytest.raises(ValueError):
        nova_text.digests(tmp_path)

# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Whether nova's functions are still the text that was measured.

The driver stands for them, adds to them or hands over to them. It was tried
on real Xen hosts with Debian's nova 22.0.1, and is tested here with 22.4.0.
A vendor's nova 22 may differ: then this fails, and the override of that name
in nova_xen_sched/compute/driver.py is to be compared with it.
"""

from __future__ import annotations

import pathlib

import nova
import pytest

from nova_xen_sched.compute import launcher
from tests.unit.compute import nova_text

#: Of nova 22.0.0, 22.0.1 and 22.4.0 (PyPI) and of Debian 11's python3-nova
#: 2:22.0.1-2+deb11u1, which are alike; made by nova_text.py.
NOVA_22 = {
    'LibvirtDriver.__init__': '237bbbbb62dcfdc7',
    'LibvirtDriver._get_instance_capabilities': '3088ffd38a1169af',
    'LibvirtDriver.get_available_resource': 'ae11f80a30f025fb',
    'LibvirtDriver._prepare_migration_flags': '15004b4cab19e000',
    'LibvirtDriver._live_migration_operation': '13b4a67376271cd6',
    'LibvirtDriver.check_can_live_migrate_source': 'ac10a69acb13ae42',
    'LibvirtDriver.spawn': '36e07c0133dc3c80',
    'Host.get_online_cpus': '11f82b9a070d1b87',
    'Guest.migrate': '5ea7a3c5dcfff530',
    'load_compute_driver': '73fa83cd856fb940',
    'main': '97b342cad7110566',
    'VMMode.get_from_instance': 'dc64bcc0ade4f19b',
    'ResourceTracker._copy_resources': '30ce74a8211697a5',
}

#: What differs in the last of nova 21 and of nova 20 (PyPI): read, not run.
#: Of what the driver replaces that is Guest.migrate alone, which there has
#: lines for Python 2; of spawn, to which it hands everything over, the
#: parameters.
NOVA_21_2_4 = {
    **NOVA_22,
    'LibvirtDriver.__init__': '5a97ba5ef5635d36',
    'LibvirtDriver._live_migration_operation': '4593580271a39d71',
    'LibvirtDriver.spawn': 'e5f4516cf8534446',
    'Guest.migrate': '3160967380ff170c',
    'load_compute_driver': 'fc8014ae771e10f3',
}
NOVA_20_6_1 = {
    **NOVA_21_2_4,
    'LibvirtDriver.__init__': '0b985acaba9e6282',
    'LibvirtDriver._live_migration_operation': '11b4bca057c9d0b4',
    'LibvirtDriver.check_can_live_migrate_source': '309dd1209c6e2aaf',
    'LibvirtDriver.spawn': 'f5ec0265a5f149bb',
}

MEASURED = {20: NOVA_20_6_1, 21: NOVA_21_2_4, 22: NOVA_22}


def test_this_nova_s_functions_are_those_that_were_measured():
    if launcher.complaint_of_nova():
        pytest.skip('this nova has no Xen: there is nothing to compare')
    from nova import version

    major = int(version.version_string().split('.')[0])
    folder = pathlib.Path(nova.__file__).parent
    assert nova_text.digests(folder) == MEASURED[major]


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

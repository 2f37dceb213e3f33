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

from __future__ import annotations

import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched.dom0 import Load
from nova_xen_sched.dom0 import Room

HOST = Load(memory_mb=65536, dom0_memory_mb=1000, dom0_vcpus=4)


def test_plus():
    more = HOST.plus('pv', 512, 2, 3).plus(None, 1024, 1)
    assert more == HOST._replace(
        pv=3, unknown=1, guests_memory_mb=2560, guests_vcpus=7
    )
    assert more.guests == 4


@pytest.mark.parametrize('name', sorted(dom0.OVERHEADS))
def test_of_what_is_left_more_guests_take_their_overhead_too(name):
    overhead = dom0.OVERHEADS[name]
    model = conf.Settings().dom0_model._replace(overhead=overhead)
    load = model.plus(HOST._replace(free_mb=1000), 'hvm', 300, 1, 2)
    assert load.free_mb == 1000 - 2 * overhead.whole_mb('hvm', 300, 1)
    assert load._replace(free_mb=None) == HOST.plus('hvm', 300, 1, 2)
    assert model.plus(HOST, 'hvm', 300, 1, 2).free_mb is None


def test_each_room_has_its_unit():
    assert [room.unit for room in Room] == ['MiB', 'guests', 'MiB']

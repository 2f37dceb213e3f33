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

from nova_xen_sched import conf
from nova_xen_sched import facts
from nova_xen_sched import serving
from nova_xen_sched.facts.merge import HostFacts

NOTHING = HostFacts({})


def serves(*key, mode='hvm', average=False, tracked=True):
    made = serving.Serving(conf.Settings(), mode, average, tracked)
    return made[key]


def test_sizes_are_what_is_known_or_the_defaults():
    (memory_mb, vcpus, *_), reserved_mb, _ = serves(NOTHING, None, 0, None)
    assert (memory_mb, vcpus, reserved_mb) == (1024, 4, None)
    known = HostFacts(
        {
            name: facts.Fact(value, 'stats')
            for name, value in (
                ('dom0_memory_mb', 2048),
                ('dom0_vcpus', 8),
                ('reserved_host_memory_mb', 0),
            )
        }
    )
    (memory_mb, vcpus, *_), reserved_mb, _ = serves(known, None, 0, None)
    assert (memory_mb, vcpus, reserved_mb) == (2048, 8, 0)


def test_guests_that_are_only_counted():
    # 3 reported, 2 more of this request, and the one that is asked for.
    found, _, placed = serves(NOTHING, '3', 5, None)
    assert found[2:] == (3, 0, 0, 3)
    assert placed == 2
    # Compared with other hosts the one that is asked for is an average one.
    found, _, _ = serves(NOTHING, '3', 5, None, average=True)
    assert found[2:] == (2, 0, 0, 4)


def test_guests_that_are_known():
    # Of 4, one is not known.
    found, _, _ = serves(NOTHING, '4', 4, (True, 1, 2, 0), mode='pv')
    assert found[2:] == (1, 3, 0, 1)
    # More known than reported; the one that is asked for is among them.
    found, _, _ = serves(NOTHING, '1', 1, (False, 1, 2, 1), mode='pv')
    assert found[2:] == (1, 2, 1, 0)


def test_an_empty_host_where_no_guests_are_tracked():
    found, _, _ = serves(NOTHING, '0', 0, None, average=True, tracked=False)
    assert found[2:] == (0, 0, 0, 1)
    found, _, _ = serves(NOTHING, '0', 0, None, average=True)
    assert found[2:] == (1, 0, 0, 0)

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

from types import SimpleNamespace

from nova_xen_sched import aggregates


class Lengths(aggregates.Said):
    """How long each aggregate's name is; names read are kept."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def read(self, aggregate):
        self.asked.append(aggregate.name)
        return len(aggregate.name)


class Aggregate:
    """As nova's: two are never equal."""

    def __init__(self, name):
        self.name = name


A, AA, B = map(Aggregate, ('a', 'aa', 'b'))
STATES = [
    SimpleNamespace(aggregates=each)
    for each in ([], [A], [A, AA], [AA, B], [A, A])
]


def test_what_is_said_to_each_host():
    found = list(Lengths().to(STATES))
    assert found == [set(), {1}, {1, 2}, {1, 2}, {1}]


def test_each_aggregate_is_read_once():
    lengths = Lengths()
    list(lengths.to(STATES))
    list(lengths.to(STATES))
    assert sorted(lengths.asked) == ['a', 'aa', 'b']


def test_distinct():
    assert aggregates.distinct(STATES) == {A, AA, B}
    assert aggregates.distinct([]) == set()

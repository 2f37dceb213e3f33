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

from nova_xen_sched import versions


@pytest.mark.parametrize(
    'number, text',
    [(4014000, '4.14.0'), (8002000, '8.2.0'), (5000, '5.0')],
)
def test_from_nova_int(number, text):
    assert versions.from_nova_int(number) == text


@pytest.mark.parametrize(
    'version, predicate, expected',
    [
        ('4.14.0', '>=4.14', True),
        ('4.9.0', '>=4.14', False),  # as numbers, not as text
        ('6.1.0', '>=6.0,<6.2', True),
        ('6.2.0', '>=6.0,<6.2', False),
        ('4.14.0', '!=4.14.0', False),
    ],
)
def test_satisfies(version, predicate, expected):
    assert versions.satisfies(version, predicate) is expected


def test_unreadable_predicate():
    with pytest.raises(ValueError):
        versions.satisfies('4.14.0', 'four')

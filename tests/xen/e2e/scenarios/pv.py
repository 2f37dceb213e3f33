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

"""A PV guest."""

from __future__ import annotations

from tests.xen.e2e import boots
from tests.xen.e2e import moves
from tests.xen.e2e.cloud import Cloud

TITLE = 'A PV guest'


def run(cloud: Cloud) -> None:
    boots.boot(cloud, 'pv')
    moves.live_migrate(cloud, 'pv')
    moves.block_migration(cloud)

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

"""Loading nova's configuration."""

from __future__ import annotations

import nova.conf
import pytest

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd.nova import configuration


@pytest.fixture(autouse=True)
def _unread():
    nova.conf.CONF.reset()
    yield
    nova.conf.CONF.reset()


def test_a_file_that_is_no_text_is_a_failure_of_one_line(tmp_path):
    path = tmp_path / 'nova.conf'
    path.write_bytes(b'[DEFAULT]\nhost = h\xf6chst\n')
    with pytest.raises(
        base.Failure, match='configuration is wrong: '
    ) as found:
        configuration.load([str(path)], [])
    assert '\n' not in str(found.value)

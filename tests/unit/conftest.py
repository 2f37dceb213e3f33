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

"""What holds for all unit tests."""

import hypothesis
import nova.conf
from openstack.config import loader
import pytest

from nova_xen_sched import log

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile('ours', deadline=None)
hypothesis.settings.load_profile('ours')


@pytest.fixture(autouse=True)
def _openstacksdk_forgets(monkeypatch):
    # Some releases remember each test's OS_CLIENT_CONFIG_FILE here.
    monkeypatch.setattr(loader, 'CONFIG_FILES', list(loader.CONFIG_FILES))


@pytest.fixture
def clean(monkeypatch):
    """nova's default configuration, and nothing said yet."""
    monkeypatch.setattr(log, 'NOTICES', log.Notices())
    monkeypatch.setattr(log, 'TRACEBACKS', log.Notices())
    conf = nova.conf.CONF
    conf([], project='nova', default_config_files=[])
    yield
    conf.reset()

# SPDX-License-Identifier: Apache-2.0

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

# SPDX-License-Identifier: Apache-2.0

"""What holds for all unit tests."""

import sys

import hypothesis
import nova.conf
from openstack.config import loader
import pytest

from nova_xen_sched import log

CONF = nova.conf.CONF

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile('ours', deadline=None)
# tox's, which runs them on one nova after the other.
hypothesis.settings.register_profile('few', deadline=None, max_examples=25)
hypothesis.settings.load_profile('ours')


@pytest.fixture(autouse=True)
def _openstacksdk_forgets(monkeypatch):
    # Some releases remember each test's OS_CLIENT_CONFIG_FILE here.
    monkeypatch.setattr(loader, 'CONFIG_FILES', list(loader.CONFIG_FILES))


@pytest.fixture(autouse=True)
def _nothing_logged_yet(monkeypatch):
    monkeypatch.setattr(log, 'NOTICES', log.Notices())


@pytest.fixture
def clean():
    """nova's default configuration."""
    CONF([], project='nova', default_config_files=[])
    yield
    CONF.reset()


@pytest.fixture
def option(clean):
    """Sets an option for this test."""

    def override(name, value, group='xen_scheduler'):
        CONF.set_override(name, value, group)

    return override


@pytest.fixture
def logged(caplog):
    """The plugins' messages of a level, such as WARNING, so far."""

    def messages(level):
        return [
            record.getMessage()
            for record in caplog.records
            if record.levelname == level and record.name.startswith('nova_xen')
        ]

    return messages


@pytest.fixture
def hasty():
    """Threads take turns a thousand times as often as they would."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)

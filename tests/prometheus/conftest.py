# SPDX-License-Identifier: Apache-2.0

"""Debian's packages, installed if this is root."""

from __future__ import annotations

import pytest

from tests.e2e import processes
from tests.e2e.services import debian

_NEEDED = {
    '/usr/bin/prometheus': 'prometheus',
    '/usr/bin/promtool': 'prometheus',
    '/usr/bin/prometheus-node-exporter': 'prometheus-node-exporter',
}


@pytest.fixture(autouse=True, scope='session')
def _packages():
    try:
        debian.ensure(_NEEDED)
    except processes.Failure as e:
        pytest.fail(str(e), pytrace=False)

# SPDX-License-Identifier: Apache-2.0

"""Guests with ports: ML2 with Open vSwitch, rules by iptables_hybrid."""

from __future__ import annotations

from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.scenarios import network

TITLE = 'Guests with network ports, by Open vSwitch'


def run(cloud: Cloud) -> None:
    network.by(cloud, 'openvswitch')

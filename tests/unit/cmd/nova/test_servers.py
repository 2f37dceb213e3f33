# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from nova import objects

from nova_xen_sched.cmd.nova import servers


def test_traits_that_a_flavor_requires_in_any_group():
    flavor = objects.Flavor(
        extra_specs={
            'trait:CUSTOM_A': 'required',
            'trait1:CUSTOM_B': 'required',
            'trait:CUSTOM_C': 'forbidden',
            'resources:CUSTOM_D': '1',
        }
    )
    assert servers.traits_of_flavor(flavor) == {'CUSTOM_A', 'CUSTOM_B'}

# SPDX-License-Identifier: Apache-2.0

"""nova on two real Xen hosts, emulated: ``make xen-e2e``.

tests/xen/emulator has the hosts, tests/e2e the controllers; here is what joins
them: nova-compute-xen in each dom0, and the scenarios.
"""

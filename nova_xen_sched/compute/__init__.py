# SPDX-License-Identifier: Apache-2.0

"""The compute side: a nova-compute that works on a real Xen host.

Optional, and apart from the plugin: nothing else in this package imports it.
It runs in dom0 with nova 22, the last nova with Xen. launcher.py starts
nova-compute with the driver in driver.py, which reports what stats.py makes
of the host.
"""

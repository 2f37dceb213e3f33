# SPDX-License-Identifier: Apache-2.0

"""``facts show`` on a real Xen host, emulated: ``make xen-host``."""

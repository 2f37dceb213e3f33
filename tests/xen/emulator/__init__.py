# SPDX-License-Identifier: Apache-2.0

"""An emulated Xen host: its disk, its machine, and what guests boot from."""

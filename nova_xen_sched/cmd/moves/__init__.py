# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched rebalance and drain: plans of moves, to be read and pasted.

They read only; nothing is moved.
"""

# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched-status upgrade check: its checks by topic, in command.py."""

# SPDX-License-Identifier: Apache-2.0

"""The commands: nova-xen-sched and nova-xen-sched-status.

A command is a module here and an entry point in ``nova_xen_sched.commands``.
What it prints it has from elsewhere in the package; here words are chosen.
"""

# SPDX-License-Identifier: Apache-2.0

"""The commands: nova-xen-sched and nova-xen-sched-status.

A command, or a family of them, is a folder here, and each an entry point in
``nova_xen_sched.commands``. It may use what stands beside the folders,
cmd.nova and what is below cmd, but no other command's folder. nova and
openstacksdk are imported when a command runs, so that help works without them.
"""

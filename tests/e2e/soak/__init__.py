# SPDX-License-Identifier: Apache-2.0

"""A cloud of real services under load, while all around it breaks.

users.py boots and moves guests; faults.py breaks what nova-scheduler rests
on; memory.py looks at nova-scheduler; causes.py traces each server in ERROR.
"""

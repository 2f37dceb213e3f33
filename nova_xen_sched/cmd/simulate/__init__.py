# SPDX-License-Identifier: Apache-2.0

"""What would happen if more guests were booted: for the command simulate.

Each guest goes the way that nova-scheduler sends it, on copies of the hosts
that were read once; then it is as if the guest were there. Only requests.py,
booking.py and boots.py know nova.
"""

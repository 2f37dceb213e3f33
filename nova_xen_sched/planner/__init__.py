# SPDX-License-Identifier: Apache-2.0

"""Plans of moves: which guests go where, so that no dom0 is overcommitted.

Nothing here knows nova. What nova says of guests and hosts comes in as plain
values (cloud.py), and a plan is a list of moves; whoever asks for one has
nova judge it. Nothing is carried out.
"""

# SPDX-License-Identifier: Apache-2.0

"""``make simulate``: does Dom0HeadroomWeigher decide well?

It runs through nova's own HostWeightHandler, with nova's default weighers and
nova's HostStates; only time, hosts and guests are made up. world.py has the
figures and where they come from.
"""

from tools import before_nova  # noqa: F401

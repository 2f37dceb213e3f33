# SPDX-License-Identifier: Apache-2.0

"""What the whole path is timed as; path.py can't be imported by everyone."""

STOCK = 'nova as it comes'
FILTERED = 'with XenHostFilter'
PLUGIN = 'with XenHostFilter and Dom0HeadroomWeigher'
READ = 'the read of an instance'


def choosing(name: str) -> str:
    """What its filters and weighers alone are timed as."""
    return name + ', filters and weighers'

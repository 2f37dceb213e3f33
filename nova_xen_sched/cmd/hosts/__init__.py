# SPDX-License-Identifier: Apache-2.0

"""host list, host show, capacity: the hosts, and how many guests fit."""

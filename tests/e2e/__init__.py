# SPDX-License-Identifier: Apache-2.0

"""A real OpenStack around the plugin, as processes: make e2e.

services/ starts and ends them, scenarios/ asks something of them, and
report.py tells what happened. inside/ is what runs in the services' own
environments.
"""

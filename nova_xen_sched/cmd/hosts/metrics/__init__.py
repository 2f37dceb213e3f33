# SPDX-License-Identifier: Apache-2.0

"""metrics: what Prometheus is told of Xen hosts.

names.py lists the metrics; collect.py reads them off the cloud, samples.py
makes them of what was read, and text.py writes them.
"""

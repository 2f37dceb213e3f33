# SPDX-License-Identifier: Apache-2.0

"""Alerts and dashboard with Debian's Prometheus: make test-prometheus."""

# SPDX-License-Identifier: Apache-2.0

"""The folder that launcher.py appends to nova.virt.__path__.

nova looks its compute_driver up under nova.virt, and only there.
"""

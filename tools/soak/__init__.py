# SPDX-License-Identifier: Apache-2.0

"""Hostile input at scale: what no cloud should have, very many times.

A case is made of one number, its seed, and of nothing else, so that any that
fails can be run again. tests/e2e has the same for a cloud of real services.
"""

# SPDX-License-Identifier: Apache-2.0

"""What is asked of the two Xen hosts: a module for each chapter."""

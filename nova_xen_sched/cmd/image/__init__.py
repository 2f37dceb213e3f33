# SPDX-License-Identifier: Apache-2.0

"""image check: images that will surprise on Xen hosts."""

# SPDX-License-Identifier: Apache-2.0

"""image check: images that Xen hosts would not run as meant."""

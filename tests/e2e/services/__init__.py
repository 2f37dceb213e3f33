# SPDX-License-Identifier: Apache-2.0

"""The services of a run: each module starts one, and waits for it."""

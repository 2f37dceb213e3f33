# SPDX-License-Identifier: Apache-2.0

"""What is asked of the cloud: each module is one chapter of the report."""

# SPDX-License-Identifier: Apache-2.0

from tools import before_nova  # noqa: F401

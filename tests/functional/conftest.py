# SPDX-License-Identifier: Apache-2.0
"""What pytest does about all of the functional tests."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Not to look through all of nova whenever garbage is collected."""
    gc.collect()
    gc.freeze()

# SPDX-License-Identifier: Apache-2.0

"""What one finding about a Xen host says."""

from __future__ import annotations

import typing as ty

REQUIRED = 'required'
RECOMMENDED = 'recommended'
#: Not counted among the findings that make the exit code 1.
NOTE = 'note'


class Finding(ty.NamedTuple):
    """One thing that differs from the guide.

    :ivar code: names it; stable.
    :ivar level: REQUIRED, RECOMMENDED or NOTE.
    :ivar text: what is so, without a full stop.
    :ivar remedy: what to do, without a full stop.
    """

    code: str
    level: str
    text: str
    remedy: str

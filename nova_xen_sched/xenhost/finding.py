# SPDX-License-Identifier: Apache-2.0

"""One thing in which a Xen host differs from the guide."""

from __future__ import annotations

import dataclasses

REQUIRED = 'required'
RECOMMENDED = 'recommended'
#: Not counted among the findings that make the exit code 1.
NOTE = 'note'


@dataclasses.dataclass(frozen=True)
class Finding:
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

    def as_dict(self) -> dict[str, str]:
        """It as what JSON can hold."""
        return dataclasses.asdict(self)

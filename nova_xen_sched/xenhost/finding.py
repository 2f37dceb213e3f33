# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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

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

"""Types of values that oslo.config lacks."""

from __future__ import annotations

import math
import os
from typing import Any

from oslo_config import types

from nova_xen_sched import versions


class VersionNumber(types.String):
    """A version like 1.2.15; 0 is one too, and means off."""

    def __call__(self, value: Any) -> str:
        text: str = super().__call__(value)
        try:
            versions.parse(text)
        except ValueError:
            raise ValueError(
                '%r is neither a version like 1.2.15 nor 0' % text
            ) from None
        return text


class Path(types.String):
    """An absolute path."""

    def __call__(self, value: Any) -> str:
        text: str = super().__call__(value)
        if text and not os.path.isabs(text):
            raise ValueError('%r is not an absolute path' % text)
        return text


class Number(types.Float):
    """A number between two bounds.

    oslo.config's own lets "nan" through, which is in no order with any bound
    and would make nan of every weight.
    """

    def __call__(self, value: Any) -> float:
        number: float = super().__call__(value)
        if math.isnan(number):
            raise ValueError('%s is not a number' % value)
        return number

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

"""Versions: nova's integers, and the predicates of images."""

from __future__ import annotations

import importlib
from typing import Any

from oslo_utils import versionutils


def _predicate(text: str) -> Any:
    if hasattr(versionutils, 'VersionPredicate'):
        return versionutils.VersionPredicate(text)
    # oslo.utils before 7.4, whose nova uses distutils; that wants a
    # package's name before the parenthesis.
    distutils = importlib.import_module('distutils.versionpredicate')
    return distutils.VersionPredicate('image (%s)' % text)


def from_nova_int(version: int) -> str:
    """nova's integer as text: 4014000 is '4.14.0'."""
    return versionutils.convert_version_to_str(version)


def satisfies(version: str, predicate: str) -> bool:
    """Whether a version satisfies a predicate like '>=4.14,<5'.

    It is read as nova itself reads the image property
    hypervisor_version_requires.

    :raises ValueError: if the predicate can't be read; nova's API refuses
        such images.
    """
    return bool(_predicate(predicate).satisfied_by(version))

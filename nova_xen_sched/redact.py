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

"""Keeps passwords out of what is shown and logged."""

from __future__ import annotations

import logging
import re

#: user:password@ behind the // of a URL. The password may hold an @.
_PASSWORD = re.compile(r'(//[^/?#:@\s]*):[^/?#\s]*@')


def passwords(text: str) -> str:
    """A URL, or any text with some, without the passwords in them."""
    return _PASSWORD.sub(r'\1:***@', text)


class Formatter(logging.Formatter):
    """Formats as another does, and takes the passwords out."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        return passwords(self._formatter.format(record))


def from_logs() -> None:
    """Keep passwords out of what the handlers of now log from here on.

    It holds for every level, as keystoneauth logs the URL of Keystone as it
    was configured, and for tracebacks.
    """
    for handler in logging.getLogger().handlers:
        if not isinstance(handler.formatter, Formatter):
            handler.setFormatter(
                Formatter(handler.formatter or logging.Formatter())
            )

# SPDX-License-Identifier: Apache-2.0

"""The name that was likely meant by one that there isn't."""

from __future__ import annotations

import difflib
import re
import typing as ty


def nearest(name: str, known: ty.Iterable[str]) -> str | None:
    """The known name that is spelled most alike, to be named in a message.

    Upper and lower case are the same. What differs in a digit is another
    thing: xen12 is not meant by xen13.

    :returns: None if there is no such name.
    """
    digits = _digits(name)
    alike = {each.lower(): each for each in known if _digits(each) == digits}
    found = difflib.get_close_matches(name.lower(), alike, 1)
    return alike[found[0]] if found else None


def _digits(name: str) -> list[str]:
    return re.findall('[0-9]+', name)

# SPDX-License-Identifier: Apache-2.0

"""Types of values: oslo.config's, with what each takes in words (allowed)."""

from __future__ import annotations

import os
import re
import typing as ty

from oslo_config import types

from nova_xen_sched import log

#: Characters of a value that an error shows.
MOST_SHOWN = 80


def _worded(kind: ty.Any) -> ty.Any:
    """A type whose errors show the value, cut, and what it takes in words.

    oslo.config's own show a regular expression, or the nearer bound alone.
    """
    read = kind.__call__

    def call(self: ty.Any, value: ty.Any) -> ty.Any:
        try:
            return read(self, value)
        except ValueError:
            raise ValueError(
                '%s; allowed: %s'
                % (log.shown(value, MOST_SHOWN), self.allowed)
            ) from None

    kind.__call__ = call
    return kind


class _Text(types.String):
    """A text without the blanks around it."""

    def __call__(self, value: ty.Any) -> str:
        text: str = super().__call__(str(value).strip())
        return text


@_worded
class Choice(_Text):
    """One of some words, in any case; it is lower case here.

    :param synonyms: other words that are taken, and for which of these.
    """

    def __init__(
        self,
        choices: ty.Sequence[ty.Any],
        synonyms: ty.Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(choices=choices, ignore_case=True)
        self._synonyms = synonyms or {}
        words = list(self.choices or ())
        self.allowed = '%s or %s' % (', '.join(words[:-1]), words[-1])

    def __call__(self, value: ty.Any) -> str:
        word = str(value).strip().lower()
        return super().__call__(self._synonyms.get(word, word)).lower()


@_worded
class Name(_Text):
    """A name.

    :param pattern: of the whole name.
    :param allowed: the same in words.
    """

    def __init__(self, pattern: str, allowed: str) -> None:
        super().__init__(regex=r'^(%s)\Z' % pattern)
        self.allowed = allowed


@_worded
class Path(_Text):
    """An absolute path; None where it is empty."""

    allowed = 'nothing, or an absolute path'

    def __call__(self, value: ty.Any) -> ty.Any:
        text = super().__call__(value)
        if text and not (os.path.isabs(text) and text.isprintable()):
            raise ValueError
        return text or None


@_worded
class Flag(types.Boolean):
    """Yes or no."""

    allowed = ', '.join(
        '%s/%s' % pair
        for pair in zip(types.Boolean.TRUE_VALUES, types.Boolean.FALSE_VALUES)
    )

    def __call__(self, value: ty.Any) -> bool:
        flag: bool = super().__call__(str(value).strip())
        return flag


@_worded
class Number(types.Float):
    """A number between two bounds, in decimal digits.

    oslo.config's own takes an empty text for None, and whatever Python's
    float() takes: "nan", which is in no order with any bound and would make
    nan of every weight, and 1_000.

    :param unit: in which it counts; '' for none.
    """

    _DECIMAL = re.compile(r'[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?')

    def __init__(self, least: float, most: float, unit: str = '') -> None:
        super().__init__(min=least, max=most)
        self.allowed = 'a number%s from %.12g to %.12g' % (
            unit and ' of ' + unit,
            least,
            most,
        )

    def __call__(self, value: ty.Any) -> float:
        text = str(value).strip()
        if not self._DECIMAL.fullmatch(text):
            raise ValueError
        number: float = super().__call__(text)
        return number


@_worded
class List(types.List):
    """A list with commas.

    oslo.config's own tries whether its items are parts of others, which
    takes an hour where a list is long and wrong.

    :param may_be_empty: whether nothing is a list too.
    """

    def __init__(self, item_type: ty.Any, may_be_empty: bool) -> None:
        super().__init__(item_type=item_type)
        self._may_be_empty = may_be_empty
        self.allowed = '%sa list with commas of: %s' % (
            'nothing, or ' if may_be_empty else '',
            item_type.allowed,
        )

    def __call__(self, value: ty.Any) -> list[ty.Any]:
        if isinstance(value, str):
            text = value.strip().rstrip(',').rstrip()
            value = text.split(',') if text else []
        if not (value or self._may_be_empty):
            raise ValueError
        return [self.item_type(each) for each in value]

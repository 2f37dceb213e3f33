# SPDX-License-Identifier: Apache-2.0

"""The plugins' loggers; and what was logged, so that no request repeats it.

A scheduler serves many requests in many threads. The memory of what was said
is bounded, so that it can't grow with the cloud's names.
"""

from __future__ import annotations

import functools
import reprlib
import sys
import threading
import typing as ty

from nova_xen_sched import redact


class _Logger:
    """oslo.log's logger of a module, from its first use on.

    To import oslo.log takes a third of the time of a command's --help.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @functools.cached_property
    def _found(self) -> ty.Any:
        from oslo_log import log as oslo_logging

        found = oslo_logging.getLogger(self._name)
        found.logger.addFilter(redact.FILTER)
        return found

    def __getattr__(self, method: str) -> ty.Any:
        return getattr(self._found, method)


def logger(name: str) -> ty.Any:
    """oslo.log's logger for a module of the plugins."""
    return _Logger(name)


LOG = logger(__name__)

#: Kinds of things remembered; past it, the oldest kind may be said again.
MAX_KINDS = 256
#: Names remembered of one kind; past it, new names go unsaid.
MAX_NAMES = 100000
#: Names that one line shows.
SHOWN = 10
#: Characters of a text that is shown at all.
MAX_TEXT = 1000


class Notices:
    """The memory of what was said."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[ty.Hashable, set[str]] = {}

    def first(self, kind: ty.Hashable) -> bool:
        """Whether this kind of thing was never said before."""
        return self.grown(kind, [''])

    def forget(self, kind: ty.Hashable) -> None:
        """What was said of a kind of thing holds no more."""
        with self._lock:
            self._said.pop(kind, None)

    def grown(self, kind: ty.Hashable, names: ty.Iterable[str]) -> bool:
        """Add names to those of which a kind of thing was said.

        :returns: whether one of the names is new.
        """
        with self._lock:
            known = self._said.setdefault(kind, set())
            if len(self._said) > MAX_KINDS:
                del self._said[next(iter(self._said))]
            before = len(known)
            for name in names:
                if len(known) >= MAX_NAMES:
                    break
                known.add(name)
            return len(known) > before


#: The process's own memory.
NOTICES = Notices()


def unexpected(doing: str) -> None:
    """Log the exception in hand: one traceback per kind, then DEBUG lines.

    :param doing: what was being done and what becomes of it.
    """
    kind, error, trace = sys.exc_info()
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = trace and (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    if NOTICES.first(('unexpected', doing, kind, place)):
        LOG.exception(
            'Unexpected error in nova-xen-sched while %(doing)s. Please '
            'report it; it is logged in full once.',
            {'doing': doing},
        )
    else:
        LOG.debug(
            'Unexpected error again while %(doing)s: %(error)r',
            {'doing': doing, 'error': error},
        )


class _Short(reprlib.Repr):
    def repr_str(self, x: str, level: int) -> str:
        if len(x) > MAX_TEXT and x.isdigit():
            return 'a number of %d digits' % len(x)
        if len(x) > MAX_TEXT:
            return 'text of %d characters' % len(x)
        # Before it is cut, or a part of a password might stay.
        return super().repr_str(redact.passwords(x), level)

    def repr_bool(self, x: bool, level: int) -> str:
        # As YAML and JSON have it.
        return str(x).lower()

    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to write very long ones.
        if x.bit_length() > 1024:
            return 'a number of %d bits' % x.bit_length()
        return super().repr_int(x, level)


def shown(value: ty.Any, most: int = 30) -> str:
    """A value from outside as text that is short whatever it is.

    :param most: characters of a text.
    """
    short = _Short()
    short.maxstring = most
    return short.repr(value)


class Noticed:
    """What was noticed while one request was served, or one file was read.

    It is warned of at its end, in one line for each kind of thing.

    :param by_text: whether another text of a place is a new thing, as of what
        people write; else only another place is.
    """

    def __init__(self, by_text: bool = False) -> None:
        self._by_text = by_text
        self._kinds: dict[ty.Hashable, tuple[str, dict[str, str]]] = {}

    def add(
        self,
        what: str,
        name: str,
        text: str = '',
        kind: ty.Hashable = None,
    ) -> None:
        """Note one of a kind.

        :param what: the kind of thing, as the beginning of a sentence.
        :param name: of a host, or a place; tells one from another.
        :param text: what to say of it; by default its name. A value that
            changes belongs in here, or each change is new.
        :param kind: by default the words of what.
        """
        _, found = self._kinds.setdefault(kind or what, (what, {}))
        found[name] = text or name

    def read(
        self,
        parse: ty.Callable[[ty.Any], ty.Any],
        raw: ty.Any,
        source: str,
        place: str,
    ) -> ty.Any:
        """Read a value of a fact; None, and a note, if it can't be.

        :param parse: as of facts.FactName.
        :param source: where it stood, in general.
        :param place: and in particular.
        """
        try:
            return parse(raw)
        except ValueError as e:
            self.add(
                "Facts from %s that can't be read, and are unknown" % source,
                place,
                '%s: %s, %s' % (place, shown(raw), e),
            )
            return None

    @property
    def texts(self) -> list[str]:
        """All of it, one sentence each."""
        each = [found.values() for _, found in self._kinds.values()]
        return [text for texts in each for text in texts]

    def warn(self, again: bool = False) -> None:
        """Warn of it: one line a kind.

        Whatever that ends in, what was decided counts.

        :param again: also where all of a kind was said before; else only what
            is new is a reason to.
        """
        try:
            for kind, (what, found) in self._kinds.items():
                new = found.values() if self._by_text else found
                if again or NOTICES.grown(kind, new):
                    # What was said before may be mended by now.
                    names = sorted(found)[:SHOWN]
                    LOG.warning(
                        '%(what)s (%(count)d): %(each)s%(more)s',
                        {
                            'what': what,
                            'count': len(found),
                            'each': '; '.join(found[name] for name in names),
                            'more': '; ...' if len(found) > SHOWN else '',
                        },
                    )
        except Exception:  # noqa: BLE001  nothing may reach nova
            unexpected('logging what was noticed; the decision stands')

# SPDX-License-Identifier: Apache-2.0

"""What a facts file says: from its bytes to each host's facts."""

from __future__ import annotations

import functools
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched.facts import pattern
from nova_xen_sched.facts import read_yaml
from nova_xen_sched.nearest import nearest

VERSION = 1
#: Names whose pattern is remembered; a cloud has fewer hosts.
_MAX_KNOWN = 100000
#: Characters of a host's name that is shown as it is.
_LONGEST_SHOWN = 100
_SECTIONS = ('version', 'defaults', 'patterns', 'hosts')
_FACTS = tuple(facts.BY_NAME)


class FileError(ValueError):
    """A facts file can't be used as a whole; says what is wrong with it."""


class Table:
    """The facts of a file, to be looked up by host."""

    def __init__(self) -> None:
        self.defaults: facts.Raw = {}
        #: Each with its number among the entries of the file, from 1 on.
        self.patterns: list[tuple[int, ty.Pattern[str], facts.Raw]] = []
        self.hosts: dict[str, facts.Raw] = {}
        #: What is wrong with it, and was warned of.
        self.wrong: list[str] = []
        # What is read never changes. A hundred patterns took 50 us a host.
        self._match = functools.lru_cache(_MAX_KNOWN)(self._first_match)

    def of(self, host: str, node: str) -> facts.Raw:
        """The facts of a host: its own, its pattern's, the defaults.

        :param host: nova's name of the host.
        :param node: nova's name of the node, looked up where the host's is
            not in the file.
        """
        host, node = host.lower(), node.lower()
        own = self.hosts.get(host, self.hosts.get(node, {}))
        matched = self._match(host)
        if matched is None:
            matched = self._match(node) or {}
        return {**self.defaults, **matched, **own}

    def _first_match(self, name: str) -> facts.Raw | None:
        for _, compiled, raw in self.patterns:
            if compiled.fullmatch(name):
                return raw
        return None


def load(content: bytes, path: str) -> Table:
    """Read a facts file.

    What is wrong with one value is said in a warning, each time, and that
    value is unknown.

    :param path: where the content stood, for what is said of it.
    :raises FileError: if the file can't be used as a whole.
    """
    try:
        data = read_yaml.parse(content)
    except read_yaml.YamlError as e:
        raise FileError(str(e)) from None
    if not isinstance(data, dict):
        raise FileError('it is not a mapping that begins with version: 1')
    if 'version' not in data:
        raise FileError('it does not say version: %d' % VERSION)
    version = data['version']
    if version != VERSION or isinstance(version, bool):
        raise FileError(
            'it says version: %s, not version: %d'
            % (log.shown(version), VERSION)
        )
    reader = _Reader(path)
    for key in data:
        if key not in _SECTIONS:
            reader.ignore(
                log.shown(key),
                'there is no such section' + _meant(key, _SECTIONS),
            )
    table = Table()
    table.defaults = reader.facts(data.get('defaults'), 'defaults')
    for number, entry in enumerate(_section(data, 'patterns', list), 1):
        where = 'patterns, entry %d' % number
        found = dict(entry) if isinstance(entry, dict) else {}
        match = found.pop('match', None)
        if not isinstance(match, str):
            reader.ignore(where, 'it needs match: "a shell pattern"')
            continue
        try:
            compiled = pattern.compiled(match.lower())
        except ValueError as e:
            reader.ignore(where, 'match: %s' % e)
            continue
        table.patterns.append((number, compiled, reader.facts(found, where)))
    for host, entry in _section(data, 'hosts', dict).items():
        if host.lower() in table.hosts:
            raise FileError(_named_twice(host, data['hosts']))
        table.hosts[host.lower()] = reader.facts(entry, _place(host))
    reader.noticed.warn(again=True)
    table.wrong = reader.noticed.texts
    return table


def _named_twice(host: str, hosts: ty.Iterable[str]) -> str:
    first = next(each for each in hosts if each.lower() == host.lower())
    return (
        'host %s is named twice, first as %s: upper and lower case are the '
        'same' % (log.shown(host), log.shown(first))
    )


def _place(host: str) -> str:
    is_plain = len(host) <= _LONGEST_SHOWN and host.isprintable()
    return 'hosts, %s' % (host if is_plain else log.shown(host))


# A name that is wrong at each of 10000 hosts took a second.
@functools.lru_cache(maxsize=128)
def _meant(name: str, known: tuple[str, ...]) -> str:
    """The known name that is nearest to one that is none, as an addition."""
    near = nearest(name, known)
    return ' (nearest: %s)' % near if near else ''


def _section(data: ty.Any, name: str, kind: type) -> ty.Any:
    section = data.get(name)
    if section is None:
        return kind()
    if not isinstance(section, kind):
        raise FileError(
            '%s is not a mapping: write "name:" for each, without a dash'
            % name
            if kind is dict
            else '%s is not a list: write "- match:" for each' % name
        )
    return section


class _Reader:
    """Reads the entries of a file, and notes what is wrong inside."""

    def __init__(self, path: str) -> None:
        self.noticed = log.Noticed()
        self._path = path

    def ignore(self, where: str, what: str) -> None:
        self.noticed.add(
            'Ignored in the facts file ' + self._path,
            '%s: %s' % (where, what),
        )

    def facts(self, entry: ty.Any, where: str) -> facts.Raw:
        """The facts of one entry that can be read."""
        if entry is not None and not isinstance(entry, dict):
            self.ignore(
                where, 'it is not a mapping of facts, such as dom0_vcpus: 4'
            )
            entry = None
        raw: facts.Raw = {}
        for key, value in (entry or {}).items():
            name = facts.BY_NAME.get(key)
            if name is None:
                what = 'there is no fact %s' % log.shown(key)
                self.ignore(where, what + _meant(key, _FACTS))
            elif value is not None:
                place = '%s of %s' % (name.name, where)
                readable = self.noticed.read(
                    name.parse, value, 'the file ' + self._path, place
                )
                if readable is not None:
                    raw[name.name] = value
        return raw

# SPDX-License-Identifier: Apache-2.0

"""What a facts file says: from its bytes to each host's facts."""

from __future__ import annotations

import fnmatch
import functools
import re
import typing as ty

import yaml

from nova_xen_sched import facts
from nova_xen_sched import log

VERSION = 1
#: A good file has four levels.
MAX_DEPTH = 20
#: Names whose pattern is remembered; a cloud has fewer hosts.
_MAX_KNOWN = 100000
_SECTIONS = ('version', 'defaults', 'patterns', 'hosts')


class TableError(ValueError):
    """The file is broken as a whole; says what is wrong with it."""


#: The safe loader; in C where PyYAML was built so: 10000 hosts were read in
#: 2.2 s instead of 9.3 s.
SAFE_LOADER: ty.Any = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)


class _Loader(SAFE_LOADER):
    """The safe loader, but a key that stands twice is an error."""

    def construct_mapping(self, node: ty.Any, deep: bool = False) -> ty.Any:
        seen = set()
        if not isinstance(node, yaml.MappingNode):
            raise yaml.constructor.ConstructorError(
                None, None, 'this is not a mapping', node.start_mark
            )
        for key_node, _ in node.value:
            key = key_node.value
            if isinstance(key, str) and key != '<<':
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        '%r stands there twice' % key,
                        key_node.start_mark,
                    )
                seen.add(key)
        return super().construct_mapping(node, deep)


class Table:
    """The facts of a file, to be looked up by host."""

    def __init__(self) -> None:
        self.defaults: facts.Raw = {}
        self.patterns: list[tuple[ty.Pattern[str], facts.Raw]] = []
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
        for pattern, raw in self.patterns:
            if pattern.fullmatch(name):
                return raw
        return None


def load(content: bytes, path: str) -> Table:
    """Read a facts file.

    What is wrong with one value is said in a warning, and that value is
    unknown.

    :param path: where the content stood, for what is said of it.
    :raises TableError: if the file can't be used as a whole.
    """
    data = parse(content)
    if not isinstance(data, dict):
        raise TableError('it is not a mapping that begins with version: 1')
    version = data.get('version')
    if version != VERSION or isinstance(version, bool):
        raise TableError(
            'it says version: %s, not version: %d'
            % (log.shown(version), VERSION)
        )
    reader = _Reader(path)
    for key in data:
        if key not in _SECTIONS:
            reader.ignore(log.shown(key), 'there is no such section')
    table = Table()
    table.defaults = reader.facts(data.get('defaults'), 'defaults')
    for number, entry in enumerate(_section(data, 'patterns', list), 1):
        where = 'patterns, entry %d' % number
        found = dict(entry) if isinstance(entry, dict) else {}
        match = found.pop('match', None)
        if not isinstance(match, str):
            reader.ignore(where, 'it needs match: "a shell pattern"')
            continue
        pattern = re.compile(fnmatch.translate(match.lower()))
        table.patterns.append((pattern, reader.facts(found, where)))
    for host, entry in _section(data, 'hosts', dict).items():
        if not isinstance(host, str):
            where = 'hosts, %s' % log.shown(host)
            reader.ignore(where, 'the name of a host needs quotes here')
            continue
        if host.lower() in table.hosts:
            raise TableError('host %s stands there twice' % log.shown(host))
        table.hosts[host.lower()] = reader.facts(entry, 'hosts, ' + host)
    reader.noticed.warn()
    table.wrong = reader.noticed.texts
    return table


def parse(content: bytes) -> ty.Any:
    """What YAML makes of a facts file, whatever it is.

    :raises TableError: if it makes nothing of it.
    """
    try:
        _refuse_deep(content)
        return yaml.load(content, _Loader)  # noqa: S506  it is a safe one
    except yaml.YAMLError as e:
        for mark in vars(e).values():
            if getattr(mark, 'buffer', None):
                # The loader in Python would quote the file, which may be
                # another one, and a password with it.
                mark.buffer = None
        raise TableError(' '.join(str(e).split())) from e
    except TableError:
        raise
    except Exception as e:
        # Such as a date that YAML's grammar allows and Python doesn't.
        raise TableError(
            '%s: %s' % (type(e).__name__, ' '.join(str(e).split()))
        ) from e


def _refuse_deep(content: bytes) -> None:
    """The loader in C recurses without limit, and takes the process down."""
    depth = 0
    for event in yaml.parse(content, SAFE_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise TableError('it is nested deeper than %d' % MAX_DEPTH)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _section(data: ty.Any, name: str, kind: type) -> ty.Any:
    section = data.get(name)
    if section is None:
        return kind()
    if not isinstance(section, kind):
        raise TableError(
            '%s is not a %s' % (name, 'mapping' if kind is dict else 'list')
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
            self.ignore(where, 'it is not a mapping of facts')
            entry = None
        raw: facts.Raw = {}
        for key, value in (entry or {}).items():
            name = facts.BY_NAME.get(key) if isinstance(key, str) else None
            if name is None:
                self.ignore(where, 'there is no fact %s' % log.shown(key))
            elif value is not None:
                place = '%s of %s' % (name.name, where)
                readable = self.noticed.read(
                    name.parse, value, 'the file ' + self._path, place
                )
                if readable is not None:
                    raw[name.name] = value
        return raw

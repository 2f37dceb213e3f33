# SPDX-License-Identifier: Apache-2.0

"""Facts put into a facts file without losing what stands there.

The file is edited as text, so that comments and order stay. Each fact that is
put in gets a line that ends in MARK. Such a line is ours: it is replaced, or
removed once the host doesn't report that fact any more. Every other line is a
person's and stays as it is, also where the host says otherwise. What comes
out is read again and compared with what it should say; if it differs, nothing
is written.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as ty

import yaml

from nova_xen_sched import facts
from nova_xen_sched.cmd import installed
from nova_xen_sched.facts import file
from nova_xen_sched.facts import parse_file
from nova_xen_sched.facts import read_yaml

#: The comment on each line of ours.
MARK = '# exported'
UNSAFE = (
    "it can't be edited safely as it is written (%s). Write each host's facts "
    'in lines of their own, as the example '
    + installed.where('host-facts.yaml').replace('%', '%%')
    + ' has them'
)

_NEW = (
    """\
# Facts about Xen hosts, for [xen_scheduler] host_facts_file.
# Lines that end in "%s" are replaced by `nova-xen-sched facts export';
# take the comment away from a line, and it stays as it is.
version: 1

hosts:
"""
    % MARK
)
_PLAIN_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_.-]*', re.ASCII)

#: By name of the host, the facts that it reports.
_Reported = ty.Mapping[str, facts.Raw]


class Kept(ty.NamedTuple):
    """A fact that a person wrote and that the host reports otherwise."""

    host: str
    fact: str
    written: ty.Any
    reported: ty.Any


@dataclasses.dataclass(frozen=True)
class Edited:
    """The new text of a facts file.

    :ivar kept: what of it is as a person wrote it, for that reason.
    :ivar hidden: what a person wrote in a pattern or as a default, and what
        now wins over it.
    :ivar alike: (host, entry): the file has an entry too that may be of the
        same host, with or without its domain.
    """

    text: str
    kept: ty.Tuple[Kept, ...] = ()
    hidden: ty.Tuple[Kept, ...] = ()
    alike: ty.Tuple[ty.Tuple[str, str], ...] = ()


def edited(text: str | None, reported: _Reported, path: str = 'new') -> Edited:
    """Put facts into a facts file.

    :param text: of the file, None if there is none yet.
    :param reported: by name of the host, the facts that it reports.
    :param path: of the file, for what is said of it.
    :raises file.FileError: if the file is broken, or written in a way in
        which it can't be edited safely.
    """
    if text is None or not text.strip():
        text = _NEW
    try:
        old = parse_file.load(text.encode(), path)
    except file.FileError as e:
        raise file.FileError('it is broken: %s' % e) from e
    data = read_yaml.parse(text.encode())
    edit = _Edit(text, data.get('hosts') or {})
    edit.put(reported)
    result = edit.result().encode()
    try:
        found = read_yaml.parse(result)
    except read_yaml.YamlError as e:
        raise file.FileError(UNSAFE % e) from e
    if _normal(found) != _normal({**data, 'hosts': edit.hosts}):
        raise file.FileError(UNSAFE % 'it would not say what it should')
    return Edited(
        result.decode(),
        tuple(edit.kept),
        tuple(_hidden(old, parse_file.load(result, path), reported)),
        tuple(_alike(old, reported)),
    )


def _normal(data: ty.Any) -> ty.Any:
    """An empty entry of a host is as good as none with nothing in it."""
    hosts = data.get('hosts') or {}
    return {**data, 'hosts': {key: hosts[key] or {} for key in hosts}}


def _hidden(
    old: parse_file.Table, new: parse_file.Table, reported: _Reported
) -> ty.Iterator[Kept]:
    for host in sorted(reported):
        after = new.of(host, host)
        own = old.hosts.get(host.lower(), {})
        for fact, before in old.of(host, host).items():
            if fact not in own and not same(fact, before, after[fact]):
                yield Kept(host, fact, before, after[fact])


def _alike(
    old: parse_file.Table, reported: _Reported
) -> ty.Iterator[ty.Tuple[str, str]]:
    by_label: dict[str, list[str]] = {}
    for entry in old.hosts:
        by_label.setdefault(entry.partition('.')[0], []).append(entry)
    names = {host.lower() for host in reported}
    for host in sorted(reported):
        for entry in by_label.get(host.lower().partition('.')[0], ()):
            # Two that have a domain each are two hosts.
            if entry not in names and ('.' in entry) != ('.' in host):
                yield host, entry


def same(fact: str, written: ty.Any, reported: ty.Any) -> bool:
    """Whether two values of a fact mean the same."""
    parse = facts.BY_NAME[fact].parse
    try:
        return bool(parse(written) == parse(reported))
    except ValueError:
        return False


class _Edit:
    """One editing of a text.

    :param hosts: what the text says of hosts.
    :ivar hosts: what it shall say of them then.
    """

    def __init__(self, text: str, hosts: ty.Mapping[str, ty.Any]) -> None:
        self.hosts = dict(hosts)
        self.kept: ty.List[Kept] = []
        self._text = text
        #: start, end, what comes in its place
        self._edits: ty.List[ty.Tuple[int, int, str]] = []
        root = yaml.compose(text, Loader=read_yaml.SAFE_LOADER)
        if root.flow_style:
            raise file.FileError(UNSAFE % 'all of it is within braces')
        self._section = None
        for key, value in root.value:
            if key.value == 'hosts':
                self._section = key, value
                if _pairs(value) and value.flow_style:
                    raise file.FileError(UNSAFE % 'hosts is within braces')

    def put(self, reported: _Reported) -> None:
        """Put in the facts of hosts."""
        section = _pairs(self._section[1]) if self._section else ()
        entries = {key.value.lower(): (key, value) for key, value in section}
        new = []
        for host in sorted(reported):
            if host.lower() in entries:
                self._update(
                    host, dict(reported[host]), *entries[host.lower()]
                )
            else:
                new.append(host)
        if not new:
            return
        if self._section:
            at, indent = self._room(*self._section)
        else:
            at, indent = len(self._text.rstrip('\n')), 2
            self._edits.append((at, at, '\n\nhosts:'))
        for host in new:
            self.hosts[host] = dict(reported[host])
            first = '%s%s:\n' % (' ' * indent, _name(host))
            self._insert(at, first + _lines(reported[host], indent + 2))

    def result(self) -> str:
        """The text with all edits."""
        text = self._text
        # From the end, so that offsets stay true; of two at one place, the
        # first comes first.
        for start, end, new in sorted(self._edits, key=lambda each: each[:2])[
            ::-1
        ]:
            text = text[:start] + new + text[end:]
        return text if text.endswith('\n') else text + '\n'

    def _update(
        self, host: str, missing: facts.Raw, key: ty.Any, value: ty.Any
    ) -> None:
        """Put in the facts of a host that has an entry.

        :param missing: its facts; those that are there are taken out of it.
        """
        own = self.hosts[key.value]
        if own is not None and not isinstance(own, dict):
            raise file.FileError(UNSAFE % ('host %s is no mapping' % host))
        own = self.hosts[key.value] = dict(own or {})
        if value.start_mark.index < key.end_mark.index:
            raise file.FileError(
                UNSAFE % ('host %s is written as an alias' % host)
            )
        at, indent = self._room(key, value)
        if _pairs(value) and value.flow_style:
            self._unfold(host, value, at, indent)
        else:
            self._replace_ours(own, missing, value)
        for fact in sorted(missing.keys() & own.keys()):
            found = missing.pop(fact)
            if not same(fact, own[fact], found):
                self.kept.append(Kept(host, fact, own[fact], found))
        own.update(missing)
        self._insert(at, _lines(missing, indent))

    def _replace_ours(
        self, own: facts.Raw, missing: facts.Raw, entry: ty.Any
    ) -> None:
        """Replace our lines; remove those of what is not reported any more.

        :param own: the facts that the entry shall have.
        """
        for key, value in _pairs(entry):
            fact = key.value
            start = self._text.rfind('\n', 0, key.start_mark.index) + 1
            end = self._line_end(value.end_mark.index)
            behind = self._text[value.end_mark.index : end].strip()
            if behind != MARK or fact not in facts.BY_NAME:
                continue
            if fact in missing:
                own[fact] = missing.pop(fact)
                line = _lines({fact: own[fact]}, key.start_mark.column)
                self._edits.append((start, end, line.rstrip('\n')))
            else:
                del own[fact]
                self._edits.append((start, end + 1, ''))

    def _unfold(self, host: str, entry: ty.Any, at: int, indent: int) -> None:
        """host: {a: 1, b: 2} as lines of their own, with what was there."""
        start, end = entry.start_mark.index, entry.end_mark.index
        if '\n' in self._text[start:end]:
            raise file.FileError(UNSAFE % ('host %s is within braces' % host))
        for key, value in entry.value:
            pair = self._text[key.start_mark.index : value.end_mark.index]
            self._insert(at, ' ' * indent + pair)

    def _room(self, key: ty.Any, value: ty.Any) -> ty.Tuple[int, int]:
        """Where new lines of a mapping go, and their indentation."""
        pairs = _pairs(value)
        if pairs and not value.flow_style:
            column = pairs[0][0].start_mark.column
            return self._line_end(_end(value)), column
        # Nothing behind the key, or ~, null, {}; or braces, which go.
        start, end = value.start_mark.index, value.end_mark.index
        self._edits.append((start, end, ''))
        return self._line_end(end), key.start_mark.column + 2

    def _insert(self, at: int, lines: str) -> None:
        """Put lines behind the one that ends at an offset."""
        if lines:
            self._edits.append((at, at, '\n' + lines.rstrip('\n')))

    def _line_end(self, index: int) -> int:
        end = self._text.find('\n', index)
        return len(self._text) if end < 0 else end


def _pairs(node: ty.Any) -> ty.Any:
    """What a mapping has; nothing if it is something else."""
    return node.value if isinstance(node, yaml.MappingNode) else ()


def _end(node: ty.Any) -> int:
    """Where what a node says ends; a block's own mark is behind comments."""
    pairs = _pairs(node)
    if pairs and not node.flow_style:
        return _end(pairs[-1][1])
    return int(node.end_mark.index)


def _name(host: str) -> str:
    """A host's name as YAML."""
    if _PLAIN_NAME.fullmatch(host) and yaml.safe_load(host) == host:
        return host
    quoted: str = yaml.safe_dump(host, default_style='"', width=10**6)
    return quoted.rstrip('\n')


def _lines(found: facts.Raw, indent: int) -> str:
    """Facts as lines of ours, in the order of facts.NAMES.

    Versions and times are in quotes.
    """
    return ''.join(
        '%s%s: %s  %s\n'
        % (' ' * indent, name.name, json.dumps(found[name.name]), MARK)
        for name in facts.NAMES
        if name.name in found
    )

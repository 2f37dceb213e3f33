# SPDX-License-Identifier: Apache-2.0

"""The text of a facts file, edited so that what persons wrote stays."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import typing as ty

import yaml

from nova_xen_sched import facts
from nova_xen_sched.facts import parse_file

#: The comment on each line of ours.
MARK = '# exported'

_PLAIN_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_.-]*', re.ASCII)


UNSAFE = (
    "it can't be edited safely as it is written (%s). Write each host's facts "
    'in lines of their own, as the example in etc/nova_xen_sched has them'
)


class MergeError(ValueError):
    """The file can't be edited; says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Kept:
    """A fact that a person wrote and that the host states otherwise."""

    host: str
    fact: str
    written: ty.Any
    stated: ty.Any


def _value(value: ty.Any) -> str:
    """A value as YAML; versions and times in quotes."""
    return json.dumps(value)


def _name(host: str) -> str:
    """A host's name as YAML."""
    if _PLAIN_NAME.fullmatch(host) and yaml.safe_load(host) == host:
        return host
    quoted: str = yaml.safe_dump(host, default_style='"', width=10**6)
    return quoted.rstrip('\n')


class Editing:
    """One editing of a text.

    :ivar expected: the data that the new text must hold.
    """

    def __init__(self, text: str, data: ty.Any) -> None:
        self.result = text
        self.expected = copy.deepcopy(data)
        self.kept: ty.List[Kept] = []
        self._text = text
        #: start, end, what comes in its place
        self._edits: ty.List[ty.Tuple[int, int, str]] = []
        self._new: ty.List[str] = []
        if self.expected.get('hosts') is None:
            self.expected['hosts'] = {}
        self._root = yaml.compose(text, Loader=parse_file.SAFE_LOADER)
        self._section = self._find_section()
        self._entries = {}
        if self._section and isinstance(self._section[1], yaml.MappingNode):
            self._entries = {
                key.value.lower(): (key, value)
                for key, value in self._section[1].value
            }

    def _find_section(self) -> ty.Tuple[ty.Any, ty.Any] | None:
        if self._root.flow_style:
            raise MergeError(UNSAFE % 'all of it is within braces')
        for key, value in self._root.value:
            if key.value == 'hosts':
                flow = isinstance(value, yaml.MappingNode) and value.flow_style
                if flow and value.value:
                    raise MergeError(UNSAFE % 'hosts is within braces')
                return key, value
        return None

    def put(self, host: str, stated: facts.Raw) -> None:
        """Put in the facts of one host."""
        entry = self._entries.get(host.lower())
        if entry is None:
            self.expected['hosts'][host] = dict(stated)
            self._new.append(host)
            return
        key, value = entry
        if key.value not in self.expected['hosts']:
            raise MergeError(UNSAFE % ('host %s needs quotes' % host))
        own = self.expected['hosts'][key.value]
        if own is None or isinstance(own, dict):
            own = self.expected['hosts'][key.value] = dict(own or {})
        if isinstance(value, yaml.MappingNode) and value.value:
            if value.start_mark.index < key.end_mark.index:
                raise MergeError(
                    UNSAFE % ('host %s is written as an alias' % host)
                )
            if value.flow_style:
                self._unfold(host, key, value)
                lines = self._unwritten(host, own, dict(stated))
                at = self._line_end(value.end_mark.index)
                indent = key.start_mark.column + 2
            else:
                lines = self._in_block(host, own, stated, value)
                at = self._line_end(_end(value))
                indent = value.value[0][0].start_mark.column
        elif own:
            raise MergeError(UNSAFE % ('host %s is no mapping' % host))
        else:
            # host: with nothing behind it, or ~, null, {}
            self._edits.append(
                (value.start_mark.index, value.end_mark.index, '')
            )
            lines = dict(stated)
            at = self._line_end(value.end_mark.index)
            indent = key.start_mark.column + 2
        own.update(lines)
        self._insert(at, _lines(lines, indent))

    def _in_block(
        self, host: str, own: facts.Raw, stated: facts.Raw, entry: ty.Any
    ) -> facts.Raw:
        """Replace and remove our lines.

        :param own: the facts that the entry shall have; what goes is taken
            out of it.
        :returns: the facts that are not there yet.
        """
        missing = dict(stated)
        for key, value in entry.value:
            fact = key.value
            start = self._line_start(key.start_mark.index)
            end = self._line_end(value.end_mark.index)
            behind = self._text[value.end_mark.index : end].strip()
            if behind != MARK or fact not in facts.BY_NAME:
                continue
            if fact not in stated:
                del own[fact]
                self._edits.append((start, min(end + 1, len(self._text)), ''))
            else:
                own[fact] = missing.pop(fact)
                line = _lines({fact: own[fact]}, key.start_mark.column)
                self._edits.append((start, end, line.rstrip('\n')))
        return self._unwritten(host, own, missing)

    def _unwritten(
        self, host: str, own: facts.Raw, missing: facts.Raw
    ) -> facts.Raw:
        """Of what would be added, what no person wrote."""
        for fact in sorted(set(missing) & set(own)):
            said = missing.pop(fact)
            if not same(fact, own[fact], said):
                self.kept.append(Kept(host, fact, own[fact], said))
        return missing

    def _unfold(self, host: str, key: ty.Any, value: ty.Any) -> None:
        """host: {a: 1, b: 2} as lines of their own, with what was there."""
        start, end = value.start_mark.index, value.end_mark.index
        if '\n' in self._text[start:end]:
            raise MergeError(UNSAFE % ('host %s is within braces' % host))
        pairs = [
            self._text[name.start_mark.index : each.end_mark.index]
            for name, each in value.value
        ]
        indent = ' ' * (key.start_mark.column + 2)
        self._edits.append((start, end, ''))
        self._insert(
            self._line_end(end),
            ''.join('%s%s\n' % (indent, pair) for pair in pairs),
        )

    def _insert(self, at: int, lines: str) -> None:
        """Put lines behind the one that ends at an offset."""
        if lines:
            self._edits.append((at, at, '\n' + lines.rstrip('\n')))

    def finish(self) -> None:
        """Add the new hosts, and make all edits."""
        if self._new:
            self._add_hosts()
        # From the end, so that offsets stay true; of two at one place, the
        # first comes first.
        text = self._text
        numbered = list(enumerate(self._edits))
        for _, (start, end, new) in sorted(
            numbered, key=lambda each: (each[1][0], each[1][1], each[0])
        )[::-1]:
            text = text[:start] + new + text[end:]
        if not text.endswith('\n'):
            text += '\n'
        self.result = text

    def _add_hosts(self) -> None:
        if self._section is None:
            at, indent = len(self._text.rstrip('\n')), 2
            self._edits.append((at, at, '\n\nhosts:'))
        else:
            key, value = self._section
            if self._entries:
                first = value.value[0][0]
                at = self._line_end(_end(value))
                indent = first.start_mark.column
            else:
                self._edits.append(
                    (value.start_mark.index, value.end_mark.index, '')
                )
                at = self._line_end(value.end_mark.index)
                indent = key.start_mark.column + 2
        for host in self._new:
            stated = self.expected['hosts'][host]
            self._insert(
                at,
                '%s%s:\n%s'
                % (' ' * indent, _name(host), _lines(stated, indent + 2)),
            )

    def _line_start(self, index: int) -> int:
        return self._text.rfind('\n', 0, index) + 1

    def _line_end(self, index: int) -> int:
        end = self._text.find('\n', index)
        return len(self._text) if end < 0 else end


def _end(node: ty.Any) -> int:
    """Where what a node says ends; a block's own mark is behind comments."""
    block = isinstance(node, yaml.MappingNode) and not node.flow_style
    if block and node.value:
        return _end(node.value[-1][1])
    return int(node.end_mark.index)


def _lines(stated: facts.Raw, indent: int) -> str:
    """Facts as lines of ours, in the order of facts.NAMES."""
    return ''.join(
        '%s%s: %s  %s\n'
        % (' ' * indent, name.name, _value(stated[name.name]), MARK)
        for name in facts.NAMES
        if name.name in stated
    )


def same(fact: str, written: ty.Any, said: ty.Any) -> bool:
    parse = facts.BY_NAME[fact].parse
    try:
        return bool(parse(written) == parse(said))
    except ValueError:
        return False

# SPDX-License-Identifier: Apache-2.0

"""Facts put into a facts file without losing what stands there.

The file is edited as text, so that comments and order stay. Each fact that is
put in gets a line that ends in MARK. Such a line is ours: it is replaced, or
removed once the host doesn't state that fact any more. Every other line is a
person's and stays as it is, also where the host says otherwise. What comes
out is read again and compared with what it should say; if it differs, nothing
is written.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched.cmd.facts import edit_file
from nova_xen_sched.cmd.facts.edit_file import Kept
from nova_xen_sched.cmd.facts.edit_file import MergeError
from nova_xen_sched.cmd.facts.edit_file import UNSAFE
from nova_xen_sched.facts import parse_file

_NEW = (
    """\
# Facts about Xen hosts, for [xen_scheduler] host_facts_file.
# Lines that end in "%s" are replaced by `nova-xen-sched facts export';
# take the comment away from a line, and it stays as it is.
version: 1

hosts:
"""
    % edit_file.MARK
)


@dataclasses.dataclass(frozen=True)
class Merged:
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


def merged(
    text: str | None, stated: ty.Mapping[str, facts.Raw], path: str = 'new'
) -> Merged:
    """Put facts into a facts file.

    :param text: of the file, None if there is none yet.
    :param stated: name of the host -> the facts that it states.
    :param path: of the file, for what is said of it.
    :raises MergeError: if the file is broken, or written in a way in which
        it can't be edited safely.
    """
    if text is None or not text.strip():
        text = _NEW
    try:
        before = parse_file.parse(text.encode())
        old = parse_file.load(text.encode(), path)
    except parse_file.TableError as e:
        raise MergeError('it is broken: %s' % e) from e
    edit = edit_file.Editing(text, before)
    for host in sorted(stated):
        edit.put(host, stated[host])
    edit.finish()
    _verify(edit.result, edit.expected)
    new = parse_file.load(edit.result.encode(), path)
    return Merged(
        edit.result,
        tuple(edit.kept),
        tuple(_hidden(old, new, stated)),
        tuple(_alike(old, stated)),
    )


def _hidden(
    old: parse_file.Table,
    new: parse_file.Table,
    stated: ty.Mapping[str, facts.Raw],
) -> ty.Iterator[Kept]:
    for host in sorted(stated):
        before, after = old.of(host, host), new.of(host, host)
        own = old.hosts.get(host.lower(), {})
        for fact in before:
            if fact in own:
                continue
            if not edit_file.same(fact, before[fact], after[fact]):
                yield Kept(host, fact, before[fact], after[fact])


def _alike(
    old: parse_file.Table, stated: ty.Mapping[str, facts.Raw]
) -> ty.Iterator[ty.Tuple[str, str]]:
    by_label: dict[str, list[str]] = {}
    for entry in old.hosts:
        by_label.setdefault(entry.partition('.')[0], []).append(entry)
    said = {host.lower() for host in stated}
    for host in sorted(stated):
        for entry in by_label.get(host.lower().partition('.')[0], ()):
            # Two that have a domain each are two hosts.
            if entry not in said and ('.' in entry) != ('.' in host):
                yield host, entry


def _verify(text: str, expected: ty.Any) -> None:
    try:
        says = parse_file.parse(text.encode())
    except parse_file.TableError as e:
        raise MergeError(UNSAFE % e) from e
    if _normal(says) != _normal(expected):
        raise MergeError(UNSAFE % 'it would not say what it should')


def _normal(data: ty.Any) -> ty.Any:
    """An empty entry of a host is as good as none with nothing in it."""
    hosts = data.get('hosts') or {}
    return {**data, 'hosts': {key: hosts[key] or {} for key in hosts}}

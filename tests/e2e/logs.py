# SPDX-License-Identifier: Apache-2.0

"""What must not stand in any log."""

from __future__ import annotations

import collections
import re
import typing as ty

if ty.TYPE_CHECKING:
    from tests.e2e.controllers import Controllers

#: oslo.log repeats the line's beginning before each line of a traceback.
_TRACEBACK = 'Traceback (most recent call last)'
_OURS = 'nova_xen_sched'
_SURPRISE = 'Unexpected error in nova-xen-sched'


def _tracebacks(log: str) -> ty.Iterator[tuple[str, str]]:
    """Each in one piece, and the line that it belongs to.

    That line has the request. Those that one exception caused in another are
    pieces of their own, with the same line.
    """
    lines = log.split('\n')
    for start, line in enumerate(lines):
        at = line.find(_TRACEBACK)
        if at < 0:
            continue
        begins = line[:at]
        piece = [line[at:]]
        for following in lines[start + 1 :]:
            # Another worker's, written to the same log meanwhile.
            if not following.startswith(begins):
                continue
            text = following[at:]
            if begins and not text:
                break
            piece.append(text)
            # The last line, which names the exception, isn't indented.
            if text and not text.startswith((' ', '^')):
                break
        yield _owner(lines, start, begins), '\n'.join(piece)


#: How the line of a traceback says its request, or that it has none.
_REQUEST = re.compile(r'\[(?:[^]]*req-|-)')


def _owner(lines: list[str], start: int, begins: str) -> str:
    """The nearest line above that says its request, and begins so."""
    for line in reversed(lines[max(0, start - 300) : start]):
        if line.startswith(begins) and _REQUEST.search(line):
            return line
    return ''


#: Who asked: the frame nearest to where it was raised is the last.
_ASKED = re.compile(r'File "[^"]*/(nova|%s)/' % _OURS)
#: What libvirt says of what it should not have been asked.
_WRONGLY_ASKED = re.compile('not supported|unsupported|invalid argument')


def is_ours(traceback: str) -> bool:
    """Whether it has a frame of the plugin.

    An error of libvirt's that passes through one on its way is not, unless
    the plugin asked for what there isn't.
    """
    asked = _ASKED.findall(traceback)
    if _OURS not in asked:
        return False
    if 'libvirtError' not in traceback:
        return True
    return asked[-1] == _OURS and bool(_WRONGLY_ASKED.search(traceback))


def tracebacks(log: str) -> list[str]:
    """Those of the plugin, each in one piece."""
    return [whole for _, whole in _tracebacks(log) if is_ours(whole)]


def of_request(log: str, request_id: str) -> list[str]:
    """The tracebacks of one request, each in one piece."""
    return [whole for owner, whole in _tracebacks(log) if request_id in owner]


def lost_in_nova(log: str, request_id: str, function: str) -> bool:
    """Whether a request ended in a function of nova's own.

    :param log: nova-scheduler's.
    :param function: a frame that its traceback must have, with none of the
        plugin.
    """
    return any(
        ', in %s\n' % function in whole and not is_ours(whole)
        for whole in of_request(log, request_id)
    )


def judge(cloud: Controllers) -> None:
    """No traceback of the plugin, and nothing that surprised it."""
    with cloud.report.step('look through all logs') as step:
        logs = cloud.logs()
        lines = sum(text.count('\n') for text in logs.values())
        found = [
            each
            for text in logs.values()
            for each in (
                *tracebacks(text),
                *re.findall('.*%s.*' % _SURPRISE, text),
            )
        ]
        meant = [
            each
            for each in found
            if any(words in each for words in cloud.means_to_raise)
        ]
        found = [each for each in found if each not in meant]
        step.says(
            '%d logs, %d lines; tracebacks of the plugin: %d%s'
            % (
                len(logs),
                lines,
                len(found),
                '; of what it means to raise: %d' % len(meant)
                if meant
                else '',
            ),
            *[each for piece in found for each in piece.split('\n')],
        )
        step.check(not found, 'there must be none')
    with cloud.report.step('look for what the plugin warned of') as step:
        warned = collections.Counter(
            re.findall(
                r'(?:WARNING|ERROR|CRITICAL) nova_xen_sched\S* \[.*?\] (.*)',
                cloud.nova.log(),
            )
        )
        step.says(
            '%d lines' % sum(warned.values()),
            *('%d x %s' % (count, line) for line, count in warned.items()),
        )

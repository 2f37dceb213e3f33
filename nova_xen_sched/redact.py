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

"""Keeps passwords out of what is shown and logged.

All of it passes passwords(): what a command prints, before it is formatted
(cmd.base); what is written to stderr, by a Stream; and what is logged, by the
filter of the handlers in a command's process, and by that of the plugins' own
loggers in any other.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import traceback
from typing import Any
from typing import ContextManager

from oslo_log import log as oslo_logging

_HIDDEN = '***'
#: Parts of the patterns: what was hidden before, as twice is as good as once;
#: what is behind a quote that closes, while any other is part of what is
#: quoted; a port with what ends it; one with a query; and names of options.
_PARTS = {
    'done': r'\*\*\*@',
    'closed': r'(?:[\s&,.;:)\]}]|$)',
    'port': r'\d{1,5}(?:[\s/?\#,.;:)\]\'"]|$)',
    'query': r'\d{1,5}(?:/[^\s?@]*)?\?[\w.-]+=',
    'name': r'(?i:password|passwd|passphrase|auth_token|secret)\d?',
}

#: Each finds a secret, what stays before it (keep), and its quotes (q).
_PATTERNS = tuple(
    re.compile(pattern % _PARTS, re.VERBOSE | re.MULTILINE)
    for pattern in (
        # //user:password@, whatever is before it. A password may hold
        # anything, so it ends with the last @ of the line, but before
        # another URL if it can; with none on the line, with the next. What
        # begins like a port is one only in the same word, and no query.
        r"""
        (?P<keep> //[^/?\#:@\s\[]*: ) (?!%(done)s) (?P<q>)
        (?: (?=%(port)s) (?!%(query)s) \S{1,4096} (?=@)
          | (?!%(port)s)
            (?: (?: (?!\s[\w+.-]+://). ){1,4096} (?=@)
              | .{1,4096} (?=@)
              | [^@]{1,4096} (?=@) ) )
        """,
        # 'user:password@ in quotes, where the // is missing.
        r"""
        (?P<keep> (?P<open>['"`]) (?!mailto:) [^\s/?\#:@\['"`]+ : (?!//) )
        (?!%(done)s) (?P<q>)
        (?: (?! (?P=open)%(closed)s ) . ){1,4096} (?=@)
        """,
        # A database's driver took the end of a password for a host's name.
        r"""
        (?P<keep> \b(?: server[ ]on | host[ ]name )[ ] (?P<open>['"]) )
        (?!%(done)s) (?P<q>)
        (?: (?! (?P=open)%(closed)s ) . ){1,4096} (?=@)
        """,
        # Without quotes it is no mail's address only if a path follows.
        r"""
        (?<![\w/:.@+-]) (?P<keep> [\w.+-]+ : (?!//) ) (?!%(done)s) (?P<q>)
        \S{1,4096} (?= @[\w.:\[\]-]+/ )
        """,
        # password = ..., a whole line of a file
        r"""
        ^(?P<keep> \s*[\w.-]{0,40}%(name)s\s*[=:]\s* ) (?!['"\s]|\*\*\*)
        (?P<q>) .+
        """,
        # password=..., 'password': '...'
        r"""
        (?P<keep> %(name)s ['"]? \s*[=:]\s* (?: [bu](?=['"]) )? )
        (?! \*\*\* | (?:YES|NO|None)\b )
        (?: (?P<q>['"])
            (?: \\. | (?! (?P=q)%(closed)s ) [^\\] ){0,4096} (?P=q)
          | [^\s&]+ )
        """,
        # What Python quotes of a URL that it can't take apart, which may be
        # any part of a password; and oslo.config of a line.
        r"""
        (?P<keep>
          (?: ^ | ValueError:[ ] )
          (?: invalid[ ]literal[ ]for[ ]int\(\)[ ]with[ ]base[ ]\d+:[ ]
            | Port[ ]could[ ]not[ ]be[ ]cast[ ]to[ ]integer[ ]value[ ]as[ ]
            | netloc[ ]
            | (?= '.*'[ ]does[ ]not[ ]appear[ ]to[ ]be[ ]an[ ]IPv ) )
          | \bat[ ]\S+(?: [ ]\d+ )?,[ ]
            (?: No|Key|Unexpected|Invalid|Empty ).{1,40}?:[ ] )
        (?P<q>['"]) .* (?P=q)
        """,
    )
)


def passwords(text: str) -> str:
    """A text without the passwords in it: those of URLs, and of options.

    Where it is ambiguous how far a password goes, more is hidden.
    """
    for pattern in _PATTERNS:
        text = pattern.sub(r'\g<keep>\g<q>%s\g<q>' % _HIDDEN, text)
    return text


def values(data: Any) -> Any:
    """The same data, each text in it without passwords.

    :param data: as JSON has it; what is anything else stays.
    """
    if isinstance(data, str):
        return passwords(data)
    if isinstance(data, dict):
        return {key: values(data[key]) for key in data}
    if isinstance(data, (list, tuple)):
        found = [values(each) for each in data]
        return tuple(found) if isinstance(data, tuple) else found
    return data


class Stream:
    """A stream to write to, for persons: what passes has no passwords."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(passwords(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def stderr() -> ContextManager[Any]:
    """While all that is written to stderr is for persons."""
    return contextlib.redirect_stderr(Stream(sys.stderr))


class _Filter(logging.Filter):
    """Lets every record pass, without passwords in it or its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001  handlers have their way to say so
            return True
        hidden = passwords(message)
        trace = ''
        if record.exc_info:
            trace = ''.join(traceback.format_exception(*record.exc_info))
        if passwords(trace) != trace:
            hidden += '\n' + passwords(trace).rstrip('\n')
            record.exc_info = record.exc_text = None
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True


_FILTER = _Filter()


def logger(name: str) -> Any:
    """oslo.log's logger for a module of the plugins."""
    found = oslo_logging.getLogger(name)
    found.logger.addFilter(_FILTER)
    return found


def from_logs() -> None:
    """Keep passwords out of what the handlers of now log from here on.

    It holds for every level, as keystoneauth logs the URL of Keystone as it
    was configured, and for tracebacks.
    """
    for handler in logging.getLogger().handlers:
        handler.addFilter(_FILTER)

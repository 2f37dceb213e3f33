# SPDX-License-Identifier: Apache-2.0

"""Keeps passwords out of what is shown and logged, and signs that do harm.

All of it passes passwords(): what a command prints, before it is formatted,
and what it writes to stderr (cmd.columns, cmd.streams); and what is logged,
by a filter of the handlers in a command's process, and of the plugins' own
loggers in any other.
"""

from __future__ import annotations

import logging
import re
import traceback
import typing as ty

#: Parts of the patterns: what isn't hidden yet; what is behind a quote that
#: closes, while any other is part of what is quoted; names of options.
_PARTS = {
    'new': r'(?!\*{3}@)',
    'closed': r'(?=[\s&,.;:)\]}]|$)',
    'name': r'(?i:password|passwd|passphrase|secret|auth[_-]token'
    r'|authorization|(?<![^\W_])pwd?)\d?',
}


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern % _PARTS, re.VERBOSE | re.MULTILINE)


def _form(between: str, before: str, behind: str = '@') -> ty.Any:
    # A text is split, and each piece loses all from the first place before a
    # password to the last behind one: no text takes longer than it is long.
    most = '(?s:.*)(?=%s)' % behind
    return _compiled(between), _compiled(before), _compiled(most)


#: //user:password@ to the last @ of the line, but before another URL if it
#: can; with none on the line, to the next. What begins like a port is a
#: password only in the same word, and before no query.
_URL = r'//[^/?\#:@\s\[]*:%%(new)s(?%s\d{1,5}(?:[\s/?\#,.;:)\]\'"]|$))'
_LINES = (r'(\n|\s(?=[\w+.-]+://))', r'(\n)', '(?<=@)')
_URLS = (
    *(_form(each, _URL % '!') for each in _LINES),
    _form(r'(\s|\?[\w.-]+=)', _URL % '='),
)
#: Where the // is missing: in quotes, where a database's driver also takes the
#: end of a password for a host; else it is no mail's only if a path follows.
_QUOTE = r"""%s(?: (?<=server[ ]on[ ].) | (?<=host[ ]name[ ].)
    | (?!mailto:)[^\s/?\#:@\['"`]+:(?!//) )%%(new)s"""
_OTHERS = (
    *(_form(r'(\n|%s%%(closed)s)' % q, _QUOTE % q) for q in '\'"`'),
    _form(r'(\s)', r'(?<![\w/:.@+-])[\w.+-]+:(?!//)%(new)s', r'@[\w.:[\]-]+/'),
)
#: Words, without one of which the patterns find nothing. These find a secret,
#: what stays before it (keep), and its quotes (q): password = ..., a whole
#: line; password=..., 'password': '...', --password ..., Authorization: ...
_OPTIONS = (
    ('passw', 'passphrase', 'secret', 'token', 'authoriz', 'pw'),
    _compiled(r"""^(?P<keep>
    [ \t]*[\w.-]{0,40}%(name)s[ \t]*(?:=|:[ \t])[ \t]* )
    (?! ['"\s] | \*{3} ) (?P<q>) .+"""),
    _compiled(r"""(?P<keep>
    (?: %(name)s (?: ['"]?\s*=\s* | ['"]\s*:\s* | :\s+ )
      | (?: (?<=--) | (?<=--os-) ) %(name)s[ ]+ )
    (?: [bu](?=['"]) )? )
    (?! \*{3} | (?:YES|NO|None)\b )
    (?: (?P<q>['"]) (?: \\. | (?! (?P=q)%(closed)s ) [^\\] )* (?P=q)?
      | (?: (?i:basic|bearer)[ ]+ )? [^\s&]+ )"""),
)
#: What Python quotes of a URL that it can't take apart, which may be any part
#: of a password; and oslo.config of a line.
_QUOTED = (
    ('int()', 'cast', 'netloc', ' ipv', 'assign', 'empty', 'contin', 'with ]'),
    _compiled(r"""(?P<keep>
      (?: ^ | ValueError:[ ] )
      (?: invalid[ ]literal[ ]for[ ]int\(\)[ ]with[ ]base[ ]\d+:[ ]
        | Port[ ]could[ ]not[ ]be[ ]cast[ ]to[ ]integer[ ]value[ ]as[ ]
        | netloc[ ]
        | (?= '.{0,512}'[ ]does[ ]not[ ]appear[ ]to[ ]be[ ]an[ ]IPv ) )
      | (?: in[ ]assignment | cannot[ ]be[ ]empty | Empty[ ]section[ ]name
        | continuation[ ]line | end[ ]with[ ]\]\) ):[ ] )
    (?P<q>['"]) .* (?P=q)"""),
)


def _without(text: str, forms: ty.Any, *options: ty.Any) -> str:
    for between, before, most in forms if '@' in text else ():
        pieces = between.split(text)
        for i, piece in enumerate(pieces):
            start = before.search(piece) if '@' in piece else None
            end = most.match(piece) if start else None
            if start and end and start.end() < end.end():
                pieces[i] = piece[: start.end()] + '***' + piece[end.end() :]
        text = ''.join(pieces)
    low = text.lower()
    for words, *patterns in options:
        for pattern in patterns if any(map(low.__contains__, words)) else ():
            text = pattern.sub(r'\g<keep>\g<q>***\g<q>', text)
    return text


def passwords(text: str) -> str:
    """A text without the passwords in it: those of URLs, and of options.

    For errors, stderr and logs: where it is ambiguous, more is hidden.
    """
    return _without(text, _URLS + _OTHERS, _OPTIONS, _QUOTED)


def printable(text: str) -> str:
    """A text without what could steer a terminal; its lines stay lines."""
    return ''.join(c if c.isprintable() or c == '\n' else '?' for c in text)


def values(data: ty.Any) -> ty.Any:
    """The same data, each text in it without passwords of URLs and options.

    :param data: as JSON has it; what is anything else stays.
    """
    if isinstance(data, str):
        return _without(data, _URLS, _OPTIONS)
    if isinstance(data, dict):
        return {key: values(data[key]) for key in data}
    if isinstance(data, tuple):
        return tuple(map(values, data))
    return list(map(values, data)) if isinstance(data, list) else data


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


#: For loggers and handlers.
FILTER = _Filter()

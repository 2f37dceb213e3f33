# SPDX-License-Identifier: Apache-2.0

"""Sphinx directives: our commands from their parsers, JSON from its schemas.

cliff's own directive reads what follows the options as reStructuredText,
where ours have columns that are aligned for a terminal.

    .. command:: nova-xen-sched host list

the description, the options, and what the help says below them: columns,
formats, exit codes.

    .. output-options:: nova-xen-sched host list

the options of all commands that print a table.

    .. json-keys:: host-list

the keys of cmd/schemas/host-list.json.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import typing as ty

from docutils import nodes
from oslo_config import sphinxext as config
import parsers
from sphinx.util.docutils import SphinxDirective

from nova_xen_sched import cmd

_SCHEMAS = pathlib.Path(cmd.__file__).parent / 'schemas'
#: The groups of cliff's options, and those of the formats.
_OUTPUT = re.compile('output formatters|.* [fF]ormatter')
#: A line of what stands below the options: a name, and what it is.
_ITEM = re.compile(r'  (\S+(?: \S+)*)  +(\S.*)')


def _plain(text: str) -> str:
    """Text that is shown as it is."""
    text = re.sub(r'([\\`*|]|_(?!\w))', r'\\\1', text)
    # A name of an option has two hyphens, not a dash.
    return re.sub(r'(?<![\w-])(--[a-z][a-z-]*)', r'``\1``', text)


def _option(action: argparse.Action, made: argparse.HelpFormatter) -> str:
    names = ', '.join(action.option_strings)
    if not names:
        return str(made._format_args(action, action.metavar or action.dest))
    if action.nargs == 0:
        return names
    value = made._format_args(action, action.dest.upper())
    return ', '.join('%s %s' % (each, value) for each in action.option_strings)


def _options(
    group: ty.Any, found: argparse.ArgumentParser
) -> ty.Iterator[str]:
    made = found._get_formatter()
    for action in group._group_actions:
        if action.help == argparse.SUPPRESS:
            continue
        yield '.. option:: ' + _option(action, made)
        yield ''
        text = made._expand_help(action) if action.help else ''
        yield '   ' + _plain(' '.join(text.split()))
        yield ''


def _below(text: str) -> ty.Iterator[str]:
    """What stands below the options; names and texts become lists."""
    last = ''
    for line in text.splitlines():
        item = _ITEM.fullmatch(line)
        if item:
            if last != 'item':
                yield ''
            yield '``%s``' % item.group(1)
            yield '   ' + _plain(item.group(2))
            last = 'item'
        elif last == 'item' and line.startswith('    '):
            yield '   ' + _plain(line.strip())
        else:
            if last == 'item' or not line:
                yield ''
            # The head of a list, or of a paragraph.
            head = re.match(r'(\w[\w ,]*):(?= |$)', line)
            if head and not last:
                yield '**%s:**%s' % (
                    head.group(1).capitalize(),
                    _plain(line[head.end() :]),
                )
            else:
                yield _plain(line)
            last = 'text' if line else ''
    yield ''


class Command(SphinxDirective):
    """``.. command:: PROGRAM WORDS``"""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        (program,) = self.arguments
        return self.parse_text_to_nodes('\n'.join(self._lines(program)))

    def _lines(self, program: str) -> ty.Iterator[str]:
        found = parsers.parser(program)
        yield '.. program:: ' + program
        yield ''
        for line in (found.description or '').splitlines():
            yield _plain(line)
        yield ''
        if ' ' in program:
            yield '.. code-block:: text'
            yield ''
            yield '   ' + _usage(program, found)
            yield ''
        has_output = False
        for group in found._action_groups:
            title = group.title or ''
            if _OUTPUT.fullmatch(title):
                has_output = True
                continue
            lines = list(_options(group, found))
            if not lines:
                continue
            if title not in ('options', 'optional arguments'):
                yield '**%s:**' % title.capitalize()
                yield ''
            if group.description:
                yield _plain(group.description)
                yield ''
            yield from lines
        if has_output:
            yield 'Also :ref:`the options of the output <output-options>`.'
            yield ''
        yield from _below(found.epilog or '')


def _usage(program: str, found: argparse.ArgumentParser) -> str:
    words = [program, '[OPTION ...]']
    made = found._get_formatter()
    for action in found._actions:
        if not action.option_strings:
            words.append(
                str(made._format_args(action, action.metavar or action.dest))
            )
    return ' '.join(words)


class OutputOptions(SphinxDirective):
    """``.. output-options:: PROGRAM WORDS ...``, one a line."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        lines = []
        seen = set()
        for program in self.arguments[0].splitlines():
            found = parsers.parser(program.strip())
            for group in found._action_groups:
                title = group.title or ''
                if _OUTPUT.fullmatch(title) and title not in seen:
                    seen.add(title)
                    lines += ['**%s:**' % title.capitalize(), '']
                    lines += _options(group, found)
        return self.parse_text_to_nodes('\n'.join(lines))


class JsonKeys(SphinxDirective):
    """``.. json-keys:: NAME``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        (name,) = self.arguments
        schema = json.loads((_SCHEMAS / (name + '.json')).read_text())
        lines = [_plain(schema.get('description', '')), '']
        lines += ['.. list-table::', '   :widths: 40 60', '']
        for path, text in _keys(schema, schema, ''):
            lines += [
                '   * - ``%s``' % path,
                '     - ' + _plain(text),
            ]
        return self.parse_text_to_nodes('\n'.join(lines))


def _keys(
    schema: ty.Mapping[str, ty.Any], whole: ty.Mapping[str, ty.Any], path: str
) -> ty.Iterator[tuple[str, str]]:
    """The paths of keys, and what each holds."""
    schema = _resolved(schema, whole)
    if 'items' in schema:
        yield from _keys(schema['items'], whole, path + '[]')
    entries = dict(schema.get('properties', {}))
    others = schema.get('additionalProperties')
    if isinstance(others, dict):
        entries['NAME'] = others
    for key, value in entries.items():
        below = '%s.%s' % (path, key) if path else key
        yield below, _text(_resolved(value, whole), whole)
        yield from _keys(value, whole, below)


def _resolved(
    schema: ty.Mapping[str, ty.Any], whole: ty.Mapping[str, ty.Any]
) -> dict[str, ty.Any]:
    """A schema with what it refers to in it; its own words count first."""
    found: dict[str, ty.Any] = {}
    parts = list(schema.get('allOf', ()))
    parts += [x for x in schema.get('anyOf', ()) if x != {'type': 'null'}]
    parts += [x for x in schema.get('oneOf', ()) if x != {'type': 'null'}]
    if '$ref' in schema:
        target: ty.Any = whole
        for part in schema['$ref'].lstrip('#/').split('/'):
            target = target[part]
        parts.append(target)
    for part in parts:
        resolved = _resolved(part, whole)
        properties = {
            **found.get('properties', {}),
            **resolved.get('properties', {}),
        }
        found.update(resolved)
        if properties:
            found['properties'] = properties
    own = dict(schema)
    if 'properties' in own and 'properties' in found:
        own['properties'] = {**found['properties'], **own['properties']}
    found.update(own)
    return found


_TYPES = {
    'array': 'list',
    'boolean': 'true or false',
    'integer': 'integer',
    'null': 'null',
    'number': 'number',
    'object': 'object',
    'string': 'text',
}


def _text(
    schema: ty.Mapping[str, ty.Any], whole: ty.Mapping[str, ty.Any]
) -> str:
    if 'enum' in schema:
        kind = ', '.join(
            'null' if each is None else str(each) for each in schema['enum']
        )
    elif 'const' in schema:
        kind = str(schema['const'])
    else:
        types = schema.get('type', [])
        types = [types] if isinstance(types, str) else types
        kind = ' or '.join(_TYPES[each] for each in types)
        items = _resolved(schema.get('items', {}), whole)
        if kind == 'list' and 'enum' in items:
            kind = 'list of ' + _text({'enum': items['enum']}, whole)
    return '. '.join(
        each.rstrip('.')
        for each in (kind, schema.get('description', ''))
        if each
    )


def _register(app: ty.Any) -> None:
    app.add_directive('command', Command)
    app.add_directive('output-options', OutputOptions)
    app.add_directive('json-keys', JsonKeys)


def _option_role(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: ty.Any,
    options: ty.Any = None,
    content: ty.Any = (),
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """``:opt:`report_only```: a link to an option of [xen_scheduler]."""
    from sphinx import addnodes

    reference = addnodes.pending_xref(
        rawtext,
        nodes.literal(text, text),
        refdomain=config.ConfigDomain.name,
        reftype='option',
        reftarget='xen_scheduler.' + text,
        refexplicit=True,
        refwarn=True,
        refdoc=inliner.document.settings.env.docname,
    )
    return [reference], []


def setup(app: ty.Any) -> dict[str, ty.Any]:
    """For Sphinx."""
    _register(app)
    app.add_role('opt', _option_role)
    return {'parallel_read_safe': True}

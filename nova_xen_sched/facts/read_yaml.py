# SPDX-License-Identifier: Apache-2.0

"""YAML as the author of a facts file wrote it.

PyYAML reads YAML 1.1, where 01024 is 532, 17:04 is 1024 and 1_0 is 10, and
leaves dates and long numbers to Python, whose releases differ. Here a number
is decimal digits, true, false and nothing are what YAML has for them, and
every other word is a text, on every Python and with every PyYAML.
"""

from __future__ import annotations

import codecs
import re
import typing as ty

import yaml

from nova_xen_sched import log

#: A good file has four levels.
MAX_DEPTH = 20

#: The safe loader; in C where PyYAML was built so: 10000 hosts were read in
#: 2.2 s instead of 9.3 s.
SAFE_LOADER: ty.Any = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)

_TAG = 'tag:yaml.org,2002:'
_CONSTANTS: dict[str, bool | None] = {
    spelled: value
    for words, value in (
        ('~ null', None),
        ('true yes on', True),
        ('false no off', False),
    )
    for word in words.split()
    for spelled in (word, word.capitalize(), word.upper())
}
_CONSTANTS[''] = None
#: As many digits as facts.LARGEST has; a longer number stays a text.
_INTEGER = r'[-+]?(?:0|[1-9][0-9]{0,17})'
_FRACTION = r'[-+]?[0-9]+\.[0-9]+'
_WORDS = re.compile(
    r'(?:%s)\Z' % '|'.join([_INTEGER, _FRACTION, *map(re.escape, _CONSTANTS)])
)

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LINE_END = re.compile('\r\n|[\n\r\x85\u2028\u2029]')
#: What YAML takes for no text, and what stands for bytes that are none.
_NO_TEXT = re.compile(
    '[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffc\U00010000-\U0010ffff]'
)


class YamlError(ValueError):
    """It can't be read as YAML; says why."""


class Fraction(float):
    """A number like 4.10, shown as it was written."""

    def __new__(cls, text: str) -> Fraction:
        number = super().__new__(cls, text)
        number._text = text
        return number

    _text: str

    def __repr__(self) -> str:
        return self._text

    __str__ = __repr__


class _Loader(SAFE_LOADER):
    """What is said above; and a key is a text, and stands there once."""

    yaml_implicit_resolvers: ty.ClassVar[dict[ty.Any, ty.Any]] = {}
    yaml_constructors: ty.ClassVar[dict[ty.Any, ty.Any]] = {}

    def construct_mapping(self, node: ty.Any, deep: bool = False) -> ty.Any:
        if not isinstance(node, yaml.MappingNode):
            raise _error('this is not a mapping', node)
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: ty.Any) -> None:
        """Merge what << names; its own keys win, each of them once."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _TAG + 'merge':
                key.tag = _TAG + 'str'
                if key.value in seen:
                    raise _error(
                        '%s is named twice' % log.shown(key.value), key
                    )
                seen.add(key.value)
        super().flatten_mapping(node)
        # Were all kept, eight mappings that each merge the one before eight
        # times would have 8 ** 8 keys.
        last = {}
        for key, value in node.value:
            scalar = isinstance(key, yaml.ScalarNode)
            last[key.value if scalar else id(key)] = key, value
        node.value = list(last.values())


def _error(problem: str, node: ty.Any) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(
        None, None, problem, node.start_mark
    )


def _as_written(loader: ty.Any, node: ty.Any) -> ty.Any:
    text: str = loader.construct_scalar(node)
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if re.fullmatch(_INTEGER, text):
        return int(text)
    return Fraction(text) if re.fullmatch(_FRACTION, text) else text


_NO_TAG = (
    'a word that begins with ! is a tag, which has no place here; a '
    'text that begins so needs quotes'
)


def _refuse_tag(loader: ty.Any, node: ty.Any) -> ty.Any:
    # The tag isn't shown: it may be a password in another file.
    raise _error(_NO_TAG, node)


_Loader.add_implicit_resolver(_TAG + 'merge', re.compile(r'<<\Z'), ['<'])
_Loader.add_implicit_resolver(
    _TAG + 'int', _WORDS, ['', *'-+0123456789~nNtTfFyYoO']
)
for _kind in ('null', 'bool', 'int', 'float', 'timestamp'):
    _Loader.add_constructor(_TAG + _kind, _as_written)
for _kind in ('str', 'seq', 'map'):
    _Loader.add_constructor(
        _TAG + _kind, yaml.SafeLoader.yaml_constructors[_TAG + _kind]
    )
# As a value << is a word like any other.
_Loader.add_constructor(
    _TAG + 'merge', yaml.SafeLoader.yaml_constructors[_TAG + 'str']
)
_Loader.add_constructor(None, _refuse_tag)


def parse(content: bytes) -> ty.Any:
    """What YAML makes of a facts file, whatever it is.

    :raises YamlError: if it makes nothing of it.
    """
    # PyYAML takes UTF-16 too; an editor of facts files writes UTF-8.
    if content.startswith(_UTF_16):
        raise no_text(content)
    try:
        _refuse_deep(content)
        return yaml.load(content, _Loader)  # noqa: S506  it is a safe one
    except yaml.MarkedYAMLError as e:
        raise YamlError(_in_words(e, content)) from None
    except yaml.reader.ReaderError:
        raise no_text(content) from None
    except yaml.YAMLError as e:
        raise YamlError(' '.join(str(e).split())) from None
    except YamlError:
        raise
    except Exception as e:
        raise YamlError(
            '%s: %s' % (type(e).__name__, ' '.join(str(e).split()))
        ) from e


def no_text(content: bytes) -> YamlError:
    """What is wrong with bytes that are no text in UTF-8."""
    if content.startswith(_UTF_16):
        return YamlError('it is in UTF-16: save it in UTF-8')
    text = content.decode('utf-8', 'replace')
    before = _NO_TEXT.split(text, maxsplit=1)[0]
    return YamlError(
        'line %d has bytes that no text in UTF-8 has'
        % (before.count('\n') + 1)
    )


def _refuse_deep(content: bytes) -> None:
    """The loader in C recurses without limit, and takes the process down.

    So does whoever walks through a mapping that has itself inside.
    """
    open_anchors: list[str | None] = []
    for event in yaml.parse(content, SAFE_LOADER):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            open_anchors.append(event.anchor)
            if len(open_anchors) > MAX_DEPTH:
                raise YamlError(
                    'line %d is nested deeper than %d' % (line, MAX_DEPTH)
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            open_anchors.pop()
        elif (
            isinstance(event, yaml.AliasEvent) and event.anchor in open_anchors
        ):
            raise YamlError(
                'line %d: a * names the mapping or list that it stands in'
                % line
            )


#: A part of what PyYAML says, in either loader, and what it means here.
_IN_WORDS = (
    (
        'mapping values are not allowed',
        'no colon can stand here: a text with one needs quotes, and a line as '
        'many blanks before it as those beside it',
    ),
    *(
        (
            words,
            'this does not fit what stands above it: check the '
            'blanks, dashes and quotes of the line',
        )
        for words in (
            'a block mapping',
            'a block collection',
            'document start',
        )
    ),
    ('a block node', 'a text that begins so needs quotes'),
    ('a flow', 'a comma or a closing bracket is missing before this'),
    ('sequence entries', 'a dash must stand at the beginning of a line'),
    ('alias', 'a text that begins with * needs quotes'),
    ('anchor', 'a text that begins with & needs quotes'),
    ('cannot start any token', 'a text that begins so needs quotes'),
    ('another document', 'no second --- can stand here'),
    *(
        (words, 'no \\ can stand so in double quotes: use single ones')
        for words in ('escape ', 'hexdecimal')
    ),
    ('a tag', _NO_TAG),
    ('a scalar node', _NO_TAG),
    ('directive', 'no line can begin with %'),
    ('incompatible YAML', 'no line can begin with %'),
    ('a block scalar', 'a text that begins with | or > needs quotes'),
    ("unexpected ':'", 'a text with a colon needs quotes'),
    ('mapping keys', 'a text that begins with ? needs quotes'),
    ('unhashable key', 'a name must be a text'),
    ('for merging', '<< takes a mapping that a * names, or a list of such'),
)


def _in_words(error: yaml.MarkedYAMLError, content: bytes) -> str:
    """What is wrong, and in which line.

    The file is not quoted: it may be another one, with a password in it.
    """
    mark = error.problem_mark or error.context_mark
    problem = ' '.join(filter(None, (error.context, error.problem)))
    if mark is None:
        return problem
    lines = _LINE_END.split(content.decode('utf-8', 'replace'))
    line = lines[mark.line] if mark.line < len(lines) else ''
    indentation = line[: len(line) - len(line.lstrip(' \t'))]
    if '\t' in indentation + line[mark.column :][:1]:
        return 'line %d has a tab, where YAML takes only blanks' % (
            mark.line + 1
        )
    opened = error.context_mark
    if opened and 'quoted' in problem and 'end of stream' in problem:
        return 'the quote that line %d opens is never closed' % (
            opened.line + 1
        )
    if opened and 'a simple key' in problem:
        return 'a name in line %d has no colon behind it' % (opened.line + 1)
    behind = [line[mark.column :], *lines[mark.line + 1 :]]
    if 'parsing a flow' in problem and not ''.join(behind).strip():
        problem = 'a { or a [ before this is never closed'
    for words, said in _IN_WORDS:
        if words in problem:
            problem = said
            break
    return 'line %d, column %d: %s' % (mark.line + 1, mark.column + 1, problem)

# SPDX-License-Identifier: Apache-2.0

"""The index of log messages has each message of the code."""

from __future__ import annotations

import ast
import re

import pytest

from tests.unit.docs import sources

PACKAGE = sources.ROOT / 'nova_xen_sched'
PAGE = ' '.join(
    (sources.DOCS / 'admin' / 'log-messages.rst')
    .read_text(encoding='utf-8')
    .split()
)
LEVELS = ('debug', 'info', 'warning', 'error', 'exception', 'critical', 'log')


def template(node, constants):
    """The text that a message is made of; '' if it is made elsewhere."""
    if isinstance(node, ast.Name):
        return constants.get(node.id, '')
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return template(node.left, constants)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template(node.left, constants) + '%s'
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return ''
    return value if isinstance(value, str) else ''


def is_call(node, *names):
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in names
    )


def messages():
    """(file, text) of what is logged beside nova, but not by commands."""
    for path in sorted(PACKAGE.rglob('*.py')):
        if (PACKAGE / 'cmd') in path.parents:
            continue
        tree = ast.parse(path.read_text(encoding='utf-8'))
        constants = {
            target.id: template(node.value, {})
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            texts = []
            if is_call(node, *LEVELS) and ast.dump(node.func.value) == (
                ast.dump(ast.parse('LOG', mode='eval').body)
            ):
                texts = node.args[1:2] if node.func.attr == 'log' else []
                texts = texts or node.args[:1]
            elif is_call(node, 'unexpected') or (
                is_call(node, 'add') and 'noticed' in ast.dump(node.func)
            ):
                texts = node.args[:1]
            elif path.name == 'gather.py' and isinstance(node, ast.BinOp):
                # Its remarks, which are logged with the hosts' names.
                texts = [node]
            for each in texts:
                found = template(each, constants)
                if found:
                    yield path.name, found


def pieces(text):
    """The parts of a message that are always the same, to their first stop."""
    for part in re.split(r'%\(\w+\)[a-z]|%[a-z]', text):
        words = ' '.join(part.strip(' .:;()').split())
        if len(words) > 3:
            yield re.split(r'[.:] ', words)[0]


ALL = sorted(set(messages()))


@pytest.mark.parametrize('path, text', ALL)
def test_a_message_is_in_the_index(path, text):
    for piece in pieces(text):
        assert piece in PAGE


def test_enough_is_found():
    assert len(ALL) > 30
    for word in ('live_migration_unknown decides', 'sha256', 'misspelt'):
        has = any(word in text for _, text in ALL)
        assert has == (word != 'misspelt')

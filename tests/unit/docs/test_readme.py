# SPDX-License-Identifier: Apache-2.0

"""README: it is short, and shows what is really there."""

from __future__ import annotations

import re

import pytest

from tests.unit.docs import sources

import parsers  # isort: skip  found by sources

TEXT = sources.README.read_text(encoding='utf-8')
#: Of a console: what stands for lines that are left out.
_LEFT_OUT = '[...]'


def pages():
    """What tests compare with the output of commands."""
    found = [
        path.read_text(encoding='utf-8')
        for folder in ('explain', 'golden')
        for path in (sources.FIXTURES / folder).glob('*.txt')
    ]
    return [re.sub(r'\\e\[\d+m', '', text) for text in found]


def outputs():
    """The output in README, piece by piece."""
    for _, body in sources.blocks(TEXT):
        lines = [line[4:] if line[:4] == '    ' else line for line in body]
        if not lines[0].startswith('$ '):
            continue
        while lines[0].endswith('\\'):
            lines.pop(0)
        yield from '\n'.join(lines[1:]).split(_LEFT_OUT)


def test_it_is_short():
    assert len(TEXT.splitlines()) < 200


def test_it_shows_what_is_written():
    found = list(outputs())
    assert len(found) > 1
    for piece in found:
        assert any(piece.strip('\n') in page for page in pages()), piece


def test_it_enables_what_docs_enable():
    (shown,) = (
        body for head, body in sources.blocks(TEXT) if head == '```ini'
    )
    there = sources.DOCS / 'install' / 'report-only.conf'
    assert '\n'.join(shown) + '\n' == there.read_text()


def test_its_links_lead_on():
    found = re.findall(r'\]\(([^)]+)\)', TEXT)
    assert found
    for target in found:
        assert (sources.ROOT / target).exists(), target


@pytest.mark.parametrize('name', parsers.commands())
def test_its_table_has_each_command(name):
    table = TEXT.partition('\n## Commands\n')[2].partition('\n## ')[0]
    # Completion is no command that one looks for.
    assert name == 'complete' or re.search('`[^`]*%s`' % name, table)

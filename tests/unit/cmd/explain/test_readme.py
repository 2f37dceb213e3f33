# SPDX-License-Identifier: Apache-2.0

"""The README shows what explain really writes."""

from __future__ import annotations

import pathlib
import textwrap

import pytest

ROOT = pathlib.Path(__file__).parents[4]
WRITTEN = ROOT / 'tests' / 'fixtures' / 'explain'


@pytest.mark.parametrize('name', ['hvm-limit', 'hvm-host-weighed'])
def test_the_readme_shows_what_is_written(name):
    # tests/functional/test_explain.py compares it with what explain writes.
    written = (WRITTEN / (name + '.txt')).read_text()
    assert textwrap.indent(written, '    ') in (ROOT / 'README.md').read_text()

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

"""The README shows what explain really writes."""

from __future__ import annotations

import pathlib
import textwrap

import pytest

ROOT = pathlib.Path(__file__).parents[3]
WRITTEN = ROOT / 'tests' / 'fixtures' / 'explain'


@pytest.mark.parametrize('name', ['hvm-limit', 'hvm-host-weighed'])
def test_the_readme_shows_what_is_written(name):
    # tests/functional/test_explain.py compares it with what explain writes.
    written = (WRITTEN / (name + '.txt')).read_text()
    assert textwrap.indent(written, '    ') in (ROOT / 'README.md').read_text()

# SPDX-License-Identifier: Apache-2.0

"""What make docs runs beside Sphinx, and the tables of pages."""

from __future__ import annotations

import json

from tools import links
from tools import plotting
from tools import printing


def test_broken_links_are_found(tmp_path):
    (tmp_path / 'a.html').write_text(
        '<h1 id="top">A</h1><a href="b.html#there">1</a>'
        '<a href="b.html#gone">2</a><a href="c.html">3</a><a href="#top">4</a>'
        '<a href="https://example.org/x#y">5</a><img src="picture.svg">'
    )
    (tmp_path / 'b.html').write_text('<p id="there">B</p>')
    assert list(links.broken(tmp_path)) == [
        'a.html: no anchor for b.html#gone',
        'a.html: there is no c.html',
        'a.html: there is no picture.svg',
    ]
    assert links.main(str(tmp_path)) == 1


def test_figures_are_kept_and_read(tmp_path):
    figures = {'heading': 'All', 'cells': [{'level': 0.7, 'over': [1, 2]}]}
    plotting.write(str(tmp_path), 'some', 'A page\n', figures)
    assert (tmp_path / 'some.rst').read_text() == 'A page\n'
    kept = tmp_path / 'some.json'
    assert json.loads(kept.read_text()) == figures
    found = plotting.read(str(kept))
    assert found.heading == 'All' and found.cells[0].over == [1, 2]


def test_a_cell_has_no_markup():
    lines = printing.rst(('a', 'b'), [('+ x, y_ and `z`', 'say "so"')])
    assert lines[-1] == '   "\\+ x, y\\_ and \\`z\\`", "say ""so"""'
    assert lines[1] == '   :header: "a", "b"'

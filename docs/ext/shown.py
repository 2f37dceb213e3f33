# SPDX-License-Identifier: Apache-2.0

"""A Sphinx directive: output of a command, of a page that a test compares.

    .. shown:: golden/capacity-80.txt
       :command: nova-xen-sched capacity
       :lines: 1-4, 15-16

shows that file of tests/fixtures below its command; lines that are left out
are marked. What a golden page has of colours is left out.
"""

from __future__ import annotations

import pathlib
import re
import typing as ty

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

_FIXTURES = pathlib.Path(__file__).resolve().parents[2] / 'tests/fixtures'
_LEFT_OUT = '[...]'


def _ranges(text: str) -> list[tuple[int, int | None]]:
    """As (first, last) from 1; last is None for all that follow."""
    found = []
    for part in text.split(','):
        first, hyphen, last = part.strip().partition('-')
        end = int(last) if last else None if hyphen else int(first)
        found.append((int(first), end))
    return found


class Shown(SphinxDirective):
    """``.. shown:: FILE``"""

    required_arguments = 1
    option_spec: ty.ClassVar = {
        'command': directives.unchanged,
        'lines': _ranges,
    }

    def run(self) -> list[nodes.Node]:
        path = _FIXTURES / self.arguments[0]
        self.env.note_dependency(str(path))
        text = re.sub(r'\\e\[\d+m|\x1b\[\d+m', '', path.read_text())
        lines = text.rstrip().split('\n')
        chosen = lines
        if 'lines' in self.options:
            chosen = []
            done = 0
            for first, last in self.options['lines']:
                if max(first, last or 0) > len(lines):
                    raise self.error('%s is shorter' % path.name)
                if first != done + 1:
                    chosen.append(_LEFT_OUT)
                done = last or len(lines)
                chosen += lines[first - 1 : done]
            if done < len(lines):
                chosen.append(_LEFT_OUT)
        command = self.options.get('command', '').split('\n')
        if any(command):
            more = ['    ' + line.strip() for line in command[1:]]
            chosen = ['$ ' + command[0], *more, *chosen]
        block = nodes.literal_block('\n'.join(chosen), '\n'.join(chosen))
        block['language'] = 'text'
        self.set_source_info(block)
        return [block]


def setup(app: ty.Any) -> dict[str, ty.Any]:
    """For Sphinx."""
    app.add_directive('shown', Shown)
    return {'parallel_read_safe': True}

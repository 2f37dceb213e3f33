# SPDX-License-Identifier: Apache-2.0

"""reno's directive, also where there is no git: in a source distribution.

There all notes stand under the version that it is of.
"""

from __future__ import annotations

from importlib import metadata
import pathlib
import typing as ty

from docutils import nodes
from reno import config
from reno import formatter
from reno import sphinxext
from sphinx.util.docutils import SphinxDirective
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


class _Notes:
    """What reno's formatter asks of its loader, without versions."""

    def __init__(self) -> None:
        self._paths = sorted((ROOT / 'releasenotes/notes').glob('*.yaml'))

    def __getitem__(self, version: str) -> list[tuple[str, None]]:
        return [(str(path), None) for path in self._paths]

    def parse_note_file(self, name: str, _: None) -> ty.Any:
        return yaml.safe_load(pathlib.Path(name).read_text(encoding='utf-8'))

    def get_version_date(self, version: str) -> None:
        return None


class ReleaseNotes(SphinxDirective):
    """``.. release-notes::``"""

    def run(self) -> list[nodes.Node]:
        text = formatter.format_report(
            _Notes(),
            config.Config(str(ROOT)),
            [metadata.version('nova-xen-sched')],
        )
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: ty.Any) -> dict[str, ty.Any]:
    """For Sphinx."""
    if (ROOT / '.git').exists():
        sphinxext.setup(app)
    else:
        app.add_directive('release-notes', ReleaseNotes)
    return {'parallel_read_safe': True}

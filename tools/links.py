# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.links FOLDER``: do the links within built pages lead on?

Sphinx checks what it resolves itself; here what came of it is, anchors too.
"""

from __future__ import annotations

import html.parser
import pathlib
import sys
import typing as ty
import urllib.parse


class Page(html.parser.HTMLParser):
    """The anchors of a page, and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        for name, value in attrs:
            if not value:
                continue
            if name == 'id' or (tag == 'a' and name == 'name'):
                self.anchors.add(value)
            elif name in ('href', 'src'):
                self.targets.append(value)


def broken(folder: pathlib.Path) -> ty.Iterator[str]:
    """Each link that leads to no file, or to no anchor in it.

    :returns: sentences.
    """
    pages = {
        path.resolve(): Page(path.read_text(encoding='utf-8'))
        for path in folder.rglob('*.html')
    }
    for path, page in sorted(pages.items()):
        for target in page.targets:
            parts = urllib.parse.urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = path
            if parts.path:
                name = urllib.parse.unquote(parts.path)
                there = (path.parent / name).resolve()
            anchor = urllib.parse.unquote(parts.fragment)
            if not there.exists():
                yield '%s: there is no %s' % (path.name, target)
            elif there in pages and anchor not in {
                '',
                *pages[there].anchors,
            }:
                yield '%s: no anchor for %s' % (path.name, target)


def main(folder: str) -> int:
    """Print what is broken; 1 if anything is."""
    found = list(broken(pathlib.Path(folder)))
    print('\n'.join(found) or 'All links within %s lead on.' % folder)
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

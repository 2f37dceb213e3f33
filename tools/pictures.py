# SPDX-License-Identifier: Apache-2.0

"""Draws the pictures of the documentation from the figures that it keeps.

``python -m tools.pictures FROM TO``; needs no nova.
"""

from __future__ import annotations

import os
import sys
import typing as ty

from tools import plotting
from tools.bench import plot as bench
from tools.simulation import plot as simulation

#: By the name of the file.
DRAWS: dict[str, ty.Callable[..., None]] = {
    'bench': bench.draw,
    'simulation': simulation.draw,
}


def main(source: str, target: str) -> None:
    """Draw each.

    :param source: the folder with the figures, NAME.json.
    :param target: the folder for the pictures, NAME.svg; made if need be.
    :raises OSError: if a file can't be read or written.
    """
    os.makedirs(target, exist_ok=True)
    for name, draw in DRAWS.items():
        figures = plotting.read(os.path.join(source, name + '.json'))
        path = os.path.join(target, name + '.svg')
        draw(path=path, **vars(figures))


if __name__ == '__main__':
    main(*sys.argv[1:])

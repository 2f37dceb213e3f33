# SPDX-License-Identifier: Apache-2.0

"""Serve a WSGI application with waitress: wsgi.py MODULE:NAME PORT.

NAME may also be a function that makes the application, written MODULE:NAME().
"""

from __future__ import annotations

import importlib
import sys

import waitress


def main(application: str, port: str) -> None:
    # Services read what is left of it as options of their own.
    sys.argv[1:] = []
    module, _, name = application.partition(':')
    served = getattr(importlib.import_module(module), name.rstrip('()'))
    if name.endswith('()'):
        served = served()
    waitress.serve(
        served,
        host='127.0.0.1',
        port=int(port),
        threads=16,
        # nova and keystone give links that clients follow.
        url_scheme='http',
        ident=None,
    )


if __name__ == '__main__':
    main(*sys.argv[1:])

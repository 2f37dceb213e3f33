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

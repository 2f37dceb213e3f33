# SPDX-License-Identifier: Apache-2.0

"""Several nova-manage commands, one after the other: manage.py.

The second argument has them as JSON, a list of arguments each. Each is a
process forked from one that has imported nova-manage already.
"""

from __future__ import annotations

import json
import os
import sys


def main(configuration: str, commands: str) -> int:
    del sys.argv[1:]
    from nova.cmd import manage

    for arguments in json.loads(commands):
        print('nova-manage', *arguments, flush=True)
        pid = os.fork()
        if not pid:
            sys.argv = ['nova-manage', '--config-file=' + configuration]
            sys.argv += arguments
            sys.exit(manage.main())
        status = os.waitpid(pid, 0)[1]
        if status:
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

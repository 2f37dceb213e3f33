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

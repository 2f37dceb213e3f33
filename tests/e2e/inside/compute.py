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

"""nova-compute with the driver of the functional tests.

compute.py HOST and nova-compute's own arguments. It runs where nova and the
plugin are installed; of the repository it takes the driver alone.
"""

from __future__ import annotations

import os
import sys
import types

ROOT = os.path.abspath(__file__).rsplit(os.sep, 4)[0]


def main() -> None:
    host = sys.argv.pop(1)
    # Before all else: it may patch the process.
    from nova.cmd import compute

    # Behind the environment, with the plugin as an operator has it.
    sys.path.append(ROOT)
    # The package itself would import nova's own test fixtures.
    package = types.ModuleType('tests.functional')
    package.__path__ = [os.path.join(ROOT, 'tests', 'functional')]
    sys.modules['tests.functional'] = package
    import profiles
    from tests.functional import driver

    driver.PROFILES[host] = profiles.HOSTS[host]
    compute.main()


if __name__ == '__main__':
    main()

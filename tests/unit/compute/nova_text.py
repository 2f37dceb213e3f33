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

"""The text of nova's functions on which the compute side rests, as digests.

    python3 -m tests.unit.compute.nova_text FOLDER

prints those of the nova in a folder, which holds nova/virt: an unpacked
wheel of PyPI, or /usr/lib/python3/dist-packages. It is how the table in
test_nova_text.py was made.
"""

from __future__ import annotations

import ast
import hashlib
import pathlib
import sys
import textwrap

#: What the driver replaces, adds to or precedes, what it hands over to, and
#: what the launcher calls. File under nova/ -> names in it.
FUNCTIONS = {
    'virt/libvirt/driver.py': (
        'LibvirtDriver.__init__',
        'LibvirtDriver._get_instance_capabilities',
        'LibvirtDriver.get_available_resource',
        'LibvirtDriver._prepare_migration_flags',
        'LibvirtDriver._live_migration_operation',
        'LibvirtDriver.check_can_live_migrate_source',
        'LibvirtDriver.spawn',
    ),
    'virt/libvirt/host.py': ('Host.get_online_cpus',),
    'virt/libvirt/guest.py': ('Guest.migrate',),
    'virt/driver.py': ('load_compute_driver',),
    'cmd/compute.py': ('main',),
    'objects/fields.py': ('VMMode.get_from_instance',),
    'compute/resource_tracker.py': ('ResourceTracker._copy_resources',),
}


def text_of(source, name):
    """The text of a function with its decorators, not indented."""
    node = ast.parse(source)
    for part in name.split('.'):
        (node,) = (
            child
            for child in node.body
            if getattr(child, 'name', None) == part
        )
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    lines = source.splitlines()[first - 1 : node.end_lineno]
    return textwrap.dedent('\n'.join(line.rstrip() for line in lines))


def digests(folder):
    """The digest of each function, by its name.

    :param folder: the package nova.
    """
    found = {}
    for path, names in FUNCTIONS.items():
        source = (folder / path).read_text(encoding='utf-8')
        for name in names:
            text = text_of(source, name).encode()
            found[name] = hashlib.sha256(text).hexdigest()[:16]
    return found


if __name__ == '__main__':
    for each in digests(pathlib.Path(sys.argv[1]) / 'nova').items():
        sys.stdout.write("    '%s': '%s',\n" % each)

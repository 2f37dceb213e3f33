# SPDX-License-Identifier: Apache-2.0

"""The text of nova's functions on which the compute side rests, as digests.

    python3 -m tests.unit.compute.nova_text FOLDER

prints those of the nova in a folder, which holds nova/virt: an unpacked
wheel of PyPI, or /usr/lib/python3/dist-packages. It is how the tables here
were made.
"""

from __future__ import annotations

import ast
import hashlib
import pathlib
import sys
import textwrap

#: What the driver replaces, adds to or precedes, what it hands over to, what
#: calls it for placement, and what the launcher calls. File under nova/ ->
#: names in it.
FUNCTIONS = {
    'virt/libvirt/driver.py': (
        'LibvirtDriver.__init__',
        'LibvirtDriver._get_instance_capabilities',
        'LibvirtDriver.get_available_resource',
        'LibvirtDriver._prepare_migration_flags',
        'LibvirtDriver._live_migration_operation',
        'LibvirtDriver.check_can_live_migrate_destination',
        'LibvirtDriver.check_can_live_migrate_source',
        'LibvirtDriver.default_root_device_name',
        'LibvirtDriver.spawn',
        'LibvirtDriver.update_provider_tree',
    ),
    'virt/libvirt/host.py': ('Host.get_online_cpus',),
    'virt/libvirt/guest.py': ('Guest.get_xml_desc', 'Guest.migrate'),
    'virt/libvirt/migration.py': (
        '_update_vif_xml',
        'get_updated_guest_xml',
    ),
    'virt/libvirt/vif.py': ('LibvirtGenericVIFDriver.get_config',),
    'virt/driver.py': ('load_compute_driver',),
    'cmd/compute.py': ('main',),
    'objects/fields.py': ('VMMode.get_from_instance',),
    'compute/resource_tracker.py': (
        'ResourceTracker._copy_resources',
        'ResourceTracker._update_to_placement',
        'ResourceTracker._get_traits',
    ),
    'compute/manager.py': (
        'ComputeVirtAPI.__init__',
        'ComputeManager._build_and_run_instance',
    ),
}


#: Of nova 22.0.0 and 22.0.1 (PyPI) and of Debian 11's python3-nova
#: 2:22.0.1-2+deb11u1, which are alike; made by this.
NOVA_22 = {
    'LibvirtDriver.__init__': '237bbbbb62dcfdc7',
    'LibvirtDriver._get_instance_capabilities': '3088ffd38a1169af',
    'LibvirtDriver.get_available_resource': 'ae11f80a30f025fb',
    'LibvirtDriver._prepare_migration_flags': '15004b4cab19e000',
    'LibvirtDriver._live_migration_operation': '13b4a67376271cd6',
    'LibvirtDriver.check_can_live_migrate_destination': '198d2a9d98136437',
    'LibvirtDriver.check_can_live_migrate_source': 'ac10a69acb13ae42',
    'LibvirtDriver.default_root_device_name': '03a02b9e3f0113ef',
    'LibvirtDriver.spawn': '36e07c0133dc3c80',
    'LibvirtDriver.update_provider_tree': '7bb1d6f9cacbc706',
    'Host.get_online_cpus': '11f82b9a070d1b87',
    'Guest.get_xml_desc': '48372ccf822e5947',
    'Guest.migrate': '5ea7a3c5dcfff530',
    '_update_vif_xml': '3e7f39b1a2f63b31',
    'get_updated_guest_xml': '0c3c32ca1f010d28',
    'LibvirtGenericVIFDriver.get_config': '547bbb8419a008f3',
    'load_compute_driver': '73fa83cd856fb940',
    'main': '97b342cad7110566',
    'VMMode.get_from_instance': 'dc64bcc0ade4f19b',
    'ResourceTracker._copy_resources': '30ce74a8211697a5',
    'ResourceTracker._update_to_placement': '9e35acc066051898',
    'ResourceTracker._get_traits': '1eddbba229fc5edf',
    'ComputeVirtAPI.__init__': '3c8562c63742333b',
    'ComputeManager._build_and_run_instance': 'b98e6daa1458a4de',
}

#: Of 22.1.0 to 22.3.0 (PyPI): reports no RAM and no disk where there is none.
NOVA_22_1 = {
    **NOVA_22,
    'LibvirtDriver.update_provider_tree': '71c93c8db534c4f4',
}
#: Compares MAC addresses in lower case.
NOVA_22_4_0 = {**NOVA_22_1, '_update_vif_xml': '20f78eaefa3d288f'}

#: What differs in the last of nova 21 and of nova 20 (PyPI): read, not run.
#: Of what the driver replaces that is Guest.migrate alone, which there has
#: lines for Python 2; of spawn and get_config, to which it hands everything
#: over, the parameters.
NOVA_21_2_4 = {
    **NOVA_22,
    'LibvirtDriver.__init__': '5a97ba5ef5635d36',
    'LibvirtDriver._live_migration_operation': '4593580271a39d71',
    'LibvirtDriver.spawn': 'e5f4516cf8534446',
    'LibvirtDriver.update_provider_tree': '72aadb4b268978dc',
    'Guest.migrate': '3160967380ff170c',
    'LibvirtGenericVIFDriver.get_config': 'caaea417f4337e8b',
    'load_compute_driver': 'fc8014ae771e10f3',
    'ResourceTracker._update_to_placement': '455e7170b0e2b13e',
    'ComputeManager._build_and_run_instance': '6e91093edc47b70b',
}
NOVA_20_6_1 = {
    **NOVA_21_2_4,
    'LibvirtDriver.__init__': '0b985acaba9e6282',
    'LibvirtDriver._live_migration_operation': '11b4bca057c9d0b4',
    'LibvirtDriver.check_can_live_migrate_destination': '71eab386e8062418',
    'LibvirtDriver.check_can_live_migrate_source': '309dd1209c6e2aaf',
    'LibvirtDriver.spawn': 'f5ec0265a5f149bb',
    'LibvirtDriver.update_provider_tree': 'eb70f1624d9d82b3',
    'get_updated_guest_xml': 'e666fc5d726103c1',
    'LibvirtGenericVIFDriver.get_config': 'e50bf96421143772',
    'ResourceTracker._update_to_placement': '0986748c4a1f3ef1',
    'ResourceTracker._get_traits': '1745f7af895caa1d',
    'ComputeVirtAPI.__init__': 'fe772e3ab0ab7242',
    'ComputeManager._build_and_run_instance': '00719ac4aaacf46c',
}

MEASURED = {
    20: (NOVA_20_6_1,),
    21: (NOVA_21_2_4,),
    22: (NOVA_22, NOVA_22_1, NOVA_22_4_0),
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

# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched image check: images that Xen hosts would not run as meant."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.image import nova_properties
from nova_xen_sched.cmd.image import remedies
from nova_xen_sched.cmd.progress import Progress

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.image.hosts import Hosts

COLUMNS = {
    'name': tables.Column('Image', "the image's name"),
    'finding': tables.Column('Finding', 'what is wrong, as below'),
    'problem': tables.Column('Problem', 'what will happen'),
    'mend': tables.Column(
        'Commands',
        'the command that corrects the image; "-f value -c mend" prints the '
        'commands alone. Empty where only a person can know what is right. '
        'Only what nova has a harmless default for is removed',
        tables.BELOW,
    ),
    'id': tables.Column('ID', "the image's id", tables.LONG),
}

_EPILOG = """\
columns:
%s

findings:
  refused_by_nova       a property has a value for which nova refuses to boot
                        the image
  vm_mode_names         hw_vm_mode and vm_mode differ: nova schedules by
                        hw_vm_mode and builds by vm_mode. Where vm_mode is not
                        set, nova's own libvirt driver builds PV, and
                        nova-compute-xen builds what hw_vm_mode says. nova's
                        API doesn't show which driver a compute has
  vm_mode_without_type  the image has a vm_mode and no hypervisor_type
  no_hypervisor_type    the image has neither, in a cloud with Xen hosts and
                        others
  vif_model             hw_vif_model asks for an emulated NIC, which no guest
                        with a port of Neutron's can have on Xen
  disk_format           the format is none of --disk-formats
  live_migration_required
                        the image requires CUSTOM_XEN_LIVE_MIGRATION, without
                        which it could run as well
  trait_on_no_host      the image requires a trait that no host for it has
  trait_not_on_every_host
                        some Xen host that may run the image lacks a trait of
                        Xen hosts that it requires
  no_trait_required     with --traits: the image is for Xen hosts, and all of
                        them have a trait that others lack

What is required in placement is looked at where nova's and placement's API
can be asked, which takes an administrator.

Images typed for other hypervisors or other architectures than x86 are looked
at for refused_by_nova only. Nothing is changed.

exit codes:
  0  no findings
  1  findings
  2  wrong usage, or the cloud is out of reach
""" % tables.described(COLUMNS)
_OF_LINES = """\
If Glance answers 403 to a command, the image belongs to another project, or
Glance's property protections leave the property to another role: somebody who
has it must run the command. A volume made of an image has its own properties:
change them by openstack volume set --image-property NAME=VALUE VOLUME."""
#: Seen with nova 22 and libvirt 7.0: "libxenlight does not support disk format
#: vpc with disk driver qemu".
_OF_VHD = """\
Images in vhd: %d. They boot where nova-compute converts them to raw, as by
default (force_raw_images), and as far as it can: see the documentation. Where
it doesn't, they don't: Xen's libvirt driver refuses what nova makes of
them."""


class Check(base.Lister):
    """Find images in Glance that Xen hosts would not run as meant."""

    COLUMNS = COLUMNS
    _epilog = '%s\n%s' % (_EPILOG, _OF_LINES)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'images',
            metavar='IMAGE',
            nargs='*',
            help='Name or id of an image; without any, all that you may see.',
        )
        parser.add_argument(
            '--os-cloud',
            metavar='NAME',
            help='The cloud of clouds.yaml. Without it OS_CLOUD, or the other '
            'OS_ variables.',
        )
        parser.add_argument(
            '--mixed',
            choices=('auto', 'yes', 'no'),
            type=str.lower,
            default='auto',
            help='Whether the cloud has other hosts than Xen hosts. auto, '
            'the default, reads that from nova, for which you must be an '
            'administrator.',
        )
        parser.add_argument(
            '--traits',
            action='store_true',
            help='Also propose traits to require, with which placement '
            'leaves out other hosts before the scheduler reads them.',
        )
        parser.add_argument(
            '--disk-formats',
            metavar='LIST',
            type=_formats,
            default=remedies.GUIDE_FORMATS,
            help="The formats that Xen hosts take; %s, of OpenStack's "
            'guide to Xen via libvirt, if not given. Leave out vhd where '
            'nova.conf of Xen hosts has force_raw_images = false: no '
            'guest starts of one that is not converted.'
            % ','.join(remedies.GUIDE_FORMATS),
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        # It imports oslo.config, which help does without.
        from nova_xen_sched.cmd.image import traits

        with Progress('Loading openstacksdk'), errors.openstacksdk():
            from nova_xen_sched.cmd.nova import images as glance
        connection = glance.connect(parsed_args.os_cloud)
        if parsed_args.images:
            images = [
                glance.find(connection, name) for name in parsed_args.images
            ]
        else:
            images = []
            with Progress('Reading images') as progress:
                for each in glance.every(connection):
                    images.append(each)
                    progress.step()
        types = None
        if parsed_args.mixed == 'auto' or parsed_args.traits:
            types = self._types(glance, connection)
        mixed = parsed_args.mixed == 'yes'
        if parsed_args.mixed == 'auto':
            mixed = types is None or bool(set(types.values()) - {remedies.XEN})
        hosts = self._hosts(connection, types, parsed_args.traits)
        if not nova_properties.nova_is_here():
            self.say(
                'nova is not installed here, so values that nova refuses are '
                'not found.'
            )
        rows = []
        with Progress('Checking images', len(images)) as progress:
            for image in images:
                found = [
                    *remedies.findings(image, mixed, parsed_args.disk_formats),
                    *traits.findings(image, hosts, parsed_args.traits),
                ]
                name = image.get('name') or ''
                rows += [
                    (
                        name,
                        str(each.code),
                        each.problem,
                        each.mend,
                        image['id'],
                    )
                    for each in found
                ]
                progress.step()
        rows.sort(key=lambda row: (row[0], row[-1]))
        if rows:
            self.exit_code = errors.FINDINGS
        self.say(
            'Images with findings: %d of %d.'
            % (len({row[-1] for row in rows}), len(images))
        )
        if any(row[-2] for row in rows):
            self.say(_OF_LINES)
        vhd = sum(map(remedies.is_vhd, images))
        if vhd and 'vhd' in parsed_args.disk_formats:
            self.say(_OF_VHD % vhd)
        return tuple(COLUMNS), rows

    def _types(
        self, glance: ty.Any, connection: ty.Any
    ) -> dict[str, str] | None:
        """What the computes run, by their UUIDs; None if that is unknown."""
        try:
            types: dict[str, str] = glance.hypervisor_types(connection)
        except errors.Failure as e:
            self.say(
                'Whether the cloud has other hosts than Xen hosts is unknown. '
                'Images are checked as if it had (--mixed no: as if it had '
                'not). %s' % e,
                error=True,
            )
            return None
        if remedies.XEN not in types.values():
            self.say(
                'nova has no Xen hosts here. Images are checked as if it had.'
            )
        return types

    def _hosts(
        self,
        connection: ty.Any,
        types: dict[str, str] | None,
        wanted: bool,
    ) -> Hosts | None:
        """What placement says of the hosts; None if it can't be asked."""
        if not types:
            return None
        from nova_xen_sched.cmd.image.hosts import Hosts

        try:
            return Hosts(connection, types)
        except errors.Failure as e:
            if wanted:
                self.say(
                    'Traits are not looked at, because placement can not be '
                    'asked: %s' % e,
                    error=True,
                )
            return None


def _formats(text: str) -> tuple[str, ...]:
    found = tuple(
        each.strip().lower() for each in text.split(',') if each.strip()
    )
    if not found:
        raise argparse.ArgumentTypeError('no format is named')
    return found

# SPDX-License-Identifier: Apache-2.0


"""nova-xen-sched image check: images that will surprise on Xen hosts."""

from __future__ import annotations

import argparse
import re
import textwrap
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.image import remedies
from nova_xen_sched.cmd.image import values

COLUMNS = ('name', 'finding', 'problem', 'mend', 'id')
#: Of the cells of a table.
_PROBLEM_WIDTH = 40
_MEND_WIDTH = 56

_EPILOG = """\
columns:
  name      the image's name
  finding   what is wrong:
              refused_by_nova       a property has a value for which nova
                                    refuses to boot the image
              vm_mode_names         hw_vm_mode is not what vm_mode is:
                                    scheduled by the one, built by the other.
                                    Where vm_mode is not set, nova's own
                                    libvirt driver builds PV and
                                    nova-compute-xen what hw_vm_mode says;
                                    which of them a compute has can't be
                                    seen from here
              vm_mode_without_type  a vm_mode, and no hypervisor_type
              no_hypervisor_type    neither, in a cloud with Xen hosts and
                                    others
              disk_format           none of --disk-formats
  problem   what will happen
  mend      the command that mends it; "-f value -c mend" prints just these
  id        the image's id; the table shows it in mend

Images typed for other hypervisors are looked at for refused_by_nova only.
It changes nothing. Exit code: 0 no findings, 1 findings, 2 the cloud is out
of reach.
"""


class Check(base.Lister):
    """Name the images in Glance that will surprise on Xen hosts."""

    _epilog = _EPILOG

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
            help='A cloud in clouds.yaml; else what the variables OS_... say.',
        )
        parser.add_argument(
            '--mixed',
            choices=('auto', 'yes', 'no'),
            default='auto',
            help='Whether the cloud has other hosts than Xen hosts. auto, '
            'the default, asks nova, which takes an administrator.',
        )
        parser.add_argument(
            '--disk-formats',
            metavar='LIST',
            type=_formats,
            default=remedies.GUIDE_FORMATS,
            help="The formats that Xen hosts take; %s, of OpenStack's "
            'guide to Xen via libvirt, if not given.'
            % ','.join(remedies.GUIDE_FORMATS),
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        with errors.openstacksdk():
            from nova_xen_sched.cmd.nova import images as glance
        connection = glance.connect(parsed_args.os_cloud)
        found = self._images(connection, parsed_args.images)
        mixed = self._mixed(connection, parsed_args.mixed)
        if not values.nova_is_here():
            self.say(
                'nova is not installed here, so values that it refuses are '
                'not looked for.'
            )
        rows = [
            (image.name, str(each.code), each.problem, each.mend, image.id)
            for image in sorted(
                found, key=lambda image: (image.name, image.id)
            )
            for each in remedies.findings(
                image, mixed, parsed_args.disk_formats
            )
        ]
        if rows:
            self.exit_code = errors.FINDINGS
        self.say(_summary(rows, len(found)))
        if parsed_args.formatter != 'table':
            return COLUMNS, rows
        table = [
            (name, finding, _wrapped(problem), _wrapped_command(mend), id_)
            for name, finding, problem, mend, id_ in rows
        ]
        if parsed_args.columns:
            return COLUMNS, table
        return COLUMNS[:-1], [row[:-1] for row in table]

    def _images(
        self, connection: ty.Any, names: list[str]
    ) -> list[remedies.Image]:
        from nova_xen_sched.cmd.nova import images as glance

        if names:
            every = (glance.find(connection, name) for name in names)
            return [remedies.Image.of(each) for each in every]
        found = []
        with base.Progress('Reading images', stream=self.app.stderr) as shown:
            for each in glance.every(connection):
                found.append(remedies.Image.of(each))
                shown.step()
        return found

    def _mixed(self, connection: ty.Any, said: str) -> bool:
        if said != 'auto':
            return said == 'yes'
        from nova_xen_sched.cmd.nova import images as glance

        try:
            types = glance.hypervisor_types(connection)
        except errors.Failure as e:
            self.say(
                "Whether there are other hosts than Xen hosts can't be told, "
                'so it counts as if (say it by --mixed yes or no). %s' % e
            )
            return True
        if remedies.XEN not in types:
            self.say('nova has no Xen hosts here; it counts as if it had.')
        return bool(types - {remedies.XEN})


def _formats(text: str) -> tuple[str, ...]:
    found = tuple(
        each.strip().lower() for each in text.split(',') if each.strip()
    )
    if not found:
        raise argparse.ArgumentTypeError('no format is named')
    return found


def _wrapped(text: str) -> str:
    return '\n'.join(_lines(text, _PROBLEM_WIDTH))


def _wrapped_command(line: str) -> str:
    """A command in several lines, which a shell still takes."""
    # Options stay with their values.
    glued = re.sub(r'(--[a-z-]+) ', '\\1\0', line)
    return ' \\\n'.join(_lines(glued, _MEND_WIDTH)).replace('\0', ' ')


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, break_long_words=False, break_on_hyphens=False
    )


def _summary(rows: list[ty.Any], total: int) -> str:
    surprising = len({row[4] for row in rows})
    if not surprising:
        return 'None of %d images will surprise.' % total
    return '%d of %d images will surprise.' % (surprising, total)

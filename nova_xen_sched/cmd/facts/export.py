# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched facts export: what Xen hosts say, for the schedulers."""

from __future__ import annotations

import argparse
import datetime
import difflib
import json
import shlex
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.facts import aggregates as content
from nova_xen_sched.cmd.facts import edit_file
from nova_xen_sched.cmd.facts import merge_file
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.cmd.facts import write_file

FILE = 'file'
AGGREGATES = 'aggregates'


class Export(base.Command):
    """Ask Xen hosts, and write what they say as the schedulers read it.

    As a file (the default): a facts file for [xen_scheduler]
    host_facts_file. With --file it is put into that file: the difference is
    shown, then the file is replaced as a whole. A line that ends in
    "# exported" is export's own, and is replaced or removed; every other line
    is yours and stays, comments too, also where the host says otherwise,
    which is then told. Hosts that were not asked stay as they are.

    As aggregates: commands of openstack, to read and run.

    What a host can't state is left out: the memory of a dom0 that balloons,
    and from outside the version of Xen, of which only dom0 itself knows the
    patch level.

    Exit code: 0; 1 if a host did not answer, or not in full, or is no Xen
    host; 2 if none answered, or the file can't be used. Then nothing is
    written.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        read_hosts.add_arguments(parser)
        parser.add_argument(
            '--format',
            choices=(FILE, AGGREGATES),
            default=FILE,
            help='A facts file, or commands that make aggregates (file).',
        )
        parser.add_argument(
            '--file',
            metavar='PATH',
            help='The facts file to put the facts into; made if it is not '
            'there. Without it a file is printed.',
        )
        parser.add_argument(
            '--dry-run',
            action='store_true',
            help='Only show the difference; write nothing.',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        if parsed_args.format == AGGREGATES and parsed_args.file:
            raise errors.Failure('--file goes with --format file only.')
        if parsed_args.dry_run and not parsed_args.file:
            raise errors.Failure('--dry-run goes with --file only.')
        nova = read_hosts.configuration(self.app.options, parsed_args)
        asked = read_hosts.ask_all(parsed_args, nova)
        read_hosts.complain(self, asked)
        stated = read_hosts.stated_by(self, asked)
        if parsed_args.format == AGGREGATES:
            self._commands(asked, stated)
        elif parsed_args.file:
            named = {each.name for each in asked if each.nova_name}
            self._merge(parsed_args.file, stated, named, parsed_args.dry_run)
        else:
            self.write(merge_file.merged(None, stated).text)

    # A file

    def _merge(
        self,
        path: str,
        stated: ty.Mapping[str, facts.Raw],
        named: set[str],
        dry_run: bool,
    ) -> None:
        """Put the facts into a file.

        :param named: the hosts whose name in nova is known.
        """
        try:
            with write_file.alone(path):
                before = write_file.read(path)
                merged = merge_file.merged(before, stated, path)
                self._tell(merged)
                self._tell_alike(merged, named)
                self.write(_difference(path, before or '', merged.text))
                if dry_run or merged.text == before:
                    return
                write_file.replace(path, before, merged.text)
        except (edit_file.MergeError, write_file.WriteError) as e:
            raise errors.Failure(
                'The facts file %s was not written: %s.'
                % (path, str(e).rstrip('.'))
            ) from e
        self.say('Written: %s, with the facts of %s.' % (path, _names(stated)))

    def _tell(self, merged: merge_file.Merged) -> None:
        for kept in merged.kept:
            self.say(
                '%s: %s stays %s, as written; the host says %s.'
                % (
                    kept.host,
                    kept.fact,
                    _shown(kept.written),
                    _shown(kept.stated),
                )
            )
        for hidden in merged.hidden:
            self.say(
                '%s: %s is now %s, as the host says, and no longer %s, as a '
                'pattern or the defaults say.'
                % (
                    hidden.host,
                    hidden.fact,
                    _shown(hidden.stated),
                    _shown(hidden.written),
                )
            )

    def _tell_alike(self, merged: merge_file.Merged, named: set[str]) -> None:
        for host, entry in merged.alike:
            if host not in named:
                self.say(
                    "%s is libvirt's name, and the file has %s, which is all "
                    'that counts if nova calls the host so: give its name '
                    'with --nova-host.' % (host, entry)
                )

    # Aggregates

    def _commands(
        self, asked: list[read_hosts.Asked], stated: ty.Mapping[str, facts.Raw]
    ) -> None:
        known = {each.name for each in asked if each.nova_name is not None}
        nameless = sorted(set(stated) - known)
        if nameless:
            self.exit_code = errors.FINDINGS
            self.say(
                "%s: left out, for these are libvirt's names and an aggregate "
                "takes nova's: give them with --nova-host."
                % ', '.join(nameless)
            )
        groups: dict[str, dict[str, dict[str, str]]] = {}
        for host in sorted(set(stated) & known):
            metadata = content.metadata_of(stated[host])
            groups.setdefault(content.name_of(metadata), {})[host] = metadata
        if not groups:
            raise errors.Failure(
                "There is nothing to print: no host's name in nova is known."
            )
        self.write('\n'.join(_aggregate(*each) for each in groups.items()))


def _aggregate(name: str, hosts: ty.Mapping[str, ty.Mapping[str, str]]) -> str:
    """The commands for hosts with equal facts."""
    metadata = {content.MANAGED_BY: content.OWNER}
    metadata.update(next(iter(hosts.values())))
    times = [
        each[content.OBSERVED_AT]
        for each in hosts.values()
        if content.OBSERVED_AT in each
    ]
    if times:
        metadata[content.OBSERVED_AT] = content.lowest(
            content.OBSERVED_AT, times
        )
    properties = [
        word
        for pair in sorted(metadata.items())
        for word in ('--property', '%s=%s' % pair)
    ]
    commands = [['openstack', 'aggregate', 'create', *properties, name]]
    commands += [
        ['openstack', 'aggregate', 'add', 'host', name, host] for host in hosts
    ]
    return ''.join(
        ' '.join(map(shlex.quote, command)) + '\n' for command in commands
    )


def _difference(path: str, before: str, after: str) -> str:
    """A unified diff, empty where there is none."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        path,
        path + ' (new)',
    )
    # A file may lack the end of its last line.
    return ''.join(
        line if line.endswith('\n') else line + '\n' for line in lines
    )


def _names(hosts: ty.Mapping[str, facts.Raw]) -> str:
    """Some names, or how many."""
    names = sorted(hosts)
    return ', '.join(names) if len(names) <= 5 else '%d hosts' % len(names)


def _shown(value: ty.Any) -> str:
    if isinstance(value, (str, bool)):
        return json.dumps(value)
    if isinstance(value, datetime.date):
        return str(value)
    # A person may have written a number that is too long for str().
    return log.shown(value)

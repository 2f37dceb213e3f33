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
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import edit_file
from nova_xen_sched.cmd.facts import plan
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.cmd.facts import write_file
from nova_xen_sched.facts import file

FILE = 'file'
AGGREGATES = 'aggregates'
JSON = 'json'
PROVIDER_YAML = 'provider-yaml'


_EPILOG = """\
formats:
  file        a facts file for [xen_scheduler] host_facts_file. With --file the
              facts are put into that file: the difference is shown, then the
              file is replaced as a whole. A line that ends in "# exported"
              belongs to export, which replaces or removes it. Every other line
              stays, comments too; where a host reports another value, a line
              on the terminal names both. Other hosts stay as they are
  aggregates  commands of openstack, to read and run
  json        the facts by host
  provider-yaml
              the traits of one host, as a file for nova's [compute]
              provider_config_location, for computes whose traits nobody
              publishes. Refused where nova.conf here says that the host runs
              nova-compute-xen, which reports its own. With --slots
              also the slots of dom0, a fixed number: only of a host without
              guests, in its own dom0, where nova.conf says its compute_driver

exit codes:
  0  fine
  1  a host did not answer, did not answer in full, or is no Xen host
  2  no host answered, or the file can't be used; nothing is written
"""


class Export(read_hosts.ReadsHosts):
    """Read Xen hosts, and write their facts for the schedulers.

    What can't be read of a host is left out: the memory of a dom0 that
    balloons, and from another host the version of Xen, of which only dom0
    itself knows the patch level.
    """

    _epilog = _EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--format',
            choices=(FILE, AGGREGATES, JSON, PROVIDER_YAML),
            type=str.lower,
            default=FILE,
            metavar='FORMAT',
            help='file, aggregates, json or provider-yaml, as below; file if '
            'not given.',
        )
        parser.add_argument(
            '--file',
            metavar='PATH',
            type=options.filled,
            help='The facts file to put the facts into; made if it is not '
            'there. Without it a file is printed.',
        )
        parser.add_argument(
            '--dry-run',
            action='store_true',
            help='Only show the difference; write nothing.',
        )
        parser.add_argument(
            '--slots',
            action='store_true',
            help='With provider-yaml: write CUSTOM_XEN_DOM0_SLOT too, as many '
            'as HVM guests fit into dom0 by the options of [xen_scheduler] in '
            'nova.conf.',
        )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        super().check_usage(parsed_args)
        path = parsed_args.file
        if parsed_args.format != FILE and path:
            raise errors.Failure('--file goes with --format file only.')
        if parsed_args.dry_run and not path:
            raise errors.Failure('--dry-run goes with --file only.')
        if parsed_args.slots and parsed_args.format != PROVIDER_YAML:
            raise errors.Failure(
                '--slots goes with --format provider-yaml only.'
            )

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        path = parsed_args.file
        results = self.read_hosts(parsed_args)
        if parsed_args.format == PROVIDER_YAML:
            self._print_provider(results, parsed_args.slots)
            return
        found = self.facts_of(results)
        named = {each.name for each in results if each.nova_name}
        if parsed_args.format == AGGREGATES:
            self._print_commands(found, named)
        elif parsed_args.format == JSON:
            hosts = {'version': 1, 'hosts': found}
            self.write(json.dumps(hosts, indent=2, default=str) + '\n')
        elif path:
            try:
                self._edit(path, found, named, parsed_args.dry_run)
            except file.FileError as e:
                raise errors.Failure(
                    'The facts file %s was not written: %s.'
                    % (path, str(e).rstrip('.'))
                ) from e
        else:
            self.write(edit_file.edited(None, found).text)

    def _edit(
        self,
        path: str,
        found: ty.Mapping[str, facts.Raw],
        named: set[str],
        dry_run: bool,
    ) -> None:
        """Put the facts into a file.

        :param named: the hosts whose name in nova is known.
        :raises file.FileError: if it can't be edited or written.
        """
        with write_file.alone(path):
            before = write_file.read(path)
            edited = edit_file.edited(before, found, path)
            for line in _remarks(edited, named):
                self.say(line)
            self.write(_difference(path, before or '', edited.text))
            if dry_run or edited.text == before:
                return
            write_file.replace(path, before, edited.text)
        self.say(
            'Written: %s, with the facts of %s.'
            % (path, tables.listed(sorted(found)))
        )

    def _print_provider(
        self, results: list[read_hosts.Result], slots: bool
    ) -> None:
        """Print the file with the traits, and the slots, of a host."""
        if len(results) > 1:
            raise errors.Failure(
                '--format provider-yaml is of one host: give one --connect.'
            )
        # It imports oslo.config, which help does without.
        from nova_xen_sched.cmd.facts import provider_yaml

        text, lines = provider_yaml.of_host(results[0], self.nova, slots)
        for line in lines:
            self.exit_code = errors.FINDINGS
            self.say(line)
        self.write(text)

    def _print_commands(
        self, found: ty.Mapping[str, facts.Raw], named: set[str]
    ) -> None:
        """Print the commands that make aggregates.

        :param named: the hosts whose name in nova is known.
        """
        nameless = sorted(found.keys() - named)
        if nameless:
            self.exit_code = errors.FINDINGS
            self.say(
                "%s: left out, for these are libvirt's names and an aggregate "
                "takes nova's: give them with --nova-host."
                % ', '.join(nameless),
                error=True,
            )
        groups = plan.group_hosts(
            {
                host: aggregates.metadata_of(raw)
                for host, raw in found.items()
                if host in named
            }
        )
        if not groups:
            raise errors.Failure(
                "There is nothing to print: no host's name in nova is known."
            )
        self.write('\n'.join(map(_commands, groups)))


def _commands(group: plan.Group) -> str:
    """The commands for hosts with equal facts."""
    openstack = ('openstack', 'aggregate')
    properties = [
        word
        for pair in sorted(group.metadata.items())
        for word in ('--property', '%s=%s' % pair)
    ]
    commands = [(*openstack, 'create', *properties, group.name)]
    commands += [
        (*openstack, 'add', 'host', group.name, host) for host in group.hosts
    ]
    return ''.join(shlex.join(command) + '\n' for command in commands)


def _remarks(edited: edit_file.Edited, named: set[str]) -> ty.Iterator[str]:
    """What of a file stays, what hides, and what may be of the same host."""
    for host, fact, written, reported in edited.kept:
        yield '%s: %s stays %s, as written; the host reports %s.' % (
            host,
            fact,
            _shown(written),
            _shown(reported),
        )
    for host, fact, written, reported in edited.hidden:
        yield (
            '%s: %s is now %s, as the host reports, and no longer %s, as a '
            'pattern or the defaults have it.'
            % (host, fact, _shown(reported), _shown(written))
        )
    for host, entry in edited.alike:
        if host not in named:
            yield (
                "%s is libvirt's name, and the file has %s, which is all "
                'that counts if nova calls the host so: give its name with '
                '--nova-host.' % (host, entry)
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


def _shown(value: ty.Any) -> str:
    if isinstance(value, (str, bool)):
        return json.dumps(value)
    if isinstance(value, datetime.date):
        return str(value)
    # A person may have written a number that is too long for str().
    return log.shown(value)

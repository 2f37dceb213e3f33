# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched complete: what the Tab key offers in bash and zsh.

cliff's own script needs the package bash-completion, and is none for zsh.
"""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import options

_SCRIPT = """\
if [ -n "${ZSH_VERSION-}" ]; then
  whence compdef >/dev/null || { autoload -Uz compinit && compinit; }
  autoload -Uz bashcompinit && bashcompinit
fi
_nova_xen_sched()
{
  local given='' offered='' current="${COMP_WORDS[$COMP_CWORD]}" word i=1
  while [ "$i" -lt "$COMP_CWORD" ]; do
    word="${COMP_WORDS[$i]}"
    case "$given$word" in
      %(commands)s) given="$given$word " ;;
    esac
    i=$((i + 1))
  done
  case "$current" in
    -*)
      offered='%(everywhere)s'
      case "$given" in
%(options)s
      esac ;;
    *)
      case "$given" in
%(words)s
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$offered" -- "$current"))
}
complete -o default -F _nova_xen_sched nova-xen-sched
complete -o default -W 'upgrade check %(status)s' nova-xen-sched-status
"""
_CASE = "        '%s') offered='%s' ;;"


class Complete(base.Command):
    """Print a script for completion by the Tab key in bash and zsh.

    To have it in each shell, add this line to ~/.bashrc or ~/.zshrc:

        source <(nova-xen-sched complete)
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        # What may follow which words; the first words follow none.
        words: dict[str, list[str]] = {}
        taken: dict[str, list[str]] = {}
        for name, entry_point in sorted(self.app.command_manager):
            before = ''
            for word in name.split():
                following = words.setdefault(before, [])
                if word not in following:
                    following.append(word)
                before += word + ' '
            command = entry_point.load()(self.app, None)
            taken[before] = _options(command.get_parser(name))
            taken[before] += _options(self.app.parser)
        status = ['--json', '--help', *_options(options.parser('', ''))]
        self.write(
            _SCRIPT
            % {
                'commands': '|'.join(
                    "'%s'" % (before + word)
                    for before, following in words.items()
                    for word in following
                ),
                'options': _cases(taken),
                'everywhere': ' '.join(_options(self.app.parser)),
                'words': _cases(words),
                'status': ' '.join(status),
            }
        )


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return list(parser._option_string_actions)


def _cases(offered: ty.Mapping[str, ty.Iterable[str]]) -> str:
    return '\n'.join(
        _CASE % (before, ' '.join(dict.fromkeys(words)))
        for before, words in offered.items()
    )

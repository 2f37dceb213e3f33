# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched: what is run. Its application is in application.py."""

from __future__ import annotations

import sys

from nova_xen_sched.cmd import ending


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    :returns: 0 fine; 1 findings or a partial answer; 2 wrong usage, or
        something needed is out of reach, such as a place for the output.
    """
    return ending.run(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: list[str]) -> int:
    # It takes a moment, in which Ctrl-C may come.
    from nova_xen_sched.cmd import application

    return application.run(argv)


if __name__ == '__main__':
    sys.exit(main())

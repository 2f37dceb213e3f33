# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched-status: what is run. Its checks are in checks.py."""

from __future__ import annotations

import sys

from nova_xen_sched.cmd import ending


def main(argv: list[str] | None = None) -> int:
    """Run the checks.

    :returns: 0 all is well, 1 warnings, 2 failures, wrong usage, or no place
        for the output, 255 an error.
    """
    return ending.run(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: list[str]) -> int:
    # It takes a moment, in which Ctrl-C may come.
    from nova_xen_sched.cmd.upgrade_check import checks

    return checks.run(argv)


if __name__ == '__main__':
    sys.exit(main())

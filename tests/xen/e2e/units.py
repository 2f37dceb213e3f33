# SPDX-License-Identifier: Apache-2.0

"""Services of OpenStack in dom0, as transient units of systemd."""

from __future__ import annotations

from tests.xen.e2e.hosts import SHARED
from tests.xen.e2e.hosts import XenHost


def start(host: XenHost, name: str, command: str) -> None:
    """Start one; it logs into the folder that both hosts see.

    :param name: of the unit and of its log
    """
    host.run(
        'mkdir -p {shared}/log; '
        'systemctl reset-failed e2e-{name} 2>/dev/null; '
        'systemd-run -q --unit=e2e-{name} '
        '-p StandardOutput=append:{log} -p StandardError=append:{log} '
        '{command}'.format(
            shared=SHARED,
            name=name,
            log='%s/log/%s-%s.log' % (SHARED, name, host.name),
            command=command,
        )
    )

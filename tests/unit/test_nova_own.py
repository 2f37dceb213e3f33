# SPDX-License-Identifier: Apache-2.0

"""nova's own tests of ImagePropertiesFilter, with XenHostFilter in its place.

They run in a process of their own: importing nova.tests patches the
standard library where that nova uses eventlet.
"""

from __future__ import annotations

import re
import subprocess
import sys

RUNNER = """
import unittest

from nova.tests.unit.scheduler.filters import test_image_props_filters
from nova.scheduler.filters import image_props_filter
from nova_xen_sched import filters
from nova_xen_sched import log


def fail(doing):
    raise


# What goes wrong accepts the host; here it must show.
log.unexpected = fail
image_props_filter.ImagePropertiesFilter = filters.XenHostFilter
unittest.main(module=test_image_props_filters)
"""


def test_nova_s_own_tests_pass():
    done = subprocess.run(
        [sys.executable, '-c', RUNNER],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    # nova 22.4.0 has 15 of them, 34.0.0 has 17.
    ran = re.search(r'^Ran (\d+) tests', done.stdout, re.MULTILINE)
    assert ran and int(ran.group(1)) >= 15, done.stdout

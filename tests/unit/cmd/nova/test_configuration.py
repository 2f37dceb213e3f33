# SPDX-License-Identifier: Apache-2.0

"""Loading nova's configuration."""

from __future__ import annotations

import nova.conf
import pytest

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import configuration


@pytest.fixture(autouse=True)
def _unread():
    nova.conf.CONF.reset()
    yield
    nova.conf.CONF.reset()


def test_a_file_that_is_no_text_is_a_failure_of_one_line(tmp_path):
    path = tmp_path / 'nova.conf'
    path.write_bytes(b'[DEFAULT]\nhost = h\xf6chst\n')
    with pytest.raises(
        errors.Failure, match='configuration is wrong: '
    ) as found:
        configuration.load([str(path)], [])
    assert '\n' not in str(found.value)

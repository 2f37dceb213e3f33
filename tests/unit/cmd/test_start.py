# SPDX-License-Identifier: Apache-2.0

"""What a command imports before it does anything: that is how it starts."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

_SCRIPT = """
import sys
sys.path[:0] = %r
# Which package has which module is in the metadata of all packages.
from importlib import metadata
read = []
found = metadata.PathDistribution.metadata
metadata.PathDistribution.metadata = property(
    lambda each: read.append(each) or found.fget(each)
)
from nova_xen_sched.cmd import app
try:
    app.main(sys.argv[1:])
finally:
    print(file=sys.stderr)
    print(len(read), *sys.modules, file=sys.stderr)
"""
#: Each takes a tenth of a second or more.
_SLOW = {
    *('eventlet', 'keystoneauth1', 'nova', 'openstack', 'oslo_db'),
    *('oslo_log.log', 'oslo_messaging', 'requests', 'sqlalchemy'),
    # Of an extra.
    *('matplotlib', 'prometheus_client'),
}
_NOWHERE = ('--connect', 'xen+tcp://127.0.0.1:1/system')


def imported(*arguments):
    """How many packages' metadata were read, and the slow modules."""
    ran = subprocess.run(
        [sys.executable, '-c', _SCRIPT % (sys.path[1:],), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    count, *names = ran.stderr.splitlines()[-1].split()
    return int(count), _SLOW.union(['oslo_config', 'yaml']).intersection(names)


@pytest.mark.parametrize(
    'arguments',
    [
        ['--help'],
        ['help'],
        ['--version'],
        ['complete'],
        ['host', 'list', '--help'],
        ['explain', '--help'],
        ['image', 'check', '--help'],
        ['metrics', '--help'],
        ['facts', 'show', '--help'],
    ],
)
def test_help_and_completion(arguments):
    count, slow = imported(*arguments)
    # Its own version, and not those of two hundred.
    assert count < 10
    assert slow <= {'yaml'}


@pytest.mark.parametrize('command', ['show', 'export'])
def test_facts_show_and_export(command):
    count, slow = imported(
        '--config-file', '/dev/null', 'facts', command, *_NOWHERE
    )
    assert count < 10
    assert slow <= {'oslo_config', 'yaml'}


@pytest.mark.parametrize(
    'arguments',
    [['facts', 'publish', '--from-placement'], ['image', 'check']],
)
def test_what_needs_openstacksdk_needs_no_nova(
    monkeypatch, tmp_path, arguments
):
    clouds = tmp_path / 'clouds.yaml'
    url = 'http://127.0.0.1:1'
    auth = {
        'auth_type': 'none',
        'compute_endpoint_override': url,
        'image_endpoint_override': url,
    }
    clouds.write_text(json.dumps({'clouds': {'nowhere': auth}}))
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(clouds))
    monkeypatch.setenv('OS_CLOUD', 'nowhere')
    _, slow = imported(*arguments)
    assert 'openstack' in slow
    assert not slow & {'eventlet', 'nova', 'oslo_messaging', 'sqlalchemy'}

# SPDX-License-Identifier: Apache-2.0

"""Loading nova's configuration."""

from __future__ import annotations

import os

import nova.conf
from oslo_config import cfg
import pytest

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import configuration
from nova_xen_sched.conf import files


@pytest.fixture(autouse=True)
def _unread():
    nova.conf.CONF.reset()
    yield
    nova.conf.CONF.reset()


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'[DEFAULT]\nhost = h\xf6chst\n', '%s is no text (UTF-8) in line 2'),
        (b'[DEFAULT]\n\0\1\n', '%s is no text (UTF-8) in line 2'),
        (None, 'there is no %s: check the path.'),
        (False, '%s is a folder: name it with --config-dir.'),
    ],
)
def test_what_cant_be_read_is_named(tmp_path, content, words):
    path = tmp_path / 'nova.conf'
    if content is False:
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.Failure) as found:
        configuration.load([str(path)], [])
    assert "nova's configuration can't be read: " in str(found.value)
    assert words % path in str(found.value)
    assert '\n' not in str(found.value)


@pytest.mark.skipif(os.geteuid() != 0, reason='nobody else can be nobody')
def test_what_one_may_not_read_is_not_called_wrong(tmp_path_factory):
    folder = tmp_path_factory.mktemp('conf')
    path = folder / 'nova.conf'
    path.write_text('[DEFAULT]\n')
    path.chmod(0o600)
    os.seteuid(65534)
    try:
        found = files.complaint(
            cfg.ConfigFilesPermissionDeniedError([str(path)]),
            [str(path)],
        )
    finally:
        os.seteuid(0)
    assert ': permission denied: run this as a user who may' in found


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(errors.Failure, match='there is no /'):
        configuration.load([], [str(tmp_path / 'nova.conf.d')])


def test_what_is_wrong_in_a_file_is_called_wrong(tmp_path):
    path = tmp_path / 'nova.conf'
    path.write_text('[DEFAULT\n')
    with pytest.raises(errors.Failure, match='configuration is wrong: Fail'):
        configuration.load([str(path)], [])

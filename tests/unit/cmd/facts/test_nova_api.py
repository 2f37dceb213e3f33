# SPDX-License-Identifier: Apache-2.0

"""What goes wrong with a cloud is said in one line, with nothing secret."""

from __future__ import annotations

import pytest

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.facts import nova_api

PASSWORD = 'not-for-your-eyes'


@pytest.fixture(autouse=True)
def _no_cloud_of_this_machine(monkeypatch, tmp_path):
    for name in ('OS_CLOUD', 'OS_AUTH_URL', 'OS_CLIENT_CONFIG_FILE'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.chdir(tmp_path)


def said(cloud=None):
    with pytest.raises(errors.Failure) as caught:
        nova_api.Nova(cloud).hosts()
    line = str(caught.value)
    assert '\n' not in line
    assert PASSWORD not in line
    return line


def write(monkeypatch, tmp_path, text):
    path = tmp_path / 'clouds.yaml'
    path.write_text(text)
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(path))


def test_no_cloud_is_configured():
    assert '--os-cloud' in said()


def test_no_such_cloud():
    assert 'Cloud nix was not found' in said('nix')


def test_a_broken_clouds_yaml_is_not_quoted(monkeypatch, tmp_path, caplog):
    write(
        monkeypatch,
        tmp_path,
        'clouds:\n  a:\n    auth: {password: %s, x: [\n' % PASSWORD,
    )
    # Newer releases of openstacksdk warn of it and go on without it.
    for cloud in ('a', None):
        assert said(cloud).endswith(
            "clouds.yaml can't be read as YAML: see line 4."
        )
    assert caplog.text == ''


def test_a_broken_clouds_yaml_beside_the_variables(
    monkeypatch, tmp_path, caplog
):
    write(monkeypatch, tmp_path, 'clouds: [\n  a: {password: %s' % PASSWORD)
    monkeypatch.setenv('OS_AUTH_URL', 'http://127.0.0.1:1')
    for name in ('USERNAME', 'PASSWORD', 'PROJECT_NAME'):
        monkeypatch.setenv('OS_' + name, 'x')
    # Older ones end.
    assert "clouds.yaml can't be read as YAML" in said() + caplog.text
    assert PASSWORD not in caplog.text


def test_a_clouds_yaml_of_another_kind(monkeypatch, tmp_path):
    write(monkeypatch, tmp_path, 'clouds: 3\n')
    assert "clouds.yaml can't be read" in said('a')


def test_an_unknown_kind_of_authentication(monkeypatch):
    monkeypatch.setenv('OS_AUTH_TYPE', 'foo')
    monkeypatch.setenv('OS_AUTH_URL', 'http://127.0.0.1:9/v3')
    assert 'plugin foo' in said()


def test_keystone_is_away_and_the_password_is_in_its_url(monkeypatch):
    url = 'http://user:%s@127.0.0.1:9/v3' % PASSWORD
    monkeypatch.setenv('OS_AUTH_URL', url)
    monkeypatch.setenv('OS_USERNAME', 'user')
    monkeypatch.setenv('OS_PASSWORD', PASSWORD)
    monkeypatch.setenv('OS_PROJECT_NAME', 'p')
    line = said()
    assert '127.0.0.1:9' in line
    assert 'Connection refused' in line


def test_nova_is_away(monkeypatch, tmp_path):
    write(
        monkeypatch,
        tmp_path,
        'clouds:\n  a:\n    auth_type: admin_token\n'
        '    auth: {endpoint: "http://127.0.0.1:9/v2.1", token: "%s"}\n'
        % PASSWORD,
    )
    assert said('a').startswith('Asking nova for its hosts: Unable to')

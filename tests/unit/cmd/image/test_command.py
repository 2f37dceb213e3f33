# SPDX-License-Identifier: Apache-2.0


"""nova-xen-sched image check, over HTTP.

A small server stands for Glance and for nova's API. It says what a real
Glance of 2026 (v2.17) was seen to say, with links to pages; a real one takes
a minute to install, and these tests should run anywhere.
"""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from urllib import parse

from openstack.config import loader
import pytest

from nova_xen_sched.cmd import app
from nova_xen_sched.cmd import plain
from tests.unit import builders
from tests.unit.cmd import schemas

GOLDEN = builders.CAPTURES.parent / 'golden' / 'image-check.txt'
IMAGES = [
    {
        'id': '00000000-0000-4000-8000-00000000000%d' % n,
        'name': name,
        'disk_format': disk_format,
        'container_format': 'bare',
        'visibility': 'shared',
        'min_ram': 0,
        'tags': [],
        'os_hidden': False,
        **properties,
    }
    for n, (name, disk_format, properties) in enumerate(
        [
            ('debian', 'qcow2', {'hypervisor_type': 'xen', 'vm_mode': 'hvm'}),
            ('centos', 'raw', {'hypervisor_type': 'xen', 'hw_vm_mode': 'hvm'}),
            ('ubuntu', 'raw', {}),
            ('fedora', 'raw', {'hypervisor_type': 'xen', 'vm_mode': 'PVH'}),
            ('windows', 'vmdk', {'hypervisor_type': 'xen'}),
        ]
    )
]


class _Cloud(http.server.BaseHTTPRequestHandler):
    types = ('Xen', 'QEMU')
    #: Of the API whose answer it is.
    glance_status = 200
    nova_status = 200
    #: By trait, the hypervisors that have it; None without a placement.
    traits = None

    def do_GET(self):
        url = parse.urlsplit(self.path)
        query = dict(parse.parse_qsl(url.query))
        self.server.asked.append(self.path)
        if url.path.startswith('/compute'):
            return self._compute(url.path)
        if url.path.startswith('/placement'):
            return self._placement(url.path, query)
        if url.path in ('/', '/v2', '/v2/'):
            return self._say(
                300, {'versions': [_version(self.server, 'v2.17')]}
            )
        if self.server.glance_status != 200:
            return self._say(self.server.glance_status, {'message': 'no'})
        if url.path == '/v2/images':
            return self._page(query)
        for image in IMAGES:
            if url.path == '/v2/images/' + image['id']:
                return self._say(200, image)
        return self._say(404, {})

    def _page(self, query):
        found = [i for i in IMAGES if query.get('name') in (None, i['name'])]
        begin = int(query.get('marker', 0))
        end = begin + min(int(query.get('limit', 2)), 2)
        page = {'images': found[begin:end]}
        if end < len(found):
            page['next'] = '/v2/images?visibility=all&marker=%d' % end
        return self._say(200, page)

    def _compute(self, path):
        if path.endswith('/os-hypervisors/detail'):
            if self.server.nova_status != 200:
                return self._say(self.server.nova_status, {})
            return self._say(
                200,
                {
                    'hypervisors': [
                        {'id': n, 'hypervisor_type': name}
                        for n, name in enumerate(self.server.types)
                    ]
                },
            )
        return self._say(
            200, {'version': _version(self.server, 'v2.1', 'compute/v2.1/')}
        )

    def _placement(self, path, query):
        traits = self.server.traits
        if traits is None:
            return self._say(503, {})
        if path.endswith('/traits'):
            wanted = query['name'][len('in:') :].split(',')
            return self._say(200, {'traits': [*set(wanted) & set(traits)]})
        if not path.endswith('/resource_providers'):
            found = _version(self.server, 'v1.0', 'placement/')
            found.update(version='', min_version='1.0', max_version='1.39')
            return self._say(200, {'versions': [found]})
        every = range(len(self.server.types))
        found = traits[query['required']] if 'required' in query else every
        return self._say(
            200,
            {
                'resource_providers': [
                    {'uuid': str(n), 'root_provider_uuid': str(n)}
                    for n in found
                ]
            },
        )

    def _say(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def _version(server, name, path='v2/'):
    return {
        'id': name,
        'status': 'CURRENT',
        'version': '2.1',
        'min_version': '2.1',
        'links': [{'rel': 'self', 'href': '%s/%s' % (server.url, path)}],
    }


@pytest.fixture(autouse=True)
def _clouds_of_before(monkeypatch):
    # Some releases of openstacksdk remember OS_CLIENT_CONFIG_FILE here.
    monkeypatch.setattr(loader, 'CONFIG_FILES', list(loader.CONFIG_FILES))


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), _Cloud)
    server.url = 'http://127.0.0.1:%d' % server.server_port
    server.asked = []
    server.types = _Cloud.types
    server.traits = None
    server.glance_status = server.nova_status = 200
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    clouds = tmp_path / 'clouds.yaml'
    clouds.write_text(
        json.dumps(
            {
                'clouds': {
                    'stub': {
                        'auth_type': 'none',
                        'image_endpoint_override': server.url,
                        'compute_endpoint_override': server.url
                        + '/compute/v2.1',
                        'placement_endpoint_override': server.url
                        + '/placement',
                    }
                }
            }
        )
    )
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(clouds))
    monkeypatch.setenv('OS_CLOUD', 'stub')
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(capsys, *args):
    try:
        status = app.main(['image', 'check', *args])
    except SystemExit as e:
        status = e.code
    out, err = capsys.readouterr()
    # stevedore's words on commands that the checkout doesn't have (yet).
    lines = [
        line
        for line in err.splitlines(keepends=True)
        if not line.startswith('Could not load')
    ]
    return status, out, ''.join(lines)


def as_json(capsys, *args):
    status, out, _ = run(capsys, '-f', 'json', *args)
    schemas.check('image-check', json.loads(out))
    return status, {(row['name'], row['finding']) for row in json.loads(out)}


ALWAYS = {
    ('centos', 'vm_mode_names'),
    ('fedora', 'refused_by_nova'),
    ('windows', 'disk_format'),
}


def test_every_page_is_read_and_findings_are_told(capsys, cloud):
    assert as_json(capsys) == (
        1,
        ALWAYS | {('ubuntu', 'no_hypervisor_type')},
    )
    assert sum('/v2/images?' in path for path in cloud.asked) == 3


def test_a_cloud_of_xen_hosts_alone_is_not_mixed(capsys, cloud):
    cloud.types = ('Xen', 'xen')
    assert as_json(capsys) == (1, ALWAYS)


def test_a_cloud_without_xen_hosts_is_told_of(capsys, cloud):
    cloud.types = ('QEMU',)
    status, out, err = run(capsys)
    assert status == 1
    assert 'ubuntu' in out
    assert 'nova has no Xen hosts here' in err


def test_nova_out_of_reach_counts_as_mixed_and_is_said(capsys, cloud):
    cloud.nova_status = 403
    status, out, err = run(capsys)
    assert status == 1
    assert 'ubuntu' in out
    assert 'has other hosts than Xen hosts is unknown' in err
    assert as_json(capsys, '--mixed', 'no') == (1, ALWAYS)


def test_named_images(capsys, cloud):
    assert as_json(capsys, 'debian') == (0, set())
    assert as_json(capsys, IMAGES[1]['id']) == (
        1,
        {('centos', 'vm_mode_names')},
    )


def test_nova_is_not_imported_for_images_as_they_should_be(cloud):
    """It takes two seconds."""
    program = (
        'import sys; from nova_xen_sched.cmd import app\n'
        "sys.exit(app.main(sys.argv[1:]) or ('nova' in sys.modules))"
    )
    arguments = [sys.executable, '-c', program, 'image', 'check', '--mixed=no']
    for name, code in (('debian', 0), ('fedora', 1)):
        ran = subprocess.run([*arguments, name], check=False, timeout=120)
        assert ran.returncode == code


def test_traits_that_images_require_or_could(capsys, cloud, monkeypatch):
    cloud.traits = {'COMPUTE_STORAGE_BUS_XEN': [0]}
    # What could be is proposed only where it is asked for.
    assert as_json(capsys, 'debian') == (0, set())
    assert as_json(capsys, 'debian', '--traits') == (
        1,
        {('debian', 'no_trait_required')},
    )
    _, out, _ = run(capsys, '--traits', 'debian')
    assert out.endswith(
        '\nopenstack image set --property '
        'trait:COMPUTE_STORAGE_BUS_XEN=required %s\n' % IMAGES[0]['id']
    )
    assert 'binds all of them' in ' '.join(out.split())
    monkeypatch.setitem(IMAGES[0], 'trait:CUSTOM_XEN_HVM', 'required')
    assert as_json(capsys, 'debian') == (1, {('debian', 'trait_on_no_host')})


def test_of_traits_nothing_is_said_without_placement(
    capsys, cloud, monkeypatch
):
    monkeypatch.setitem(IMAGES[0], 'trait:CUSTOM_XEN_HVM', 'required')
    code, _, err = run(capsys, 'debian')
    assert (code, err) == (0, 'Images with findings: 0 of 1.\n')
    _, _, err = run(capsys, '--traits', 'debian')
    assert 'Traits are not looked at, because placement' in err
    # What is wrong on any host is found all the same.
    monkeypatch.setitem(
        IMAGES[0], 'trait:CUSTOM_XEN_LIVE_MIGRATION', 'required'
    )
    assert as_json(capsys, 'debian', '--mixed=yes') == (
        1,
        {('debian', 'live_migration_required')},
    )


def test_other_formats(capsys, cloud):
    assert as_json(capsys, '--disk-formats', 'VMDK', 'windows')[0] == 0
    status, _, err = run(capsys, '--disk-formats', ',')
    assert status == 2
    assert 'no format is named' in err


def test_a_vhd_is_told_of_and_is_no_finding(capsys, cloud, monkeypatch):
    _, _, err = run(capsys, 'debian')
    assert 'vhd' not in err
    monkeypatch.setitem(IMAGES[0], 'disk_format', 'vhd')
    code, _, err = run(capsys, 'debian')
    assert code == 0
    assert 'Images in vhd: 1. They boot where nova-compute' in err
    _, _, err = run(capsys, '--disk-formats=raw', 'debian')
    assert 'Images in vhd' not in err
    assert as_json(capsys, '--disk-formats=raw', 'debian') == (
        1,
        {('debian', 'disk_format')},
    )


def test_the_lines_alone(capsys, cloud):
    _, out, _ = run(capsys, '-f', 'value', '-c', 'mend', 'centos')
    assert out == (
        'openstack image set --property vm_mode=hvm %s\n' % IMAGES[1]['id']
    )


def test_the_table_as_a_person_reads_it(capsys, cloud, monkeypatch):
    monkeypatch.setattr(plain, 'terminal', lambda stream: (80, False))
    _, out, err = run(capsys)
    assert out + err == GOLDEN.read_text()


def test_the_limits_of_the_lines_are_told_where_there_are_lines(capsys, cloud):
    _, _, err = run(capsys, 'centos')
    assert 'If Glance answers 403' in err
    assert 'openstack volume set --image-property NAME=VALUE' in err
    _, _, err = run(capsys, 'debian')
    assert '403' not in err
    _, out, _ = run(capsys, '--help')
    assert 'If Glance answers 403' in out


def test_what_is_pasted_stands_whole_on_a_line_of_its_own(capsys, cloud):
    _, out, _ = run(capsys, 'centos')
    _, lines, _ = run(capsys, 'centos', '-f', 'value', '-c', 'mend')
    assert lines.startswith('openstack image set --property vm_mode=hvm ')
    assert lines in out.splitlines(keepends=True)


@pytest.mark.parametrize('status', [401, 403, 500])
def test_glance_away_is_one_line(capsys, cloud, status):
    cloud.glance_status = status
    code, out, err = run(capsys)
    assert (code, out) == (2, '')
    assert err.startswith("Glance's images can't be read: ")
    assert err.count('\n') == 1


def test_nobody_there_is_one_line(capsys, cloud, monkeypatch, tmp_path):
    text = (tmp_path / 'clouds.yaml').read_text()
    (tmp_path / 'clouds.yaml').write_text(
        text.replace(cloud.url, 'http://127.0.0.1:1')
    )
    code, out, err = run(capsys)
    assert (code, out) == (2, '')
    assert err.count('\n') == 1


def test_an_unknown_image_or_cloud_is_one_line(capsys, cloud, monkeypatch):
    assert run(capsys, 'nosuch')[::2] == (
        2,
        'There is no image with the name or id nosuch, or these credentials '
        "don't see it: see openstack image list.\n",
    )
    code, _, err = run(capsys, '--os-cloud', 'nosuch')
    assert code == 2
    assert 'nosuch' in err
    assert err.count('\n') == 1


def test_no_cloud_at_all_is_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(tmp_path / 'none.yaml'))
    monkeypatch.delenv('OS_CLOUD', raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))
    code, _, err = run(capsys)
    assert code == 2
    assert err.count('\n') == 1
    assert err.count('clouds.yaml') == 1

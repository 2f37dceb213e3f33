# SPDX-License-Identifier: Apache-2.0

"""The package: it leaves a nova alone, is complete, and its sample is new."""

from __future__ import annotations

import configparser
import hashlib
from importlib import metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

from oslo_config import cfg
from oslo_config import generator
import pytest

from nova_xen_sched import conf

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUIREMENTS = [
    'PyYAML',
    'cliff',
    'nova',
    'openstacksdk',
    'oslo.config',
    'oslo.log',
    'oslo.upgradecheck',
    'stevedore',
]
SAMPLE = ROOT / 'etc/nova_xen_sched/nova-xen-sched.conf.sample'


@pytest.fixture(scope='module')
def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(str(ROOT / 'setup.cfg'), encoding='utf-8')
    return parser


def lines(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


# What it requires


def test_no_requirement_has_a_bound(setup_cfg):
    assert lines(setup_cfg['options']['install_requires']) == REQUIREMENTS


def test_no_extra_has_a_bound(setup_cfg):
    for extra in setup_cfg['options.extras_require'].values():
        for requirement in lines(extra):
            assert re.fullmatch(r'[A-Za-z0-9._-]+', requirement)


def test_what_is_installed_has_no_bound_either():
    # Of a source that was not installed there is nothing to look at.
    try:
        found = metadata.requires('nova-xen-sched') or []
    except metadata.PackageNotFoundError:
        pytest.skip('nova-xen-sched is not installed here')
    assert sorted(r for r in found if 'extra ==' not in r) == REQUIREMENTS


# Installing it


def pip(*args, python=None):
    """Run pip without any index, and without what the machine configures."""
    environment = {
        name: value
        for name, value in os.environ.items()
        # The source itself, which may stand in PYTHONPATH, is no package.
        if not name.startswith('PIP_') and name != 'PYTHONPATH'
    }
    environment['PIP_CONFIG_FILE'] = os.devnull
    environment['PIP_DISABLE_PIP_VERSION_CHECK'] = '1'
    command = [sys.executable, '-m', 'pip']
    if python is not None:
        command += ['--python', str(python)]
    done = subprocess.run(
        [*command, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel, built from a copy, for a build leaves things behind."""
    source = tmp_path_factory.mktemp('source')
    for name in ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(str(ROOT / name), str(source))
    for name in ('nova_xen_sched', 'etc'):
        shutil.copytree(
            str(ROOT / name),
            str(source / name),
            ignore=shutil.ignore_patterns('__pycache__'),
        )
    target = tmp_path_factory.mktemp('wheel')
    pip(
        'wheel',
        '--no-index',
        '--no-deps',
        '--no-build-isolation',
        '--wheel-dir',
        str(target),
        str(source),
    )
    (built,) = target.glob('*.whl')
    return built


def fake(name, version, requires=()):
    """The files of a distribution that has a name, a version and no code."""
    stem = '%s-%s.dist-info' % (name.replace('-', '_'), version)
    headers = [
        'Metadata-Version: 2.1',
        'Name: ' + name,
        'Version: ' + version,
        *('Requires-Dist: ' + requirement for requirement in requires),
    ]
    files = {
        'METADATA': headers,
        'WHEEL': ['Wheel-Version: 1.0', 'Tag: py3-none-any'],
        'INSTALLER': ['pip'],
    }
    files['RECORD'] = ['%s/%s,,' % (stem, file) for file in [*files, 'RECORD']]
    return {
        '%s/%s' % (stem, file): '\n'.join(content) + '\n'
        for file, content in files.items()
    }


def offer(folder, name, version, requires=()):
    """Put a wheel into a folder that pip looks in."""
    path = folder / '{}-{}-py3-none-any.whl'.format(
        name.replace('-', '_'), version
    )
    with zipfile.ZipFile(str(path), 'w') as archive:
        for file, content in fake(name, version, requires).items():
            archive.writestr(file, content)


class Environment:
    """A virtual environment without pip, and with distributions in it."""

    def __init__(self, path, installed):
        subprocess.run(
            [sys.executable, '-m', 'venv', '--without-pip', str(path)],
            check=True,
        )
        self.python = path / 'bin' / 'python'
        (self.packages,) = path.glob('lib/python*/site-packages')
        for name, version in installed.items():
            for file, content in fake(name, version).items():
                target = self.packages / file
                target.parent.mkdir(exist_ok=True)
                target.write_text(content)
        self.installed = installed

    def state(self):
        """What lies there of each distribution, by its folder's name."""
        return {
            info.name: {
                file.name: hashlib.sha256(file.read_bytes()).hexdigest()
                for file in info.rglob('*')
                if file.is_file()
            }
            for info in self.packages.glob('*.dist-info')
        }


@pytest.fixture(params=['22.0.1', '34.1.0.dev7'])
def environment(request, tmp_path):
    # As old as they can be, so that whatever bound there is would count.
    others = dict.fromkeys(REQUIREMENTS, '0.0.1')
    return Environment(tmp_path / 'env', {**others, 'nova': request.param})


@pytest.fixture
def newer(tmp_path):
    """A folder with a far newer release of all that is required."""
    folder = tmp_path / 'newer'
    folder.mkdir()
    for name in REQUIREMENTS:
        offer(folder, name, '999.0')
    return folder


@pytest.mark.once
def test_installing_leaves_nova_alone(environment, newer, wheel, setup_cfg):
    before = environment.state()
    where = ['--no-index', '--find-links', str(newer)]

    pip('install', *where, str(wheel), python=environment.python)
    pip('install', '--upgrade', *where, str(wheel), python=environment.python)

    after = environment.state()
    version = setup_cfg['metadata']['version']
    assert after.pop('nova_xen_sched-%s.dist-info' % version)
    assert after == before
    assert 'nova-%s.dist-info' % environment.installed['nova'] in after


@pytest.mark.once
def test_the_test_above_would_see_a_bound(tmp_path, newer):
    greedy = tmp_path / 'greedy'
    greedy.mkdir()
    offer(greedy, 'greedy', '1.0', ['nova>=22.4'])
    environment = Environment(tmp_path / 'env', {'nova': '22.0.1'})

    pip(
        'install',
        '--no-index',
        '--find-links',
        str(newer),
        '--find-links',
        str(greedy),
        'greedy',
        python=environment.python,
    )

    assert 'nova-999.0.dist-info' in environment.state()
    assert 'nova-22.0.1.dist-info' not in environment.state()


@pytest.mark.once
def test_the_wheel_is_complete(wheel):
    package = ROOT / 'nova_xen_sched'
    expected = {
        str(path.relative_to(ROOT))
        for path in package.rglob('*')
        if path.suffix in ('.py', '.json') or path.name == 'py.typed'
    }
    with zipfile.ZipFile(str(wheel)) as archive:
        names = archive.namelist()
        (entry_points,) = (n for n in names if n.endswith('entry_points.txt'))
        points = archive.read(entry_points).decode()
    found = {n for n in names if '.dist-info/' not in n}
    data = {n for n in found if '.data/data/' in n}
    assert found - data == expected
    # What an operator copies, of which the generator's own file is nothing.
    etc = {
        str(path.relative_to(ROOT))
        for path in (ROOT / 'etc').rglob('*')
        if path.is_file() and path.name != 'config-generator.conf'
    }
    assert {n.partition('.data/data/')[2] for n in data} == etc
    assert any(n.endswith('/LICENSE') for n in names)
    assert 'nova_xen_sched = nova_xen_sched.conf:list_opts' in points


@pytest.mark.once
def test_the_source_distribution_is_complete(tmp_path):
    """All that git has, but for what is about git itself."""
    git = ['git', '-C', str(ROOT)]
    try:
        listed = subprocess.check_output([*git, 'ls-files'], text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('this is no git checkout')
    source = tmp_path / 'source'
    for name in listed.splitlines():
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(ROOT / name), str(source / name))
    program = 'from setuptools import build_meta; build_meta.build_sdist("..")'
    subprocess.run([sys.executable, '-c', program], cwd=source, check=True)
    (packed,) = tmp_path.glob('*.tar.gz')
    with tarfile.open(str(packed)) as tar:
        found = {name.partition('/')[2] for name in tar.getnames()}
    assert set(listed.splitlines()) - found <= {'.gitignore'}


# The sample


def option_names(text):
    """The sections and options of a sample, in their order."""
    return re.findall(r'^(\[\w+\]|#?\w+(?= =))', text, re.MULTILINE)


def pinned(name):
    """The versions of a package in the pins of nova 34."""
    pins = (ROOT / 'constraints').glob('34.0.0-py*.txt')
    found = (
        re.search('^%s==(.+)$' % re.escape(name), p.read_text(), re.MULTILINE)
        for p in pins
    )
    return {match.group(1) for match in found if match}


def test_no_command_is_left_out_of_its_contract():
    """A command's folder imports no other command's: by import-linter."""
    contract = (ROOT / 'pyproject.toml').read_text().partition('"commands"')[2]
    listed = re.findall(r'"nova_xen_sched\.cmd\.(\w+)"', contract)
    folders = [
        path.parent.name
        for path in (ROOT / 'nova_xen_sched' / 'cmd').glob('*/__init__.py')
    ]
    assert sorted(listed) == sorted(set(folders) - {'nova'})


def test_the_sample_breaks_no_line_of_the_help():
    """oslo.config would, and its lists couldn't be read."""
    found = set(SAMPLE.read_text().splitlines())
    for _, opts in conf.list_opts():
        for opt in opts:
            for line in opt.help.strip().splitlines():
                assert ('# ' + line).rstrip() in found, line


def test_the_sample_is_up_to_date(tmp_path):
    options = cfg.ConfigOpts()
    generator.register_cli_opts(options)
    made = tmp_path / 'sample'
    options(
        [
            '--config-file',
            str(ROOT / 'etc/nova_xen_sched/config-generator.conf'),
            '--output-file',
            str(made),
        ]
    )
    generator.generate(options)

    expected = made.read_text()
    found = SAMPLE.read_text() if SAMPLE.exists() else ''
    # Each oslo.config has its own ways with comments.
    if metadata.version('oslo.config') not in pinned('oslo.config'):
        expected, found = option_names(expected), option_names(found)
        assert len(expected) > 1
    if found != expected:
        pytest.fail('%s is stale: make sample' % SAMPLE, pytrace=False)

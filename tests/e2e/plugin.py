# SPDX-License-Identifier: Apache-2.0

"""Installs and configures the plugin as docs tell an operator to."""

from __future__ import annotations

import glob
import os
import re
import shutil

from tests.e2e.processes import Failure
from tests.e2e.settings import ROOT
from tests.e2e.settings import Settings

#: What docs tell an operator to write into nova.conf.
_CONF = 'docs/source/install/nova-scheduler.conf'
_PACKAGED = (
    'nova_xen_sched',
    'etc',
    'setup.cfg',
    'pyproject.toml',
    'README.md',
    'LICENSE',
    'MANIFEST.in',
)


def install(settings: Settings, pins: str) -> str:
    """Build the wheel and install it beside nova; what that changed.

    :param pins: the file that the environment was made with
    """
    # setuptools builds within the source, and would leave its work there.
    source = settings.path('source')
    os.makedirs(source)
    for name in _PACKAGED:
        path = os.path.join(ROOT, name)
        if os.path.isdir(path):
            shutil.copytree(
                path,
                os.path.join(source, name),
                ignore=shutil.ignore_patterns('__pycache__'),
            )
        else:
            shutil.copy(path, source)
    pip = ['-m', 'pip', '--disable-pip-version-check']
    run = settings.processes.run
    run(
        'pip-wheel',
        [
            settings.services_program('python'),
            *pip,
            'wheel',
            '-q',
            '--no-deps',
            '--no-build-isolation',
            '-w',
            settings.path('wheel'),
            source,
        ],
    )
    (wheel,) = glob.glob(settings.path('wheel', '*.whl'))
    python = settings.nova_program('python')
    # An earlier run's, as it may have the same version.
    run('pip-uninstall', [python, *pip, 'uninstall', '-qy', 'nova-xen-sched'])
    before = _installed(settings, 'before')
    run('pip-install', [python, *pip, 'install', '-q', '-c', pins, wheel])
    after = _installed(settings, 'after')
    gone = sorted(before - after)
    if gone:
        raise Failure('installing the plugin changed %s' % ', '.join(gone))
    return 'pip install %s: adds %s, changes nothing' % (
        os.path.basename(wheel),
        ', '.join(sorted(after - before)),
    )


def _installed(settings: Settings, name: str) -> set[str]:
    listed = settings.processes.run(
        'pip-list-' + name,
        [
            settings.nova_program('python'),
            '-m',
            'pip',
            '--disable-pip-version-check',
            'list',
            '--format=freeze',
        ],
    )
    return {line for line in listed.split('\n') if '==' in line}


def operators_conf(settings: Settings, *options: str) -> str:
    """What docs tell an operator to write into nova.conf.

    With the default filters of the nova that runs, ImagePropertiesFilter
    replaced, as docs have them for one nova only.

    :param options: lines for [xen_scheduler]
    :raises Failure: if these filters aren't those of nova 34
    """
    with open(os.path.join(ROOT, _CONF), encoding='utf-8') as f:
        text = f.read()
    default = settings.processes.run(
        'enabled-filters',
        [
            settings.nova_program('python'),
            '-c',
            'import nova.conf; print("=", ",".join('
            'nova.conf.CONF.filter_scheduler.enabled_filters))',
        ],
    )
    wanted = 'enabled_filters = ' + default.rpartition('= ')[
        2
    ].strip().replace('ImagePropertiesFilter', 'XenHostFilter')
    line = re.compile('^enabled_filters = .*$', re.M)
    there = line.search(text)
    if settings.release == 34 and (there is None or there.group() != wanted):
        raise Failure('%s should have %s' % (_CONF, wanted))
    return line.sub(wanted, text).rstrip() + '\n' + '\n'.join(options) + '\n'

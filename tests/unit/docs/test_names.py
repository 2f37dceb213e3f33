# SPDX-License-Identifier: Apache-2.0

"""The options, codes, facts and files that README and docs name exist."""

from __future__ import annotations

import ast
import re

import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import facts
from nova_xen_sched.refusal import Code
from tests.unit.docs import sources

PAGES = sources.pages()
OPTIONS = {opt.dest for _, opts in conf.list_opts() for opt in opts}
#: Options of nova itself that pages name so.
NOVAS = {
    # Neutron's, and libvirt's.
    'firewall_driver',
    'autoballoon',
    'compute_driver',
    'debug',
    'images_type',
    'live_migration_tunnelled',
    'live_migration_wait_for_vif_plug',
    'virt_type',
}
CODES = [str(code) for code in Code]
FACTS = [name.name for name in facts.NAMES]


def roles(text, role):
    """What a page links to with a role."""
    found = re.findall(r':%s:`([^`]+)`' % role, text)
    return {
        re.sub(r'.*<(.*)>', r'\1', ' '.join(each.split())) for each in found
    }


@pytest.mark.parametrize('page', sorted(PAGES))
def test_what_is_linked_to_exists(page):
    text = PAGES[page]
    assert roles(text, 'opt') <= OPTIONS
    assert roles(text, 'refusal') <= set(CODES)
    assert roles(text, 'fact') <= set(FACTS)


@pytest.mark.parametrize('page', sorted(PAGES))
def test_what_is_set_in_a_conf_exists(page):
    """Names in [xen_scheduler] of any block."""
    for _, body in sources.blocks(PAGES[page]):
        section = ''
        for line in map(str.strip, body):
            if line.startswith('['):
                section = line
            found = re.match(r'(\w+) = ', line)
            if found and section == '[xen_scheduler]':
                assert found.group(1) in OPTIONS
    for each in sources.literals(PAGES[page]):
        found = re.fullmatch(r'(\w+) = \S+', each)
        if found and found.group(1) not in NOVAS:
            assert found.group(1) in OPTIONS, each


def test_each_code_is_explained_in_their_order():
    page = PAGES['docs/source/admin/decisions.rst']
    found = re.findall(r'^\.\. refusal:: (\w+)$', page, re.M)
    assert found == CODES
    for each in page.split('.. refusal:: ')[1:]:
        assert '*Counts for:*' in each and '*What to do:*' in each


def test_each_fact_is_explained_with_its_keys():
    page = PAGES['docs/source/admin/facts.rst']
    assert re.findall(r'^\.\. fact:: (\w+)$', page, re.M) == FACTS
    for name in facts.NAMES:
        assert '``%s``' % name.metadata_key in page
        assert '``%s``' % name.stats_key in page
        assert '``%s: ' % name.name in page


def test_each_finding_is_explained():
    """Those of facts show that are no refusal codes."""
    codes = set()
    for path in (sources.ROOT / 'nova_xen_sched' / 'xenhost').glob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Call) and ast.dump(node.func) == (
                ast.dump(ast.parse('Finding', mode='eval').body)
            ):
                first = node.args[0]
                if isinstance(first, ast.BinOp):  # its name and a resource
                    start = ast.literal_eval(first.left)
                    codes.update(start % each for each in dom0.Resource)
                elif isinstance(first, ast.Constant):
                    codes.add(first.value)
    assert len(codes) > 10
    page = PAGES['docs/source/admin/read-hosts.rst']
    found = re.findall(r'^\.\. finding:: (\w+)$', page, re.M)
    assert sorted(found) == sorted(codes)


def test_the_defaults_that_pages_name():
    """As "(24 MiB)": what is said of the model's figures."""
    defaults = {
        opt.dest: opt.default for _, opts in conf.list_opts() for opt in opts
    }
    page = ' '.join(PAGES['docs/source/admin/dom0.rst'].split())
    assert (
        '%d MiB for HVM, %d for PV, %d for PVH'
        % tuple(
            defaults['dom0_memory_mb_per_%s_guest' % mode]
            for mode in ('hvm', 'pv', 'pvh')
        )
        in page
    )
    assert (
        ':opt:`dom0_memory_mb` (%d MiB)' % defaults['dom0_memory_mb'] in page
    )
    assert ':opt:`dom0_vcpus` (%d)' % defaults['dom0_vcpus'] in page
    page = ' '.join(PAGES['docs/source/admin/decisions.rst'].split())
    for option in ('min_xen_version', 'min_libvirt_version'):
        assert ':opt:`%s` (%s)' % (option, defaults[option]) in page


@pytest.mark.parametrize('page', sorted(PAGES))
def test_files_of_the_repository_exist(page):
    for each in sources.literals(PAGES[page]):
        path = each.rstrip('/')
        if re.fullmatch(r'[a-z_][\w/]*(\.py|/)', each):
            package = sources.ROOT / 'nova_xen_sched' / path
            assert package.exists() or (sources.ROOT / path).exists(), path
        folders = ('etc', 'tests', 'tools', 'docs', 'nova_xen_sched')
        if re.fullmatch(r'(%s)/[\w./-]+' % '|'.join(folders), path):
            assert (sources.ROOT / path).exists(), path
        elif re.fullmatch(r'make [a-z0-9-]+( .*)?', each):
            target = each.split()[1]
            makefile = (sources.ROOT / 'Makefile').read_text()
            assert re.search('^%s:' % target, makefile, re.M), each


def test_what_is_installed_is_named():
    page = PAGES['docs/source/install/index.rst']
    folder = sources.ROOT / 'etc' / 'nova_xen_sched'
    for path in folder.rglob('*'):
        name = str(path.relative_to(folder))
        if path.is_file() and name != 'config-generator.conf':
            assert '``%s``' % name in page

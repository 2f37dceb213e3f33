# SPDX-License-Identifier: Apache-2.0

"""What the hosts of make xen-e2e are made of, without building any."""

from __future__ import annotations

import dataclasses

import pytest

from tests.e2e.processes import Failure
from tests.xen.e2e import recipe


@pytest.fixture
def environment(tmp_path):
    """One whose Python has a folder of its own."""
    (tmp_path / 'bin').mkdir()
    python = tmp_path / 'bin' / 'python'
    python.write_text('#!/bin/sh\necho /opt/python\n')
    python.chmod(0o755)
    (tmp_path / '.nova-xen-sched').write_text('abc  -\nours  -\n')
    return tmp_path


def test_debians_nova():
    kind = recipe.kind('4.14', '')
    assert kind.recipe.suite == 'bullseye'
    assert 'xen-utils-4.14' in kind.recipe.debs
    assert 'nova-compute-kvm' in kind.recipe.debs
    assert kind.program('privsep-helper') == 'privsep-helper'


def test_nova_of_an_environment(environment):
    kind = recipe.kind('4.17', str(environment))
    assert kind.recipe.suite == 'bookworm'
    assert {'xen-utils-4.17', 'qemu-system-xen'} <= set(kind.recipe.debs)
    assert 'nova-compute-kvm' not in kind.recipe.debs
    assert kind.recipe.trees == ('/opt/python', str(environment))
    assert kind.program('x') == '%s/bin/x' % environment
    assert kind.recipe.name != recipe.kind('4.14', '').recipe.name


def test_an_image_is_built_anew_with_other_pins(environment):
    before = recipe.kind('4.17', str(environment)).recipe
    (environment / '.nova-xen-sched').write_text('abc  -\nchanged  -\n')
    assert recipe.kind('4.17', str(environment)).recipe.stamp == before.stamp
    (environment / '.nova-xen-sched').write_text('def  -\nours  -\n')
    assert recipe.kind('4.17', str(environment)).recipe.stamp != before.stamp
    assert dataclasses.replace(before, xen='4.14').stamp != before.stamp


@pytest.mark.parametrize('says', ['echo /usr', 'exit 1'])
def test_a_python_that_can_not_be_copied(environment, says):
    (environment / 'bin' / 'python').write_text('#!/bin/sh\n%s\n' % says)
    with pytest.raises(Failure, match='can not be copied'):
        recipe.kind('4.17', str(environment))

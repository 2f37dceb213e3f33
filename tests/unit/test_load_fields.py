# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from nova import objects
from oslo_versionedobjects import base
import pytest

from nova_xen_sched import load
from tests.unit.builders import instance


@pytest.fixture
def renamed(monkeypatch):
    """An oslo.versionedobjects that keeps fields by other names."""
    monkeypatch.setattr(base, '_get_attrname', lambda name: '_field_' + name)
    load._kept_as_ever.cache_clear()
    yield
    load._kept_as_ever.cache_clear()


def test_values():
    guests = [
        instance(vm_mode='hvm'),
        instance(vm_mode=None),
        instance(vm_mode='xen'),
    ]
    assert load._loaded(guests, 'vm_mode') == ['hvm', None, 'xen']
    assert load._loaded([], 'vm_mode') == []


def test_what_is_not_loaded_is_left_out(mocker):
    loading = mocker.patch.object(objects.Instance, 'obj_load_attr')
    guests = [
        instance(),
        instance(memory_mb=512),
        instance(),
    ]
    assert load._loaded(guests, 'memory_mb') == [512]
    assert load._loaded([instance()], 'vcpus') == []
    assert not loading.called


def test_names_are_those_of_the_library_in_hand():
    for field in ('vm_mode', 'memory_mb', 'vcpus'):
        assert base._get_attrname(field) == load._PRIVATE % field


def test_renamed_fields_are_read_all_the_same(renamed, caplog, mocker):
    loading = mocker.patch.object(objects.Instance, 'obj_load_attr')
    guests = [
        instance(vm_mode='hvm', vcpus=2),
        instance(),
        instance(vm_mode='xen'),
    ]
    for _ in range(3):
        assert load._loaded(guests, 'vm_mode') == ['hvm', 'xen']
        assert load._loaded(guests, 'vcpus') == [2]
    assert not loading.called
    (record,) = caplog.records
    assert 'oslo.versionedobjects' in record.getMessage()

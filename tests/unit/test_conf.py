# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from oslo_config import cfg
import pytest

from nova_xen_sched import conf
from nova_xen_sched import refusal


@pytest.fixture
def config(tmp_path):
    """Write lines of [xen_scheduler], and parse them as nova does."""
    path = tmp_path / 'nova.conf'

    def write(*lines):
        path.write_text('\n'.join(('[xen_scheduler]',) + lines))
        parsed = cfg.ConfigOpts()
        parsed(['--config-file', str(path)])
        conf.register_opts(parsed)
        return parsed

    write.path = path
    return write


def test_defaults(config):
    assert conf.read(config()) == conf.defaults()


def test_values(config):
    settings = conf.read(
        config(
            'default_vm_mode = HVM',
            'require_hypervisor_type = yes',
            'disk_formats = Raw, qcow2',
            'report_only = vm_mode, disk_format',
        )
    )
    assert settings == conf.defaults(
        default_vm_mode='hvm',
        require_hypervisor_type=True,
        disk_formats=frozenset({'raw', 'qcow2'}),
        report_only=frozenset(
            {refusal.Code.VM_MODE, refusal.Code.DISK_FORMAT}
        ),
    )


def test_a_minimum_of_0_is_off(config):
    settings = conf.read(
        config('min_libvirt_version = 0', 'min_xen_version = 0.0')
    )
    assert settings.min_libvirt_version is None
    assert settings.min_xen_version is None


def test_report_only_all(config):
    settings = conf.read(config('report_only = all'))
    assert settings.report_only == frozenset(refusal.Code)


def test_after_sighup_the_last_good_values_stay(config, logged):
    parsed = config('default_vm_mode = hvm')
    options = conf.Options(parsed)

    def sighup(line):
        config.path.write_text('[xen_scheduler]\n%s\n' % line)
        parsed.mutate_config_files()
        return options.current().default_vm_mode

    assert sighup('default_vm_mode = pvh') == 'hvm'
    assert sighup('default_vm_mode = pvh') == 'hvm'
    (line,) = logged('ERROR')
    assert line.startswith('[xen_scheduler] default_vm_mode')
    assert line.endswith('The last good values stay in force.')

    assert sighup('default_vm_mode = any') == 'any'
    assert sighup('default_vm_mode = pvh') == 'any'
    assert len(logged('ERROR')) == 2


@pytest.mark.parametrize('word', ['pv', ' PV ', 'xen', 'Xen'])
def test_pv_is_the_vm_mode_xen(config, word):
    settings = conf.read(config('default_vm_mode = ' + word))
    assert settings.default_vm_mode == 'xen'


def test_every_option_but_one_is_mutable():
    assert [opt.dest for opt in conf._ALL_OPTS if not opt.mutable] == [
        'fact_sources'
    ]


def test_a_wrong_name_warns_once_with_the_nearest(config, logged):
    parsed = config(
        'default_vmmode = hvm', 'REPORT_ONLY = all', 'colour = blue'
    )
    conf.Options(parsed)
    conf.Options(parsed)
    assert logged('WARNING') == [
        '[xen_scheduler] default_vmmode is no option of nova-xen-sched and '
        'has no effect (nearest: default_vm_mode).',
        '[xen_scheduler] REPORT_ONLY is no option of nova-xen-sched and has '
        'no effect (nearest: report_only).',
        '[xen_scheduler] colour is no option of nova-xen-sched and has no '
        'effect.',
    ]


def test_a_wrong_name_that_comes_with_sighup(config, caplog):
    parsed = config('default_vm_mode = hvm')
    conf.Options(parsed)
    config.path.write_text('[xen_scheduler]\ndefault_vm_mod = any\n')
    parsed.mutate_config_files()
    assert 'default_vm_mod is no option' in caplog.text


def test_wrong_names_are_found_in_a_config_dir(tmp_path):
    folder = tmp_path / 'nova.conf.d'
    folder.mkdir()
    (folder / 'xen.conf').write_text('[xen_scheduler]\nreport = all\n')
    parsed = cfg.ConfigOpts()
    parsed(['--config-dir', str(folder)])
    conf.register_opts(parsed)
    assert conf.unknown_names(parsed) == [('report', 'report_only')]


def test_help_says_what_it_must():
    for opt in conf._ALL_OPTS:
        assert 'Possible values' in opt.help, opt.name


def test_current_never_raises(config, mocker, caplog):
    options = conf.Options(config('default_vm_mode = hvm'))
    mocker.patch.object(conf, 'read', side_effect=ZeroDivisionError)
    assert options.current().default_vm_mode == 'hvm'
    assert 'the last good values stay in force' in caplog.text

# SPDX-License-Identifier: Apache-2.0

"""Every option with every kind of value: its meaning, or one line.

The cases come from the options themselves, so a new option is tested too.
"""

from __future__ import annotations

import concurrent.futures
import decimal
import os
import re

from hypothesis import given
from hypothesis import strategies as st
import nova.conf
from oslo_config import cfg
from oslo_config import types
import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import log
from nova_xen_sched import plugin as startup
from nova_xen_sched import refusal

((GROUP, OPTS),) = conf.list_opts()
BY_NAME = {opt.dest: opt for opt in OPTS}
each_option = pytest.mark.parametrize('name', sorted(BY_NAME))
# The slow ones, where they are run more than once: an option of each type.
OF_TYPE = {type(opt.type): opt.dest for opt in OPTS}
one_of_each_type = pytest.mark.parametrize(
    'name',
    [
        name
        if name in OF_TYPE.values()
        else pytest.param(name, marks=pytest.mark.once)
        for name in sorted(BY_NAME)
    ],
)

#: Where Settings has what is not a field of the option's name.
IN_MODEL = {
    'dom0_base_memory_mb': 'base_memory_mb',
    'dom0_base_vcpus': 'base_vcpus',
    'dom0_memory_mb_per_hvm_guest': 'hvm_memory_mb',
    'dom0_memory_mb_per_pv_guest': 'pv_memory_mb',
    'dom0_memory_mb_per_pvh_guest': 'pvh_memory_mb',
    'dom0_guests_per_vcpu': 'guests_per_vcpu',
    'dom0_hvm_share': 'hvm_share',
    'guest_memory_overhead': 'overhead',
}

#: No value of any option, however it is read.
NONSENSE = [
    ('not a number', 'nan'),
    ('infinite', 'inf'),
    ('minus infinite', '-Infinity'),
    ('huge', '1e400'),
    ('huge integer', '9' * 401),
    ('huge negative integer', '-1' + '0' * 400),
    ('very long', '7' * 100000),
    ('very long list', 'a b,' * 50000),
    ('underscore', '1_000'),
    ('hexadecimal', '0x10'),
    ('full-width', '\uff11'),
    ('Arabic digits', '\u0661.\u0662'),
    ('unit', '4 GB'),
    ('unit at once', '4096M'),
    ('per cent', '50%'),
    ('interpolated', '%(home)s'),
    ('format', '%s'),
    ('list of numbers', '[1, 2]'),
    ('mapping', '{1: 2}'),
    ('null', '~'),
    ('comment', '# 5'),
    ('zero-width', '\u200b5'),
    ('not ASCII', 'h\xf6chstens'),
    ('NUL', '\0'),
    ('no option', '$nope'),
    ('no option in braces', '${nope}'),
    ('no group', '$nope.nope'),
    ('group', '$xen_scheduler'),
    ('dollar', '$'),
    ('dollar and digit', '$5'),
    ('half a quote', '"'),
    ('several lines', 'one\n    two'),
]

WRONG = object()


def good(opt):
    """Some value of an option, as text, in its type's own spelling."""
    kind = getattr(opt.type, 'item_type', opt.type)
    if getattr(kind, 'choices', None):
        return list(kind.choices)[-1]
    if isinstance(kind, types.Boolean):
        return 'yes'
    if isinstance(kind, types.Float):
        return '%g' % min(kind.max, max(kind.min, 7.5))
    return {
        'disk_formats': 'qcow2',
        'fact_sources': 'stats',
        'host_facts_file': '/etc/facts.yaml',
    }.get(opt.dest, '1.2.15')


def cases(opt):
    """Kind -> what stands behind "option =" in a file."""
    value = good(opt)
    found = {
        'good': value,
        'upper case': value.upper(),
        'title': value.title(),
        'blanks': '   %s  ' % value,
        'quotes': '"%s"' % value,
        'single quotes': "'%s'" % value,
        'blanks in quotes': '"  %s\t"' % value,
        'on the next line': '\n    ' + value,
        'quoted at one end': '"' + value,
        'quoted twice': '\'"%s"\'' % value,
        'empty': '',
        'blank': '"   "',
        'a list': '%s,%s' % (value, value),
        'a list, blanks, an end': ' %s , %s, ' % (value, value),
        'a hole': '%s,,%s' % (value, value),
        'a comma': ',',
        'two lines': '%s\n    %s' % (value, value),
        'a comment behind': value + ' # so',
        'a NUL behind': value + '\0',
        'in a sentence': 'as %s as can be' % value,
        'true': 'true',
        'zero': '0',
        'one': '1',
        'minus one': '-1',
        'exponent': '1e1',
        'itself': '$' + opt.dest,
        'an option that names nothing in it': '/etc/$nope/facts',
        **dict(NONSENSE),
    }
    if isinstance(opt.type, types.Float):
        found['least'] = repr(opt.type.min)
        found['most'] = repr(opt.type.max)
        found['less'] = repr(opt.type.min - 1e-3)
        found['more'] = repr(opt.type.max + 1e-3)
    return found


def meaning(opt, text):
    """What a text means, told without the package's own types."""
    if '$' in text:
        return WRONG  # no text here names an option, but for itself
    text = text.strip()
    if isinstance(opt.type, types.List):
        return list_meaning(opt, text)
    if isinstance(opt.type, types.Boolean):
        return {
            **dict.fromkeys(('true', '1', 'on', 'yes'), True),
            **dict.fromkeys(('false', '0', 'off', 'no'), False),
        }.get(text.lower(), WRONG)
    if isinstance(opt.type, types.Float):
        return number_meaning(opt, text)
    if getattr(opt.type, 'choices', None):
        word = text.lower()
        if word not in opt.type.choices:
            return WRONG
        return word if opt.dest in FIELDS else dom0.OVERHEADS[word]
    if opt.dest == 'host_facts_file':
        if text == '':
            return None
        plain = text.startswith('/') and text.isprintable()
        return text if plain else WRONG
    if not re.fullmatch('[0-9]{1,6}([.][0-9]{1,6}){0,3}', text):
        return WRONG
    version = tuple(int(part) for part in text.split('.'))
    return version if any(version) else None


def number_meaning(opt, text):
    if set(text) - set('0123456789.+-eE'):
        return WRONG
    try:
        number = decimal.Decimal(text)
    except decimal.InvalidOperation:
        return WRONG
    # To the precision of the bounds, which are floats.
    if not opt.type.min <= float(number) <= opt.type.max:
        return WRONG
    return float(number)


def list_meaning(opt, text):
    items = [part.strip() for part in text.rstrip(', \t\n').split(',')]
    if items == ['']:
        items = []
    if opt.dest == 'fact_sources':
        fit = all(re.fullmatch('[a-z0-9_]+', item) for item in items)
        return tuple(items) if items and fit else WRONG
    items = [item.lower() for item in items]
    if opt.dest == 'report_only':
        codes = {code.value for code in refusal.Code}
        if not set(items) <= codes | {'all'}:
            return WRONG
        return frozenset(codes if 'all' in items else items)
    name = '[a-z0-9][a-z0-9_.+-]*'
    fit = all(re.fullmatch(name, item) for item in items)
    return frozenset(items) if fit else WRONG


FIELDS = set(vars(conf.defaults()))


def taken(settings, opt):
    """What of an option stands in a snapshot."""
    if opt.dest in IN_MODEL:
        return getattr(settings.dom0_model, IN_MODEL[opt.dest])
    return getattr(settings, opt.dest)


def allowed(opt):
    """Words that a line must have about what an option takes."""
    kind = getattr(opt.type, 'item_type', opt.type)
    if isinstance(kind, types.Float):
        bounds = ['from %.12g to %.12g' % (kind.min, kind.max)]
        units = {
            'memory': 'MiB',
            'dom0_vcpus': 'vCPUs',
            'base_vcpus': 'vCPUs',
            'guests_per': 'guests',
            'timeout': 'seconds',
            'age': 'days',
        }
        return bounds + [
            'a number of %s ' % unit
            for word, unit in units.items()
            if word in opt.dest
        ]
    if isinstance(kind, types.Boolean):
        return ['true/false', 'yes/no']
    if getattr(kind, 'choices', None):
        return [str(choice) for choice in kind.choices]
    return {
        'disk_formats': ['nothing, or a list', 'letters, digits, _ . + and -'],
        'fact_sources': ['a list', 'small letters, digits and _'],
        'host_facts_file': ['nothing, or an absolute path'],
    }.get(opt.dest, ['a version like 1.2.15, or 0'])


def assert_is_the_line(line, opt, place, raw):
    assert line.isprintable(), 'more than one line'
    assert line.startswith('[xen_scheduler] %s has a wrong value ' % opt.dest)
    head, _, tail = line.rpartition('; allowed: ')
    assert 'in %s: ' % place in head
    shown = repr(raw)
    if len(shown) <= 80:
        assert shown in head
    else:
        # Of a very long text the length: a part of it might be a secret's.
        of_it = shown[:30]
        if len(raw) > log.MAX_TEXT:
            kind = 'text of %d characters'
            if raw.isdigit():
                kind = 'a number of %d digits'
            of_it = kind % len(raw)
        assert of_it in head
        assert len(line) < 600 + len(str(place))
    for words in allowed(opt):
        assert words in tail


class Nova:
    """nova.conf, and what reads it."""

    def __init__(self, path):
        self.path = path
        self.raw = None

    def write(self, name, text):
        """Write one option, and note what oslo.config has of it."""
        content = '[xen_scheduler]\n%s = %s\n' % (name, text)
        self.path.write_text(content, encoding='utf-8')
        sections = {}
        cfg.ConfigParser(str(self.path), sections).parse()
        self.raw = sections['xen_scheduler'][name][-1]

    def parse(self):
        parsed = cfg.ConfigOpts()
        parsed(['--config-file', str(self.path)])
        conf.register_opts(parsed)
        return parsed


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setattr(log, 'NOTICES', log.Notices())
    return Nova(tmp_path / 'nova.conf')


@each_option
def test_a_value_is_taken_as_what_it_means_or_named_in_one_line(written, name):
    opt = BY_NAME[name]
    for kind, text in cases(opt).items():
        written.write(name, text)
        expected = meaning(opt, written.raw)
        try:
            settings = conf.read(written.parse())
        except conf.OptionError as e:
            assert expected is WRONG, kind
            assert_is_the_line(str(e), opt, written.path, written.raw)
        else:
            assert expected is not WRONG, kind
            assert taken(settings, opt) == expected, kind


@each_option
def test_what_is_empty_is_as_the_help_says(written, name):
    written.write(name, '')
    if '* empty: ' in BY_NAME[name].help:
        assert not taken(conf.read(written.parse()), BY_NAME[name])
    else:
        with pytest.raises(conf.OptionError):
            conf.read(written.parse())


@given(
    st.sampled_from(OPTS),
    st.text(st.characters(exclude_characters='$\0', codec='utf-8'))
    | st.from_regex(r'\A[ 0-9a-zA-Z.,_/+-]{0,12}\Z'),
)
def test_any_text(opt, text):
    parsed = cfg.ConfigOpts()
    parsed([], default_config_files=[], default_config_dirs=[])
    conf.register_opts(parsed)
    variable = 'OS_XEN_SCHEDULER__' + opt.dest.upper()
    os.environ[variable] = text
    try:
        expected = meaning(opt, text)
        if expected is not WRONG:
            assert taken(conf.read(parsed), opt) == expected
            return
        with pytest.raises(conf.OptionError) as raised:
            conf.read(parsed)
        place = 'the environment variable ' + variable
        assert_is_the_line(str(raised.value), opt, place, text)
    finally:
        del os.environ[variable]


@one_of_each_type
def test_sighup_leaves_the_last_good_values_and_one_error(
    written, caplog, name
):
    opt = BY_NAME[name]
    wrong = {
        kind: text
        for kind, text in cases(opt).items()
        if kind != 'very long list'  # oslo.config logs all of it
    }
    written.write(name, good(opt))
    parsed = written.parse()
    # As XenHostFilter and Dom0HeadroomWeigher have them, each its own.
    plugins = [conf.Options(parsed), conf.Options(parsed)]
    before = plugins[0].current()
    mended = written.path.read_bytes()
    for kind, text in wrong.items():
        written.write(name, text)
        if meaning(opt, written.raw) is not WRONG:
            continue
        broken = written.path.read_bytes()
        written.path.write_bytes(mended)
        parsed.mutate_config_files()
        written.path.write_bytes(broken)
        caplog.clear()
        parsed.mutate_config_files()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            requests = [pool.submit(plugin.current) for plugin in plugins * 2]
        assert {request.result() for request in requests} == {before}
        errors = [r for r in caplog.records if r.levelname == 'ERROR']
        if not opt.mutable:
            assert errors == [], kind
            continue
        assert len(errors) == 1, kind
        line, _, rest = errors[0].getMessage().partition('. The last good ')
        assert rest == 'values stay in force.'
        assert_is_the_line(line, opt, written.path, written.raw)


@pytest.mark.usefixtures('clean')
@one_of_each_type
def test_nova_scheduler_stops_with_that_line(written, caplog, name):
    opt = BY_NAME[name]
    for text in cases(opt).values():
        written.write(name, text)
        if meaning(opt, written.raw) is not WRONG:
            continue
        nova.conf.CONF(['--config-file', str(written.path)], project='nova')
        caplog.clear()
        with pytest.raises(SystemExit) as raised:
            startup.start()
        program, _, line = str(raised.value).partition(': ')
        assert program == 'nova-xen-sched'
        # Python prints nothing of its own.
        assert raised.value.code == 1
        assert_is_the_line(line, opt, written.path, written.raw)
        assert [r.getMessage() for r in caplog.records] == [line]


def test_a_value_that_was_wrong_before_is_an_error_again(written, caplog):
    written.write('dom0_vcpus', '8')
    parsed = written.parse()
    options = conf.Options(parsed)
    for text in ('many', '8', 'many', 'more'):
        written.write('dom0_vcpus', text)
        parsed.mutate_config_files()
        assert options.current().dom0_vcpus == 8
    errors = [r.getMessage() for r in caplog.records if r.levelname == 'ERROR']
    assert [re.search("'(.*)'", each).group(1) for each in errors] == [
        'many',
        'many',
        'more',
    ]


def test_each_number_that_is_too_large_is_an_error(written, caplog):
    written.write('dom0_vcpus', '8')
    parsed = written.parse()
    options = conf.Options(parsed)
    for text in ('1e10', '2e10', '9' * 400):
        written.write('dom0_vcpus', text)
        parsed.mutate_config_files()
        options.current()
    errors = [r.getMessage() for r in caplog.records if r.levelname == 'ERROR']
    assert ['1e10' in each for each in errors] == [True, False, False]
    assert '9' * 100 not in errors[2]


@pytest.mark.parametrize('text', ['All', 'ALL,', ' all , disk_format'])
def test_all_codes_in_any_case(written, text):
    written.write('report_only', text)
    assert conf.read(written.parse()).report_only == set(refusal.Code)


@each_option
def test_oslo_configs_own_line_says_what_is_allowed(name):
    """As nova-manage and oslo-config-validator print it."""
    kind = BY_NAME[name].type
    for text in ('\0', '9' * 400, '-1e10', 'a b', '{}'):
        try:
            kind(text)
        except ValueError as e:
            line = str(e)
            assert line.endswith('; allowed: ' + kind.allowed)
            assert not re.search(r'regex|\^\(|\de\+|9{100}', line)


def test_a_file_that_was_mended_without_sighup_is_no_new_error(
    written, caplog
):
    written.write('dom0_vcpus', '8')
    parsed = written.parse()
    options = conf.Options(parsed)
    written.write('dom0_vcpus', 'many')
    parsed.mutate_config_files()
    written.write('dom0_vcpus', '16')
    assert options.current().dom0_vcpus == 8
    (error,) = [r for r in caplog.records if r.levelname == 'ERROR']
    assert "'many'" in error.getMessage()


def test_a_value_that_names_another_option(written):
    written.write('dom0_base_vcpus', '$dom0_vcpus')
    assert conf.read(written.parse()).dom0_model.base_vcpus == 4


def test_what_a_name_hides_is_not_shown(written):
    """A password may stand where it leads; the text there suffices."""
    written.path.write_text(
        '[DEFAULT]\npassword = sesame\n'
        '[xen_scheduler]\ndom0_vcpus = $password\n'
    )
    parsed = written.parse()
    parsed.register_opt(cfg.StrOpt('password'))
    with pytest.raises(conf.OptionError) as raised:
        conf.read(parsed)
    assert "'$password'" in str(raised.value)
    assert 'sesame' not in str(raised.value)


def test_why_a_name_leads_nowhere(written):
    written.write('host_facts_file', '/etc/$nope/facts.yaml')
    with pytest.raises(
        conf.OptionError, match=r"yaml' \(no such option.*nope"
    ):
        conf.read(written.parse())


# Where it stands


BAD = '[xen_scheduler]\ndom0_vcpus = many\n'


def place(*arguments, **keywords):
    """Where the line says that a wrong value stands."""
    parsed = cfg.ConfigOpts()
    parsed(arguments, **keywords)
    conf.register_opts(parsed)
    with pytest.raises(conf.OptionError) as raised:
        conf.read(parsed)
    return re.search(
        "^.xen_scheduler. dom0_vcpus has a wrong value in (.*): 'many'; ",
        str(raised.value),
    ).group(1)


@pytest.fixture
def files(tmp_path):
    """Two files and a folder with one; only the first has it wrong."""
    folder = tmp_path / 'nova.conf.d'
    folder.mkdir()
    found = [tmp_path / 'a.conf', tmp_path / 'b.conf', folder / 'c.conf']
    found[0].write_text(BAD)
    for path in found[1:]:
        path.write_text('[xen_scheduler]\ndom0_memory_mb = 4096\n')
    return [str(path) for path in found]


def test_the_file_of_several_that_has_the_option(files):
    assert files[0] == place(
        *('--config-file', files[0], '--config-file', files[1])
    )
    folder = os.path.dirname(files[2])
    assert files[0] == place('--config-file', files[0], '--config-dir', folder)


def test_the_file_that_counts(files):
    for path in files[1:]:
        with open(path, 'w') as f:
            f.write(BAD)
    folder = os.path.dirname(files[2])
    arguments = ['--config-file', files[0], '--config-file', files[1]]
    assert place(*arguments) == files[1]
    assert place(*arguments, '--config-dir', folder) == files[2]


def test_a_good_file_before_it(files):
    """oslo.config takes them in the order of the command line."""
    with open(files[2], 'w') as f:
        f.write('[xen_scheduler]\ndom0_vcpus = 8\n')
    folder = os.path.dirname(files[2])
    assert files[0] == place('--config-dir', folder, '--config-file', files[0])


def test_the_default_places(files):
    folder = os.path.dirname(files[2])
    assert files[0] == place(
        default_config_files=files[:2], default_config_dirs=[folder]
    )
    with open(files[2], 'w') as f:
        f.write(BAD)
    assert files[2] == place(
        default_config_files=files[1:2], default_config_dirs=[folder]
    )


def test_a_section_in_another_case(files):
    with open(files[0], 'w') as f:
        f.write(BAD.replace('xen_scheduler', 'Xen_Scheduler'))
    assert place('--config-file', files[0]) == files[0]


def test_the_environment_wins_over_files(files, monkeypatch):
    variable = 'OS_XEN_SCHEDULER__DOM0_VCPUS'
    monkeypatch.setenv(variable, 'many')
    with open(files[0], 'w') as f:
        f.write('[xen_scheduler]\ndom0_vcpus = 8\n')
    found = place('--config-file', files[0])
    assert found == 'the environment variable ' + variable


def test_an_override_stands_nowhere(written):
    written.write('dom0_vcpus', '8')
    parsed = written.parse()
    parsed.set_override('dom0_memory_mb', None, 'xen_scheduler')
    with pytest.raises(conf.OptionError) as raised:
        conf.read(parsed)
    assert str(raised.value) == (
        '[xen_scheduler] dom0_memory_mb has a wrong value; allowed: a number '
        'of MiB from 1 to 1000000000'
    )

# SPDX-License-Identifier: Apache-2.0

"""host list --plot: each host has its line, the fullest first."""

from __future__ import annotations

import math
import re
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from nova_xen_sched import dom0
from nova_xen_sched.cmd import app
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.hosts import command
from nova_xen_sched.cmd.hosts import plot

_SVG = '{http://www.w3.org/2000/svg}'


def host(name, *headrooms):
    return name, [
        dom0.Usage(resource, 100, 100 * (1 - share))
        for resource, share in zip(dom0.Resource, headrooms)
    ]


@pytest.fixture
def drawn(tmp_path):
    """Draws hosts: the root of the picture, and its texts."""
    # tox's environments have none.
    pytest.importorskip('matplotlib')

    def draw(hosts):
        path = tmp_path / 'x.svg'
        assert plot.draw(hosts, str(path)) == len(plot.fullest_first(hosts))
        root = ElementTree.fromstring(path.read_bytes())
        return root, [''.join(e.itertext()) for e in root.iter(_SVG + 'text')]

    return draw


def marks(root):
    """How many marks there are, those of the legend left out."""
    uses = [
        each
        for group in root.iter(_SVG + 'g')
        if (group.get('id') or '').startswith('line2d')
        for each in group.iter(_SVG + 'use')
    ]
    return sum('fill: #' in (each.get('style') or '') for each in uses)


def test_the_fullest_come_first_and_the_unknown_not_at_all():
    found = plot.fullest_first(
        [
            host('b', 0.5, 0.9),
            host('kvm'),
            host('a', 0.9, 0.5, 0.7),
            host('unknown', math.nan),
            host('over', 0.4, 0.9, -3),
        ]
    )
    assert [name for name, _ in found] == ['over', 'a', 'b']


@pytest.mark.parametrize('count', [0, 1, 20, 51, 500])
def test_each_host_has_a_line_and_three_marks(drawn, count):
    hosts = [
        host('xen-%03d' % n, n / 500, 0.9, 1 - n / 400) for n in range(count)
    ]
    root, texts = drawn(hosts)
    # In columns, which are read down and then to the right.
    assert [e for e in texts if e.startswith('xen-')] == [
        name for name, _ in plot.fullest_first(hosts)
    ]
    # The legend has one of each more.
    assert marks(root) == 3 * count + 3
    width, height = (
        float(re.fullmatch(r'([\d.]+)pt', root.get(name))[1])
        for name in ('width', 'height')
    )
    # Neither a strip nor a ribbon.
    assert 0.5 < width / height < (1.2 if count == 500 else 6)


def test_a_name_is_what_it_is(drawn):
    names = ['$x^2$', '<b>&amp;', 'a\x00\x1b[31mb\nc', 'z' * 40 + '9' * 20]
    _, texts = drawn([host(name, 0.1 * n) for n, name in enumerate(names)])
    for name in ('$x^2$', '<b>&amp;', 'a??[31mb?c', 'z' * 12 + '…' + '9' * 11):
        assert name in texts


def test_the_same_hosts_have_the_same_picture(drawn, tmp_path):
    hosts = [host('a', 0.5), host('b', 0.25)]
    drawn(hosts)
    first = (tmp_path / 'x.svg').read_bytes()
    drawn(hosts[::-1])
    assert (tmp_path / 'x.svg').read_bytes() == first


def test_a_picture_that_cannot_be_written_is_a_failure(drawn, tmp_path):
    path = tmp_path / 'nosuch' / 'x.svg'
    hosts = [SimpleNamespace(name='a', resources=host('a', 0.5)[1])]
    with pytest.raises(errors.Failure, match=r"x\.svg can't be written: No "):
        command._draw(hosts, str(path))


def test_without_the_library_it_is_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'matplotlib', None)
    assert app.main(['host', 'list', '--plot', 'x.svg']) == 2
    err = capsys.readouterr().err
    assert err.startswith("matplotlib can't be imported (")
    assert err.endswith(': pip install matplotlib beside nova-xen-sched.\n')


def test_it_is_an_svg(capsys):
    assert app.main(['host', 'list', '--plot', 'x.png']) == 2
    err = capsys.readouterr().err
    assert err == 'The name of the picture ends in .svg: x.png.\n'


@pytest.mark.parametrize(
    ('names', 'drawn_as'),
    [
        (['a.x.org', 'b.x.org'], ['a', 'b']),
        (['a.x.org', 'b.y.org'], ['a.x.org', 'b.y.org']),
        (['a.x.org'], ['a.x.org']),
        (['a', 'b'], ['a', 'b']),
    ],
)
def test_a_domain_that_all_names_share_is_left_out(names, drawn_as):
    found = plot.fullest_first(host(name, 0.5) for name in names)
    assert [name for name, _ in found] == drawn_as

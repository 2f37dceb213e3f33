# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import threading
import time

from nova_xen_sched import log


def test_first_is_said_once():
    memory = log.Notices()
    assert memory.first('a')
    assert not memory.first('a')
    assert memory.first('b')


def test_what_is_forgotten_may_be_said_again():
    memory = log.Notices()
    assert memory.first('a')
    memory.forget('a')
    memory.forget('never said')
    assert memory.first('a')


def test_grown_speaks_only_of_new_names():
    memory = log.Notices()
    assert memory.grown('old', ['h2', 'h1'])
    assert not memory.grown('old', ['h1'])
    assert memory.grown('old', ['h1', 'h3'])
    assert not memory.grown('old', [])


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(log, 'MAX_NAMES', 5)
    memory = log.Notices()
    for i in range(3 * log.MAX_KINDS):
        memory.first(i)
    assert len(memory._said) == log.MAX_KINDS
    assert memory.grown('k', map(str, range(50)))
    assert len(memory._said['k']) == 5
    assert not memory.grown('k', ['another'])


def test_one_of_many_threads_is_first():
    memory = log.Notices()
    start = threading.Barrier(8)
    results = []

    def ask():
        start.wait()
        results.append(memory.first('a'))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]


def _fail(error):
    try:
        raise error
    except Exception:
        log.unexpected('judging')


def test_one_traceback_per_kind(caplog):
    with caplog.at_level(logging.DEBUG, logger='nova_xen_sched'):
        _fail(KeyError('a'))
        _fail(KeyError('b'))
        _fail(TypeError('c'))
    assert [bool(record.exc_info) for record in caplog.records] == [
        True,
        False,
        True,
    ]
    assert caplog.records[0].levelname == 'ERROR'
    assert "KeyError('b')" in caplog.records[1].getMessage()


def _warn(found):
    noticed = log.Noticed()
    for name, text in found.items():
        noticed.add('Bad values', name, text)
    noticed.warn()


def test_warnings_of_a_kind_are_one_line(caplog):
    many = {'a%03d' % i: 'a%03d: %d' % (i, i) for i in range(300)}
    for _ in range(3):
        _warn(many)
        # another value is no other place
        many = {name: name + ': x' for name in many}
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith('Bad values (300): a000: 0; a001: 1; ')
    assert line.endswith('a009: 9; ...')
    # What was said before may be mended by now.
    _warn({'b': 'b: 1'})
    assert caplog.records[-1].getMessage() == 'Bad values (1): b: 1'


def test_another_text_of_a_place_may_be_new(caplog):
    for by_text in (False, True):
        for text in ('a: 1', 'a: 2', 'a: 2'):
            noticed = log.Noticed(by_text=by_text)
            noticed.add('By text: %s' % by_text, 'a', text)
            noticed.warn()
    assert [record.getMessage() for record in caplog.records] == [
        'By text: False (1): a: 1',
        'By text: True (1): a: 1',
        'By text: True (1): a: 2',
    ]


def test_a_value_is_shown_without_a_password_however_it_is_cut():
    url = 'm//u:%s@host' % ('cret' * 20)
    assert log.shown(url) == "'m//u:***@host'"
    assert log.shown([url]) == "['m//u:***@host']"
    assert log.shown('b' * 99) == "'%s...%s'" % ('b' * 12, 'b' * 13)


def test_of_a_long_text_only_its_length_is_shown():
    start = time.process_time()
    for text in ('//a:' * 16000, "'a:" * 21000):
        assert log.shown(text) == 'text of %d characters' % len(text)
    assert log.shown('1' * 10000) == 'a number of 10000 digits'
    assert log.shown(['b' * 1001]) == '[text of 1001 characters]'
    assert log.shown('b' * 1000).startswith("'bbb")
    assert time.process_time() - start < 1


def test_true_and_false_are_shown_as_their_author_may_have_written_them():
    assert log.shown(True) == 'true'
    assert log.shown([False, 1]) == '[false, 1]'


def test_a_number_of_any_length_is_shown():
    assert log.shown(12) == '12'
    assert log.shown([-(10**5000)]) == '[a number of 16610 bits]'

# SPDX-License-Identifier: Apache-2.0

"""A facts file replaced as a whole."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from nova_xen_sched.cmd.facts import write_file
from nova_xen_sched.facts import file


def test_a_file_is_made_and_replaced(tmp_path):
    path = str(tmp_path / 'facts.yaml')
    assert write_file.read(path) is None
    write_file.replace(path, None, 'one\n')
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    os.chmod(path, 0o640)
    write_file.replace(path, 'one\n', 'two\r\n')
    assert write_file.read(path) == 'two\r\n'
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert os.listdir(str(tmp_path)) == ['facts.yaml']


def test_a_link_stays_one(tmp_path):
    target = tmp_path / 'target.yaml'
    target.write_text('one')
    link = tmp_path / 'facts.yaml'
    link.symlink_to(target)
    write_file.replace(str(link), 'one', 'two')
    assert link.is_symlink() and target.read_text() == 'two'


def test_what_someone_else_wrote_meanwhile_is_not_lost(tmp_path):
    path = tmp_path / 'facts.yaml'
    path.write_text('theirs')
    for before in (None, 'what was there'):
        with pytest.raises(file.FileError, match='changed meanwhile'):
            write_file.replace(str(path), before, 'ours')
    assert path.read_text() == 'theirs'
    assert os.listdir(str(tmp_path)) == ['facts.yaml']


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / 'facts.yaml'
    # In the words of the parser, which refuses the same.
    for content, said in (
        (b'version: 1\n# \xff\n', 'line 2 has bytes that no text'),
        ('version: 1\n'.encode('utf-16'), 'it is in UTF-16'),
    ):
        path.write_bytes(content)
        with pytest.raises(file.FileError, match=said):
            write_file.read(str(path))
        with pytest.raises(file.FileError, match=said):
            file.load(str(path))
    with pytest.raises(file.FileError, match='not a regular file'):
        write_file.read(str(tmp_path))
    with pytest.raises(file.FileError, match='No such file'):
        write_file.replace(str(tmp_path / 'no' / 'facts'), None, 'x')
    with pytest.raises(file.FileError, match='folder'), write_file.alone(
        str(tmp_path / 'no' / 'facts')
    ):
        pass


def test_a_device_is_neither_read_nor_replaced(tmp_path):
    # A pipe stands for all of them: opening it would wait for ever, and
    # /dev/null would be a file then.
    path = tmp_path / 'facts.yaml'
    os.mkfifo(str(path))
    with pytest.raises(file.FileError, match='not a regular file'):
        write_file.read(str(path))
    for before in (None, ''):
        with pytest.raises(file.FileError, match='not a regular file'):
            write_file.replace(str(path), before, 'x')
    assert stat.S_ISFIFO(os.stat(str(path)).st_mode)
    assert os.listdir(str(tmp_path)) == ['facts.yaml']


def test_a_file_larger_than_a_scheduler_reads_is_refused(tmp_path):
    path = tmp_path / 'facts.yaml'
    with path.open('wb') as f:
        f.truncate(file.MAX_SIZE + 1)
    with pytest.raises(file.FileError, match='more than the'):
        write_file.read(str(path))


def test_two_writers_wait_for_each_other(tmp_path):
    path = str(tmp_path / 'facts.yaml')
    write_file.replace(path, None, '')
    barrier = threading.Barrier(8)

    def add(number):
        barrier.wait()
        with write_file.alone(path):
            before = write_file.read(path)
            write_file.replace(path, before, '%s%d\n' % (before, number))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(write_file.read(path).split()) == list('01234567')

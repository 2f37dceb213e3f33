# SPDX-License-Identifier: Apache-2.0

"""How a program ends, whatever becomes of its output or of its import.

Nothing of weight is imported here: what is imported before a program runs,
ends in a traceback where Ctrl-C comes meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import sys
import typing as ty

#: As shells have it of a program that SIGPIPE or SIGINT ended.
_PIPE, _INTERRUPTED = 141, 130


class _Lost(SystemExit):
    """The output can't be written, which is no error to handle on the way."""


class _Unread(SystemExit):
    """Nobody reads on; older releases of cliff would log a BrokenPipeError."""


class _Output:
    """stdout, which raises _Lost where it can't be written."""

    def __init__(self, stream: ty.Any) -> None:
        self._stream = stream
        with contextlib.suppress(AttributeError):
            # What the terminal's encoding has not is written by its number.
            stream.reconfigure(errors='backslashreplace')

    def write(self, text: str) -> int:
        if self._stream is None:
            raise _Lost("The output can't be written: stdout is closed.")
        with _writing():
            return int(self._stream.write(text))

    def flush(self) -> None:
        if self._stream is not None:
            with _writing():
                self._stream.flush()

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def __getattr__(self, name: str) -> ty.Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _writing() -> ty.Iterator[None]:
    try:
        yield
    except BrokenPipeError as e:
        raise _Unread from e
    except (OSError, ValueError) as e:
        raise _Lost(
            "The output can't be written: %s."
            % (getattr(e, 'strerror', None) or e)
        ) from e


def run(program: ty.Callable[[], int]) -> int:
    """Run a program of ours, and say in one line what ended it early.

    :param program: returns its exit code.
    :returns: that, or 2 where stdout can't be written, 130 after Ctrl-C, 141
        where nobody reads on.
    """
    stdout = sys.stdout
    output: ty.Any = _Output(stdout)
    code = _INTERRUPTED
    try:
        with contextlib.redirect_stdout(output):
            try:
                code = program()
            finally:
                output.flush()
    except _Lost as e:
        _leave(stdout)
        _say(str(e))
        return 2
    except (_Unread, BrokenPipeError):
        _leave(stdout)
        return _PIPE
    except KeyboardInterrupt:
        pass
    if code == _INTERRUPTED:
        _say('Interrupted. Run it again to have all of it.')
    return code


def _leave(stdout: ty.Any) -> None:
    """Have Python itself not fail by the same when it ends."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stdout.fileno())
        os.close(null)


def _say(line: str) -> None:
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(line + '\n')
        sys.stderr.flush()

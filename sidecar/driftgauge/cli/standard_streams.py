"""Standard streams of a command: one that is closed, or whose reader has gone, does not change the exit code."""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_WRITE_FAILED: Final = 2
"""Exit code if the output could not be written, for example to a full disk."""


class _QuietFile(io.FileIO):
    """A file that drops what is written after its reader has gone."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def prepare_streams() -> None:
    """Replace the standard streams: a closed one by the null device, the others by ones that bear a broken pipe.

    Without it the exit code would be 1, which means drift: `driftgauge check R W | head -1`.
    """
    # In this order, since open() takes the lowest free descriptor: a closed stream keeps its number.
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - as long as the process
    sys.stdout = _quiet(sys.stdout)
    sys.stderr = _quiet(sys.stderr)


def flush_output(code: int) -> int:
    """Write what is buffered for standard output.

    Args:
        code: Exit code of the command.

    Returns:
        The same code, or 2 if the output cannot be written.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        sys.stderr.write(f"driftgauge: cannot write the output: {error.strerror}\n")
        # What is still buffered would fail again when the interpreter ends.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
        return _WRITE_FAILED
    return code


def _quiet(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    file = io.BufferedWriter(_QuietFile(stream.fileno(), "w", closefd=False))
    lines = stream.isatty() or stream is sys.stderr
    return io.TextIOWrapper(file, stream.encoding, stream.errors, line_buffering=lines)

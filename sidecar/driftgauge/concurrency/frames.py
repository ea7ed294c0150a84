"""Python objects as frames in a pipe: a pickle, and the arrays in it as buffers of their own, which are not copied."""

import pickle
import struct
from dataclasses import dataclass
from typing import IO, Any, Final, TypeVar

import numpy as np

_Content = TypeVar("_Content", bytearray, memoryview)

_COUNT: Final = struct.Struct("<I")
NO_MEMORY_STATUS: Final = 77
"""With this status a child ends that has no memory for a call or its outcome."""

_PIECE_BYTES: Final = 256 * 1024
"""The interpreter's lock is released between pieces."""

_ALIGNED_BYTES: Final = 64
"""Each array begins at a multiple of this: numpy needs some alignment, and is quicker with more."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The outcome of a call that has neither a result nor an error of driftgauge.

    Args:
        cause: What happened, as a predicate.
        traceback: Where an exception was raised.
    """

    cause: str
    traceback: str = ""


def write_frame(pipe: IO[bytes] | None, value: object) -> None:
    """Write one object.

    Raises:
        OSError: The other end is closed.
    """
    pipe = _checked(pipe)
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    pipe.write(_COUNT.pack(len(parts)) + struct.pack(f"<{len(parts)}Q", *map(len, parts)))
    for part in parts:
        for start in range(0, len(part), _PIECE_BYTES):
            pipe.write(part[start : start + _PIECE_BYTES])
    pipe.flush()


def read_frame(pipe: IO[bytes] | None) -> Any:  # noqa: ANN401 - any object
    """Read one object. Its arrays can be written to.

    They share one piece of memory, which is freed with the last of them: thousands of arrays that are freed together,
    such as the columns of a reference, leave no holes between others.

    Raises:
        EOFError: The other end is closed.
    """
    pipe = _checked(pipe)
    (count,) = _COUNT.unpack(_read(pipe, bytearray(_COUNT.size)))
    sizes = struct.unpack(f"<{count}Q", _read(pipe, bytearray(8 * count)))
    head = _read(pipe, bytearray(sizes[0]))
    ends = np.cumsum([0, *(-(-size // _ALIGNED_BYTES) * _ALIGNED_BYTES for size in sizes[1:])]).tolist()
    whole = np.empty(ends[-1], dtype=np.uint8).data
    each = zip(ends, sizes[1:], strict=False)  # one end more than sizes
    return pickle.loads(head, buffers=[_read(pipe, whole[start : start + size]) for start, size in each])  # noqa: S301 - written by this package


def _checked(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise EOFError("has no pipe")
    return pipe


def _read(pipe: IO[bytes], content: _Content) -> _Content:
    """Fill some memory."""
    view, start = memoryview(content), 0
    while start < len(view):
        number = pipe.readinto(view[start : start + _PIECE_BYTES])  # type: ignore[attr-defined] # BufferedReader has it
        if not number:
            raise EOFError("has no more bytes")
        start += number
    return content

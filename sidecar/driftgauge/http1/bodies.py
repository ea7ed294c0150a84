"""Reads bodies piece by piece, without their framing, and finds where they end.

Chunks are read by our own grammar and written again for the other side. So no peculiarity of the sender's chunks, not
even a valid one, reaches a second parser.

Source: RFC 9112 sections 6.3 and 7.1, https://www.rfc-editor.org/rfc/rfc9112.
"""

from collections.abc import Callable
from typing import Final, Protocol, final

from driftgauge.http1.grammar import (
    CHUNK,
    CHUNKS_PER_TURN,
    MAX_CHUNK_LINE_BYTES,
    MAX_EXTENSIONS_BYTES,
    MAX_TRAILER_BYTES,
    TRAILERS,
    BrokenBodyError,
    HeaderList,
)
from driftgauge.http1.writing import trailers

_MORE_DIGITS_THAN_EXTENSION: Final = 18
"""Bytes of a chunk's first line that are not an extension: 15 digits and the line break, and one spare byte."""

_SHORT_CHUNK_BYTES: Final = 4096
_SIZES: Final = {line % size: size for size in range(1, _SHORT_CHUNK_BYTES) for line in (b"%x\r\n", b"%X\r\n")}
"""The first line of each short chunk in its usual form, and its size: one look-up instead of a match."""

_LONGEST_SIZE_LINE_BYTES: Final = 5

_Step = Callable[[bytes, int, list[bytes]], int | None]


class Body(Protocol):
    """A body that is being read.

    Attributes:
        done: Whether the whole body has been read.
        rest: Bytes that were not read: those after its end, or, if it is not done, those that are too much work for
            one turn of the event loop.
        trailers: The trailer lines after it that are forwarded.
        is_ended_by_close: Whether the end of the connection is the end of the body.
    """

    done: bool
    rest: bytes
    trailers: HeaderList
    is_ended_by_close: bool

    def feed(self, data: bytes) -> bytes:
        """Read the next bytes; returns the content in them.

        Raises:
            BrokenBodyError: The framing is malformed.
        """


@final
class KnownLength:
    """A body whose head states its length; see `Body`.

    Args:
        length: In bytes; may be 0.
    """

    __slots__ = ("_left", "done", "is_ended_by_close", "rest", "trailers")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0
        self.rest = b""
        self.trailers: HeaderList = ()
        self.is_ended_by_close = False

    def feed(self, data: bytes) -> bytes:
        """Return the bytes up to the end of the body."""
        left = self._left - len(data)
        if left > 0:
            self._left = left
            return data
        self.done = True
        if left == 0:
            return data
        data, self.rest = data[: self._left], data[self._left :]
        return data


@final
class UntilClose:
    """A body that ends when its connection ends; see `Body`."""

    __slots__ = ("done", "is_ended_by_close", "rest", "trailers")

    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        self.trailers: HeaderList = ()
        self.is_ended_by_close = True

    @staticmethod
    def feed(data: bytes) -> bytes:
        """Return all of the bytes."""
        return data


@final
class Chunked:
    """A body in chunks; see `Body`.

    One call of `feed` reads at most `CHUNKS_PER_TURN` chunks, and leaves the bytes after them in `rest`.

    Attributes:
        chunks_left: How many more the last call could have read.
    """

    __slots__ = (
        "_buffered",
        "_chunks_left",
        "_extensions_bytes",
        "_left",
        "_step",
        "chunks_left",
        "done",
        "is_ended_by_close",
        "rest",
        "trailers",
    )

    def __init__(self) -> None:
        self._step: _Step = self._read_size
        self._buffered = b""
        self.chunks_left = 0
        self._left = 0
        self._extensions_bytes = 0
        self.done = False
        self.rest = b""
        self.trailers: HeaderList = ()
        self.is_ended_by_close = False

    def feed(self, data: bytes) -> bytes:
        """Return the content of the chunks in the bytes, joined."""
        if self._buffered:
            data, self._buffered = self._buffered + data, b""
        pieces: list[bytes] = []
        at = 0
        self.chunks_left = CHUNKS_PER_TURN
        while at < len(data) and not self.done and self.chunks_left > 0:
            if self._step == self._read_size:
                at = self._read_short_chunks(data, at, pieces)
                if self.chunks_left == 0:
                    break
            after = self._step(data, at, pieces)
            if after is None:
                self._buffered = data[at:]
                at = len(data)
                break
            at = after
        self.rest = data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _read_short_chunks(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Read whole short chunks in their usual form; returns where the first one begins that is something else."""
        find, size_of, add = data.find, _SIZES.get, pieces.append
        left = self.chunks_left
        while left:
            start = find(b"\n", at, at + _LONGEST_SIZE_LINE_BYTES) + 1
            if start == 0:
                break
            end = start + size_of(data[at:start], 0)
            if end == start or not data.startswith(b"\r\n", end):
                break
            add(data[start:end])
            at = end + 2
            left -= 1
        self.chunks_left = left
        return at

    # Each step reads from `at` on and returns where the next step begins, or `None` if it needs more bytes. The bytes
    # that are too few are buffered until more come. They are never more than the limit of the line, so a sender of an
    # endless line is refused instead of filling memory.

    def _read_size(self, data: bytes, at: int, _: list[bytes]) -> int | None:
        end = data.find(b"\n", at, at + MAX_CHUNK_LINE_BYTES) + 1
        if end == 0:
            if len(data) - at >= MAX_CHUNK_LINE_BYTES:
                raise BrokenBodyError("the first line of a chunk is too long")
            return None
        line = CHUNK.fullmatch(data, at, end)
        if line is None:
            raise BrokenBodyError("the first line of a chunk is malformed")
        self._extensions_bytes += max(0, end - at - _MORE_DIGITS_THAN_EXTENSION)
        if self._extensions_bytes > MAX_EXTENSIONS_BYTES:
            raise BrokenBodyError("the extensions of the chunks are too long")
        self._left = int(line[1], 16)
        self.chunks_left -= 1
        self._step = self._read_content if self._left else self._read_trailers
        return end

    def _read_content(self, data: bytes, at: int, pieces: list[bytes]) -> int | None:
        piece = data[at : at + self._left]
        pieces.append(piece)
        self._left -= len(piece)
        if not self._left:
            self._step = self._read_line_end
        return at + len(piece)

    def _read_line_end(self, data: bytes, at: int, _: list[bytes]) -> int | None:
        found = data[at : at + 2]
        if found == b"\r\n":
            self._step = self._read_size
            return at + 2
        if found != b"\r":
            raise BrokenBodyError("a chunk is longer than its size")
        return None

    def _read_trailers(self, data: bytes, at: int, _: list[bytes]) -> int | None:
        if data.startswith(b"\r\n", at):
            self.done = True
            return at + 2
        end = data.find(b"\r\n\r\n", at, at + MAX_TRAILER_BYTES) + 4
        if end == 4 - 1:
            if len(data) - at >= MAX_TRAILER_BYTES:
                raise BrokenBodyError("the trailers are too long")
            return None
        if TRAILERS.fullmatch(data, at, end) is None:
            raise BrokenBodyError("a trailer is malformed")
        found = [line.partition(b":") for line in data[at : end - 4].split(b"\r\n")]
        self.trailers = trailers([(name, value.strip(b" \t")) for name, _, value in found])
        self.done = True
        return end

"""Knows heads again: those of one model's traffic are the same byte for byte, but for a few lines. No I/O here.

Lines such as an id or a date differ from message to message and have no say in what a head means to its reader. They
are cut out, what is left is looked up, and the lines are put in again. Nothing is taken on trust: what is looked up was
read in full when it first came, and the lines that were cut out are matched by the same grammar.
"""

import re
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, Self, TypeVar

from driftgauge.http1.framing import HeaderList

_NAMES = (
    b"ce-id",
    b"ce-recordedtime",
    b"ce-time",
    b"date",
    b"idempotency-key",
    b"traceparent",
    b"tracestate",
    b"uber-trace-id",
    b"x-amzn-trace-id",
    b"x-b3-parentspanid",
    b"x-b3-spanid",
    b"x-b3-traceid",
    b"x-cloud-trace-context",
    b"x-correlation-id",
    b"x-request-id",
)


def _any_case(name: bytes) -> bytes:
    """The name in letters of either case; as sets, which the engine looks up faster than it folds."""
    return b"".join(b"[%c%c]" % (letter, letter ^ 0x20) if chr(letter).isalpha() else b"%c" % letter for letter in name)


_VARYING = re.compile(rb"\r\n(%b): ([!-~](?:[ -~]*[!-~])?)(?=\r\n)" % b"|".join(map(_any_case, _NAMES)))
"""A whole line whose value is plain and whose white space is the usual one space."""

_MAX_HEADS = 256
_MAX_HEAD_BYTES = 2048
"""So many heads, up to this length, are remembered: some 1 MB when strangers send nothing but new ones."""


class Readable(Protocol):
    """A head that can be known again."""

    fields: dict[bytes, bytes]
    raw: bytes

    def varied(self, raw: bytes, fields: dict[bytes, bytes], more: HeaderList) -> Self:
        """The same head with other bytes, fields, and more lines, for which its reader vouches."""


Head = TypeVar("Head", bound=Readable)


class HeadCache(Generic[Head]):
    """Reads heads, and knows those again that it has read.

    Args:
        read: Reads one, whose value nobody changes.
    """

    __slots__ = ("_known", "_last", "_last_raw", "_read")

    def __init__(self, read: Callable[[bytes], Head]) -> None:
        self._read = read
        self._known: dict[bytes, Head] = {}
        self._last_raw = b""
        self._last: Head | None = None

    def __call__(self, raw: bytes) -> Head:
        """The head of these bytes; raises what `read` raises."""
        if raw == self._last_raw and self._last is not None:
            return self._last
        self._last = head = self._known.get(raw) or self._found(raw)
        self._last_raw = raw
        return head

    def _found(self, raw: bytes) -> Head:
        if len(raw) > _MAX_HEAD_BYTES:
            return self._read(raw)
        parts = _VARYING.split(raw)
        if len(parts) == 1:
            return self._learned(raw)
        stem = b"".join(parts[::3])
        known = self._known.get(stem) or self._learned(stem)
        return _varied(known, raw, parts) or self._read(raw)

    def _learned(self, raw: bytes) -> Head:
        head = self._read(raw)
        if len(self._known) >= _MAX_HEADS:
            self._known.clear()
        self._known[raw] = head
        return head


def _varied(known: Head, raw: bytes, parts: Sequence[bytes]) -> Head | None:
    """The head that was known with the lines that were cut out; `None` if a name stands there twice."""
    fields = known.fields.copy()
    for at in range(1, len(parts), 3):
        fields[parts[at].lower()] = parts[at + 1]
    if len(fields) != len(known.fields) + len(parts) // 3:
        return None
    if known.raw:
        return known.varied(raw, fields, ())
    return known.varied(b"", fields, list(zip(parts[1::3], parts[2::3], strict=True)))

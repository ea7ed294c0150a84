"""Remembers parsed heads: those of one model's traffic are the same byte for byte, except for a few lines.

Why a head may be cut and looked up without parsing it again: lines such as an id or a date differ from message to
message, and no reader of a head in this package looks at them. They are cut out, the rest (the stem) is looked up, and
the lines are put in again. The result equals a full parse, because

- the stem was parsed in full when it was first seen, by the grammar and by llhttp, and a head is valid if and only if
  each of its lines is: the grammar is a request or status line followed by any number of independent header lines;
- a line is cut out only if it is one of the listed names, a colon, one space and a value of printable ASCII without
  white space at its ends. Such a line is valid, and its value is the same for every parser;
- no listed name frames a body, names a host or controls a connection, so the line cannot change what the stem means;
- a name that occurs twice, among the cut lines or in the stem, is left to the full parse.

To find the lines takes longer than the rest, so they are looked for first where those of the last heads of the same
length were. If they are there, the stem is what remains. A stem that has another such line is not among the known ones,
since what is known has none, so a line that was overlooked leads to the full search. A known stem may be one that the
places do not come from: one that cannot be forwarded as it is, or has the name of a cut line in another form.

Example: `traceparent` differs in each request of a mesh. With it cut out, all requests of one client share one stem.
A property test compares cached and full parses of arbitrary heads.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple, Protocol, Self, TypeVar, final

from driftgauge.http1.grammar import HeaderList

_NAMES: Final = (
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
    """A pattern for the name in either case: sets of two letters, which are faster than the flag IGNORECASE."""
    return b"".join(b"[%c%c]" % (letter, letter ^ 0x20) if chr(letter).isalpha() else b"%c" % letter for letter in name)


_VALUE: Final = rb"[!-~](?:[ -~]*[!-~])?"
_VARYING: Final = re.compile(rb"\r\n(%b): (%b)(?=\r\n)" % (b"|".join(map(_any_case, _NAMES)), _VALUE))
"""A whole line with the usual one space and a value of printable ASCII."""

_VALUE_ALONE: Final = re.compile(_VALUE)

_MAX_HEADS: Final = 256
_MAX_HEAD_BYTES: Final = 2048
"""Number and length of the remembered heads: about 1 MB when untrusted clients send nothing but new ones."""

_MAX_LAYOUTS: Final = 3
"""Most that are remembered of one length. KServe's agent sends two: the event of a request has a type of a letter less,
and often a length of its body of a digit more, than that of its response."""


class Readable(Protocol):
    """A head that can be cached."""

    fields: dict[bytes, bytes]
    raw: bytes

    def with_headers(self, raw: bytes, fields: dict[bytes, bytes], more: HeaderList) -> Self:
        """The same head with other bytes, fields, and additional lines, which the caller has checked."""


Head = TypeVar("Head", bound=Readable)


class _CutLine(NamedTuple):
    """Where a line was cut out of a head.

    Args:
        start: Where its line break begins.
        intro: The line up to its value, with the line break before it.
        value: Where its value begins.
        end: Where its value ends.
        name: Its name in lower case.
    """

    start: int
    intro: bytes
    value: int
    end: int
    name: bytes


@final
class HeadCache(Generic[Head]):
    """Parses heads, and returns the earlier result for a head that was parsed before.

    Args:
        read: Parses a head. Its result is shared, so no caller may change it.
    """

    __slots__ = ("_known", "_last", "_last_raw", "_layouts", "_read")

    def __init__(self, read: Callable[[bytes], Head]) -> None:
        self._read = read
        self._known: dict[bytes, Head] = {}
        self._layouts: dict[int, list[list[_CutLine]]] = {}
        self._last_raw = b""
        self._last: Head | None = None

    def __call__(self, raw: bytes) -> Head:
        """Parse or look up a head; raises what `read` raises."""
        if raw == self._last_raw and self._last is not None:
            return self._last
        self._last = head = self._look_up_again(raw) or self._known.get(raw) or self._look_up(raw)
        self._last_raw = raw
        return head

    def _look_up_again(self, raw: bytes) -> Head | None:
        """The head, if its lines are where those of an earlier one of the same length were."""
        for layout in self._layouts.get(len(raw), ()):
            head = self._look_up_at(raw, layout)
            if head is not None:
                return head
        return None

    def _look_up_at(self, raw: bytes, layout: list[_CutLine]) -> Head | None:
        pieces: list[bytes] = []
        at = 0
        for start, intro, value, end, _ in layout:
            if not (
                raw.startswith(intro, start)
                and raw.startswith(b"\r\n", end)
                and _VALUE_ALONE.fullmatch(raw, value, end)
            ):
                return None
            pieces.append(raw[at:start])
            at = end
        pieces.append(raw[at:])
        known = self._known.get(b"".join(pieces))
        if known is None:
            return None
        fields = known.fields.copy()
        for _, _, value, end, name in layout:
            fields[name] = raw[value:end]
        if len(fields) != len(known.fields) + len(layout):
            return None
        if known.raw:
            return known.with_headers(raw, fields, ())
        more = [(intro[2:-2], raw[value:end]) for _, intro, value, end, _ in layout]
        return known.with_headers(b"", fields, more)

    def _look_up(self, raw: bytes) -> Head:
        if len(raw) > _MAX_HEAD_BYTES:
            return self._read(raw)
        parts = _VARYING.split(raw)
        if len(parts) == 1:
            return self._learn(raw)
        stem = b"".join(parts[::3])
        known = self._known.get(stem) or self._learn(stem)
        head = _with_cut_lines(known, raw, parts)
        if head is None:
            return self._read(raw)
        self._keep_layout(len(raw), _layout_of(parts))
        return head

    def _keep_layout(self, length: int, layout: list[_CutLine]) -> None:
        if len(self._layouts) >= _MAX_HEADS:
            self._layouts.clear()
        known = self._layouts.setdefault(length, [])
        if layout not in known:
            known.insert(0, layout)
            del known[_MAX_LAYOUTS:]

    def _learn(self, raw: bytes) -> Head:
        head = self._read(raw)
        if len(self._known) >= _MAX_HEADS:
            self._known.clear()
        self._known[raw] = head
        return head


def _with_cut_lines(known: Head, raw: bytes, parts: Sequence[bytes]) -> Head | None:
    """The known head with the lines that were cut out; `None` if a name occurs twice."""
    fields = known.fields.copy()
    for at in range(1, len(parts), 3):
        fields[parts[at].lower()] = parts[at + 1]
    if len(fields) != len(known.fields) + len(parts) // 3:
        return None
    if known.raw:
        return known.with_headers(raw, fields, ())
    return known.with_headers(b"", fields, list(zip(parts[1::3], parts[2::3], strict=True)))


def _layout_of(parts: Sequence[bytes]) -> list[_CutLine]:
    """Where the lines are that `_VARYING` has cut out."""
    layout: list[_CutLine] = []
    at = 0
    for index in range(1, len(parts), 3):
        start, intro = at + len(parts[index - 1]), b"\r\n%b: " % parts[index]
        value = start + len(intro)
        at = value + len(parts[index + 1])
        layout.append(_CutLine(start, intro, value, at, parts[index].lower()))
    return layout

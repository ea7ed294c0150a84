"""The heads of messages as bytes: which lines go on, and how a body is framed. This file does no I/O.

Source: RFC 9110 section 7.6.1 (hop-by-hop fields), RFC 9112 section 6 (framing),
https://www.rfc-editor.org/rfc/rfc9110, https://www.rfc-editor.org/rfc/rfc9112.
"""

from collections.abc import Iterable, Sequence
from enum import Enum

Headers = Sequence[tuple[bytes, bytes]]
"""Name and value of each line, in the order of the wire, as they were spelled."""

LAST_CHUNK = b"0\r\n\r\n"
"""Ends a chunked body that has no trailers."""

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",  # codespell:ignore te
        b"trailer",
        b"upgrade",
    },
)

_NEVER_NAMED = frozenset({b"content-length", b"host", b"transfer-encoding"})
"""Lines that `Connection` cannot take away: without them the receiver would see where the body ends differently."""

_CHUNKED_LINE = (b"Transfer-Encoding", b"chunked")
_BODILESS = frozenset({204, 304})
_NO_CONTENT = 204


class BadHeadError(ValueError):
    """A head holds a line break within a line, which would read as another line."""


class Framing(Enum):
    """How the receiver knows where a body ends."""

    NONE = "there is none"
    LENGTH = "Content-Length"
    CHUNKED = "chunked"
    CLOSE = "end of the connection"

    def frame(self, data: bytes) -> bytes:
        """The bytes on the wire for a piece of the body; an empty piece has none."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self is Framing.CHUNKED and data else data

    @property
    def end(self) -> bytes:
        """The bytes on the wire after the last piece."""
        return LAST_CHUNK if self is Framing.CHUNKED else b""


def first(headers: Headers, name: bytes) -> bytes | None:
    """Value of the first line of that name, which is given in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)


def answer_framing(method: str, status: int, headers: Headers, *, chunked: bool, http11: bool) -> Framing:
    """How an answer's body is framed towards the client.

    Args:
        method: Method of the request.
        status: Status of the answer.
        headers: Lines of the answer.
        chunked: Whether it came in chunks.
        http11: Whether the client understands chunks.
    """
    if method == "HEAD" or status in _BODILESS:
        return Framing.NONE
    if not chunked and first(headers, b"content-length") is not None:
        return Framing.LENGTH
    return Framing.CHUNKED if http11 else Framing.CLOSE


def request_head(method: str, target: bytes, headers: Headers, authority: bytes) -> bytes:
    """The request's head for the model server.

    Args:
        method: As sent.
        target: As sent, byte for byte.
        headers: As sent. `Transfer-Encoding` stays, since the body goes on in the same chunked framing.
        authority: Host and port of the model server: the `Host` of a client that sent none, as HTTP/1.0 allows.
    """
    lines = end_to_end(headers)
    if first(lines, b"host") is None:
        lines.insert(0, (b"Host", authority))
    return _head(b"%b %b HTTP/1.1" % (method.encode(), target), lines)


def answer_head(status: int, reason: bytes, headers: Headers, framing: Framing, connection: bytes | None) -> bytes:
    """The answer's head for the client.

    Args:
        status: As the model server said.
        reason: Its reason phrase, perhaps empty.
        headers: As it sent them.
        framing: How the body is framed towards the client.
        connection: Value of our own `Connection` line; `None` writes none.
    """
    lines = end_to_end(headers)
    codings = [value.lower() for name, value in lines if name.lower() == b"transfer-encoding"]
    if framing in {Framing.LENGTH, Framing.CLOSE} or status == _NO_CONTENT:
        lines = [line for line in lines if line[0].lower() != b"transfer-encoding"]
    elif framing is Framing.CHUNKED and not (codings and codings[-1].endswith(b"chunked")):
        lines.append(_CHUNKED_LINE)
    if connection is not None:
        lines.append((b"Connection", connection))
    return _head(b"HTTP/1.1 %d %b" % (status, reason), lines)


def end_to_end(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The lines that are meant for the other end; `Transfer-Encoding` is left to the caller."""
    dropped = _HOP_BY_HOP | (_named(headers) - _NEVER_NAMED)
    return [line for line in headers if line[0].lower() not in dropped]


def _named(headers: Headers) -> set[bytes]:
    values = (value for name, value in headers if name.lower() == b"connection")
    return {token.strip().lower() for value in values for token in value.split(b",")}


def _head(start: bytes, lines: Iterable[tuple[bytes, bytes]]) -> bytes:
    rows = [start, *(b"%b: %b" % line for line in lines)]
    if any(b"\r" in row or b"\n" in row for row in rows):
        raise BadHeadError("a header line holds a line break")
    return b"\r\n".join(rows) + b"\r\n\r\n"

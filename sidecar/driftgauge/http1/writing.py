"""Writes the heads of messages: which lines go on, and how the body's framing is told. This file does no I/O.

Source: RFC 9110 section 7.6.1 (hop-by-hop fields), RFC 9112 section 6 (framing),
https://www.rfc-editor.org/rfc/rfc9110, https://www.rfc-editor.org/rfc/rfc9112.
"""

import json
from functools import lru_cache
from http import HTTPStatus

from driftgauge.http1.framing import Framing, HeaderList, HeaderMap, joined
from driftgauge.http1.heads import HOP_BY_HOP, RequestHead, ResponseHead, tokens

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})

_NEVER_NAMED = _FRAMING | {b"host"}
"""Lines that `Connection` cannot take away: without them the receiver would see where the body ends differently."""

_NEVER_TRAILING = (
    HOP_BY_HOP
    | _NEVER_NAMED
    | {
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-range",
        b"content-type",
        b"cookie",
        b"expect",
        b"set-cookie",
    }
)
"""Lines that would change how a message is read, framed or routed if a receiver took trailers for headers
(RFC 9110 section 6.5.1)."""

_CONNECTION = b"\r\nConnection: "
_ALONE = frozenset({b"close", b"keep-alive"})
"""What `Connection` says of the connection itself; all else that it says names lines."""

_CHUNKED_LINE = (b"Transfer-Encoding", b"chunked")
_NO_CONTENT = 204


def request_head(head: RequestHead, authority: str) -> bytes:
    """The request's head for the model server; its own bytes, where nothing has to go.

    Args:
        head: As it came.
        authority: Host and port of the model server: the `Host` of a client that sent none, as HTTP/1.0 allows.
    """
    if head.http11 and (raw := head.raw if head.is_end_to_end else _raw_end_to_end(head)):
        return raw
    lines = end_to_end(head.lines, head.fields, trailing=head.length is None)
    if b"host" not in head.fields:
        lines.insert(0, (b"Host", authority.encode()))
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (head.method, head.target, joined(lines))


def response_framing(method: bytes, head: ResponseHead, *, http11: bool) -> Framing:
    """How an answer's body is framed towards the client.

    Args:
        method: Method of the request.
        head: The answer's.
        http11: Whether the client understands chunks.
    """
    if not head.has_body(method):
        return Framing.NONE
    if head.length is not None:
        return Framing.LENGTH
    return Framing.CHUNKED if http11 else Framing.CLOSE


def goes_as_it_came(head: ResponseHead, method: bytes) -> bool:
    """Whether an answer has a body of a length that it tells, and nothing in its head is of one connection alone.

    To a client of HTTP/1.1 that stays, `response_head` gives the head's own bytes then.
    """
    return head.is_end_to_end and head.length is not None and head.has_body(method)


def response_head(head: ResponseHead, framing: Framing, connection: bytes | None) -> bytes:
    """The answer's head for the client.

    Args:
        head: As it came.
        framing: How the body is framed towards the client.
        connection: Value of our own `Connection` line; `None` writes none.
    """
    reported = (head.length is not None or head.chunked) and head.status != _NO_CONTENT
    if reported and connection is None and framing is not Framing.CLOSE:
        raw = head.raw if head.is_end_to_end else _raw_end_to_end(head)
        if raw:
            return raw
    lines = end_to_end(head.lines, head.fields, trailing=framing is Framing.CHUNKED)
    if framing is Framing.CLOSE:
        lines = without(lines, b"transfer-encoding")
    elif head.status == _NO_CONTENT:
        lines = [line for line in lines if line[0].lower() not in _FRAMING]
    elif framing is Framing.CHUNKED and not head.chunked:
        lines.append(_CHUNKED_LINE)
    if connection is not None:
        lines.append((b"Connection", connection))
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, joined(lines))


def interim_head(head: ResponseHead) -> bytes:
    """A word before the answer, for the client. It has no body, so no line may tell of one."""
    lines = [line for line in end_to_end(head.lines, head.fields) if line[0].lower() not in _FRAMING]
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, joined(lines))


def _raw_end_to_end(head: RequestHead | ResponseHead) -> bytes:
    """The bytes of a head whose only line to go is the plainest `Connection`, if any; empty if there is more to do."""
    found = HOP_BY_HOP.intersection(head.fields)
    value = head.fields.get(b"connection", b"")
    if len(found) > 1 or len(head.fields) < len(head.lines) or value.lower() not in _ALONE:
        return b""
    before, line, after = head.raw.partition(_CONNECTION + value + b"\r\n")
    return before + b"\r\n" + after if line else b""


def end_to_end(lines: HeaderList, fields: HeaderMap, *, trailing: bool = False) -> list[tuple[bytes, bytes]]:
    """The lines that are meant for the other end.

    Args:
        lines: All lines.
        fields: The same by name.
        trailing: Whether the body that follows can have trailers.
    """
    if HOP_BY_HOP.isdisjoint(fields):
        return list(lines)
    dropped = HOP_BY_HOP - {b"trailer"} if trailing else HOP_BY_HOP
    if b"connection" in fields:
        dropped |= tokens(list(lines), b"connection") - _NEVER_NAMED
    return [line for line in lines if line[0].lower() not in dropped]


def trailers(lines: HeaderList) -> list[tuple[bytes, bytes]]:
    """The trailers that go on."""
    return [line for line in lines if line[0].lower() not in _NEVER_TRAILING]


def without(lines: HeaderList, name: bytes) -> list[tuple[bytes, bytes]]:
    """All lines but those of that name, which is given in lower case."""
    return [line for line in lines if line[0].lower() != name]


def connection_line(*, stays: bool, http11: bool) -> bytes | None:
    """Value of our own `Connection` line towards a client; `None` where the version says it."""
    if stays:
        return None if http11 else b"keep-alive"
    return b"close" if http11 else None


def error_response(status: int, sentence: str, *, stays: bool, http11: bool = True) -> tuple[bytes, bytes]:
    """Head and body of an answer of our own, in KServe's form `{"error": "..."}`.

    Args:
        status: Its status.
        sentence: Why, for a person.
        stays: Whether the connection stays open.
        http11: Whether the client speaks HTTP/1.1.
    """
    body = json.dumps({"error": sentence}).encode()
    return own_head(status, b"application/json", len(body), connection_line(stays=stays, http11=http11)), body


@lru_cache(64)
def own_head(status: int, content_type: bytes, length: int, connection: bytes | None) -> bytes:
    """The head of an answer of our own; without a content type it tells none."""
    phrase = HTTPStatus(status).phrase.encode()
    lines = [b"Content-Type: " + content_type] if content_type else []
    lines.append(b"Content-Length: %d" % length)
    if connection is not None:
        lines.append(b"Connection: " + connection)
    return b"HTTP/1.1 %d %b\r\n%b\r\n\r\n" % (status, phrase, b"\r\n".join(lines))

"""Writes the heads of messages: which lines are forwarded, and how the body is framed.

Source: RFC 9110 section 7.6.1 (hop-by-hop fields), RFC 9112 section 6 (framing),
https://www.rfc-editor.org/rfc/rfc9110, https://www.rfc-editor.org/rfc/rfc9112.
"""

import json
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from driftgauge.http1.grammar import Framing, HeaderList, HeaderMap, joined
from driftgauge.http1.heads import HOP_BY_HOP, RequestHead, ResponseHead, tokens

_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})

_NEVER_NAMED: Final = _FRAMING | {b"host"}
"""Lines that `Connection` must not remove: without them the receiver would find another end of the body."""

_NEVER_TRAILING: Final = (
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
"""Lines that would change how a message is read, framed or routed if a receiver treated trailers as headers
(RFC 9110 section 6.5.1)."""

CONTINUE_HEAD: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_CHUNKED_LINE: Final = (b"Transfer-Encoding", b"chunked")


def request_head(head: RequestHead, authority: str, pseudonym: bytes = b"") -> bytes:
    """The head of a request for the model server: the client's bytes and `Via` if no line has to be removed.

    Args:
        head: As received.
        authority: Host and port of the model server: the `Host` for a client that sent none, which HTTP/1.0 allows.
        pseudonym: What the `Via` line at its end calls this proxy; empty for a head without that line.
    """
    if raw := forwarded_raw(head):
        return b"%bVia: 1.1 %b\r\n\r\n" % (raw[:-2], pseudonym) if pseudonym else raw
    lines = end_to_end(head.lines, head.fields, trailing=head.length is None)
    if b"host" not in head.fields:
        lines.insert(0, (b"Host", authority.encode()))
    if pseudonym:
        lines.append((b"Via", (b"1.1 " if head.http11 else b"1.0 ") + pseudonym))
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (head.method, head.target, joined(lines))


def response_framing(method: bytes, head: ResponseHead, *, http11: bool) -> Framing:
    """How the body of a response is framed for the client.

    Args:
        method: Method of the request.
        head: Head of the response.
        http11: Whether the client understands chunks.
    """
    if not head.has_body(method):
        return Framing.NONE
    if head.length is not None:
        return Framing.LENGTH
    return Framing.CHUNKED if http11 else Framing.CLOSE


def is_forwarded_unchanged(head: ResponseHead, method: bytes) -> bool:
    """Whether a response has a body of a stated length, and no line for one connection alone but a plain `Connection`.

    For an HTTP/1.1 client whose connection is kept, `response_head` then returns what `forwarded_raw` does.
    """
    return head.own_line is not None and head.length is not None and head.has_body(method)


def response_head(head: ResponseHead, framing: Framing, connection: bytes | None) -> bytes:
    """The head of a response for the client.

    Args:
        head: As received.
        framing: How the body is framed for the client.
        connection: Value of our own `Connection` line; `None` writes none.
    """
    has_stated_framing = (head.length is not None or head.chunked) and head.status != HTTPStatus.NO_CONTENT
    if has_stated_framing and connection is None and framing is not Framing.CLOSE and (raw := forwarded_raw(head)):
        return raw
    lines = end_to_end(head.lines, head.fields, trailing=framing is Framing.CHUNKED)
    if framing is Framing.CLOSE:
        lines = without(lines, b"transfer-encoding")
    elif head.status == HTTPStatus.NO_CONTENT:
        lines = [line for line in lines if line[0].lower() not in _FRAMING]
    elif framing is Framing.CHUNKED and not head.chunked:
        lines.append(_CHUNKED_LINE)
    if connection is not None:
        lines.append((b"Connection", connection))
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, joined(lines))


def interim_head(head: ResponseHead) -> bytes:
    """The head of an interim response (1xx) for the client. It has no body, so its lines must not frame one."""
    lines = [line for line in end_to_end(head.lines, head.fields) if line[0].lower() not in _FRAMING]
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, joined(lines))


def forwarded_raw(head: RequestHead | ResponseHead) -> bytes:
    """The bytes of a head without a plain `Connection` line of its own; empty if more has to be changed."""
    line = head.own_line
    if line is None:
        return b""
    return head.raw.replace(line, b"\r\n", 1) if line else head.raw


def end_to_end(lines: HeaderList, fields: HeaderMap, *, trailing: bool = False) -> list[tuple[bytes, bytes]]:
    """The lines that are meant for the other end.

    Args:
        lines: All lines.
        fields: The same lines by name.
        trailing: Whether trailers can follow the body.
    """
    if HOP_BY_HOP.isdisjoint(fields):
        return list(lines)
    dropped = HOP_BY_HOP - {b"trailer"} if trailing else HOP_BY_HOP
    if b"connection" in fields:
        dropped |= tokens(lines, b"connection") - _NEVER_NAMED
    return [line for line in lines if line[0].lower() not in dropped]


def trailers(lines: HeaderList) -> list[tuple[bytes, bytes]]:
    """The trailers that are forwarded."""
    return [line for line in lines if line[0].lower() not in _NEVER_TRAILING]


def without(lines: HeaderList, name: bytes) -> list[tuple[bytes, bytes]]:
    """All lines except those with that name, which is given in lower case."""
    return [line for line in lines if line[0].lower() != name]


def connection_line(*, keep_alive: bool, http11: bool) -> bytes | None:
    """Value of our own `Connection` line for a client; `None` where the HTTP version implies it."""
    if keep_alive:
        return None if http11 else b"keep-alive"
    return b"close" if http11 else None


def error_response(status: int, sentence: str, *, keep_alive: bool, http11: bool = True) -> tuple[bytes, bytes]:
    """Head and body of an error response of our own, in KServe's form `{"error": "..."}`.

    Args:
        status: Its status code.
        sentence: The reason, for a person.
        keep_alive: Whether the connection is kept.
        http11: Whether the client speaks HTTP/1.1.
    """
    body = json.dumps({"error": sentence}).encode()
    return own_head(status, b"application/json", len(body), connection_line(keep_alive=keep_alive, http11=http11)), body


@lru_cache(64)
def own_head(
    status: int, content_type: bytes, length: int, connection: bytes | None, more: tuple[bytes, ...] = ()
) -> bytes:
    """The head of a response of our own, with more header lines; an empty `content_type` writes no such line."""
    phrase = HTTPStatus(status).phrase.encode()
    lines = [b"Content-Type: " + content_type] if content_type else []
    lines.append(b"Content-Length: %d" % length)
    if connection is not None:
        lines.append(b"Connection: " + connection)
    return b"HTTP/1.1 %d %b\r\n%b\r\n\r\n" % (status, phrase, b"\r\n".join([*lines, *more]))

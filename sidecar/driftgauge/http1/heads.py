"""Heads of messages as values, and the rules that decide how a body is framed and whether a connection is kept.

A message that states the end of its body twice, or in an unusual form, is refused and never forwarded.

Source: RFC 9112 sections 3.2 (Host), 6 (framing), 9.3 (persistence), 11.2 (smuggling),
https://www.rfc-editor.org/rfc/rfc9112.
"""

from http import HTTPStatus
from typing import Final, NamedTuple, final

from driftgauge.http1.grammar import HOST, LENGTH, BadResponseError, HeaderList, HeaderMap, RefusedError

HOP_BY_HOP: Final = frozenset(
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
"""Headers of one connection alone. `Trailer` is not one of them, but is forwarded only where trailers are."""

_ALONE: Final = frozenset({b"close", b"keep-alive"})
"""Options of `Connection` about the connection itself; all others are names of lines."""

_FIRST_FINAL: Final = int(HTTPStatus.OK)
_BODILESS: Final = frozenset({int(HTTPStatus.NO_CONTENT), int(HTTPStatus.NOT_MODIFIED)})


class HeaderLines(NamedTuple):
    """The header lines of one head.

    Args:
        lines: Name and value of each, in their order; `None` if they have to be read from the bytes of the head.
        fields: The first value of each name; the names are in lower case.
    """

    lines: HeaderList | None
    fields: dict[bytes, bytes]


class MessageHead:
    """What the heads of requests and responses have in common.

    Args:
        headers: The header lines; `lines` may be `None` if `raw` is not empty.
        raw: All bytes of the head, if they hold nothing but the lines, else empty.
        http11: Whether the version is 1.1, not 1.0.
        keep_alive: Whether the sender keeps its connection open.
        length: Bytes of the body; `None` if the head does not state them.
        own_line: What has to be cut out of `raw` to forward it: empty if all its bytes are meant for the other end,
            `None` if `raw` cannot be forwarded.

    Attributes:
        fields: The first value of each header; the names are in lower case.
    """

    __slots__ = ("_lines", "fields", "http11", "keep_alive", "length", "own_line", "raw")

    def __init__(
        self,
        headers: HeaderLines,
        raw: bytes,
        http11: bool,  # noqa: FBT001 - positional, since a compiled call of that is cheaper
        keep_alive: bool,  # noqa: FBT001
        length: int | None,
        own_line: bytes | None,
    ) -> None:
        self._lines = headers.lines
        self.fields = headers.fields
        self.raw = raw
        self.http11 = http11
        self.keep_alive = keep_alive
        self.length = length
        self.own_line = own_line

    @property
    def lines(self) -> HeaderList:
        """Name and value of each line, in their order."""
        return _lines_of(self.raw) if self._lines is None else self._lines

    @property
    def is_end_to_end(self) -> bool:
        """Whether all its bytes are meant for the other end."""
        return self.own_line is not None and not self.own_line


@final
class RequestHead(MessageHead):
    """The valid head of a request, as `request_of` checks it; `length` is `None` if its body is chunked.

    Args:
        method: As sent.
        target: In origin-form, byte for byte, or `*`.
        headers: The header lines.
        raw: All its bytes, if they hold nothing but the lines, else empty.
        http11: Whether the version is 1.1, not 1.0.
        keep_alive: Whether the sender keeps its connection open.
        length: Bytes of the body.
        own_line: As in `MessageHead`.
        expects_continue: Whether the client waits for a `100 Continue` before it sends the body.
    """

    __slots__ = ("expects_continue", "method", "target")

    def __init__(  # noqa: PLR0913, PLR0917 - all that a head is; only this module and tests make one
        self,
        method: bytes,
        target: bytes,
        headers: HeaderLines,
        raw: bytes,
        http11: bool,  # noqa: FBT001
        keep_alive: bool,  # noqa: FBT001
        length: int | None,
        own_line: bytes | None,
        expects_continue: bool,  # noqa: FBT001
    ) -> None:
        super().__init__(headers, raw, http11, keep_alive, length, own_line)
        self.method = method
        self.target = target
        self.expects_continue = expects_continue

    def with_headers(self, raw: bytes, fields: dict[bytes, bytes], more: HeaderList) -> "RequestHead":
        """The same head with other bytes, fields, and additional lines, which the caller has checked."""
        headers = HeaderLines(None if raw else [*self.lines, *more], fields)
        return RequestHead(
            self.method,
            self.target,
            headers,
            raw,
            self.http11,
            self.keep_alive,
            self.length,
            self.own_line,
            self.expects_continue,
        )


@final
class ResponseHead(MessageHead):
    """The valid head of a response, as `response_of` checks it.

    Args:
        status: From 100 to 999.
        reason: Its reason phrase, which may be empty.
        headers: The header lines.
        raw: All its bytes, if they hold nothing but the lines, else empty.
        http11: Whether the version is 1.1, not 1.0.
        keep_alive: Whether the sender keeps its connection open.
        length: Bytes of the body.
        own_line: As in `MessageHead`.
        chunked: Whether the body is chunked.

    Attributes:
        is_final: Whether it is the final response, not an interim one (1xx).
    """

    __slots__ = ("chunked", "is_final", "reason", "status")

    def __init__(  # noqa: PLR0913, PLR0917 - all that a head is; only this module and tests make one
        self,
        status: int,
        reason: bytes,
        headers: HeaderLines,
        raw: bytes,
        http11: bool,  # noqa: FBT001
        keep_alive: bool,  # noqa: FBT001
        length: int | None,
        own_line: bytes | None,
        chunked: bool,  # noqa: FBT001
    ) -> None:
        super().__init__(headers, raw, http11, keep_alive, length, own_line)
        self.status = status
        self.reason = reason
        self.chunked = chunked
        self.is_final = status >= _FIRST_FINAL

    def with_headers(self, raw: bytes, fields: dict[bytes, bytes], more: HeaderList) -> "ResponseHead":
        """The same head with other bytes, fields, and additional lines, which the caller has checked."""
        headers = HeaderLines(None if raw else [*self.lines, *more], fields)
        return ResponseHead(
            self.status,
            self.reason,
            headers,
            raw,
            self.http11,
            self.keep_alive,
            self.length,
            self.own_line,
            self.chunked,
        )

    def has_body(self, method: bytes) -> bool:
        """Whether a body follows, in a response to a request with this method."""
        return self.is_final and self.status not in _BODILESS and method != b"HEAD"


def request_of(method: bytes, target: bytes, minor: bytes, headers: HeaderLines, raw: bytes) -> RequestHead:
    """The head of a request with these parts.

    Args:
        method: As sent.
        target: In origin-form, byte for byte, or `*`.
        minor: Of its version: 1, or 0 for HTTP/1.0.
        headers: The header lines.
        raw: All its bytes, if they hold nothing but the lines, else empty.

    Raises:
        RefusedError: The framing or the `Host` is not valid.
    """
    fields, http11 = headers.fields, minor == b"1"
    length = request_length(fields, http11=http11)
    expects = b"expect" in fields and http11 and fields[b"expect"].lower() == b"100-continue" and length != 0
    _check_host(fields, http11=http11)
    keep_alive = keeps_connection(headers.lines or (), fields, http11=http11)
    own_line = _own_line(headers, raw) if http11 else None
    return RequestHead(method, target, headers, raw, http11, keep_alive, length, own_line, expects)


def response_of(status: int, reason: bytes | None, minor: bytes, headers: HeaderLines, raw: bytes) -> ResponseHead:
    """The head of a response with these parts.

    Args:
        status: From 100 to 999.
        reason: Its reason phrase, which may be empty; `None` if not even the space before it was sent.
        minor: Of its version: 1, or 0 for HTTP/1.0.
        headers: The header lines.
        raw: All its bytes, if they hold nothing but the lines, else empty.

    Raises:
        BadResponseError: The framing is not valid.
    """
    fields, http11 = headers.fields, minor == b"1"
    raw = raw if http11 and reason is not None else b""
    coding, stated = fields.get(b"transfer-encoding"), fields.get(b"content-length")
    length: int | None = None
    if stated is not None:
        if coding is not None or not LENGTH.fullmatch(stated):
            raise BadResponseError("the length of the body is stated twice or is not a number")
        length = int(stated)
    if coding is not None and (coding.lower() != b"chunked" or not http11):
        raise BadResponseError("the transfer coding is not chunked alone")
    keep_alive = keeps_connection(headers.lines or (), fields, http11=http11)
    own_line = _own_line(headers, raw)
    return ResponseHead(status, reason or b"", headers, raw, http11, keep_alive, length, own_line, coding is not None)


def _own_line(headers: HeaderLines, raw: bytes) -> bytes | None:
    """A plain `Connection: close` or `keep-alive` with the line breaks around it, if no more has to be removed."""
    found = HOP_BY_HOP.intersection(headers.fields)
    if not raw or not found:
        return b"" if raw else None
    value = headers.fields.get(b"connection", b"")
    if len(found) > 1 or len(headers.fields) < len(headers.lines or ()) or value.lower() not in _ALONE:
        return None
    line = b"\r\nConnection: " + value + b"\r\n"
    return line if line in raw else None


def _lines_of(raw: bytes) -> HeaderList:
    """The lines of a valid head that holds nothing else."""
    found = [line.partition(b":") for line in raw[:-4].split(b"\r\n")[1:]]
    return [(name, value.strip(b" ")) for name, _, value in found]


def tokens(lines: HeaderList, name: bytes) -> set[bytes]:
    """All members of the lists in the lines of that name, in lower case."""
    values = [value for key, value in lines if key.lower() == name]
    return {token.strip(b" \t").lower() for value in values for token in value.split(b",")}


def keeps_connection(lines: HeaderList, fields: HeaderMap, *, http11: bool) -> bool:
    """Whether the sender of a head keeps its connection open."""
    if b"connection" not in fields:
        return http11
    if fields[b"connection"].lower() == b"keep-alive" and len(fields) == len(lines):
        return True
    options = tokens(lines, b"connection")
    return b"close" not in options and (http11 or b"keep-alive" in options)


def request_length(fields: HeaderMap, *, http11: bool) -> int | None:
    """Bytes of a request's body, `None` if it is chunked.

    Raises:
        RefusedError: The framing is ambiguous or not supported.
    """
    coding, length = fields.get(b"transfer-encoding"), fields.get(b"content-length")
    if coding is None:
        if length is None:
            return 0
        if not LENGTH.fullmatch(length):
            raise RefusedError("The length of the request body is not a number.")
        return int(length)
    if length is not None or not http11:
        raise RefusedError("The framing of the request body is ambiguous.")
    if coding.lower() != b"chunked":
        raise RefusedError("A transfer coding other than chunked is not supported.")
    return None


def _check_host(fields: HeaderMap, *, http11: bool) -> None:
    host = fields.get(b"host")
    if host is None:
        if http11:
            raise RefusedError("The request has no Host.")
    elif not HOST.fullmatch(host):
        raise RefusedError("The Host of the request is not valid.")

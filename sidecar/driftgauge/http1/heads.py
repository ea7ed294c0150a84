"""Heads of messages as values, and the rules that decide how a body is framed and whether a connection is kept.

A message that states the end of its body twice, or in an unusual form, is refused and never forwarded.

Source: RFC 9112 sections 3.2 (Host), 6 (framing), 9.3 (persistence), 11.2 (smuggling),
https://www.rfc-editor.org/rfc/rfc9112.
"""

from http import HTTPStatus
from typing import NamedTuple, final

from driftgauge.http1.grammar import HOST, LENGTH, BadResponseError, HeaderList, HeaderMap, RefusedError

HOP_BY_HOP = frozenset(
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

_FIRST_FINAL = int(HTTPStatus.OK)
_BODILESS = frozenset({int(HTTPStatus.NO_CONTENT), int(HTTPStatus.NOT_MODIFIED)})


class HeaderLines(NamedTuple):
    """The header lines of one head.

    Args:
        lines: Name and value of each, in their order.
        fields: The first value of each name; the names are in lower case.
    """

    lines: HeaderList
    fields: dict[bytes, bytes]


class MessageHead:
    """What the heads of requests and responses have in common.

    Args:
        headers: The header lines.
        raw: All bytes of the head, if they hold nothing but the lines, else empty.
        http11: Whether the version is 1.1, not 1.0.

    Attributes:
        fields: The first value of each header; the names are in lower case.
        is_end_to_end: Whether all its bytes are meant for the other end.
        keep_alive: Whether the sender keeps its connection open.
        length: Bytes of the body; `None` if the head does not state them.
    """

    __slots__ = ("_lines", "fields", "http11", "is_end_to_end", "keep_alive", "length", "raw")

    def __init__(self, headers: HeaderLines, raw: bytes, *, http11: bool) -> None:
        fields = headers.fields
        self._lines: HeaderList | None = headers.lines
        self.fields = fields
        self.raw = raw
        self.http11 = http11
        self.is_end_to_end = bool(raw) and HOP_BY_HOP.isdisjoint(fields)
        self.keep_alive = keeps_connection(headers.lines, fields, http11=http11)
        self.length: int | None = None

    @property
    def lines(self) -> HeaderList:
        """Name and value of each line, in their order."""
        return _lines_of(self.raw) if self._lines is None else self._lines

    def _copy_from(self, other: "MessageHead", raw: bytes, fields: dict[bytes, bytes], more: HeaderList) -> None:
        self.http11 = other.http11
        self.is_end_to_end = other.is_end_to_end
        self.keep_alive = other.keep_alive
        self.length = other.length
        self.raw, self.fields = raw, fields
        self._lines = None if raw else [*other.lines, *more]


@final
class RequestHead(MessageHead):
    """The valid head of a request; `length` is `None` if its body is chunked.

    Args:
        method: As sent.
        target: In origin-form, byte for byte, or `*`.
        minor: Of its version: 1, or 0 for HTTP/1.0.
        headers: The header lines.
        raw: All its bytes, if they hold nothing but the lines, else empty.

    Raises:
        RefusedError: The framing or the `Host` is not valid.
    """

    __slots__ = ("expects_continue", "method", "target")

    def __init__(self, method: bytes, target: bytes, minor: bytes, headers: HeaderLines, raw: bytes) -> None:
        super().__init__(headers, raw, http11=minor == b"1")
        fields = self.fields
        self.method = method
        self.target = target
        self.length = request_length(fields, http11=self.http11)
        self.expects_continue = (
            b"expect" in fields and self.http11 and fields[b"expect"].lower() == b"100-continue" and self.length != 0
        )
        _check_host(fields, http11=self.http11)

    def with_headers(self, raw: bytes, fields: dict[bytes, bytes], more: HeaderList) -> "RequestHead":
        """The same head with other bytes, fields, and additional lines, which the caller has checked."""
        head = RequestHead.__new__(RequestHead)
        head._copy_from(self, raw, fields, more)  # noqa: SLF001 - its own class
        head.method, head.target, head.expects_continue = self.method, self.target, self.expects_continue
        return head


@final
class ResponseHead(MessageHead):
    """The valid head of a response.

    Args:
        status: From 100 to 999.
        reason: Its reason phrase, which may be empty; `None` if not even the space before it was sent.
        minor: Of its version: 1, or 0 for HTTP/1.0.
        headers: The header lines.
        raw: All its bytes, if they hold nothing but the lines, else empty.

    Raises:
        BadResponseError: The framing is not valid.
    """

    __slots__ = ("chunked", "reason", "status")

    def __init__(self, status: int, reason: bytes | None, minor: bytes, headers: HeaderLines, raw: bytes) -> None:
        http11 = minor == b"1"
        super().__init__(headers, raw if http11 and reason is not None else b"", http11=http11)
        self.status = status
        self.reason = reason or b""
        self.chunked = False
        self._read_framing()

    def with_headers(self, raw: bytes, fields: dict[bytes, bytes], more: HeaderList) -> "ResponseHead":
        """The same head with other bytes, fields, and additional lines, which the caller has checked."""
        head = ResponseHead.__new__(ResponseHead)
        head._copy_from(self, raw, fields, more)  # noqa: SLF001 - its own class
        head.status, head.reason, head.chunked = self.status, self.reason, self.chunked
        return head

    @property
    def is_final(self) -> bool:
        """Whether it is the final response, not an interim one (1xx)."""
        return self.status >= _FIRST_FINAL

    def has_body(self, method: bytes) -> bool:
        """Whether a body follows, in a response to a request with this method."""
        return self.is_final and self.status not in _BODILESS and method != b"HEAD"

    def _read_framing(self) -> None:
        coding, length = self.fields.get(b"transfer-encoding"), self.fields.get(b"content-length")
        if length is not None:
            if coding is not None or not LENGTH.fullmatch(length):
                raise BadResponseError("the length of the body is stated twice or is not a number")
            self.length = int(length)
        if coding is not None:
            if coding.lower() != b"chunked" or not self.http11:
                raise BadResponseError("the transfer coding is not chunked alone")
            self.chunked = True


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

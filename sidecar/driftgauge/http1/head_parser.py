"""Parses the heads of messages. Two parsers have to agree on each: our own grammar and llhttp.

The grammar decides whether the bytes are valid, llhttp takes them apart, and `heads` checks what they say of the body.
"""

from contextlib import suppress
from http import HTTPStatus
from typing import Final, final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, HttpResponseParser

from driftgauge.http1.grammar import (
    LONG_TARGET,
    MAX_FIELD_BYTES,
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    MAX_LINE_BYTES,
    REQUEST,
    RESPONSE,
    BadResponseError,
    RefusedError,
)
from driftgauge.http1.heads import HeaderLines, RequestHead, ResponseHead, request_of, response_of
from driftgauge.http1.request_target import read_target

_ONCE: Final = frozenset({b"content-length", b"transfer-encoding", b"host"})
"""Headers that must not occur twice: two parsers could believe one each."""

_NO_CHECK_BYTES: Final = 1024
"""A head of this length is within every limit."""


def read_request(raw: bytes) -> RequestHead:
    """Parse the head of a request.

    Args:
        raw: All its bytes, from the method to the empty line, and no more.

    Raises:
        RefusedError: It is not valid, or too large.
    """
    check_target_length(raw)
    _check_size(raw)
    valid = REQUEST.fullmatch(raw)
    if valid is None:
        raise RefusedError("The request is not valid HTTP/1.1.")
    method, target, minor = valid.groups()
    if method == b"CONNECT":
        raise RefusedError("CONNECT is not supported.", HTTPStatus.NOT_IMPLEMENTED)
    events = _DictEvents()
    parser = HttpRequestParser(events)
    try:
        parser.feed_data(raw)
    except HttpParserUpgrade:
        pass  # the client would accept another protocol; this header is not forwarded
    except HttpParserError:
        raise RefusedError("The request is not valid HTTP/1.1.") from None
    parsed = _ParsedLines(raw, events, HttpRequestParser)
    if parsed.has_duplicate or events.urls != [target] or parser.get_method() != method:
        raise RefusedError("The request is not valid HTTP/1.1.")
    path, authority = read_target(method, target)
    if authority is not None:
        headers = _with_host(parsed.headers, authority, http11=minor == b"1")
        return request_of(method, path, minor, headers, b"")
    return request_of(method, target, minor, parsed.headers, raw if parsed.is_plain else b"")


def read_response(raw: bytes) -> ResponseHead:
    """Parse the head of a response.

    Args:
        raw: All its bytes, from the version to the empty line, and no more.

    Raises:
        BadResponseError: It is not valid, or too large.
    """
    try:
        _check_size(raw)
    except RefusedError as error:
        raise BadResponseError(error.sentence) from None
    valid = RESPONSE.fullmatch(raw)
    if valid is None:
        raise BadResponseError("the head is not HTTP/1.1")
    minor, status, reason = valid.groups()
    events = _DictEvents()
    try:
        HttpResponseParser(events).feed_data(raw)
    except HttpParserUpgrade:
        pass
    except HttpParserError:
        raise BadResponseError("the head is not HTTP/1.1") from None
    parsed = _ParsedLines(raw, events, HttpResponseParser)
    if parsed.has_duplicate:
        raise BadResponseError("a header that decides the framing occurs twice")
    return response_of(int(status), reason, minor, parsed.headers, raw if parsed.is_plain else b"")


@final
class _DictEvents:
    """Collects what llhttp reports of one head. Most heads have no name twice: the callbacks are a dict's."""

    __slots__ = ("found", "on_header", "on_url", "urls")

    def __init__(self) -> None:
        self.found: dict[bytes, bytes] = {}
        self.urls: list[bytes] = []
        self.on_header = self.found.setdefault
        self.on_url = self.urls.append


@final
class _ListEvents:
    """Collects all lines of one head, also those whose name occurred before."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[tuple[bytes, bytes]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add one line."""
        self.found.append((name, value))


@final
class _ParsedLines:
    """The lines of one head.

    Args:
        raw: Its bytes.
        events: What llhttp reported of it.
        parser: Class of the parser, for a second pass.

    Attributes:
        headers: The lines.
        is_plain: Whether the bytes hold nothing but the lines: no white space was removed.
        has_duplicate: Whether a line occurs twice that must not.
    """

    __slots__ = ("has_duplicate", "headers", "is_plain")

    def __init__(self, raw: bytes, events: _DictEvents, parser: type[HttpRequestParser | HttpResponseParser]) -> None:
        lines = list(events.found.items())
        self.headers = HeaderLines(lines, {name.lower(): value for name, value in lines})
        self.is_plain = b"\t" not in raw and b" \r\n" not in raw
        self.has_duplicate = False
        if len(self.headers.fields) != raw.count(b"\r\n") - 2 or not self.is_plain:
            self._read_slowly(raw, parser)

    def _read_slowly(self, raw: bytes, parser: type[HttpRequestParser | HttpResponseParser]) -> None:
        events = _ListEvents()
        with suppress(HttpParserUpgrade):
            parser(events).feed_data(raw)
        lines = [(name, value.strip(b" \t")) for name, value in events.found]
        fields: dict[bytes, bytes] = {}
        for name, value in lines:
            low = name.lower()
            self.has_duplicate |= low in fields and low in _ONCE
            fields.setdefault(low, value)
        self.headers = HeaderLines(lines, fields)


def _with_host(headers: HeaderLines, authority: bytes, *, http11: bool) -> HeaderLines:
    """The lines with the authority of an absolute-form as their `Host` (RFC 9112 section 3.2.2)."""
    has_host = b"host" in headers.fields
    if http11 and not has_host:
        return headers  # HTTP/1.1 requires the line even then: the check of the head will refuse this one
    lines = [(name, authority if name.lower() == b"host" else value) for name, value in headers.lines or ()]
    return HeaderLines(lines if has_host else [(b"Host", authority), *lines], {**headers.fields, b"host": authority})


def check_target_length(raw: bytes) -> None:
    """Refuse a request whose target is too long, from the beginning of its head (RFC 9112 section 3).

    Raises:
        RefusedError: With status 414.
    """
    if len(raw) > MAX_LINE_BYTES and LONG_TARGET.match(raw):
        raise RefusedError("The target of the request is too long.", HTTPStatus.REQUEST_URI_TOO_LONG)


def _check_size(raw: bytes) -> None:
    if len(raw) <= _NO_CHECK_BYTES:
        return
    if len(raw) > MAX_HEAD_BYTES or raw.count(b"\r\n") > MAX_FIELDS + 2:
        raise RefusedError("The head of the request is too large.", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    if len(raw) > MAX_FIELD_BYTES and max(map(len, raw.split(b"\r\n"))) > MAX_FIELD_BYTES:
        raise RefusedError("A line in the head of the request is too long.", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

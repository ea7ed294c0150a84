"""Reads the heads of messages. Two readers have to agree on each one: our own grammar and llhttp. No I/O here.

The grammar says that the bytes are sound; llhttp takes them apart. What this file adds is the framing: a message that
tells the end of its body in two ways, or in an odd one, is refused, and never passed on.

Source: RFC 9112 sections 3.2 (Host), 6 (framing), 9.3 (persistence), 11.2 (smuggling),
https://www.rfc-editor.org/rfc/rfc9112.
"""

from contextlib import suppress

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, HttpResponseParser

from driftgauge.http1.framing import HeaderList, HeaderMap
from driftgauge.http1.grammar import (
    HOST,
    LENGTH,
    MAX_FIELD_BYTES,
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    MAX_LINE_BYTES,
    REQUEST,
    RESPONSE,
)
from driftgauge.http1.http_errors import NOT_CARRIED, TOO_MUCH, BadResponseError, RefusedError

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
"""`Trailer` is not of one connection alone, but it goes only where trailers can go."""

_ONCE = frozenset({b"content-length", b"transfer-encoding", b"host"})
"""Two of these are two truths about one message."""

_FIRST_FINAL = 200
_BODILESS = frozenset({204, 304})
_NO_CHECK_BYTES = 1024
"""A head as short as this is within every limit."""


class _Notes:
    """Takes down what llhttp tells of one head. Most heads have no name twice: then the calls are those of a dict."""

    __slots__ = ("found", "on_header", "on_url", "urls")

    def __init__(self) -> None:
        self.found: dict[bytes, bytes] = {}
        self.urls: list[bytes] = []
        self.on_header = self.found.setdefault
        self.on_url = self.urls.append


class _Lines:
    """Takes down all lines of one head, such as have a name that stood there before among them."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[tuple[bytes, bytes]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """One line."""
        self.found.append((name, value))


class _Reading:
    """The lines of one head.

    Args:
        raw: Its bytes.
        notes: What llhttp told of it.
        parser: Makes another parser of its kind.

    Attributes:
        lines: Name and value, in their order.
        fields: The first value of each name in lower case.
        is_plain: Whether the bytes hold nothing but what the lines say: no white space that was taken away.
        twice: Whether a line stood there twice that must not.
    """

    __slots__ = ("fields", "is_plain", "lines", "twice")

    def __init__(self, raw: bytes, notes: _Notes, parser: type[HttpRequestParser | HttpResponseParser]) -> None:
        self.lines = lines = list(notes.found.items())
        self.fields: dict[bytes, bytes] = {name.lower(): value for name, value in lines}
        self.is_plain = b"\t" not in raw and b" \r\n" not in raw
        self.twice = False
        if len(self.fields) != raw.count(b"\r\n") - 2 or not self.is_plain:
            self._read_slowly(raw, parser)

    def _read_slowly(self, raw: bytes, parser: type[HttpRequestParser | HttpResponseParser]) -> None:
        found = _Lines()
        with suppress(HttpParserUpgrade):
            parser(found).feed_data(raw)
        self.lines = [(name, value.strip(b" \t")) for name, value in found.found]
        self.fields = {}
        for name, value in self.lines:
            low = name.lower()
            self.twice |= low in self.fields and low in _ONCE
            self.fields.setdefault(low, value)


class RequestHead:
    """The head of a request that is sound.

    Args:
        method: As sent.
        target: As sent, byte for byte.
        minor: Of its version: 1, or 0 for HTTP/1.0.
        reading: Its lines.
        raw: All its bytes, if they hold nothing but the lines, else empty.

    Raises:
        RefusedError: Its framing, or its `Host`, is not.
    """

    __slots__ = (
        "_lines",
        "expects_continue",
        "fields",
        "http11",
        "is_end_to_end",
        "keeps",
        "length",
        "method",
        "raw",
        "target",
    )

    def __init__(self, method: bytes, target: bytes, minor: bytes, reading: _Reading, raw: bytes) -> None:
        fields = reading.fields
        self.method = method
        self.target = target
        self._lines: HeaderList | None = reading.lines
        self.fields = fields
        self.raw = raw
        self.is_end_to_end = bool(raw) and HOP_BY_HOP.isdisjoint(fields)
        """Whether all its bytes are meant for the other end."""
        self.http11 = minor == b"1"
        self.length = request_length(fields, http11=self.http11)
        """Bytes of the body; `None` if it is chunked."""
        self.keeps = keeps_connection(reading.lines, fields, http11=self.http11)
        self.expects_continue = (
            b"expect" in fields and self.http11 and fields[b"expect"].lower() == b"100-continue" and self.length != 0
        )
        _check_host(fields, http11=self.http11)

    @property
    def lines(self) -> HeaderList:
        """Name and value of each line, in their order."""
        return _lines_of(self.raw) if self._lines is None else self._lines

    def varied(self, raw: bytes, fields: dict[bytes, bytes], more: HeaderList) -> "RequestHead":
        """The same head with other bytes, fields, and more lines, for which its reader vouches."""
        head = RequestHead.__new__(RequestHead)
        head.method, head.target, head.http11 = self.method, self.target, self.http11
        head.length, head.keeps, head.expects_continue = self.length, self.keeps, self.expects_continue
        head.is_end_to_end = self.is_end_to_end
        head.raw, head.fields = raw, fields
        head._lines = None if raw else [*self.lines, *more]  # noqa: SLF001 - its own class
        return head


class ResponseHead:
    """The head of an answer that is sound.

    Args:
        status: From 100 to 999.
        reason: Its reason phrase, perhaps empty, or not even a space for it.
        minor: Of its version: 1, or 0 for HTTP/1.0.
        reading: Its lines.
        raw: All its bytes, if they hold nothing but the lines, else empty.

    Raises:
        BadResponseError: Its framing is not.
    """

    __slots__ = ("_lines", "chunked", "fields", "http11", "is_end_to_end", "keeps", "length", "raw", "reason", "status")

    def __init__(self, status: int, reason: bytes | None, minor: bytes, reading: _Reading, raw: bytes) -> None:
        fields = reading.fields
        self.status = status
        self.reason = reason or b""
        self._lines: HeaderList | None = reading.lines
        self.raw = raw if minor == b"1" and reason is not None else b""
        self.is_end_to_end = bool(self.raw) and HOP_BY_HOP.isdisjoint(fields)
        """Whether all its bytes are meant for the other end."""
        self.fields = fields
        self.http11 = minor == b"1"
        self.chunked = False
        self.length: int | None = None
        """Bytes of the body, where a line tells them."""
        self.keeps = keeps_connection(reading.lines, fields, http11=self.http11)
        self._read_framing()

    @property
    def lines(self) -> HeaderList:
        """Name and value of each line, in their order."""
        return _lines_of(self.raw) if self._lines is None else self._lines

    def varied(self, raw: bytes, fields: dict[bytes, bytes], more: HeaderList) -> "ResponseHead":
        """The same head with other bytes, fields, and more lines, for which its reader vouches."""
        head = ResponseHead.__new__(ResponseHead)
        head.status, head.reason, head.http11 = self.status, self.reason, self.http11
        head.chunked, head.length, head.keeps = self.chunked, self.length, self.keeps
        head.is_end_to_end = self.is_end_to_end
        head.raw, head.fields = raw, fields
        head._lines = None if raw else [*self.lines, *more]  # noqa: SLF001 - its own class
        return head

    @property
    def is_final(self) -> bool:
        """Whether it is the answer, not a word before it."""
        return self.status >= _FIRST_FINAL

    def has_body(self, method: bytes) -> bool:
        """Whether a body follows, in an answer to a request of this method."""
        return self.is_final and self.status not in _BODILESS and method != b"HEAD"

    def _read_framing(self) -> None:
        coding, length = self.fields.get(b"transfer-encoding"), self.fields.get(b"content-length")
        if length is not None:
            if coding is not None or not LENGTH.fullmatch(length):
                raise BadResponseError("the length of the body is told twice or oddly")
            self.length = int(length)
        if coding is not None:
            if coding.lower() != b"chunked" or not self.http11:
                raise BadResponseError("the transfer coding is not chunked alone")
            self.chunked = True


def _lines_of(raw: bytes) -> HeaderList:
    """The lines of a sound head that holds nothing else."""
    found = [line.partition(b":") for line in raw[:-4].split(b"\r\n")[1:]]
    return [(name, value.strip(b" ")) for name, _, value in found]


def read_request(raw: bytes) -> RequestHead:
    """The head of a request.

    Args:
        raw: All its bytes, from the method to the empty line, and no more.

    Raises:
        RefusedError: It is not sound, or too large.
    """
    _check_size(raw)
    sound = REQUEST.fullmatch(raw)
    if sound is None:
        raise RefusedError("The request is not valid HTTP/1.1.")
    method, target, minor = sound.groups()
    if method == b"CONNECT":
        raise RefusedError("CONNECT is not carried.", NOT_CARRIED)
    if len(target) > MAX_LINE_BYTES:
        raise RefusedError("The target of the request is too long.")
    notes = _Notes()
    parser = HttpRequestParser(notes)
    try:
        parser.feed_data(raw)
    except HttpParserUpgrade:
        pass  # a wish for another protocol, which stays behind
    except HttpParserError:
        raise RefusedError("The request is not valid HTTP/1.1.") from None
    reading = _Reading(raw, notes, HttpRequestParser)
    if reading.twice or notes.urls != [target] or parser.get_method() != method:
        raise RefusedError("The request is not valid HTTP/1.1.")
    return RequestHead(method, target, minor, reading, raw if reading.is_plain else b"")


def read_response(raw: bytes) -> ResponseHead:
    """The head of an answer.

    Args:
        raw: All its bytes, from the version to the empty line, and no more.

    Raises:
        BadResponseError: It is not sound, or too large.
    """
    try:
        _check_size(raw)
    except RefusedError as error:
        raise BadResponseError(error.sentence) from None
    sound = RESPONSE.fullmatch(raw)
    if sound is None:
        raise BadResponseError("the head is not HTTP/1.1")
    minor, status, reason = sound.groups()
    notes = _Notes()
    try:
        HttpResponseParser(notes).feed_data(raw)
    except HttpParserUpgrade:
        pass
    except HttpParserError:
        raise BadResponseError("the head is not HTTP/1.1") from None
    reading = _Reading(raw, notes, HttpResponseParser)
    if reading.twice:
        raise BadResponseError("a line that tells of the framing stands there twice")
    return ResponseHead(int(status), reason, minor, reading, raw if reading.is_plain else b"")


def tokens(lines: list[tuple[bytes, bytes]], name: bytes) -> set[bytes]:
    """All members of the lists in the lines of that name, in lower case."""
    values = [value for key, value in lines if key.lower() == name]
    return {token.strip(b" \t").lower() for value in values for token in value.split(b",")}


def keeps_connection(lines: list[tuple[bytes, bytes]], fields: HeaderMap, *, http11: bool) -> bool:
    """Whether the sender of a head lets its connection stay."""
    if b"connection" not in fields:
        return http11
    if fields[b"connection"].lower() == b"keep-alive" and len(fields) == len(lines):
        return True
    said = tokens(lines, b"connection")
    return b"close" not in said and (http11 or b"keep-alive" in said)


def request_length(fields: HeaderMap, *, http11: bool) -> int | None:
    """Bytes of a request's body, `None` if it is chunked.

    Raises:
        RefusedError: Its framing is odd.
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
        raise RefusedError("A transfer coding other than chunked is not carried.")
    return None


def _check_host(fields: HeaderMap, *, http11: bool) -> None:
    host = fields.get(b"host")
    if host is None:
        if http11:
            raise RefusedError("The request has no Host.")
    elif not HOST.fullmatch(host):
        raise RefusedError("The Host of the request is not one.")


def _check_size(raw: bytes) -> None:
    if len(raw) <= _NO_CHECK_BYTES:
        return
    if len(raw) > MAX_HEAD_BYTES or raw.count(b"\r\n") > MAX_FIELDS + 2:
        raise RefusedError("The head of the request is too large.", TOO_MUCH)
    if len(raw) > MAX_FIELD_BYTES and max(map(len, raw.split(b"\r\n"))) > MAX_FIELD_BYTES:
        raise RefusedError("A line in the head of the request is too long.", TOO_MUCH)

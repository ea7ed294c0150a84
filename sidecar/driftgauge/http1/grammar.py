"""The grammar of heads, chunk lines and trailers, their limits and errors, and how bodies are framed.

Stricter than the standard where request smuggling exploits its leniency: a line must not be folded, a bare LF or CR is
not a line break, no space may precede a colon, and no control byte may occur anywhere.

Source: RFC 9112, sections 2.2, 3, 4, 5, 6, 7; RFC 9110, sections 5.5, 5.6.2; https://www.rfc-editor.org/rfc/rfc9112.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from http import HTTPStatus
from typing import Final

MAX_LINE_BYTES: Final = 64 * 1024
"""Longest request target or status line."""

MAX_FIELD_BYTES: Final = 128 * 1024
"""Longest header line: tokens and cookies are long."""

MAX_HEAD_BYTES: Final = 256 * 1024
"""Longest head: two such lines."""

MAX_FIELDS: Final = 512
"""Most header lines of one message: more than a chain of gateways adds."""

READ_BYTES: Final = 64 * 1024
"""How much of a body is read before the other side takes it; at twice as much reading is paused."""

CHUNKS_PER_TURN: Final = 1024
"""Most chunks of one body that are read in one turn of the event loop: half a millisecond of work."""

REQUESTS_PER_TURN: Final = 16
"""Most requests of one connection that are read in one turn, if their handlers respond at once."""

MAX_INTERIM_RESPONSES: Final = 100
"""Most interim responses (1xx) before one final response."""

MAX_CHUNK_LINE_BYTES: Final = 1024
"""Longest first line of a chunk: the size, and extensions, which are ignored."""

MAX_EXTENSIONS_BYTES: Final = 16 * 1024
"""Most bytes of chunk extensions in one body. A body with more of them than of content is an attack."""

MAX_TRAILER_BYTES: Final = 64 * 1024
"""Longest trailers of one body."""

# A repeated group is never possessive: before CPython 3.11.5 such a group could match although a part of it did not
# (gh-106052). Nothing is lost, since each repetition can match in one way only.
# token = 1*tchar; field-line = field-name ":" OWS field-value OWS; field-value holds VCHAR, obs-text, SP and HTAB
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_VALUE: Final = rb"[\t\x20-\x7e\x80-\xff]*+"
_LINES: Final = rb"(?:%b:%b\r\n)*\r\n" % (_TOKEN, _VALUE)

# request-line = method SP request-target SP HTTP-version
REQUEST: Final = re.compile(rb"(%b) ([\x21-\x7e]++) HTTP/1\.([01])\r\n%b" % (_TOKEN, _LINES))

# status-line = HTTP-version SP status-code SP [ reason-phrase ]; many leave the second SP out
RESPONSE: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: (%b))?\r\n%b" % (_VALUE, _LINES))

LONG_TARGET: Final = re.compile(rb"%b [\x21-\x7e]{%d}" % (_TOKEN, MAX_LINE_BYTES + 1))
"""Matches the beginning of a request whose target is longer than the limit, before its end has come."""

TRAILERS: Final = re.compile(_LINES)

# chunk-size [ chunk-ext ]; no white space, which the standard calls bad, and no more digits than a length has
_QUOTED: Final = rb"\"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*\""
CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;%b(?:=(?:%b|%b))?)*\r\n" % (_TOKEN, _TOKEN, _QUOTED))

# uri-host [ ":" port ], as far as its characters go; empty for a target without an authority
HOST: Final = re.compile(rb"[A-Za-z0-9\-._~%!$&'()*+;=:\[\]]*+")

LENGTH: Final = re.compile(rb"[0-9]{1,18}")
"""Digits of a length that fits 64 bits, and nothing else: neither sign nor list."""

CANNOT_BE_HEAD: Final = re.compile(
    rb"(?<!\r)\n|\r(?![\n]|\Z)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\A[^!#$%&'*+\-.^_`|~0-9A-Za-z]"
)
"""Matches bytes that no further byte can turn into a head, so that they are refused before the empty line has come."""


class RefusedError(ValueError):
    """A request that is not forwarded because of an error of the client.

    Args:
        sentence: The reason, for a person; quotes no byte of the request.
        status: Status code of the response.
    """

    def __init__(self, sentence: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class BadResponseError(ValueError):
    """A response that is not HTTP/1.1, or that ends too early: an error of the model server."""


class InterimResponsesError(BadResponseError):
    """More than `MAX_INTERIM_RESPONSES` before the final response."""


class BrokenBodyError(ValueError):
    """The framing of a body is malformed."""


HeaderList = Sequence[tuple[bytes, bytes]]
"""Name and value of each line, in the order and spelling of the message."""

HeaderMap = Mapping[bytes, bytes]
"""Value of the first line of each name; the names are in lower case."""

LAST_CHUNK: Final = b"0\r\n\r\n"
"""Ends a chunked body that has no trailers."""


class Framing(Enum):
    """How the receiver of a body finds its end."""

    NONE = "no body"
    LENGTH = "Content-Length"
    CHUNKED = "chunked"
    CLOSE = "end of the connection"

    def frame(self, data: bytes) -> bytes:
        """The bytes on the wire for a piece of the body; none for an empty piece."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self is Framing.CHUNKED and data else data

    def end(self, trailers: HeaderList = ()) -> bytes:
        """The bytes on the wire after the last piece; trailers are written only after chunks."""
        if self is not Framing.CHUNKED:
            return b""
        return b"0\r\n%b\r\n" % joined(trailers) if trailers else LAST_CHUNK


def joined(lines: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Header lines as bytes, each with its line break."""
    return b"".join([b"%b: %b\r\n" % line for line in lines])

"""Writes the framing of bodies.

Source: RFC 9112 sections 6 and 7, https://www.rfc-editor.org/rfc/rfc9112.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

HeaderList = Sequence[tuple[bytes, bytes]]
"""Name and value of each line, in the order and spelling of the message."""

HeaderMap = Mapping[bytes, bytes]
"""Value of the first line of each name; the names are in lower case."""

LAST_CHUNK = b"0\r\n\r\n"
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

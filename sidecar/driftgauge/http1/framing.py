"""How bodies are framed towards their receiver. This file does no I/O.

Source: RFC 9112 sections 6 and 7, https://www.rfc-editor.org/rfc/rfc9112.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

HeaderList = Sequence[tuple[bytes, bytes]]
"""Name and value of each line, in the order of the wire, as they were spelled."""

HeaderMap = Mapping[bytes, bytes]
"""Value of the first line of each name; the names are in lower case."""

LAST_CHUNK = b"0\r\n\r\n"
"""Ends a chunked body that has no trailers."""


class Framing(Enum):
    """How the receiver knows where a body ends."""

    NONE = "there is none"
    LENGTH = "Content-Length"
    CHUNKED = "chunked"
    CLOSE = "end of the connection"

    def frame(self, data: bytes) -> bytes:
        """The bytes on the wire for a piece of the body; an empty piece has none."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self is Framing.CHUNKED and data else data

    def end(self, trailers: HeaderList = ()) -> bytes:
        """The bytes on the wire after the last piece; trailers go only where there are chunks."""
        if self is not Framing.CHUNKED:
            return b""
        return b"0\r\n%b\r\n" % joined(trailers) if trailers else LAST_CHUNK


def joined(lines: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Lines as they stand in a head."""
    return b"".join([b"%b: %b\r\n" % line for line in lines])

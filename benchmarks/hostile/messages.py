"""What another client sends: the form of a message, and its bytes as a request."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

LIMIT_BYTES = 4 * 2**20
"""The default of `max_payload_bytes`."""


class Data(Enum):
    """The reference of the model that a message is for."""

    NUMBERS = "numbers"
    TEXTS = "texts"
    WINES = "wines"


class Message(NamedTuple):
    """What another client sends.

    Args:
        mode: `proxy` or `logger`.
        wire: All its bytes.
        data: The reference that is loaded.
    """

    mode: str
    wire: bytes
    data: Data = Data.NUMBERS


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A request with a Content-Length."""
    lines = {"Host": "m", "Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def chunked(wire: bytes, size: int) -> bytes:
    """The same request in chunks of some bytes."""
    head, _, body = wire.partition(b"\r\n\r\n")
    kept = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length"))
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(piece), piece)
        for piece in (body[start : start + size] for start in range(0, len(body), size))
    )
    return kept + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def repeated(item: bytes, size: int = LIMIT_BYTES) -> bytes:
    """A JSON list of one item, as often as it fits into some bytes."""
    return b"[" + b",".join([item] * ((size - 1) // (len(item) + 1))) + b"]"


def instances(item: bytes, size: int = LIMIT_BYTES) -> bytes:
    """The body of a V1 request with one instance, as often as it fits into some bytes."""
    return b'{"instances":' + repeated(item, size - 14) + b"}"

"""Decompresses gzip bodies up to a limit."""

import zlib
from typing import Final

from driftgauge.errors import PayloadError, Reason

GZIP_MAGIC: Final = b"\x1f\x8b"
"""The first two bytes of every gzip member (RFC 1952, section 2.3.1)."""

_GZIP_WINDOW_BITS: Final = 31
"""zlib's code for "a gzip member with the largest window" (zlib manual, inflateInit2)."""

_MAX_MEMBERS: Final = 128
"""Most members of one body. Each member costs a copy of the bytes after it, so the limit bounds the work."""


def unpack(body: bytes, limit_bytes: int) -> bytes:
    """The plain bytes of a body that may be compressed by gzip.

    Args:
        body: The bytes as on the wire. Their magic number decides, since KServe's agent drops `Content-Encoding`.
        limit_bytes: Most plain bytes. At most one byte more is allocated.

    Returns:
        The body itself if it is not gzip, else the decompressed bytes of all its members.

    Raises:
        PayloadError: `TOO_LARGE` beyond the limit, `MALFORMED` if truncated, corrupt or followed by other
            bytes than zeros, `UNSUPPORTED` if it has more than 128 members.

    Source:
        RFC 1952, section 2.2 (a file is a series of members).
    """
    if not body.startswith(GZIP_MAGIC):
        _check_size(len(body), limit_bytes)
        return body
    parts: list[bytes] = []
    budget_bytes = limit_bytes
    rest = body
    for _ in range(_MAX_MEMBERS):
        plain, rest = _unpack_member(rest, budget_bytes, limit_bytes)
        parts.append(plain)
        budget_bytes -= len(plain)
        if not rest:
            return b"".join(parts)
    raise PayloadError(Reason.UNSUPPORTED, f"The gzip body has more than {_MAX_MEMBERS} members.")


def _unpack_member(packed: bytes, budget_bytes: int, limit_bytes: int) -> tuple[bytes, bytes]:
    inflate = zlib.decompressobj(_GZIP_WINDOW_BITS)
    try:
        plain = inflate.decompress(packed, budget_bytes + 1)
    except zlib.error as error:
        raise PayloadError(Reason.MALFORMED, f"The gzip body is corrupt: {error}.") from error
    if len(plain) > budget_bytes:
        _check_size(limit_bytes + 1, limit_bytes)
    if not inflate.eof:
        raise PayloadError(Reason.MALFORMED, "The gzip body is truncated.")
    return plain, inflate.unused_data.lstrip(b"\0")  # zeros after a member are padding, as gzip itself accepts


def _check_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise PayloadError(Reason.TOO_LARGE, f"The body is larger than {limit_bytes} bytes when unpacked.")

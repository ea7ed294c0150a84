"""Decompresses bodies, which are recognised by their first bytes: KServe's agent drops `Content-Encoding`."""

import zlib
from typing import Final

from driftgauge.errors import PayloadError, Reason

_GZIP: Final = b"\x1f\x8b"
"""The first two bytes of every gzip member (RFC 1952, section 2.3.1)."""

_ZSTD: Final = b"\x28\xb5\x2f\xfd"
"""The first bytes of a Zstandard frame (RFC 8878, section 3.1.1)."""

_GZIP_WINDOW_BITS: Final = 31
_ZLIB_WINDOW_BITS: Final = 15
_RAW_WINDOW_BITS: Final = -15
"""zlib's codes for its three formats, each with the largest window (zlib manual, inflateInit2)."""

_DEFLATE: Final = 8
_CHECK: Final = 31
_PRESET_DICTIONARY: Final = 0x20

_MAX_MEMBERS: Final = 128
"""Most members of one body. Each member costs a copy of the bytes after it, so the limit bounds the work."""

_JSON_STARTS: Final = b"{[ \t\r\n\xef"
"""A body that starts with one of these is not compressed: a JSON object or list, white space, a byte order mark."""


def is_plain(body: bytes) -> bool:
    """Whether a body can only be uncompressed, by its first byte."""
    return body[:1] in _JSON_STARTS


def unpack(body: bytes, limit_bytes: int) -> bytes:
    """The plain bytes of a body that may be compressed by gzip or deflate.

    Args:
        body: The bytes as on the wire. `Content-Encoding: deflate` is the zlib format; without its header, as some
            clients send it, it is recognised if it is complete and holds a JSON object.
        limit_bytes: Most plain bytes. At most one byte more is allocated.

    Returns:
        The body itself if it is not compressed, else the decompressed bytes of all its members.

    Raises:
        PayloadError: `TOO_LARGE` beyond the limit, `MALFORMED` if truncated, corrupt or followed by other
            bytes than zeros, `UNSUPPORTED` if it has more than 128 members, or is compressed by Zstandard.

    Source:
        RFC 9110, section 8.4.1; RFC 1950, section 2.2; RFC 1952, section 2.2 (a file is a series of members).
    """
    if is_plain(body):
        _check_size(len(body), limit_bytes)
        return body
    if body.startswith(_GZIP):
        return _unpack_gzip(body, limit_bytes)
    if body.startswith(_ZSTD):
        raise PayloadError(Reason.UNSUPPORTED, "The body is compressed by Zstandard.")
    if _is_zlib(body):
        plain, rest = _unpack_member(body, limit_bytes, limit_bytes, _ZLIB_WINDOW_BITS)
        if rest:
            raise PayloadError(Reason.MALFORMED, f"{len(rest)} bytes follow the deflated body.")
        return plain
    return _unpack_raw(body, limit_bytes)


def _is_zlib(body: bytes) -> bool:
    """Whether a body starts with the two bytes of the zlib format (RFC 1950, section 2.2)."""
    if len(body) < 2:  # noqa: PLR2004
        return False
    method, flags = body[0], body[1]
    is_deflate = method & 0x0F == _DEFLATE and method >> 4 < _DEFLATE
    return is_deflate and (method << 8 | flags) % _CHECK == 0 and not flags & _PRESET_DICTIONARY


def _unpack_raw(body: bytes, limit_bytes: int) -> bytes:
    """Bytes that are no JSON: deflated without a header, if that gives a JSON object, else unchanged."""
    try:
        plain, rest = _unpack_member(body, limit_bytes, limit_bytes, _RAW_WINDOW_BITS)
    except PayloadError as error:
        if error.reason is Reason.TOO_LARGE:
            raise
        plain, rest = b"", b""
    if not rest and plain.lstrip().startswith(b"{"):
        return plain
    _check_size(len(body), limit_bytes)
    return body


def _unpack_gzip(body: bytes, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    budget_bytes = limit_bytes
    rest = body
    for _ in range(_MAX_MEMBERS):
        plain, rest = _unpack_member(rest, budget_bytes, limit_bytes, _GZIP_WINDOW_BITS)
        parts.append(plain)
        budget_bytes -= len(plain)
        if not rest:
            return b"".join(parts)
    raise PayloadError(Reason.UNSUPPORTED, f"The gzip body has more than {_MAX_MEMBERS} members.")


def _unpack_member(packed: bytes, budget_bytes: int, limit_bytes: int, window_bits: int) -> tuple[bytes, bytes]:
    inflate = zlib.decompressobj(window_bits)
    what = "gzip" if window_bits == _GZIP_WINDOW_BITS else "deflated"
    try:
        plain = inflate.decompress(packed, budget_bytes + 1)
    except zlib.error as error:
        raise PayloadError(Reason.MALFORMED, f"The {what} body is corrupt: {error}.") from error
    if len(plain) > budget_bytes:
        _check_size(limit_bytes + 1, limit_bytes)
    if not inflate.eof:
        raise PayloadError(Reason.MALFORMED, f"The {what} body is truncated.")
    return plain, inflate.unused_data.lstrip(b"\0")  # zeros after a member are padding, as gzip itself accepts


def _check_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise PayloadError(Reason.TOO_LARGE, f"The body is larger than {limit_bytes} bytes when unpacked.")

"""Compression is recognised by the first bytes, and unpacked within a limit."""

import contextlib
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.compression import unpack
from tests.support.payloads import gzipped, refusal


def test_plain_body_is_itself() -> None:
    """A body without the magic number is handed back as the same object."""
    body = b'{"instances": [1]}'

    assert unpack(body, 100) is body


def test_plain_body_of_the_limit() -> None:
    """The limit itself is still accepted, one byte more is not."""
    assert b"1234" == unpack(b"1234", 4)
    assert Reason.TOO_LARGE == refusal(lambda: unpack(b"12345", 4))[0]


def test_gzip_of_the_limit() -> None:
    """The limit counts unpacked bytes: the limit itself is accepted, one byte more is not."""
    body = gzipped(b"a" * 1000)

    assert b"a" * 1000 == unpack(body, 1000)
    assert Reason.TOO_LARGE == refusal(lambda: unpack(body, 999))[0]


def test_bomb_is_refused() -> None:
    """A member of 64 MiB of zeros is refused under a limit of 1 KiB."""
    assert Reason.TOO_LARGE == refusal(lambda: unpack(gzipped(bytes(1 << 26)), 1024))[0]


def test_members_are_joined() -> None:
    """Members that follow each other are one body (RFC 1952, section 2.2), zeros at the end are padding."""
    assert b"onetwo" == unpack(gzipped(b"one") + gzipped(b"two") + b"\0\0", 100)


def test_members_share_the_limit() -> None:
    """Two members that are each within the limit are refused when their sum is not."""
    assert Reason.TOO_LARGE == refusal(lambda: unpack(gzipped(b"one") + gzipped(b"two"), 5))[0]


def test_many_members() -> None:
    """More than 128 members are refused, since each costs a copy of the rest."""
    assert b"" == unpack(gzipped(b"") * 128, 10)
    assert Reason.UNSUPPORTED == refusal(lambda: unpack(gzipped(b"") * 129, 10))[0]


@pytest.mark.parametrize("kept_bytes", [2, 9, 15, 22])
def test_truncated(kept_bytes: int) -> None:
    """A member that is cut in its header, data or checksum is malformed."""
    body = gzipped(b"some text")[:kept_bytes]

    assert (Reason.MALFORMED, "The gzip body is truncated.") == refusal(lambda: unpack(body, 100))


def test_wrong_checksum() -> None:
    """A member with a wrong CRC is corrupt."""
    body = bytearray(gzipped(b"some text"))
    body[-8] ^= 1

    assert Reason.MALFORMED == refusal(lambda: unpack(bytes(body), 100))[0]


def test_bytes_after_the_end() -> None:
    """Bytes after the last member that are no member are corrupt."""
    assert Reason.MALFORMED == refusal(lambda: unpack(gzipped(b"x") + b"junk", 100))[0]


BODY = b' {"instances": [[1.5, 2.5]]}'


def _raw(body: bytes) -> bytes:
    """Deflated, without a header."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def _stored(body: bytes) -> bytes:
    """In zlib's format, without compression: the header of another level."""
    return zlib.compress(body, 0)


@pytest.mark.parametrize("pack", [zlib.compress, _stored, _raw])
def test_deflate_with_and_without_header(pack: Callable[[bytes], bytes]) -> None:
    """Both forms that clients send as `Content-Encoding: deflate` are unpacked within the limit."""
    assert BODY == unpack(pack(BODY), len(BODY))
    assert Reason.TOO_LARGE == refusal(lambda: unpack(pack(BODY), len(BODY) - 1))[0]
    assert Reason.TOO_LARGE == refusal(lambda: unpack(pack(b"{" + bytes(2**26)), 1024))[0]


def test_deflate_that_is_broken() -> None:
    """A body with zlib's header that is truncated, corrupt or followed by more is refused with its reason."""
    packed = zlib.compress(BODY)

    assert (Reason.MALFORMED, "The deflated body is truncated.") == refusal(lambda: unpack(packed[:-1], 100))
    assert Reason.MALFORMED == refusal(lambda: unpack(packed[:-1] + b"?", 100))[0]
    assert Reason.MALFORMED == refusal(lambda: unpack(packed + b"more", 100))[0]


@pytest.mark.parametrize(
    "body", [b"12", b"x", b"8", b"a=1&b=2", b"\x00\x01\x02", _raw(b"no JSON"), _raw(BODY) + b"more"]
)
def test_other_bytes_are_left_alone(body: bytes) -> None:
    """What is not certainly compressed is not unpacked."""
    assert body == unpack(body, 100)


def test_zstandard_is_named() -> None:
    """A body of another compression is unsupported, not malformed."""
    assert Reason.UNSUPPORTED == refusal(lambda: unpack(b"\x28\xb5\x2f\xfd rest", 100))[0]


@given(st.binary(max_size=50))
def test_no_bytes_raise_another_error(body: bytes) -> None:
    """Whatever the bytes, they are unpacked, left alone or refused."""
    with contextlib.suppress(PayloadError):
        assert isinstance(unpack(body, 1000), bytes)

"""gzip is seen by its magic number and unpacked within a bound."""

import zlib

import pytest

from driftgauge.errors import Reason
from driftgauge.protocol.decode import unpack
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


def test_zlib_is_not_sniffed() -> None:
    """A zlib stream without the gzip header is left alone: its first bytes are no safe sign."""
    body = zlib.compress(b"x")

    assert body == unpack(body, 100)

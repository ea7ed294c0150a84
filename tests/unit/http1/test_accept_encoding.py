"""The content codings that a client takes."""

import pytest

from driftgauge.http1.accept_encoding import takes_gzip


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip ; q=0.000, br", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
    ],
)
def test_the_weights_of_codings_count(header: str, expected: bool) -> None:  # noqa: FBT001 - the expected result
    """A weight of 0 refuses a coding, and `*` stands for those that are not named (RFC 9110, section 12.5.3)."""
    assert expected == takes_gzip(header)

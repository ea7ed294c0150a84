"""Pages as responses."""

import pytest
from aiohttp import ClientSession

from driftgauge.admin.html_responses import takes_gzip
from tests.support.admin import AdminFixture
from tests.support.models import WINE


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


@pytest.mark.parametrize(("accepted", "coding"), [("gzip", "gzip"), ("gzip;q=0", None), ("identity", None)])
async def test_every_reader_gets_the_same_page(
    fixture: AdminFixture, client: ClientSession, accepted: str, coding: str | None
) -> None:
    """Compressed or not, again and again; a cache must not mix the two, and no other page may frame it."""
    fixture.publish(WINE)
    for _ in range(2):
        async with client.get(fixture.url, headers={"Accept-Encoding": accepted}) as response:
            assert coding == response.headers.get("Content-Encoding")
            assert "Accept-Encoding" == response.headers["Vary"]
            assert "frame-ancestors 'none'" == response.headers["Content-Security-Policy"]
            assert (await response.text()).startswith("<p>the page of ")

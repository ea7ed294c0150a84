"""Pages as responses."""

import pytest
from aiohttp import ClientSession

from tests.support.admin import AdminFixture
from tests.support.models import WINE


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

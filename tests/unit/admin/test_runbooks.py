"""The runbooks that the admin port serves."""

import re
from urllib.parse import urldefrag, urljoin

import pytest
from aiohttp import ClientSession

from driftgauge.admin.runbooks import runbook_names, runbook_page
from tests.support.admin import AdminFixture, get

BASE = "http://localhost:9464/runbooks/"
NAMES = sorted(runbook_names())
OTHERS = {urljoin(BASE, path) for path in ("..", "../metrics", "../drift")}


def identifiers(name: str) -> set[str]:
    """The identifiers of a page."""
    return set(re.findall(r' id="([^"]+)"', runbook_page(name)))


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_something_that_is_served(name: str) -> None:
    """It leads to a heading of a runbook, to the list of runbooks, or to another page of the admin port."""
    for link in re.findall(r'href="([^"]+)"', runbook_page(name)):
        address, section = urldefrag(urljoin(BASE + name, link))
        if address not in OTHERS:
            assert address.removeprefix(BASE) in NAMES
            assert not section or section in identifiers(address.removeprefix(BASE))


def test_the_index_links_to_every_runbook() -> None:
    """A reader who has only the address of the admin port finds all of them."""
    linked = {link.split("#")[0] for link in re.findall(r'href="\./([^"]+)"', runbook_page(""))}

    assert set(NAMES) - {""} == linked


async def test_a_runbook_is_a_page_in_html(fixture: AdminFixture, client: ClientSession) -> None:
    """Each alert that it explains has a heading with an identifier."""
    async with client.get(f"{fixture.url}/runbooks/drift") as response:
        text = await response.text()

    assert (200, "text/html") == (response.status, response.content_type)
    assert '<h2 id="driftgaugemodeldrift">DriftgaugeModelDrift</h2>' in text


async def test_the_index_is_served_without_a_slash_too(fixture: AdminFixture, client: ClientSession) -> None:
    """The redirect is relative, so it works behind a prefix."""
    async with client.get(f"{fixture.url}/runbooks", allow_redirects=False) as response:
        assert (301, "runbooks/") == (response.status, response.headers["Location"])

    assert "<h1" in (await get(client, f"{fixture.url}/runbooks"))[1]


@pytest.mark.parametrize("name", ["nothing", "index", "drift.md", "..%2Fstyle.css", "%2e%2e%2fstyle"])
async def test_an_unknown_name_is_404(fixture: AdminFixture, client: ClientSession, name: str) -> None:
    """No other file of the package can be read."""
    status, _ = await get(client, f"{fixture.url}/runbooks/{name}")

    assert 404 == status

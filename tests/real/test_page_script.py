"""The script of the page in a real Chromium: sorting, search, and loading again from the admin port."""

import dataclasses
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from driftgauge.admin.server import Admin
from driftgauge.drift.profile import numeric_profile
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.page.contents import Facts, Page, part_of
from driftgauge.page.document import render
from driftgauge.results.latest import Evaluation, LatestEvaluations
from tests.support.browser import Tab, browser
from tests.support.models import IRIS, WINE
from tests.support.reports import ALCOHOL, moved, report_of

PHONE, DESKTOP = 390, 1280
NAMES = [f"feature_{place:02}" for place in range(20)]
REFRESH_SECONDS = 1.0

VISIBLE = "[...document.querySelectorAll('{}')].filter(one => one.checkVisibility()).map(one => one.innerText.trim())"
LINES = VISIBLE.format(".overview tbody th")
SECTIONS = VISIBLE.format(".feature h3")


class Pages:
    """The admin port of a model with twenty features; each page that it makes has another time.

    Args:
        latest: The evaluations, for the list of models.
    """

    def __init__(self, latest: LatestEvaluations) -> None:
        self.latest = latest
        self.made = 0
        self.url = ""

    async def page(self, _model: ModelKey, title: str, up: str) -> str:
        """Make the page."""
        self.made += 1
        generator = np.random.default_rng(self.made)
        profiles = [numeric_profile(name, np.sort(generator.normal(size=500))) for name in NAMES]
        report = report_of(*(moved(name, (place * 7 % 20) / 20, 0.5) for place, name in enumerate(NAMES)))
        facts = Facts(window="rows", reference="old.csv", reference_rows=500, time=float(self.made))
        part = part_of("Inputs", profiles, generator.normal(size=(300, len(NAMES))), report, facts)
        predictions = part_of("Predictions", (), np.empty((0, 0)), report_of(ALCOHOL), facts)
        return render(Page(title, (part, predictions), up, REFRESH_SECONDS))


async def ready() -> str | None:
    """Say that the process is ready."""
    return None


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    """An admin port."""
    pages = Pages(LatestEvaluations(math.inf))
    pages.latest.publish(WINE, Kind.REQUEST, Evaluation(report_of(ALCOHOL), 1_000.0, 0.01, 999.0))
    admin = Admin(Metrics("200").registry, ready, pages.latest, pages.page)
    pages.url = f"http://127.0.0.1:{await admin.start('127.0.0.1', 0)}/"
    yield pages
    await admin.close()


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    """A tab of a new browser."""
    async with browser(tmp_path / "profile") as tab:
        yield tab


async def click(tab: Tab, title: str) -> None:
    """Click on the title of a column."""
    buttons = "[...document.querySelectorAll('.overview thead button')]"
    await tab.ask(f"{buttons}.find(one => one.innerText.trim() === {json.dumps(title)}).click()")


async def search(tab: Tab, words: str) -> None:
    """Write into the search field."""
    field = "document.querySelector('.tools input')"
    await tab.ask(f"{field}.value = {json.dumps(words)}; {field}.dispatchEvent(new Event('input'))")


async def time_shown(tab: Tab) -> str:
    """The time of the evaluation that the page shows."""
    terms = "[...document.querySelectorAll('dt')].find(one => one.innerText === 'Tested')"
    return str(await tab.ask(f"{terms}.nextElementSibling.innerText"))


async def until_loaded(tab: Tab, number: int) -> None:
    """Wait until the page shows the evaluation of this number."""
    wanted = f"1970-01-01 00:00:0{number} UTC"
    await tab.ask(
        f"""new Promise(done => {{
          const look = () => document.body.innerText.includes({json.dumps(wanted)}) ? done() : setTimeout(look, 20);
          look();
        }})""",
        wait=True,
    )


async def test_a_column_sorts_the_table(tab: Tab, pages: Pages) -> None:
    """Numbers begin with the largest, names with the first; a second click reverses the order."""
    await tab.open(pages.url)
    orders = []
    for title in ("D", "D", "feature"):
        await click(tab, title)
        orders.append((await tab.ask(LINES))[:20])
    by_distance = sorted(NAMES, key=lambda name: -(int(name[-2:]) * 7 % 20))

    assert [by_distance, by_distance[::-1], NAMES] == orders
    assert ["ascending"] * 1 == await tab.ask(
        "[...document.querySelectorAll('.overview')].slice(0, 1).map("
        "one => one.querySelector('[aria-sort]').getAttribute('aria-sort'))"
    )
    assert [] == tab.log_entries()


async def test_a_search_filters_lines_and_sections(tab: Tab, pages: Pages) -> None:
    """The number of lines that are left is beside the field; an empty field shows all again."""
    await tab.open(pages.url)
    await search(tab, "Feature_1")
    found = [await tab.ask(LINES), await tab.ask(SECTIONS)]
    count = await tab.ask("document.querySelector('.tools output').value")
    await search(tab, "")

    assert [NAMES[10:], NAMES[10:]] == [sorted(one) for one in found]
    assert "10 of 21" == count
    assert 21 == len(await tab.ask(LINES))


async def test_a_refresh_keeps_what_the_reader_has_set(tab: Tab, pages: Pages) -> None:
    """Search, order, unfolded bins and the section on the screen stay; the numbers are new."""
    await tab.open(pages.url)
    await tab.show(DESKTOP)
    await search(tab, "feature_1")
    await click(tab, "feature")
    await tab.ask("document.querySelector('.feature:not([hidden]) details').open = true")
    await tab.ask("document.querySelectorAll('.feature:not([hidden])')[3].scrollIntoView()")
    keep = (
        "[scrollY, document.querySelectorAll('details[open]').length, document.querySelector('.tools input').value, "
        f"...{LINES}]"
    )
    before = await tab.ask(keep)
    await tab.ask("document.querySelector('.refresh a').click()")
    await until_loaded(tab, 2)

    assert before == await tab.ask(keep)
    assert (True, 1, NAMES[10:]) == (before[0] > 0, before[1], before[3:])
    assert [] == tab.log_entries()


async def test_the_page_refreshes_by_itself_on_request(tab: Tab, pages: Pages) -> None:
    """Nothing is loaded until the box is ticked; then the page follows the evaluations."""
    await tab.open(pages.url)
    before = await time_shown(tab)
    await tab.ask("document.querySelector('.refresh input').click()")
    await until_loaded(tab, 3)

    assert "1970-01-01 00:00:01 UTC" == before
    assert {pages.url} == set(tab.requested())


async def test_without_its_script_the_page_shows_everything(tab: Tab, pages: Pages) -> None:
    """Lines, sections, and a link that loads the page again are there; the search is not."""
    await tab.call("Emulation.setScriptExecutionDisabled", value=True)
    await tab.open(pages.url)

    assert (21, 21) == (len(await tab.ask(LINES)), len(await tab.ask(SECTIONS)))
    assert pages.url == await tab.ask("document.querySelector('.refresh a').href")
    assert await tab.ask("document.querySelector('.tools input')") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "report?inference_service=wine", "runbooks/", "runbooks/drift"])
async def test_every_page_of_the_admin_port_fits_a_phone(tab: Tab, pages: Pages, path: str, scheme: str) -> None:
    """There is no horizontal scrolling and no error, with one model or several."""
    if not path:
        pages.latest.publish(IRIS, Kind.REQUEST, Evaluation(report_of(ALCOHOL), 1_000.0, 0.01, 999.0))
    await tab.show(PHONE, scheme)
    await tab.open(pages.url + path)

    assert PHONE == await tab.ask("document.documentElement.scrollWidth")
    assert [] == tab.log_entries()


async def test_a_list_of_many_models_can_be_searched(tab: Tab, pages: Pages) -> None:
    """A line is found by the model's name."""
    evaluation = Evaluation(report_of(dataclasses.replace(ALCOHOL)), 1_000.0, 0.01, 999.0)
    for place in range(12):
        pages.latest.publish(WINE._replace(inference_service=f"wine-{place}"), Kind.REQUEST, evaluation)
    await tab.open(pages.url)
    await search(tab, "wine-1")

    assert 3 == len(await tab.ask(LINES))

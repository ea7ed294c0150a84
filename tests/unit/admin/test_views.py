"""The page of a model, made from the newest evaluation and its window."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from driftgauge.admin.release_view import ReleaseView
from driftgauge.admin.views import Views
from driftgauge.inference.payload import Kind
from driftgauge.results.latest_comparisons import LatestComparisons, ReleaseComparison
from driftgauge.storage.ring import StreamKey
from tests.support.models import WINE
from tests.support.monitor_fixture import BY_P_VALUE, MonitorFixture
from tests.support.rings import AwayRing


class ViewsFixture(MonitorFixture):
    """A monitor, and the pages of its evaluations.

    Args:
        directory: The directory of the references.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = AwayRing()
        self.store.away = False
        super().__init__(directory, self.store)
        self.comparisons = LatestComparisons()
        self.releases = ReleaseView(self.comparisons, self.clock)
        self.sample_note = ""
        self.views = Views(
            self.evaluator,
            self.targets,
            self.latest,
            BY_P_VALUE,
            self.clock,
            15.0,
            releases=self.releases,
            sample_note=lambda _: self.sample_note,
        )

    async def evaluate(self, alcohol: float) -> None:
        """Evaluate a window of wines that begins with this alcohol."""
        await self.fill(WINE, alcohol)
        await self.monitor.evaluate_all()

    async def page(self) -> str:
        """The page of wine."""
        return await self.views.page(WINE, "wine", ".")


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ViewsFixture]:
    """A monitor with a reference of wine, whose store can be made unreachable."""
    lines = [f"{9 + 0.1 * number},{3 + 0.01 * number}" for number in range(50)]
    (tmp_path / "wine.csv").write_text("\n".join(["alcohol,ph", *lines]) + "\n")
    fixture = ViewsFixture(tmp_path)
    await fixture.watcher.refresh()
    yield fixture
    fixture.views.close()


async def test_a_page_shows_the_window_against_the_reference(fixture: ViewsFixture) -> None:
    """Each feature has its chart and a sketch in the table, and the page may load itself at each evaluation."""
    await fixture.evaluate(12.0)
    text = await fixture.page()

    assert ["alcohol", "ph"] == re.findall(r"<h3[^>]*><bdi>(\w+)</bdi>", text)
    assert (2, 2) == (text.count('class="sketch"'), text.count('role="img"'))
    assert 'data-seconds="15"' in text


async def test_the_page_is_made_once_for_each_evaluation(fixture: ViewsFixture) -> None:
    """Readers who refresh cost nothing until there is something new."""
    await fixture.evaluate(12.0)
    first = await fixture.page()
    same = await fixture.page()
    fixture.clock.now += 30
    await fixture.evaluate(9.0)
    changed = await fixture.page()

    assert first is same
    assert "1970-01-01 00:17:10 UTC" in changed
    assert first != changed


async def test_another_reference_makes_another_page(fixture: ViewsFixture) -> None:
    """It has other charts and another hash, though the window has not been evaluated again."""
    await fixture.evaluate(12.0)
    await fixture.page()
    lines = [f"{8 + 0.1 * number},{3 + 0.01 * number}" for number in range(50)]
    (fixture.directory / "wine.csv").write_text("\n".join(["alcohol,ph", *lines]) + "\n")
    await fixture.load_changed_reference()
    facts = fixture.latest.reference(WINE, Kind.REQUEST)

    assert facts is not None
    assert facts.digest in await fixture.page()


async def test_a_new_revision_makes_another_page_of_the_others(fixture: ViewsFixture) -> None:
    """Each page leads to those of the other revisions of the model."""
    await fixture.evaluate(12.0)
    alone = await fixture.page()
    canary = fixture.models.admit(WINE._replace(revision="v2"))
    await fixture.fill(canary, 9.0)
    await fixture.monitor.evaluate_all()

    assert "Other revisions:" not in alone
    assert re.search(r'Other revisions: <a href="report\?[^"]*revision=v2">', await fixture.page())
    assert 'model_name=wine">' in await fixture.views.page(canary, "wine revision v2", ".")


async def test_a_comparison_makes_another_page_with_its_section(fixture: ViewsFixture) -> None:
    """It is that which was asked for last; before, the page of a model without other revisions has no such section."""
    await fixture.evaluate(12.0)
    before = await fixture.page()
    stable = WINE._replace(revision="stable")
    fixture.comparisons.publish(ReleaseComparison(stable, WINE, (), fixture.clock.now, fixture.clock.now))
    shown = await fixture.page()
    same = await fixture.page()
    fixture.clock.now += 60
    later = await fixture.page()

    assert "Compared with another revision" not in before
    assert "less than a minute ago" in shown
    assert shown is same
    assert "As of 1 minute ago" in later


async def test_without_the_store_there_are_no_charts(fixture: ViewsFixture) -> None:
    """The verdict is there all the same, and a note says why."""
    await fixture.evaluate(12.0)
    fixture.store.away = True
    text = await fixture.page()

    assert "There are no charts: " in text
    assert "<svg" not in text
    assert 'class="summary drift"' in text


async def test_charts_return_with_the_store(fixture: ViewsFixture) -> None:
    """A page without them is not kept until the next evaluation."""
    await fixture.evaluate(12.0)
    fixture.store.away = True
    await fixture.page()
    fixture.store.away = False

    assert "There are no charts: " not in await fixture.page()


async def test_each_model_has_its_own_page(fixture: ViewsFixture) -> None:
    """A kept page is not shown for another model, nor under another title."""
    await fixture.evaluate(12.0)
    await fixture.page()

    assert "<bdi>red wine</bdi>" in await fixture.views.page(WINE, "red wine", "")
    assert "Nothing has been evaluated yet." in await fixture.views.page(WINE._replace(model_name="x"), "wine", ".")


async def test_a_capture_without_rows_is_none(fixture: ViewsFixture) -> None:
    """The window of a model without traffic is no file."""
    assert await fixture.views.capture(WINE) is None


async def test_a_capture_has_the_rows_of_the_window(fixture: ViewsFixture) -> None:
    """It is a file in the format of references."""
    await fixture.put(StreamKey(WINE, Kind.REQUEST), np.ones((3, 2)))
    content = await fixture.views.capture(WINE)

    assert content is not None
    assert content.startswith(b"PK")


async def test_a_page_says_that_the_sample_ratio_is_lowered(fixture: ViewsFixture) -> None:
    """The sentence is in the first box alone, as long as it is true, although no evaluation is new."""
    await fixture.evaluate(12.0)
    before = await fixture.page()
    fixture.sample_note = "At present 0.3 of the inferences are read."
    lowered = await fixture.page()
    fixture.sample_note = ""
    after = await fixture.page()

    assert (0, 1, 0) == tuple(
        page.count("At present 0.3 of the inferences are read.") for page in (before, lowered, after)
    )

"""The pages with wide tables in a real Chromium: the list of models, outcomes, and the runbooks."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from driftgauge.admin.runbooks import runbook_names, runbook_page
from driftgauge.drift.outcomes.outcome_report import MetricValue, OutcomeSample
from driftgauge.page.contents import Page
from driftgauge.page.document import render
from driftgauge.page.model_index import Entry, render_index
from driftgauge.page.outcome_part import OutcomePart, with_outcomes
from driftgauge.results.model_state import ModelState
from tests.support.browser import Tab, browser
from tests.support.outcome_reports import GRADE, RESULT, WORSE
from tests.support.reports import FOUND, TOO_FEW

SCREENS = [390, 800, 1200, 1600]
"""Widths in pixels."""

SCROLLING = """
[...document.querySelectorAll(".wide, .prose table")]
  .filter(one => one.offsetParent && one.scrollWidth > one.clientWidth)
  .map(one => one.getAttribute("aria-label") || "of a runbook")
"""
"""The tables that show a part of themselves only."""

BROKEN = """
[...document.querySelectorAll("th")].filter(one => one.offsetParent).map(one => {
  const text = one.firstChild, words = [];
  if (!text || text.nodeType !== 3) return [];
  for (const word of text.data.matchAll(/[^\\s-]+/g)) {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    if (range.getClientRects().length > 1) words.push(word[0]);
  }
  return words;
}).flat()
"""
"""The words of headers that are on two lines."""


def outcomes_page() -> str:
    """A page on labels whose metrics have all four samples."""
    metrics = ("accuracy", "balanced_accuracy", "roc_auc", "log_loss", "calibration_error")
    values = tuple(
        MetricValue(metric=metric, sample=sample, value=0.1234, lower=0.1111, upper=0.2345)
        for metric in metrics
        for sample in OutcomeSample
    )
    report = replace(WORSE, outputs=(replace(GRADE, metrics=values),))
    return render(with_outcomes(Page("wine", (), ".", 30.0, ()), OutcomePart(replace(RESULT, report=report), None)))


def models_page() -> str:
    """A list of models, one of which has a long name."""
    states = ModelState(FOUND.state), ModelState(TOO_FEW.state)
    return render_index(
        [
            Entry("production-europe/fraud-detection-of-cards", "report", FOUND, FOUND, 1.7e9, states[0], RESULT),
            Entry("prod/wine", "report", TOO_FEW, None, 1.7e9, states[1]),
        ]
    )


PAGES: dict[str, Callable[[], str]] = {"models": models_page, "outcomes": outcomes_page} | {
    f"runbook {name}": partial(runbook_page, name) for name in sorted(runbook_names())
}


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    """A tab of a new browser."""
    async with browser(tmp_path / "profile") as tab:
        yield tab


async def test_no_table_is_cut_off(tab: Tab, tmp_path: Path) -> None:
    """On no page and no screen: on a phone some scroll by themselves, from 800 pixels on each is shown whole."""
    path, found = tmp_path / "page.html", []
    for name, make in PAGES.items():
        path.write_text(make())
        await tab.open(path)
        for width in SCREENS:
            await tab.show(width)
            wide = await tab.ask("document.documentElement.scrollWidth")
            scrolling = await tab.ask(SCROLLING) if width > SCREENS[0] else []
            if wide > width or scrolling:
                found.append((name, width, wide, scrolling))

    assert [] == found


async def test_no_word_of_a_header_is_broken(tab: Tab, tmp_path: Path) -> None:
    """The headers of runbooks, on every screen."""
    path, found = tmp_path / "page.html", []
    for name, make in PAGES.items():
        path.write_text(make())
        await tab.open(path)
        for width in SCREENS:
            await tab.show(width)
            found += [(name, width, word) for word in await tab.ask(BROKEN)]

    assert [] == found

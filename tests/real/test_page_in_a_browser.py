"""The page of `check` in a real Chromium: on a desktop and a phone, light and dark."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from driftgauge.cli.check import run_check
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from tests.support.browser import Tab, browser

WINE = Path(__file__).parents[2] / "examples" / "wine"
RULE = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=1)

PHONE, DESKTOP = 390, 1280
SCREENS = [PHONE, 701, 768, 971, 1051, DESKTOP]
"""Widths in pixels; just above each width at which the style changes the page is narrowest for what it shows."""

LOWEST_CONTRAST = """
(() => {
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map(Number).map(part => part / 255)
      .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
  };
  const written = [...document.querySelectorAll("body *:not(title, desc)")].filter(
    element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  return Math.min(...written.map(element => {
    const style = getComputedStyle(element);
    const ink = light(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const paper = light(ground(element));
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  }));
})()
"""
"""Source: WCAG 2.2, "contrast ratio" and "relative luminance", https://www.w3.org/TR/WCAG22/"""

SMALLEST_TEXT = """
Math.min(...[...document.querySelectorAll("svg text")].map(text => {
  const picture = text.ownerSVGElement;
  const scale = picture.getBoundingClientRect().width / picture.viewBox.baseVal.width;
  return parseFloat(getComputedStyle(text).fontSize) * scale;
}))
"""


def page(reference: Path, window: Path, path: Path) -> Path:
    """Write the page of two files to a third."""
    out = io.StringIO()
    run_check(reference, window, RULE, "html", out, io.StringIO())
    path.write_text(out.getvalue())
    return path


def write_columns(path: Path, seed: int, shift: float) -> Path:
    """Write a file of numbers, categories and missing values, with hostile names."""
    generator = np.random.default_rng(seed)
    grapes = ["pinot noir", "a_very_long_category_" * 9, "<b>syrah</b>"]
    lines = [
        f"{number:.3f},{grapes[grape]},{'' if number > shift + 1 else f'{number * 1000:.0f}'}"
        for number, grape in zip(
            generator.normal(shift, 1, 500), generator.integers(0, 2 + (shift > 0), 500), strict=True
        )
    ]
    names = ("x" * 150, "<script>document.title = 'taken'</script>", "a_long_name_of_many_words_that_can_break")
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    """A tab of a new browser."""
    async with browser(tmp_path / "profile") as tab:
        yield tab


@pytest.fixture
def pages(tmp_path: Path) -> dict[str, Path]:
    """A page of drift between wines, one without drift, one with every kind of feature, and one of a single row."""
    row = tmp_path / "row.csv"
    row.write_text("".join((WINE / "red_stream.csv").read_text().splitlines(keepends=True)[:2]))
    red = WINE / "red.csv"
    mixed = write_columns(tmp_path / "old.csv", 1, 0.0), write_columns(tmp_path / "new.csv", 2, 0.5)
    return {
        "white": page(red, WINE / "white_stream.csv", tmp_path / "white.html"),
        "red": page(red, WINE / "red_stream.csv", tmp_path / "red.html"),
        "mixed": page(*mixed, tmp_path / "mixed.html"),
        "row": page(red, row, tmp_path / "row.html"),
    }


@pytest.mark.parametrize("name", ["white", "red", "mixed", "row"])
async def test_the_page_loads_nothing_and_fits_every_screen(tab: Tab, pages: dict[str, Path], name: str) -> None:
    """There is one request, no entry in the log, and no horizontal scrolling, from a phone to a desktop."""
    path = pages[name]
    await tab.open(path)
    wide = []
    for width in SCREENS:
        await tab.show(width)
        wide.append(await tab.ask("document.documentElement.scrollWidth"))

    assert [path.as_uri()] == tab.requested()
    assert [] == tab.log_entries()
    assert SCREENS == wide


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["mixed", "row"])
async def test_every_text_is_readable(tab: Tab, pages: dict[str, Path], name: str, scheme: str) -> None:
    """Every text has the contrast that WCAG requires for small text, and text in charts has at least 10 px."""
    await tab.open(pages[name])
    await tab.show(PHONE, scheme)

    assert await tab.ask(LOWEST_CONTRAST) >= 4.5
    assert await tab.ask(SMALLEST_TEXT) >= 10


async def test_the_colours_follow_the_colour_scheme(tab: Tab, pages: dict[str, Path]) -> None:
    """The background is dark if the reader prefers a dark scheme."""
    await tab.open(pages["red"])
    grounds = []
    for scheme in ("light", "dark"):
        await tab.show(DESKTOP, scheme)
        grounds.append(await tab.ask("getComputedStyle(document.body).backgroundColor"))

    assert ["rgb(244, 245, 247)", "rgb(18, 22, 27)"] == grounds


async def test_every_feature_has_a_chart_the_most_severe_first(tab: Tab, pages: dict[str, Path]) -> None:
    """Each of the eleven features has a visible chart, in the table's order, and a link to it."""
    await tab.open(pages["white"])
    await tab.show(DESKTOP)
    order = await tab.ask("[...document.querySelectorAll('.overview tbody th')].map(name => name.innerText)")
    drawn = await tab.ask("[...document.querySelectorAll('.feature h3')].map(name => name.innerText)")
    heights = await tab.ask(
        "[...document.querySelectorAll('.feature svg')].map(one => one.getBoundingClientRect().height)"
    )
    links = await tab.ask("[...document.links].every(link => document.querySelector(link.hash).matches('.feature'))")

    assert ("total_sulfur_dioxide", 11) == (order[0], len(order))
    assert 11 == await tab.ask("document.querySelectorAll('.overview .sketch').length")
    assert order == drawn
    assert len(heights) == 11
    assert min(heights) > 200
    assert links


async def test_an_untrusted_name_stays_text(tab: Tab, pages: dict[str, Path]) -> None:
    """A name in the file that is a script is shown as a name."""
    await tab.open(pages["mixed"])

    assert "new.csv against old.csv - driftgauge" == await tab.ask("document.title")
    assert await tab.ask("document.scripts.length") == 1
    assert "<script>document.title = 'taken'</script>" in await tab.ask("document.body.innerText")

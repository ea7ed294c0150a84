"""The page of `check` in a real Chromium: on a desk and a phone, in the light and in the dark."""

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

PHONE, DESK = 390, 1280

NARROWEST_CONTRAST = """
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

SMALLEST_LETTERS = """
Math.min(...[...document.querySelectorAll("svg text")].map(text => {
  const picture = text.ownerSVGElement;
  const scale = picture.getBoundingClientRect().width / picture.viewBox.baseVal.width;
  return parseFloat(getComputedStyle(text).fontSize) * scale;
}))
"""


def page(reference: Path, window: Path, path: Path) -> Path:
    """The page of two files, written to a third."""
    out = io.StringIO()
    run_check(reference, window, RULE, "html", out, io.StringIO())
    path.write_text(out.getvalue())
    return path


def stack(path: Path, seed: int, shift: float) -> Path:
    """A file of numbers, categories and missing values, with names that nobody should choose."""
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
    """A tab of a browser of its own."""
    async with browser(tmp_path / "profile") as tab:
        yield tab


@pytest.fixture
def pages(tmp_path: Path) -> dict[str, Path]:
    """Pages of wine that turned white, of wine that did not, and of every kind of feature."""
    red = WINE / "red.csv"
    mixed = stack(tmp_path / "old.csv", 1, 0.0), stack(tmp_path / "new.csv", 2, 0.5)
    return {
        "white": page(red, WINE / "white_stream.csv", tmp_path / "white.html"),
        "red": page(red, WINE / "red_stream.csv", tmp_path / "red.html"),
        "mixed": page(*mixed, tmp_path / "mixed.html"),
    }


@pytest.mark.parametrize("name", ["white", "red", "mixed"])
async def test_the_page_needs_nothing_and_fits_every_screen(tab: Tab, pages: dict[str, Path], name: str) -> None:
    """One request, no complaint in the log, and nothing to scroll sideways, on a phone as on a desk."""
    path = pages[name]
    await tab.open(path)
    wide = []
    for width in (PHONE, DESK):
        await tab.show(width)
        wide.append(await tab.ask("document.documentElement.scrollWidth"))

    assert [path.as_uri()] == tab.requested()
    assert [] == tab.complaints()
    assert [PHONE, DESK] == wide


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_written_can_be_read(tab: Tab, pages: dict[str, Path], scheme: str) -> None:
    """Every text has the contrast that WCAG asks of small letters, and those in pictures are no smaller than 10 px."""
    await tab.open(pages["mixed"])
    await tab.show(PHONE, scheme)

    assert await tab.ask(NARROWEST_CONTRAST) >= 4.5
    assert await tab.ask(SMALLEST_LETTERS) >= 10


async def test_the_colours_follow_the_reader(tab: Tab, pages: dict[str, Path]) -> None:
    """Dark where dark is wanted."""
    await tab.open(pages["red"])
    grounds = []
    for scheme in ("light", "dark"):
        await tab.show(DESK, scheme)
        grounds.append(await tab.ask("getComputedStyle(document.body).backgroundColor"))

    assert ["rgb(244, 245, 247)", "rgb(18, 22, 27)"] == grounds


async def test_every_feature_is_drawn_the_farthest_first(tab: Tab, pages: dict[str, Path]) -> None:
    """A picture of some size for each of the eleven, in the table's order, and links that lead to them."""
    await tab.open(pages["white"])
    await tab.show(DESK)
    order = await tab.ask("[...document.querySelectorAll('.overview tbody th')].map(name => name.innerText)")
    drawn = await tab.ask("[...document.querySelectorAll('.feature h3')].map(name => name.innerText)")
    heights = await tab.ask("[...document.querySelectorAll('svg')].map(one => one.getBoundingClientRect().height)")
    links = await tab.ask("[...document.links].every(link => document.querySelector(link.hash).matches('.feature'))")

    assert ("total_sulfur_dioxide", 11) == (order[0], len(order))
    assert order == drawn
    assert len(heights) == 11
    assert min(heights) > 200
    assert links


async def test_a_strangers_name_stays_text(tab: Tab, pages: dict[str, Path]) -> None:
    """A name that is a script in the file is a name on the page."""
    await tab.open(pages["mixed"])

    assert "new.csv against old.csv - driftgauge" == await tab.ask("document.title")
    assert await tab.ask("document.scripts.length") == 0
    assert "<script>document.title = 'taken'</script>" in await tab.ask("document.body.innerText")

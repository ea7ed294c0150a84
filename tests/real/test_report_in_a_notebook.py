"""The report of `driftgauge.check` in a notebook's page, in a real Chromium."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from aiohttp import ClientSession

import driftgauge
from tests.support.browser import Tab, browser

NOTEBOOK = """<!doctype html><meta charset="utf-8"><style>h1 {{color: rgb(1, 2, 3)}}</style>
<body style="margin:0"><h1 style="margin:0;height:40px">A notebook</h1>{report}"""

FIRST_LINK = """
(() => {
  const {x, y, width, height} = document.querySelector("table a").getBoundingClientRect();
  return [x + width / 2, y + height / 2];
})()
"""


@pytest.fixture
async def notebook(tmp_path: Path) -> AsyncIterator[Tab]:
    """A page that holds a report as Jupyter does."""
    values = np.random.default_rng(1).normal(size=(2, 300, 8))
    page = tmp_path / "notebook.html"
    page.write_text(NOTEBOOK.format(report=driftgauge.check(*values)._repr_html_()))
    async with browser(tmp_path / "profile") as tab:
        await tab.show(1000)
        await tab.open(page)
        yield tab


@pytest.fixture
async def frame(notebook: Tab, tmp_path: Path) -> AsyncIterator[Tab]:
    """The report's frame, which has a process of its own in the browser."""
    assert "A notebook" == await notebook.ask("document.querySelector('h1').textContent")
    port = (tmp_path / "profile/DevToolsActivePort").read_text().split()[0]
    async with ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
            targets = await response.json(content_type=None)
        (address,) = [target["webSocketDebuggerUrl"] for target in targets if target["type"] == "iframe"]
        async with session.ws_connect(address, max_msg_size=0) as socket:
            yield Tab(socket)


async def test_a_link_within_the_report_stays_in_its_frame(notebook: Tab, frame: Tab) -> None:
    """A click on a feature in the table shows the feature's section; the notebook stays."""
    x, y = await frame.ask(FIRST_LINK)
    for event in ("mousePressed", "mouseReleased"):
        await frame.call("Input.dispatchMouseEvent", type=event, x=x, y=y, button="left", clickCount=1)

    assert ["about:srcdoc", "#p0-0"] == await frame.ask("[location.href.split('#')[0], location.hash]")
    assert await frame.ask("scrollY") > 0
    assert "A notebook" == await notebook.ask("document.querySelector('h1').textContent")


async def test_neither_style_affects_the_other(notebook: Tab, frame: Tab) -> None:
    """The notebook's heading keeps its colour, and the report's does not take it."""
    colour = "getComputedStyle(document.querySelector('h1')).color"

    assert "rgb(1, 2, 3)" == await notebook.ask(colour)
    assert "rgb(1, 2, 3)" != await frame.ask(colour)
    assert [] == notebook.log_entries()

"""Writes docs/pictures/report.png: the page of the admin port, with the demo's wines, in a real Chromium.

`python -m charts.pictures.report` needs Chromium and the packages of the demo.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from examples.demo import data
from examples.demo.traffic import INFERENCE_SERVICE, NAMESPACE, post, v2_json
from tests.support.browser import browser
from tests.support.ports import free_port
from tests.support.processes import Child, get
from tests.support.waiting import wait_until

FILE = Path(__file__).parents[2] / "docs" / "pictures" / "report.png"

WIDTH = 1280
"""Pixels: a usual window, and wide enough for every column."""

HEIGHT = 1600
"""Pixels at most."""

FOLD = "Math.floor(document.querySelector('article').getBoundingClientRect().top + scrollY)"
"""Where the picture ends: below the tables are the features one by one."""

WINDOW_ROWS = 1000
BATCH_ROWS = 8
PAUSE_SECONDS = 0.02
"""As in the demo: rows that come within moments of each other are worth fewer."""

_FLAGS = (
    *("--host", "127.0.0.1", "--namespace", NAMESPACE, "--inference-service", INFERENCE_SERVICE),
    *("--window-rows", str(WINDOW_ROWS), "--reference-ordered", "true", "--evaluation-interval-seconds", "1"),
    *("--drain-delay-seconds", "0"),
)


def main(file: Path = FILE) -> None:
    """Serve red wines, then white ones, and write a picture of the page."""
    with tempfile.TemporaryDirectory(prefix="driftgauge-picture-", ignore_cleanup_errors=True) as folder:
        directory = Path(folder)
        reference = directory / f"{INFERENCE_SERVICE}.csv"
        model = [sys.executable, "-m", "examples.demo.model_server", "--port", "0", "--reference", str(reference)]
        with Child(model) as server:
            model_url = wait_until(lambda: _address(server), "the model server", 60)
            data_port, admin_port = free_port(), free_port()
            ports = ("--port", str(data_port), "--admin-port", str(admin_port))
            # The page shows the path of the reference as it is given.
            command = [sys.executable, "-m", "driftgauge", "proxy", "--upstream-url", model_url, *ports, *_FLAGS]
            with Child([*command, "--reference", reference.name], cwd=directory) as sidecar:
                sidecar.await_response(f"http://127.0.0.1:{admin_port}/readyz")
                newest_at = asyncio.run(_send_wines(f"http://127.0.0.1:{data_port}"))
                page = f"http://127.0.0.1:{admin_port}/"
                wait_until(lambda: _has_evaluated(page, newest_at), "an evaluation of all wines", 60)
                file.write_bytes(asyncio.run(_picture(page, directory / "profile")))


def _address(server: Child) -> str:
    """The model server's address; empty until it is ready."""
    lines = [line for line in server.stderr.splitlines() if line.startswith("ready ")]
    return lines[-1].removeprefix("ready ") if lines else ""


async def _send_wines(url: str) -> float:
    """Send red wines, then as many white ones as the window has rows; returns when the newest were sent."""
    newest_at = 0.0
    async with aiohttp.ClientSession() as session:
        for wines in (data.red_stream(), data.white_stream()[:WINDOW_ROWS]):
            for batch in data.batches(wines, BATCH_ROWS):
                call = v2_json(batch, data.columns())
                newest_at = time.time()
                await post(session, url + call.path, call.headers, call.body)
                await asyncio.sleep(PAUSE_SECONDS)
    return newest_at


def _has_evaluated(page: str, newest_at: float) -> bool:
    """Whether inputs and predictions were evaluated up to the newest wines."""
    models = json.loads(get(f"{page}drift"))["models"]
    evaluations = [one for model in models for one in (model, model["predictions"] or {})]
    return bool(models) and all((one.get("window_time") or 0.0) >= newest_at for one in evaluations)


async def _picture(page: str, profile: Path) -> bytes:
    """A picture of a page, as PNG."""
    async with browser(profile) as tab:
        await tab.show(WIDTH)
        await tab.open(page)
        return await tab.picture(WIDTH, min(HEIGHT, await tab.ask(FOLD)))


if __name__ == "__main__":
    main()

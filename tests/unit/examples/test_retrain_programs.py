"""The small programs of the loop: the receiver, the splitter and the training."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from examples.demo import data
from examples.retrain import training, wines
from examples.retrain.pipeline import count_wines
from examples.retrain.receiver import Receiver
from examples.retrain.splitter import Route, Splitter

WRONG, DRIFT = "io.driftgauge.concept.detected", "io.driftgauge.drift.detected"
ECHO = (sys.executable, "-c", "import sys; print('got', sys.stdin.read())")


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str]:
    """The address of an application that listens."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def receiving(
    *command: str, clock: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """A receiver that starts a command for `WRONG`, and rests 60 s after it."""
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as session:
        receiver = Receiver(command, [WRONG], 60, group, clock)
        app = web.Application()
        app.add_routes([web.post("/", receiver.receive), web.get("/", receiver.show)])
        async with listening(app) as url:
            yield url, session
        receiver.stop()


async def send(session: aiohttp.ClientSession, url: str, event_id: str, kind: str) -> int:
    """Send an event; returns the status code."""
    headers = {"Ce-Id": event_id, "Ce-Type": kind, "Ce-Specversion": "1.0"}
    async with session.post(url, json={"since": event_id}, headers=headers) as response:
        return response.status


async def state(session: aiohttp.ClientSession, url: str) -> Any:  # noqa: ANN401 - JSON
    """What the receiver shows, once no command runs."""
    while True:
        async with session.get(url) as response:
            shown = await response.json()
        if shown["run"] is None or shown["run"]["exit_code"] is not None:
            return shown
        await asyncio.sleep(0)


async def test_an_event_starts_the_command_once_and_gives_it_the_data() -> None:
    """A drift of inputs does not start it, nor does the same event again, nor another one while the receiver rests."""
    async with receiving(*ECHO) as (url, session):
        codes = [await send(session, url, "1", DRIFT), await send(session, url, "2", WRONG)]
        shown = await state(session, url)
        codes += [await send(session, url, one, WRONG) for one in ("2", "3")]
        later = await state(session, url)

    assert [202] * 4 == codes
    assert {"lines": ['got {"since": "2"}'], "exit_code": 0} == shown["run"]
    assert [("1", False), ("2", True), ("3", False)] == [(one["id"], one["started"]) for one in later["events"]]


async def test_after_the_rest_an_event_starts_it_again() -> None:
    """And a command that fails is shown with its exit code."""
    now = [0.0]
    async with receiving(sys.executable, "-c", "raise SystemExit(3)", clock=lambda: now[0]) as (url, session):
        await send(session, url, "1", WRONG)
        first = await state(session, url)
        now[0] = 60.0
        await send(session, url, "2", WRONG)
        second = await state(session, url)

    assert 3 == first["run"]["exit_code"]
    assert [True, True] == [one["started"] for one in second["events"]]


async def test_a_command_need_not_read_the_event() -> None:
    """One that has ended before it gets the data is as good as any other, and the receiver goes on."""
    now = [0.0]
    async with receiving("true", clock=lambda: now[0]) as (url, session):
        for number in range(20):
            await send(session, url, str(number), WRONG)
            assert 0 == (await state(session, url))["run"]["exit_code"]
            now[0] += 60


async def test_what_is_no_event_is_refused() -> None:
    """Without an id, or with a body that is no object, it is 400 and nothing is remembered."""
    async with receiving(*ECHO) as (url, session):
        for headers, body in (({"Ce-Type": WRONG}, b"{}"), ({"Ce-Id": "1", "Ce-Type": WRONG}, b"[]")):
            async with session.post(
                url, data=body, headers={**headers, "Content-Type": "application/json"}
            ) as response:
                assert 400 == response.status
        assert {"events": [], "run": None} == await state(session, url)


async def test_a_stopped_receiver_ends_the_command() -> None:
    """The block, which waits for it, ends; and so does the program."""
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    async with receiving(sys.executable, "-c", program) as (url, session):
        await send(session, url, "1", WRONG)
        lines: list[str] = []
        while not lines:
            async with session.get(url) as response:
                lines = (await response.json())["run"]["lines"]
            await asyncio.sleep(0)

    with pytest.raises(ProcessLookupError):
        os.kill(int(lines[0]), 0)


def test_a_share_of_the_requests_goes_to_the_canary() -> None:
    """By the chance of each, and they are counted."""
    route = Route()
    route.change({"stable": "http://a", "canary": "http://b", "percent": 30})

    assert ["http://b", "http://b", "http://a"] == [route.choose(chance) for chance in (0.0, 0.299, 0.3)]
    assert (1, 2) == (route.to_stable, route.to_canary)


@pytest.mark.parametrize(
    "wanted",
    [
        {"stable": "http://a", "canary": "http://b", "percent": 101},
        {"stable": "http://a", "canary": "http://b"},
        {"stable": "http://a", "canary": "", "percent": 1},
        {"stable": "", "canary": "http://b", "percent": 99},
    ],
)
def test_a_route_that_leads_nowhere_is_refused(wanted: dict[str, Any]) -> None:
    """Who gets requests has an address."""
    with pytest.raises(ValueError, match="must be"):
        Route().change(wanted)


async def test_the_splitter_passes_requests_and_responses_on() -> None:
    """Path, query, body and headers arrive, and so do status code and body of the response; a dead revision is 502."""

    async def respond(request: web.Request) -> web.Response:
        """What came, with a status code of its own."""
        seen = [request.path_qs, (await request.read()).decode(), request.headers.get("X-Request-Id", "")]
        return web.Response(status=418, body=json.dumps(seen).encode(), headers={"X-Model": "wine"})

    model = web.Application()
    model.add_routes([web.post("/{path:.*}", respond)])
    async with aiohttp.ClientSession() as session, listening(model) as url:
        splitter, app = Splitter(session), web.Application()
        app.add_routes([web.put("/route", splitter.change_route), web.post("/{path:.*}", splitter.forward)])
        async with listening(app) as front:
            async with session.post(f"{front}/v1/x") as early:
                assert 503 == early.status
            await session.put(f"{front}/route", json={"stable": url, "canary": "http://127.0.0.1:9", "percent": 0})
            async with session.post(f"{front}/v1/x?y=1", data=b"z", headers={"X-Request-Id": "7"}) as response:
                assert (418, "wine") == (response.status, response.headers["X-Model"])
                assert ["/v1/x?y=1", "z", "7"] == await response.json(content_type=None)
            await session.put(f"{front}/route", json={"stable": url, "canary": "http://127.0.0.1:9", "percent": 100})
            async with session.post(f"{front}/v1/x") as dead:
                assert 502 == dead.status


def test_the_training_takes_the_newest_grade_of_each_wine(tmp_path: Path) -> None:
    """A wine that comes twice is one row, with the later grade; rows without a label are left out."""
    columns = data.columns()
    wine = ",".join("1" for _ in columns)
    other = ",".join("2" for _ in columns)
    header = f"driftgauge:time,{','.join(columns)},label:quality"
    lines = (f"2026-01-02,{wine},7", f"2026-01-01,{wine},5", f"2026-01-01,{other},", f"2026-01-03,{other},6")
    file = tmp_path / "rows.csv"
    file.write_text("\n".join([header, *lines, ""]))

    newest = training.newest_of_each_wine(training.read(file))
    assert ["7", "6"] == [line["label:quality"] for line in newest]
    assert 2 == count_wines(file)


def test_the_reference_has_predictions_of_the_new_model(tmp_path: Path) -> None:
    """They are those of trees that did not see the wine: the error is not that of a model that knows it by heart."""
    rows, reference = tmp_path / "rows.csv", tmp_path / "training.csv"
    training.write_rows(rows, wines.learned())
    sentence = training.train(rows, tmp_path / "model.joblib", reference)

    written = np.genfromtxt(reference, delimiter=",", names=True)
    errors = np.abs(written["predictionquality"] - written["labelquality"])
    assert 0.4 < errors.mean() < 0.7
    assert sentence.startswith(f"{len(errors)} wines, mean error {errors.mean():.2f} ")


def test_models_learn_from_other_rows_than_they_meet() -> None:
    """The three parts are all rows of both files; the new taste takes two grades from some wines."""
    learned, met, fresh = wines.learned(), wines.met(), wines.fresh()

    parts = np.concatenate([one.wines for one in (learned, met, fresh)])
    assert (500, 500, 599) == tuple(len(one.wines) for one in (learned, met, fresh))
    assert np.array_equal(np.concatenate([data.red_reference(), data.red_stream()]), parts)
    assert {-2.0, 0.0} == set((met.of_new_taste().grades - met.grades).tolist())

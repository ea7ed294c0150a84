"""The way back of the loop: a retrained model that is not better gives all requests to the model before."""

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from examples.demo.children import Children
from examples.demo.errors import DemoError
from examples.retrain import training, wines
from examples.retrain.clients import Clients
from examples.retrain.fleet import COUNT, Fleet, LoopPorts, build
from examples.retrain.loop import CANNOT_TELL, Loop, objection_to
from examples.retrain.loop_screen import LoopScreen
from examples.retrain.wines import Tasted
from tests.support.ports import free_ports_in_a_row

SENT = 80


async def learn_from_points(fleet: Fleet) -> None:
    """What a retraining leaves whose labels were in points of a hundred, by a mistake, and not in grades to eight."""
    directory, met = fleet.directory, wines.met()
    rows, training_rows = directory / "rows.csv", directory / "training.csv"
    training.write_rows(rows, Tasted(met.wines, 10 * met.grades))
    await asyncio.to_thread(training.train, rows, directory / "retrained.joblib", training_rows)
    reference = directory / "retrained.npz"
    assert 0 == (await fleet.once("driftgauge", "reference", "build", str(training_rows), "-o", str(reference)))[0]


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_model_that_is_worse_gives_all_requests_back(tmp_path: Path) -> None:
    """With real programs: the canary gets its share, labels show its errors, and the route is that of before."""
    printed = io.StringIO()
    async with (
        asyncio.TaskGroup() as group,
        build(Children(tmp_path, group), LoopPorts(free_ports_in_a_row(COUNT))) as (fleet, stack),
    ):
        loop = Loop(fleet, stack, LoopScreen(Console(file=printed)))
        stable = await loop.start()
        before = await fleet.fetch(f"{fleet.control_url}/route")
        await learn_from_points(fleet)
        clients = Clients(fleet, stable.labels_url)
        with pytest.raises(DemoError, match=r"All requests go to stable again") as failed:
            await loop.deploy(clients, stable)
        back = await fleet.fetch(f"{fleet.control_url}/route")

        async def never() -> bool:
            """Send all."""
            return False

        await clients.send(wines.fresh(), SENT, never, 1)
        after = await fleet.fetch(f"{fleet.control_url}/route")

    assert "The new model is" in str(failed.value)
    assert (stable.data_url, "", 0) == (back["stable"], back["canary"], back["percent"])
    assert before["to_canary"] == 0 < back["to_canary"]
    assert (back["to_canary"], back["to_stable"] + SENT) == (after["to_canary"], after["to_stable"])
    assert "driftgauge compare --fail-on errors,latency,accuracy: exit code" in printed.getvalue()


@pytest.mark.parametrize(
    ("code", "difference", "part"),
    [
        (0, -0.4, ""),
        (0, 0.2, "its mean error is 0.20 grades larger"),
        (0, None, "there are no labels of both"),
        (1, -0.4, "worse: exit code 1"),
        (CANNOT_TELL, -0.4, "could not judge"),
    ],
)
def test_only_a_better_model_takes_over(code: int, difference: float | None, part: str) -> None:
    """Exit code 0 is not enough, since it says that nothing is worse; any other one is an objection."""
    objection = objection_to(code, difference)
    assert part in objection
    assert bool(part) == bool(objection)

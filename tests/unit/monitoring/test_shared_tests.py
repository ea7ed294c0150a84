"""Models of one reference share the tests that were prepared for it, and nothing else."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.ring import StreamKey
from tests.support.models import WINE
from tests.support.monitor_fixture import MonitorFixture

OTHER = ModelKey("restaurant", "wine", "predictor", "wine")
"""A model of the same name in another namespace: `wine.npz` is the reference of both."""


def rows(count: int, mean: float = 0.0) -> NDArray[np.float64]:
    """Normal rows."""
    return np.random.default_rng(5).normal(mean, 1.0, (count, 2))


def write_reference(path: Path, mean: float = 0.0) -> None:
    """Write a reference of two normal columns, as an editor does: the whole file at once."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, data=rows(500, mean), columns=np.array(["alcohol", "ph"]))
    part.replace(path)


async def evaluated(directory: Path) -> MonitorFixture:
    """A monitor that has evaluated both models: the rows of the second are two standard deviations away."""
    write_reference(directory / "wine.npz")
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()
    await fixture.put(StreamKey(WINE, Kind.REQUEST), rows(60))
    await fixture.put(StreamKey(OTHER, Kind.REQUEST), rows(60, mean=2.0))
    await fixture.monitor.evaluate_all()
    return fixture


def verdicts(fixture: MonitorFixture) -> list[float | None]:
    """Whether each of the models has drifted."""
    return [fixture.value("driftgauge_drift", model) for model in (WINE, OTHER)]


async def test_models_of_one_reference_have_verdicts_of_their_own(tmp_path: Path) -> None:
    """The rows of one are never those of the other."""
    assert [0.0, 1.0] == verdicts(await evaluated(tmp_path))


async def test_another_reference_replaces_the_tests_of_both(tmp_path: Path) -> None:
    """The new reference has the mean of the second model's rows."""
    fixture = await evaluated(tmp_path)
    write_reference(tmp_path / "wine.npz", mean=2.0)
    await fixture.load_changed_reference()
    await fixture.monitor.evaluate_all()

    assert [1.0, 0.0] == verdicts(fixture)


async def test_a_model_that_gets_a_reference_of_its_own_leaves_that_of_the_other(tmp_path: Path) -> None:
    """The shared tests are released; the model that still has their reference gets them again."""
    fixture = await evaluated(tmp_path)
    own = tmp_path / "restaurant"
    own.mkdir()
    write_reference(own / "wine.npz", mean=2.0)
    await fixture.load_changed_reference()
    for _ in range(2):
        await fixture.monitor.evaluate_all()

    assert [0.0, 0.0] == verdicts(fixture)

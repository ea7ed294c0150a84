"""Evaluations whose state is lost, refused, damaged or saved without a reply: each row is counted once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.detector.detector_state import pack
from driftgauge.storage.leases import MemoryLeases
from driftgauge.storage.memory import MemoryRing, MemoryStates
from tests.support.hourly_monitor import (
    FAILURES,
    FED,
    REFERENCE_ROWS,
    REQUESTS,
    calm,
    evaluate,
    saved_state,
    started,
)
from tests.support.models import WINE
from tests.support.rings import AwayStates, FullStates, SlowStates


async def test_evidence_in_memory_survives_an_emptied_store(wine_directory: Path) -> None:
    """The rows of the emptied store are fed, each once, and the state is saved again."""
    fixture = await started(wine_directory)
    await fixture.put(REQUESTS, calm(90))
    await evaluate(fixture)
    await fixture.states.delete(REQUESTS, "detector")
    assert isinstance(fixture.ring, MemoryRing)
    await fixture.ring.close()
    await fixture.put(REQUESTS, calm(40, 2))
    await evaluate(fixture)
    emptied = (await saved_state(fixture)).rows
    await fixture.put(REQUESTS, calm(10, 3))
    await evaluate(fixture)

    assert [130, 140] == [emptied, (await saved_state(fixture)).rows]
    assert [140, 0] == [fixture.value(name, kind="request") for name in (FED, "driftgauge_detector_skipped_rows_total")]


async def test_an_unreachable_state_store_is_a_counted_failure(wine_directory: Path) -> None:
    """The rows are not lost: they are fed once the store is back."""
    states = AwayStates()
    fixture = await started(wine_directory, states=states)
    await fixture.put(REQUESTS, calm(50))
    await evaluate(fixture)
    states.away = False
    await evaluate(fixture)

    assert fixture.value("driftgauge_evaluation_failures_total") == 1 + 1  # of requests and of responses
    assert fixture.value("driftgauge_detector_rows_total", kind="request") == 50


async def test_a_verdict_whose_state_cannot_be_saved_is_published(wine_directory: Path) -> None:
    """It is marked, no failure of the evaluation is counted, and its rows are counted when the state is saved."""
    states = FullStates()
    fixture = await started(wine_directory, states=states)
    await fixture.put(REQUESTS, calm(50) + 3)
    await evaluate(fixture)
    unsaved = [fixture.value(name) for name in ("driftgauge_state_unsaved", FAILURES, "driftgauge_window_rows")]
    fed_before = fixture.value(FED, kind="request")
    states.full = False
    await evaluate(fixture)

    assert [1, 0, 50] == unsaved
    assert (0, 50) == (fed_before, fixture.value(FED, kind="request"))
    assert fixture.value("driftgauge_state_unsaved") == 0
    assert (await saved_state(fixture)).rows == 50


@pytest.mark.parametrize("looks", [1, 5])
async def test_rows_of_looks_whose_state_was_not_saved_are_fed_once(wine_directory: Path, looks: int) -> None:
    """The detector continues in memory, also with rows that have left the window since."""
    states = FullStates()
    fixture = await started(wine_directory, states=states)
    for seed in range(looks):
        await fixture.put(REQUESTS, calm(60, seed))
        await evaluate(fixture)
    states.full = False
    await fixture.put(REQUESTS, calm(60, 9))
    await evaluate(fixture)

    assert fixture.value(FED, kind="request") == 60 * (looks + 1)
    assert fixture.value("driftgauge_detector_skipped_rows_total", kind="request") == 0
    assert (await saved_state(fixture)).rows == 60 * (looks + 1)


@pytest.mark.parametrize("looks", [1, 3])
async def test_a_save_that_was_executed_without_a_reply_is_counted_once(wine_directory: Path, looks: int) -> None:
    """The next save is refused; the store then has a state of ours, and the evaluation builds on it."""
    states = SlowStates()
    fixture = await started(wine_directory, states=states)
    for seed in range(looks):
        await fixture.put(REQUESTS, calm(30, seed))
        await evaluate(fixture)
    states.slow = False
    await fixture.put(REQUESTS, calm(20, 9))
    await evaluate(fixture)

    assert fixture.value(FED, kind="request") == 30 * looks + 20
    assert (await saved_state(fixture)).rows == 30 * looks + 20
    assert fixture.value("driftgauge_detector_resets_total", kind="request") == 0


@pytest.mark.parametrize("looks", [1, 3])
async def test_such_a_save_is_counted_in_the_next_term_too(wine_directory: Path, looks: int) -> None:
    """A store that was away for long enough has also lost the lease."""
    states, leases = SlowStates(), MemoryLeases()
    fixture = await started(wine_directory, states=states, leases=leases)
    for seed in range(looks):
        await fixture.put(REQUESTS, calm(30, seed))
        await evaluate(fixture)
    states.slow = False
    leases.retain(())
    await evaluate(fixture)  # notes that the term has ended, and begins another one
    await fixture.put(REQUESTS, calm(20, 9))
    await evaluate(fixture)

    assert fixture.value(FED, kind="request") == 30 * looks + 20
    assert (await saved_state(fixture)).rows == 30 * looks + 20
    assert fixture.value("driftgauge_detector_resets_total", kind="request") == 0


@pytest.mark.parametrize("lost", [False, True])
async def test_such_a_save_is_counted_after_a_new_reference_too(wine_directory: Path, lost: bool) -> None:  # noqa: FBT001
    """Also if the store lost it since: then it was not executed, and its rows are counted with the next save."""
    states = SlowStates()
    fixture = await started(wine_directory, states=states)
    await fixture.put(REQUESTS, calm(30, 1))
    await evaluate(fixture)
    states.slow = False
    if lost:
        states.retain(())
    np.savez(wine_directory / "wine.npz", data=calm(REFERENCE_ROWS, 6), columns=np.array(["alcohol", "ph"]))
    await fixture.load_changed_reference()
    await fixture.put(REQUESTS, calm(20, 9))
    await evaluate(fixture)

    assert fixture.value(FED, kind="request") == 50
    assert (await saved_state(fixture)).rows == 50


async def test_rows_that_are_counted_stay_counted_after_a_new_reference(wine_directory: Path) -> None:
    """The store has lost the state that says so."""
    fixture = await started(wine_directory)
    await fixture.put(REQUESTS, calm(30, 1))
    await evaluate(fixture)
    fixture.states.retain(())
    np.savez(wine_directory / "wine.npz", data=calm(REFERENCE_ROWS, 6), columns=np.array(["alcohol", "ph"]))
    await fixture.load_changed_reference()
    await fixture.put(REQUESTS, calm(20, 9))
    await evaluate(fixture)

    assert fixture.value(FED, kind="request") == 50
    assert (await saved_state(fixture)).rows == 50


async def test_rows_in_memory_that_another_replica_feeds_meanwhile_are_counted_by_it(wine_directory: Path) -> None:
    """Its state replaces the one that could not be saved: together they count each row once."""
    ring, states = MemoryRing(100), FullStates()
    one, other = [await started(wine_directory, ring=ring, states=states) for _ in range(2)]
    other.models.admit(WINE)
    await one.put(REQUESTS, calm(40))
    await evaluate(one)
    states.full = False
    await evaluate(other)
    await one.put(REQUESTS, calm(20, 2))
    await evaluate(one)

    assert [20, 40] == [fixture.value(FED, kind="request") for fixture in (one, other)]
    assert (await saved_state(one)).rows == 60


@pytest.mark.parametrize(
    "damage",
    [
        {"log_evidence": np.zeros((2, 3))},
        {"log_evidence": np.zeros((0, 0))},
        {"leader": np.array([0, 10_000])},
        {"leader": np.array([-1, 0])},
        {"recovery": np.full((2, 4), np.nan)},
        {"spans": np.zeros((1, 1, 1))},
        {"rows": -5},
    ],
    ids=lambda damage: next(iter(damage)),
)
async def test_a_state_that_no_detector_has_is_replaced(wine_directory: Path, damage: dict[str, object]) -> None:
    """Its key is that of the reference, so only its shape and its values show it; the evaluation goes on."""
    states = MemoryStates()
    before = await started(wine_directory, states=states)
    await before.put(REQUESTS, calm(40))
    await evaluate(before)
    good = await saved_state(before)
    await states.save(REQUESTS, "detector", pack(replace(good, **damage)), 1)  # type: ignore[arg-type]
    after = await started(wine_directory, ring=before.ring, states=states)
    after.models.admit(WINE)
    await evaluate(after)

    assert after.value(FAILURES) == 0
    assert after.value("driftgauge_detector_resets_total", kind="request") == 1
    assert after.value("driftgauge_window_rows") == 40
    assert (await saved_state(after)).rows == 40


async def test_an_unreadable_state_is_replaced(wine_directory: Path) -> None:
    """The replacement is counted as a reset."""
    fixture = await started(wine_directory)
    await fixture.states.save(REQUESTS, "detector", b"of a later version", 0)
    await fixture.put(REQUESTS, calm(50))
    await evaluate(fixture)

    assert fixture.value("driftgauge_detector_resets_total", kind="request") == 1
    assert (await saved_state(fixture)).rows == 50


async def test_a_state_of_an_earlier_build_is_replaced_logged_and_counted(
    wine_directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its evidence is of other sums; the detector starts again, and saves in the new form."""
    caplog.set_level("INFO")
    fixture = await started(wine_directory)
    old = b'{"key":"1/ab12/0.05","number":7,"rows":5,"time":1.5,"shape":[2,3]}\n' + bytes(80)
    await fixture.states.save(REQUESTS, "detector", old, 0)
    await fixture.put(REQUESTS, calm(50))
    await evaluate(fixture)

    assert fixture.value("driftgauge_detector_resets_total", kind="request") == 1
    assert (await saved_state(fixture)).rows == 50
    said = "starts again: it is of another reference, setting or version"
    assert [f"the evidence on the requests of {WINE} {said}"] == [one for one in caplog.messages if said in one]

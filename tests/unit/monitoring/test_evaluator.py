"""The evaluation of one stream: the detector is fed each row once, and its alarms begin and end."""

from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.budget import Budget
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.storage.memory import MemoryRing, MemoryStates
from tests.support.hourly_monitor import (
    REFERENCE_ROWS,
    REQUESTS,
    calm,
    evaluate,
    saved_state,
    started,
)
from tests.support.models import WINE
from tests.support.monitor_fixture import MonitorFixture
from tests.support.rings import BusyRing


async def test_each_row_is_fed_once(wine_directory: Path) -> None:
    """Windows overlap; an evaluation without new rows feeds nothing and saves nothing."""
    fixture = await started(wine_directory)
    for seed in range(3):
        await fixture.put(REQUESTS, calm(30, seed))
        await evaluate(fixture)
    await evaluate(fixture)
    state = await fixture.states.load(REQUESTS, "detector")

    assert fixture.value("driftgauge_detector_rows_total", kind="request") == 90
    assert fixture.value("driftgauge_detector_skipped_rows_total", kind="request") == 0
    assert (await saved_state(fixture)).number == 90
    assert state is not None
    assert state.version == 3


async def test_rows_beyond_a_window_are_counted_as_skipped(wine_directory: Path) -> None:
    """The ring has 100 rows, and 250 come between two evaluations."""
    fixture = await started(wine_directory)
    await fixture.put(REQUESTS, calm(30))
    await evaluate(fixture)
    for seed in range(5):
        await fixture.put(REQUESTS, calm(50, seed))
    await evaluate(fixture)

    assert fixture.value("driftgauge_detector_rows_total", kind="request") == 130
    assert fixture.value("driftgauge_detector_skipped_rows_total", kind="request") == 150


async def test_a_restart_neither_forgets_nor_counts_twice(wine_directory: Path) -> None:
    """The evidence is the same as in a process that continues."""
    ring, states = MemoryRing(100), MemoryStates()
    before = await started(wine_directory, ring=ring, states=states)
    await before.put(REQUESTS, calm(40) + 0.8)
    await evaluate(before)
    evidence = (await saved_state(before)).log_evidence
    after = await started(wine_directory, ring=ring, states=states)
    after.models.admit(WINE)
    after.clock.now = before.clock.now
    await evaluate(after)

    assert evidence.tolist() == (await saved_state(after)).log_evidence.tolist()
    assert after.value("driftgauge_detector_rows_total", kind="request") == 0
    assert after.value("driftgauge_detector_resets_total", kind="request") == 0


async def test_replicas_share_one_detector(wine_directory: Path) -> None:
    """Two replicas evaluate the same stream in turn: together they feed every row once."""
    ring, states = MemoryRing(100), MemoryStates()
    one, other = [await started(wine_directory, ring=ring, states=states) for _ in range(2)]
    other.models.admit(WINE)
    for seed in range(4):
        await one.put(REQUESTS, calm(25, seed))
        for fixture in (one, other) if seed % 2 else (other, one):
            await evaluate(fixture)
    fed = [fixture.value("driftgauge_detector_rows_total", kind="request") for fixture in (one, other)]

    assert [50, 50] == fed
    assert (await saved_state(one)).rows == 100
    assert one.value("driftgauge_feature_drift_statistic", feature="ph", test="sequential") == pytest.approx(
        other.value("driftgauge_feature_drift_statistic", feature="ph", test="sequential")
    )


@pytest.mark.parametrize("evaluated_before", [True, False])
async def test_a_replica_whose_window_is_behind_feeds_nothing_twice(
    wine_directory: Path,
    evaluated_before: bool,  # noqa: FBT001
) -> None:
    """While one replica reads its window, another adds rows and feeds them."""
    ring, states = BusyRing(100), MemoryStates()
    one, other = [await started(wine_directory, ring=ring, states=states) for _ in range(2)]
    other.models.admit(WINE)
    await one.put(REQUESTS, calm(30, 1))
    await evaluate(one)
    await one.put(REQUESTS, calm(30, 2))

    async def put_and_evaluate() -> None:
        """Let the other replica put rows and feed them."""
        await one.put(REQUESTS, calm(30, 3))
        await evaluate(one)

    if evaluated_before:
        await evaluate(other)
        await one.put(REQUESTS, calm(10, 4))
    ring.meanwhile.append(put_and_evaluate)
    await evaluate(other)
    await evaluate(other)
    added = 100 if evaluated_before else 90

    assert added == sum(
        fixture.value("driftgauge_detector_rows_total", kind="request") or 0 for fixture in (one, other)
    )
    assert added == (await saved_state(one)).rows


async def test_drift_alarms_and_the_alarm_ends_when_the_data_are_back(wine_directory: Path) -> None:
    """The evidence exceeds its threshold, and falls below a thousandth of it."""
    fixture = await started(wine_directory)
    verdicts = []
    for shift, evaluations in ((0.0, 5), (1.0, 5), (0.0, 40)):
        for seed in range(evaluations):
            await fixture.put(REQUESTS, calm(60, seed) + np.array([shift, 0.0]))
            await evaluate(fixture)
        verdicts.append(fixture.value("driftgauge_feature_drift", feature="alcohol", test="sequential"))

    assert [0, 1, 0] == verdicts
    assert fixture.value("driftgauge_feature_drift", feature="ph", test="sequential") == 0


async def test_a_new_reference_restarts_the_detector(wine_directory: Path) -> None:
    """The reset is counted, and the new state is of the new reference."""
    fixture = await started(wine_directory)
    await fixture.put(REQUESTS, calm(50) + 3)
    await evaluate(fixture)
    rows = np.random.default_rng(6).standard_normal((REFERENCE_ROWS, 2)) + 3
    np.savez(wine_directory / "wine.npz", data=rows, columns=np.array(["alcohol", "ph"]))
    await fixture.load_changed_reference()
    await evaluate(fixture)

    assert fixture.value("driftgauge_detector_resets_total", kind="request") == 1
    assert fixture.value("driftgauge_feature_drift", feature="alcohol", test="sequential") == 0


async def test_a_clock_that_jumps_causes_no_alarm(wine_directory: Path) -> None:
    """A clock that jumps ahead adds no more than one interval; neither causes an alarm."""
    fixture = await started(wine_directory)
    for jump in (30, -5_000, 30, 5_000_000, 30):
        await fixture.put(REQUESTS, calm(40, abs(jump)))
        await evaluate(fixture, jump)

    assert fixture.value("driftgauge_feature_drift", feature="alcohol", test="sequential") == 0


async def test_under_min_rows_nothing_is_fed(wine_directory: Path) -> None:
    """The rows wait in the ring until there are enough to estimate their dependence."""
    fixture = await started(wine_directory)
    await fixture.put(REQUESTS, calm(19))
    await evaluate(fixture)
    before = fixture.value("driftgauge_detector_rows_total", kind="request")
    await fixture.put(REQUESTS, calm(1))
    await evaluate(fixture)

    assert before == 0
    assert fixture.value("driftgauge_detector_rows_total", kind="request") == 20


async def test_a_decision_by_p_value_has_no_detector(wine_directory: Path) -> None:
    """No state is saved, and no evidence is shown."""
    fixture = MonitorFixture(wine_directory)
    await fixture.watcher.refresh()
    await fixture.put(REQUESTS, calm(50))
    await evaluate(fixture)

    assert await fixture.states.load(REQUESTS, "detector") is None
    assert fixture.value("driftgauge_feature_drift", feature="ph", test="sequential") is None
    assert fixture.value("driftgauge_feature_drift", feature="ph", test="ks") == 0


async def with_defaults(wine_directory: Path) -> MonitorFixture:
    """Make a fixture with the program's defaults, one alarm in 30 days and windows of 2,000 rows."""
    rows = np.random.default_rng(5).standard_normal((5_000, 2))
    np.savez(wine_directory / "wine.npz", data=rows, columns=np.array(["alcohol", "ph"]))
    rule = Rule(0.05, Correction.HOLM, min_rows=200, budget=Budget(30 * 86_400, 30, 0.02))
    fixture = MonitorFixture(wine_directory, rule=rule, ring=MemoryRing(2_000))
    await fixture.watcher.refresh()
    return fixture


@pytest.mark.parametrize("level", [-2.5, 1.0, 3.0])
@pytest.mark.long
async def test_a_request_of_many_rows_that_resemble_each_other_raises_no_alarm(tmp_path: Path, level: float) -> None:
    """Single rows for an hour, and six times a request of 250 rows around one level; the promise is one in 30 days."""
    fixture = await with_defaults(tmp_path)
    drifts = []
    for look in range(120):
        await fixture.put(REQUESTS, calm(60, seed=look))
        if look % 20 == 19:
            batch = level * (-1) ** (look // 20) + 0.3 * calm(250, seed=1000 + look)
            await fixture.put(REQUESTS, batch, lengths=[250])
        await evaluate(fixture)
        drifts.append(fixture.value("driftgauge_drift"))

    assert {0.0} == set(drifts[4:])


async def test_drift_after_such_requests_is_found(tmp_path: Path) -> None:
    """All rows move by a standard deviation, single ones and those of a batch: an alarm within 600 rows."""
    fixture = await with_defaults(tmp_path)
    drifts = []
    for look in range(60):
        shift = 1.0 if look >= 50 else 0.0
        await fixture.put(REQUESTS, calm(60, seed=look) + shift)
        if look % 10 == 9:
            await fixture.put(REQUESTS, 1.0 + 0.3 * calm(250, seed=1000 + look) + shift, lengths=[250])
        await evaluate(fixture)
        drifts.append(fixture.value("driftgauge_drift"))

    assert {0.0} == set(drifts[4:50])
    assert drifts[-1] == 1.0

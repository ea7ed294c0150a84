"""One stream's evaluation: the detector meets each row once, across restarts, replicas and losses."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector import DetectorState, unpack
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.inference.payload import Kind
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.ring import StreamKey
from tests.support.models import WINE
from tests.support.monitor_fixture import MonitorFixture
from tests.support.rings import AwayStates, BusyRing

REQUESTS = StreamKey(WINE, Kind.REQUEST)
HASTY = Rule(0.05, Correction.HOLM, min_rows=20, budget=Budget(3_600, 30, 0.05))
"""A false alarm an hour may be: the bar is at 4 x 3,600 seconds."""

REFERENCE_ROWS = 2_000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A reference for `WINE`: two standard normal columns."""
    rows = np.random.default_rng(5).standard_normal((REFERENCE_ROWS, 2))
    np.savez(tmp_path / "wine.npz", data=rows, columns=np.array(["alcohol", "ph"]))
    return tmp_path


def calm(rows: int, seed: int = 1) -> NDArray[np.float64]:
    """Rows like the reference's."""
    return np.random.default_rng(seed).standard_normal((rows, 2))


async def kept(monitored: MonitorFixture) -> DetectorState:
    """The state in the store."""
    state = await monitored.states.load(REQUESTS, "detector")
    assert state is not None
    unpacked = unpack(state.blob)
    assert unpacked is not None
    return unpacked


async def look(monitored: MonitorFixture, seconds: float = 30) -> None:
    """Evaluate, so many seconds later."""
    monitored.clock.now += seconds
    await monitored.monitor.evaluate_all()


async def watched(directory: Path, **shared: object) -> MonitorFixture:
    """A tower that knows its reference."""
    monitored = MonitorFixture(directory, rule=HASTY, **shared)  # type: ignore[arg-type] # the keywords are Tower's
    await monitored.monitor.refresh()
    return monitored


async def test_each_row_is_fed_once(directory: Path) -> None:
    """Windows overlap; a look without new rows feeds nothing and saves nothing."""
    monitored = await watched(directory)
    for seed in range(3):
        await monitored.put(REQUESTS, calm(30, seed))
        await look(monitored)
    await look(monitored)
    state = await monitored.states.load(REQUESTS, "detector")

    assert monitored.value("driftgauge_detector_rows_total", kind="request") == 90
    assert monitored.value("driftgauge_detector_skipped_rows_total", kind="request") == 0
    assert (await kept(monitored)).number == 90
    assert state is not None
    assert state.version == 3


async def test_rows_beyond_a_window_are_counted_as_skipped(directory: Path) -> None:
    """The ring holds 100 rows, and 250 came between two looks."""
    monitored = await watched(directory)
    await monitored.put(REQUESTS, calm(30))
    await look(monitored)
    for seed in range(5):
        await monitored.put(REQUESTS, calm(50, seed))
    await look(monitored)

    assert monitored.value("driftgauge_detector_rows_total", kind="request") == 130
    assert monitored.value("driftgauge_detector_skipped_rows_total", kind="request") == 150


async def test_a_restart_neither_forgets_nor_counts_twice(directory: Path) -> None:
    """Evidence is the same as in a process that went on."""
    ring, states = MemoryRing(100), MemoryStates()
    before = await watched(directory, ring=ring, states=states)
    await before.put(REQUESTS, calm(40) + 0.8)
    await look(before)
    evidence = (await kept(before)).log_evidence
    after = await watched(directory, ring=ring, states=states)
    after.models.admit(WINE)
    after.clock.now = before.clock.now
    await look(after)

    assert evidence.tolist() == (await kept(after)).log_evidence.tolist()
    assert after.value("driftgauge_detector_rows_total", kind="request") == 0
    assert after.value("driftgauge_detector_resets_total", kind="request") == 0


async def test_replicas_share_one_detector(directory: Path) -> None:
    """Two look at the same stream, each in turn: together they feed every row once."""
    ring, states = MemoryRing(100), MemoryStates()
    one, other = [await watched(directory, ring=ring, states=states) for _ in range(2)]
    other.models.admit(WINE)
    for seed in range(4):
        await one.put(REQUESTS, calm(25, seed))
        for monitored in (one, other) if seed % 2 else (other, one):
            await look(monitored)
    fed = [monitored.value("driftgauge_detector_rows_total", kind="request") for monitored in (one, other)]

    assert [50, 50] == fed
    assert (await kept(one)).rows == 100
    assert one.value("driftgauge_feature_drift_statistic", feature="ph", test="sequential") == pytest.approx(
        other.value("driftgauge_feature_drift_statistic", feature="ph", test="sequential")
    )


@pytest.mark.parametrize("looked_before", [True, False])
async def test_a_replica_whose_window_is_behind_feeds_nothing_twice(directory: Path, looked_before: bool) -> None:  # noqa: FBT001
    """While its window is on the way rows are added, and another replica, fresh or not to it, feeds them."""
    ring, states = BusyRing(100), MemoryStates()
    one, other = [await watched(directory, ring=ring, states=states) for _ in range(2)]
    other.models.admit(WINE)
    await one.put(REQUESTS, calm(30, 1))
    await look(one)
    await one.put(REQUESTS, calm(30, 2))

    async def another_is_faster() -> None:
        """Put rows and feed them."""
        await one.put(REQUESTS, calm(30, 3))
        await look(one)

    if looked_before:
        await look(other)
        await one.put(REQUESTS, calm(10, 4))
    ring.meanwhile.append(another_is_faster)
    await look(other)
    await look(other)
    added = 100 if looked_before else 90

    assert added == sum(
        monitored.value("driftgauge_detector_rows_total", kind="request") or 0 for monitored in (one, other)
    )
    assert added == (await kept(one)).rows


async def test_drift_alarms_and_the_alarm_ends_when_the_data_are_back(directory: Path) -> None:
    """The evidence passes its bar, and falls below a thousandth of it."""
    monitored = await watched(directory)
    verdicts = []
    for shift, looks in ((0.0, 5), (1.0, 5), (0.0, 40)):
        for seed in range(looks):
            await monitored.put(REQUESTS, calm(60, seed) + np.array([shift, 0.0]))
            await look(monitored)
        verdicts.append(monitored.value("driftgauge_feature_drift", feature="alcohol", test="sequential"))

    assert [0, 1, 0] == verdicts
    assert monitored.value("driftgauge_feature_drift", feature="ph", test="sequential") == 0


async def test_a_new_reference_starts_the_detector_anew(directory: Path) -> None:
    """It is counted, and the new state is of the new reference."""
    monitored = await watched(directory)
    await monitored.put(REQUESTS, calm(50) + 3)
    await look(monitored)
    rows = np.random.default_rng(6).standard_normal((REFERENCE_ROWS, 2)) + 3
    np.savez(directory / "wine.npz", data=rows, columns=np.array(["alcohol", "ph"]))
    await monitored.monitor.refresh()
    await look(monitored)

    assert monitored.value("driftgauge_detector_resets_total", kind="request") == 1
    assert monitored.value("driftgauge_feature_drift", feature="alcohol", test="sequential") == 0


async def test_a_store_that_was_emptied_leaves_the_evidence_that_is_held(directory: Path) -> None:
    """Rows are numbered from 1 again; nothing is fed twice, and the state is saved anew."""
    monitored = await watched(directory)
    await monitored.put(REQUESTS, calm(90))
    await look(monitored)
    await monitored.states.delete(REQUESTS, "detector")
    assert isinstance(monitored.ring, MemoryRing)
    await monitored.ring.close()
    await monitored.put(REQUESTS, calm(40, 2))
    await look(monitored)
    lowered = (await kept(monitored)).number
    await monitored.put(REQUESTS, calm(10, 3))
    await look(monitored)

    assert lowered == 40
    assert (await kept(monitored)).rows == 100


async def test_a_clock_that_jumps_back_adds_no_time(directory: Path) -> None:
    """And one that jumps ahead adds no more than one interval: no alarm comes of either."""
    monitored = await watched(directory)
    for jump in (30, -5_000, 30, 5_000_000, 30):
        await monitored.put(REQUESTS, calm(40, abs(jump)))
        await look(monitored, jump)

    assert monitored.value("driftgauge_feature_drift", feature="alcohol", test="sequential") == 0


async def test_states_that_are_away_are_a_counted_failure(directory: Path) -> None:
    """The rows are not lost: they are fed when the store is back."""
    states = AwayStates()
    monitored = await watched(directory, states=states)
    await monitored.put(REQUESTS, calm(50))
    await look(monitored)
    states.away = False
    await look(monitored)

    assert monitored.value("driftgauge_evaluation_failures_total") == 1 + 1  # of requests and of responses
    assert monitored.value("driftgauge_detector_rows_total", kind="request") == 50


async def test_a_state_of_another_form_is_worth_nothing(directory: Path) -> None:
    """It is replaced, and counted as a reset."""
    monitored = await watched(directory)
    await monitored.states.save(REQUESTS, "detector", b"of tomorrow", 0)
    await monitored.put(REQUESTS, calm(50))
    await look(monitored)

    assert monitored.value("driftgauge_detector_resets_total", kind="request") == 1
    assert (await kept(monitored)).rows == 50


async def test_under_min_rows_nothing_is_fed(directory: Path) -> None:
    """The rows wait in the ring until there are enough to tell how they depend on each other."""
    monitored = await watched(directory)
    await monitored.put(REQUESTS, calm(19))
    await look(monitored)
    before = monitored.value("driftgauge_detector_rows_total", kind="request")
    await monitored.put(REQUESTS, calm(1))
    await look(monitored)

    assert before == 0
    assert monitored.value("driftgauge_detector_rows_total", kind="request") == 20


async def test_a_decision_by_p_value_has_no_detector(directory: Path) -> None:
    """Nothing is kept, and no evidence is shown."""
    monitored = MonitorFixture(directory)
    await monitored.monitor.refresh()
    await monitored.put(REQUESTS, calm(50))
    await look(monitored)

    assert await monitored.states.load(REQUESTS, "detector") is None
    assert monitored.value("driftgauge_feature_drift", feature="ph", test="sequential") is None
    assert monitored.value("driftgauge_feature_drift", feature="ph", test="ks") == 0

"""The evaluation of one stream: the detector is fed each row once, across restarts, replicas and losses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector_state import DetectorState, pack
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.inference.payload import Kind
from driftgauge.monitoring.detector_record import read_state
from driftgauge.storage.leases import MemoryLeases
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.ring import StreamKey
from tests.support.models import WINE
from tests.support.monitor_fixture import MonitorFixture
from tests.support.rings import AwayStates, BusyRing, FullStates, SlowStates

REQUESTS = StreamKey(WINE, Kind.REQUEST)
HOURLY = Rule(0.05, Correction.HOLM, min_rows=20, budget=Budget(3_600, 30, 0.05))
"""One false alarm an hour is allowed: the threshold of the evidence is 4 x 3,600 seconds."""

REFERENCE_ROWS = 2_000

FED = "driftgauge_detector_rows_total"
FAILURES = "driftgauge_evaluation_failures_total"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A reference for `WINE`: two standard normal columns."""
    rows = np.random.default_rng(5).standard_normal((REFERENCE_ROWS, 2))
    np.savez(tmp_path / "wine.npz", data=rows, columns=np.array(["alcohol", "ph"]))
    return tmp_path


def calm(rows: int, seed: int = 1) -> NDArray[np.float64]:
    """Rows with the distribution of the reference."""
    return np.random.default_rng(seed).standard_normal((rows, 2))


async def saved_state(fixture: MonitorFixture) -> DetectorState:
    """Load the detector's state from the store."""
    state = await fixture.states.load(REQUESTS, "detector")
    assert state is not None
    unpacked = read_state(state.blob)
    assert unpacked is not None
    return unpacked


async def evaluate(fixture: MonitorFixture, seconds: float = 30) -> None:
    """Evaluate all streams some seconds later."""
    fixture.clock.now += seconds
    await fixture.monitor.evaluate_all()


async def started(directory: Path, **shared: object) -> MonitorFixture:
    """Make a fixture that has loaded its reference."""
    fixture = MonitorFixture(directory, rule=HOURLY, **shared)  # type: ignore[arg-type] # the keywords of MonitorFixture
    await fixture.watcher.refresh()
    return fixture


async def test_each_row_is_fed_once(directory: Path) -> None:
    """Windows overlap; an evaluation without new rows feeds nothing and saves nothing."""
    fixture = await started(directory)
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


async def test_rows_beyond_a_window_are_counted_as_skipped(directory: Path) -> None:
    """The ring has 100 rows, and 250 come between two evaluations."""
    fixture = await started(directory)
    await fixture.put(REQUESTS, calm(30))
    await evaluate(fixture)
    for seed in range(5):
        await fixture.put(REQUESTS, calm(50, seed))
    await evaluate(fixture)

    assert fixture.value("driftgauge_detector_rows_total", kind="request") == 130
    assert fixture.value("driftgauge_detector_skipped_rows_total", kind="request") == 150


async def test_a_restart_neither_forgets_nor_counts_twice(directory: Path) -> None:
    """The evidence is the same as in a process that continues."""
    ring, states = MemoryRing(100), MemoryStates()
    before = await started(directory, ring=ring, states=states)
    await before.put(REQUESTS, calm(40) + 0.8)
    await evaluate(before)
    evidence = (await saved_state(before)).log_evidence
    after = await started(directory, ring=ring, states=states)
    after.models.admit(WINE)
    after.clock.now = before.clock.now
    await evaluate(after)

    assert evidence.tolist() == (await saved_state(after)).log_evidence.tolist()
    assert after.value("driftgauge_detector_rows_total", kind="request") == 0
    assert after.value("driftgauge_detector_resets_total", kind="request") == 0


async def test_replicas_share_one_detector(directory: Path) -> None:
    """Two replicas evaluate the same stream in turn: together they feed every row once."""
    ring, states = MemoryRing(100), MemoryStates()
    one, other = [await started(directory, ring=ring, states=states) for _ in range(2)]
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
async def test_a_replica_whose_window_is_behind_feeds_nothing_twice(directory: Path, evaluated_before: bool) -> None:  # noqa: FBT001
    """While one replica reads its window, another adds rows and feeds them."""
    ring, states = BusyRing(100), MemoryStates()
    one, other = [await started(directory, ring=ring, states=states) for _ in range(2)]
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


async def test_drift_alarms_and_the_alarm_ends_when_the_data_are_back(directory: Path) -> None:
    """The evidence exceeds its threshold, and falls below a thousandth of it."""
    fixture = await started(directory)
    verdicts = []
    for shift, evaluations in ((0.0, 5), (1.0, 5), (0.0, 40)):
        for seed in range(evaluations):
            await fixture.put(REQUESTS, calm(60, seed) + np.array([shift, 0.0]))
            await evaluate(fixture)
        verdicts.append(fixture.value("driftgauge_feature_drift", feature="alcohol", test="sequential"))

    assert [0, 1, 0] == verdicts
    assert fixture.value("driftgauge_feature_drift", feature="ph", test="sequential") == 0


async def test_a_new_reference_restarts_the_detector(directory: Path) -> None:
    """The reset is counted, and the new state is of the new reference."""
    fixture = await started(directory)
    await fixture.put(REQUESTS, calm(50) + 3)
    await evaluate(fixture)
    rows = np.random.default_rng(6).standard_normal((REFERENCE_ROWS, 2)) + 3
    np.savez(directory / "wine.npz", data=rows, columns=np.array(["alcohol", "ph"]))
    await fixture.load_changed_reference()
    await evaluate(fixture)

    assert fixture.value("driftgauge_detector_resets_total", kind="request") == 1
    assert fixture.value("driftgauge_feature_drift", feature="alcohol", test="sequential") == 0


async def test_evidence_in_memory_survives_an_emptied_store(directory: Path) -> None:
    """The rows of the emptied store are fed, each once, and the state is saved again."""
    fixture = await started(directory)
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


async def test_a_clock_that_jumps_causes_no_alarm(directory: Path) -> None:
    """A clock that jumps ahead adds no more than one interval; neither causes an alarm."""
    fixture = await started(directory)
    for jump in (30, -5_000, 30, 5_000_000, 30):
        await fixture.put(REQUESTS, calm(40, abs(jump)))
        await evaluate(fixture, jump)

    assert fixture.value("driftgauge_feature_drift", feature="alcohol", test="sequential") == 0


async def test_an_unreachable_state_store_is_a_counted_failure(directory: Path) -> None:
    """The rows are not lost: they are fed once the store is back."""
    states = AwayStates()
    fixture = await started(directory, states=states)
    await fixture.put(REQUESTS, calm(50))
    await evaluate(fixture)
    states.away = False
    await evaluate(fixture)

    assert fixture.value("driftgauge_evaluation_failures_total") == 1 + 1  # of requests and of responses
    assert fixture.value("driftgauge_detector_rows_total", kind="request") == 50


async def test_a_verdict_whose_state_cannot_be_saved_is_published(directory: Path) -> None:
    """It is marked, no failure of the evaluation is counted, and its rows are counted when the state is saved."""
    states = FullStates()
    fixture = await started(directory, states=states)
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
async def test_rows_of_looks_whose_state_was_not_saved_are_fed_once(directory: Path, looks: int) -> None:
    """The detector continues in memory, also with rows that have left the window since."""
    states = FullStates()
    fixture = await started(directory, states=states)
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
async def test_a_save_that_was_executed_without_a_reply_is_counted_once(directory: Path, looks: int) -> None:
    """The next save is refused; the store then has a state of ours, and the evaluation builds on it."""
    states = SlowStates()
    fixture = await started(directory, states=states)
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
async def test_such_a_save_is_counted_in_the_next_term_too(directory: Path, looks: int) -> None:
    """A store that was away for long enough has also lost the lease."""
    states, leases = SlowStates(), MemoryLeases()
    fixture = await started(directory, states=states, leases=leases)
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
async def test_such_a_save_is_counted_after_a_new_reference_too(directory: Path, lost: bool) -> None:  # noqa: FBT001
    """Also if the store lost it since: then it was not executed, and its rows are counted with the next save."""
    states = SlowStates()
    fixture = await started(directory, states=states)
    await fixture.put(REQUESTS, calm(30, 1))
    await evaluate(fixture)
    states.slow = False
    if lost:
        states.retain(())
    np.savez(directory / "wine.npz", data=calm(REFERENCE_ROWS, 6), columns=np.array(["alcohol", "ph"]))
    await fixture.load_changed_reference()
    await fixture.put(REQUESTS, calm(20, 9))
    await evaluate(fixture)

    assert fixture.value(FED, kind="request") == 50
    assert (await saved_state(fixture)).rows == 50


async def test_rows_that_are_counted_stay_counted_after_a_new_reference(directory: Path) -> None:
    """The store has lost the state that says so."""
    fixture = await started(directory)
    await fixture.put(REQUESTS, calm(30, 1))
    await evaluate(fixture)
    fixture.states.retain(())
    np.savez(directory / "wine.npz", data=calm(REFERENCE_ROWS, 6), columns=np.array(["alcohol", "ph"]))
    await fixture.load_changed_reference()
    await fixture.put(REQUESTS, calm(20, 9))
    await evaluate(fixture)

    assert fixture.value(FED, kind="request") == 50
    assert (await saved_state(fixture)).rows == 50


async def test_rows_in_memory_that_another_replica_feeds_meanwhile_are_counted_by_it(directory: Path) -> None:
    """Its state replaces the one that could not be saved: together they count each row once."""
    ring, states = MemoryRing(100), FullStates()
    one, other = [await started(directory, ring=ring, states=states) for _ in range(2)]
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
async def test_a_state_that_no_detector_has_is_replaced(directory: Path, damage: dict[str, object]) -> None:
    """Its key is that of the reference, so only its shape and its values show it; the evaluation goes on."""
    states = MemoryStates()
    before = await started(directory, states=states)
    await before.put(REQUESTS, calm(40))
    await evaluate(before)
    good = await saved_state(before)
    await states.save(REQUESTS, "detector", pack(replace(good, **damage)), 1)  # type: ignore[arg-type]
    after = await started(directory, ring=before.ring, states=states)
    after.models.admit(WINE)
    await evaluate(after)

    assert after.value(FAILURES) == 0
    assert after.value("driftgauge_detector_resets_total", kind="request") == 1
    assert after.value("driftgauge_window_rows") == 40
    assert (await saved_state(after)).rows == 40


async def test_an_unreadable_state_is_replaced(directory: Path) -> None:
    """The replacement is counted as a reset."""
    fixture = await started(directory)
    await fixture.states.save(REQUESTS, "detector", b"of a later version", 0)
    await fixture.put(REQUESTS, calm(50))
    await evaluate(fixture)

    assert fixture.value("driftgauge_detector_resets_total", kind="request") == 1
    assert (await saved_state(fixture)).rows == 50


async def test_under_min_rows_nothing_is_fed(directory: Path) -> None:
    """The rows wait in the ring until there are enough to estimate their dependence."""
    fixture = await started(directory)
    await fixture.put(REQUESTS, calm(19))
    await evaluate(fixture)
    before = fixture.value("driftgauge_detector_rows_total", kind="request")
    await fixture.put(REQUESTS, calm(1))
    await evaluate(fixture)

    assert before == 0
    assert fixture.value("driftgauge_detector_rows_total", kind="request") == 20


async def test_a_decision_by_p_value_has_no_detector(directory: Path) -> None:
    """No state is saved, and no evidence is shown."""
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()
    await fixture.put(REQUESTS, calm(50))
    await evaluate(fixture)

    assert await fixture.states.load(REQUESTS, "detector") is None
    assert fixture.value("driftgauge_feature_drift", feature="ph", test="sequential") is None
    assert fixture.value("driftgauge_feature_drift", feature="ph", test="ks") == 0


async def with_defaults(directory: Path) -> MonitorFixture:
    """Make a fixture with the program's defaults, one alarm in 30 days and windows of 2,000 rows."""
    rows = np.random.default_rng(5).standard_normal((5_000, 2))
    np.savez(directory / "wine.npz", data=rows, columns=np.array(["alcohol", "ph"]))
    rule = Rule(0.05, Correction.HOLM, min_rows=200, budget=Budget(30 * 86_400, 30, 0.02))
    fixture = MonitorFixture(directory, rule=rule, ring=MemoryRing(2_000))
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


async def test_a_state_of_an_earlier_build_is_replaced_logged_and_counted(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its evidence is of other sums; the detector starts again, and saves in the new form."""
    caplog.set_level("INFO")
    fixture = await started(directory)
    old = b'{"key":"1/ab12/0.05","number":7,"rows":5,"time":1.5,"shape":[2,3]}\n' + bytes(80)
    await fixture.states.save(REQUESTS, "detector", old, 0)
    await fixture.put(REQUESTS, calm(50))
    await evaluate(fixture)

    assert fixture.value("driftgauge_detector_resets_total", kind="request") == 1
    assert (await saved_state(fixture)).rows == 50
    said = "starts again: it is of another reference, setting or version"
    assert [f"the evidence on the requests of {WINE} {said}"] == [one for one in caplog.messages if said in one]

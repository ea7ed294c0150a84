"""What a stream is tested against: the reference's inputs, its predictions, or a baseline of the first responses."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.inference.payload import Kind
from driftgauge.monitoring.baseline_rows import Baseline, pack, unpack
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.ring import StreamKey
from tests.support.models import WINE
from tests.support.monitor_fixture import BASELINE_ROWS, MonitorFixture
from tests.support.rings import FullStates

RESPONSES = StreamKey(WINE, Kind.RESPONSE)
STEPS = 0.1 * np.arange(BASELINE_ROWS)


def write(directory: Path, header: str, rows: int = 50) -> None:
    """Write a reference of `WINE`, whose columns all rise in steps of 0.1."""
    width = header.count(",") + 1
    lines = [",".join([f"{number / 10}"] * width) for number in range(rows)]
    (directory / "wine.csv").write_text("\n".join([header, *lines]) + "\n")


async def test_predictions_of_a_reference_are_tested_against_it(tmp_path: Path) -> None:
    """Columns named `prediction:...` are the reference of the predictions."""
    write(tmp_path, "alcohol,ph,prediction:quality")
    fixture = MonitorFixture(tmp_path)
    await fixture.watcher.refresh()
    await fixture.response(STEPS)
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_prediction_reference_rows") == 50
    assert fixture.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == pytest.approx(0.2)


async def test_without_predictions_the_first_responses_are_the_baseline(tmp_path: Path) -> None:
    """Later responses are tested against it, even without any reference, and its source is `baseline`."""
    fixture = MonitorFixture(tmp_path)
    await fixture.response(STEPS)
    await fixture.monitor.evaluate_all()
    first = fixture.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks")
    await fixture.response(STEPS + 100)
    await fixture.response(STEPS + 100)
    await fixture.monitor.evaluate_all()
    info = [
        sample.labels["source"]
        for family in fixture.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "driftgauge_prediction_reference_info"
    ]

    assert first == 0
    assert fixture.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == pytest.approx(0.8)
    assert ["baseline"] == info
    assert fixture.value("driftgauge_prediction_reference_rows") == BASELINE_ROWS


async def test_too_few_responses_make_no_baseline(tmp_path: Path) -> None:
    """One row is missing."""
    fixture = MonitorFixture(tmp_path)
    await fixture.response(STEPS[1:])
    await fixture.monitor.evaluate_all()

    assert await fixture.states.load(RESPONSES, "baseline") is None
    assert fixture.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") is None


async def test_replicas_take_one_baseline(tmp_path: Path) -> None:
    """The second replica uses the baseline that the first has saved."""
    one = MonitorFixture(tmp_path)
    other = MonitorFixture(tmp_path, one.ring, one.states)
    await one.response(STEPS)
    await one.monitor.evaluate_all()
    await other.response(STEPS + 100)
    await other.monitor.evaluate_all()

    assert other.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == pytest.approx(0.5)


async def with_new_reference(directory: Path) -> MonitorFixture:
    """Make a fixture with a baseline whose reference was just replaced, while the ring was full of other responses."""
    write(directory, "alcohol,ph")
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()
    await fixture.response(STEPS)
    await fixture.monitor.evaluate_all()
    for _ in range(3):
        await fixture.response(STEPS + 100)
    write(directory, "alcohol,ph", rows=60)
    await fixture.load_changed_reference()
    await fixture.monitor.evaluate_all()
    return fixture


async def test_a_new_reference_takes_a_new_baseline_of_the_responses_that_follow(tmp_path: Path) -> None:
    """A new reference means a new model, so responses of the old one are left out."""
    fixture = await with_new_reference(tmp_path)
    await fixture.response(STEPS[1:] + 200)
    await fixture.monitor.evaluate_all()
    waiting = fixture.value("driftgauge_prediction_reference_rows")
    for _ in range(3):
        await fixture.response(STEPS + 200)
        await fixture.monitor.evaluate_all()

    assert waiting == 0
    assert fixture.value("driftgauge_prediction_reference_rows") == BASELINE_ROWS
    assert fixture.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == pytest.approx(0.1)


async def test_a_restart_does_not_put_old_responses_into_the_new_baseline(tmp_path: Path) -> None:
    """The old baseline stays in the store until the new one is taken, so the change of reference is known."""
    before = await with_new_reference(tmp_path)
    fixture = MonitorFixture(tmp_path, before.ring, before.states)
    await fixture.watcher.refresh()
    await fixture.response(STEPS[1:] + 200)
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_prediction_reference_rows") == 0


async def test_a_lost_old_baseline_does_not_make_the_new_one_earlier(tmp_path: Path) -> None:
    """The process also knows the old baseline's reference."""
    write(tmp_path, "alcohol,ph")
    fixture = MonitorFixture(tmp_path)
    await fixture.watcher.refresh()
    await fixture.response(STEPS)
    await fixture.monitor.evaluate_all()
    await fixture.states.delete(RESPONSES, "baseline")
    write(tmp_path, "alcohol,ph", rows=60)
    await fixture.load_changed_reference()
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_prediction_reference_rows") == 0


async def test_an_emptied_store_does_not_delay_a_new_baseline(tmp_path: Path) -> None:
    """Its rows are numbered from 1 again."""
    fixture = await with_new_reference(tmp_path)
    assert isinstance(fixture.ring, MemoryRing)
    await fixture.ring.close()
    await fixture.response(STEPS + 200)
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_prediction_reference_rows") == BASELINE_ROWS


async def test_a_reference_that_is_not_loaded_yet_leaves_the_baseline(tmp_path: Path) -> None:
    """This happens after a restart, on a slow volume."""
    write(tmp_path, "alcohol,ph")
    before = MonitorFixture(tmp_path)
    await before.watcher.refresh()
    await before.response(STEPS)
    await before.monitor.evaluate_all()
    fixture = MonitorFixture(tmp_path, before.ring, before.states)
    for _ in range(3):
        await fixture.response(STEPS + 100)
    await fixture.monitor.evaluate_all()
    await fixture.watcher.refresh()
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == 1


async def test_replicas_take_one_new_baseline_after_a_new_reference(tmp_path: Path) -> None:
    """The replica that loads the reference second uses the baseline that the first one took."""
    write(tmp_path, "alcohol,ph")
    one = MonitorFixture(tmp_path)
    other = MonitorFixture(tmp_path, one.ring, one.states)
    for fixture in (one, other):
        await fixture.watcher.refresh()
        await fixture.response(STEPS)
        await fixture.monitor.evaluate_all()
    write(tmp_path, "alcohol,ph", rows=60)
    await one.load_changed_reference()
    await one.monitor.evaluate_all()
    await one.response(STEPS)
    for fixture in (one, other, one):
        fixture.clock.now += 1
        await fixture.load_changed_reference()
        await fixture.monitor.evaluate_all()
    state = await one.states.load(RESPONSES, "baseline")

    assert state is not None
    assert state.version == 2
    assert unpack(state.blob).taken_at == 1_001  # type: ignore[union-attr] # this version packed it


async def test_other_columns_take_a_new_baseline_once_the_old_rows_are_gone(tmp_path: Path) -> None:
    """While the window has rows of both forms, the first baseline stays."""
    fixture = MonitorFixture(tmp_path)
    await fixture.response(STEPS)
    await fixture.monitor.evaluate_all()
    both = np.column_stack([STEPS, STEPS])
    await fixture.response(both, ("quality", "price"))
    await fixture.monitor.evaluate_all()
    before = fixture.value("driftgauge_prediction_drift_statistic", prediction="price", test="ks")
    for _ in range(3):
        await fixture.response(both, ("quality", "price"))
    await fixture.monitor.evaluate_all()

    assert before is None
    assert fixture.value("driftgauge_prediction_drift_statistic", prediction="price", test="ks") == pytest.approx(0.1)


async def test_a_baseline_that_expired_in_the_store_is_saved_again(tmp_path: Path) -> None:
    """The store is checked once a minute."""
    fixture = MonitorFixture(tmp_path)
    await fixture.response(STEPS)
    await fixture.monitor.evaluate_all()
    await fixture.states.delete(RESPONSES, "baseline")
    fixture.clock.now += 61
    await fixture.monitor.evaluate_all()

    assert await fixture.states.load(RESPONSES, "baseline") is not None


async def test_replicas_agree_on_a_baseline_again_after_the_store_was_emptied(tmp_path: Path) -> None:
    """One replica restarts and takes a new baseline; a minute later the other one tests against it too."""
    one = MonitorFixture(tmp_path)
    await one.response(STEPS)
    await one.monitor.evaluate_all()
    await one.states.delete(RESPONSES, "baseline")
    assert isinstance(one.ring, MemoryRing)
    await one.ring.close()
    restarted = MonitorFixture(tmp_path, one.ring, one.states)
    restarted.clock.now += 30
    await restarted.response(STEPS + 100)
    await restarted.monitor.evaluate_all()
    one.clock.now += 61
    await one.monitor.evaluate_all()

    assert one.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == 0


async def test_an_unreadable_baseline_is_replaced(tmp_path: Path) -> None:
    """It is deleted, because it would block the new one."""
    fixture = MonitorFixture(tmp_path)
    await fixture.states.save(RESPONSES, "baseline", b"of a later version", 0)
    await fixture.response(STEPS)
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_prediction_reference_rows") == BASELINE_ROWS


@pytest.mark.parametrize(
    "damage",
    [
        {"rows": np.empty((0, 1))},
        {"rows": np.full((BASELINE_ROWS, 1), np.inf)},
        {"taken_at": 1e300},
        {"taken_at": float("nan")},
        {"columns": ("quality", "quality"), "kinds": (FeatureKind.NUMERIC,) * 2},
        {"categories": {float("inf"): "red"}},
        {"responses": np.array([0, 1])},
        {"responses": np.zeros((BASELINE_ROWS, 1), dtype=np.int64)},
    ],
    ids=repr,
)
async def test_a_baseline_that_no_process_takes_is_replaced(tmp_path: Path, damage: dict[str, object]) -> None:
    """It can be unpacked, but no test could use it, or no gauge show it; a new one is taken at once."""
    fixture = MonitorFixture(tmp_path)
    await fixture.response(STEPS)
    good = Baseline("", ("quality",), (FeatureKind.NUMERIC,), STEPS.reshape(-1, 1).astype(np.float64), {}, 1_000.0)
    await fixture.states.save(RESPONSES, "baseline", pack(replace(good, **damage)), 0)  # type: ignore[arg-type]
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_evaluation_failures_total") == 0
    assert fixture.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == 0


async def test_a_baseline_that_cannot_be_saved_is_used_and_saved_later(tmp_path: Path) -> None:
    """The verdict on the predictions is published and marked; a minute later the store can save it."""
    states = FullStates()
    fixture = MonitorFixture(tmp_path, states=states)
    await fixture.response(STEPS)
    await fixture.monitor.evaluate_all()
    unsaved = fixture.value("driftgauge_state_unsaved"), fixture.value("driftgauge_prediction_reference_rows")
    states.full = False
    fixture.clock.now += 60
    await fixture.monitor.evaluate_all()

    assert (1, BASELINE_ROWS) == unsaved
    assert fixture.value("driftgauge_state_unsaved") == 0
    assert await states.load(RESPONSES, "baseline") is not None


@pytest.mark.parametrize("responses", [None, np.array([3, 1])])
def test_a_baseline_survives_packing(responses: NDArray[np.int64] | None) -> None:
    """Columns, kinds, rows, categories and responses are the same after unpacking."""
    kinds = (FeatureKind.NUMERIC, FeatureKind.CATEGORICAL)
    rows = np.array([[0.5, 7.0], [np.nan, 8.0]])
    before = Baseline("abc", ("score", "label"), kinds, rows, {7.0: "yes"}, 5.0, responses)
    after = unpack(pack(before))

    assert after is not None
    assert (before.reference, before.columns, before.kinds) == (after.reference, after.columns, after.kinds)
    assert (before.categories, before.taken_at) == (after.categories, after.taken_at)
    np.testing.assert_array_equal(before.rows, after.rows)
    assert (None if after.responses is None else after.responses.tolist()) == (None if responses is None else [3, 1])


def test_text_whose_values_are_unique_is_ignored() -> None:
    """Generated text has no distribution of categories."""
    kinds = (FeatureKind.CATEGORICAL, FeatureKind.CATEGORICAL)
    rows = np.column_stack([np.arange(40.0), np.arange(40.0) % 3])
    profiles = Baseline("", ("prose", "label"), kinds, rows, {}, 0.0).profiles()

    assert [FeatureKind.IGNORED, FeatureKind.CATEGORICAL] == [profile.kind for profile in profiles]


async def test_a_reference_that_is_too_small_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One warning and a gauge give the number of rows that would do."""
    write(tmp_path, "alcohol,ph", rows=20)
    fixture = MonitorFixture(tmp_path, rule=Rule(0.05, Correction.HOLM, 20, Budget(2_592_000, 30, 0.05)))
    caplog.set_level(logging.WARNING)
    await fixture.watcher.refresh()
    fixture.models.admit(WINE)
    await fixture.watcher.refresh()
    await fixture.watcher.refresh()
    needed = fixture.value("driftgauge_reference_rows_needed")
    warnings = [record.message for record in caplog.records if "false-alarm budget" in record.message]

    assert needed is not None
    assert 20 < needed < 100
    assert 1 == len(warnings)
    assert f"{needed:.0f} rows would do" in warnings[0]


def test_a_baseline_with_more_columns_than_kinds_is_damaged() -> None:
    """A stored baseline that has no kind for one of its columns counts as damaged."""
    head = b'{"reference":"","columns":["a","b"],"kinds":["numeric"],"categories":[],"taken_at":1.0}\n'

    assert unpack(head + bytes(16)) is None
    assert unpack(head.replace(b'["numeric"]', b'["numeric","numeric"]') + bytes(16)) is not None

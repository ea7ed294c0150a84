"""What each stream is tested against: the reference, its predictions, or a baseline of the first responses."""

import logging
from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.inference.payload import Kind
from driftgauge.monitoring.baseline import Baseline, pack, unpack
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.ring import StreamKey
from tests.support.models import WINE
from tests.support.monitor_fixture import BASELINE_ROWS, MonitorFixture

RESPONSES = StreamKey(WINE, Kind.RESPONSE)
STEPS = 0.1 * np.arange(BASELINE_ROWS)


def write(directory: Path, header: str, rows: int = 50) -> None:
    """A reference of `WINE` in which every column counts."""
    width = header.count(",") + 1
    lines = [",".join([f"{number / 10}"] * width) for number in range(rows)]
    (directory / "wine.csv").write_text("\n".join([header, *lines]) + "\n")


async def test_predictions_of_a_reference_are_tested_against_it(tmp_path: Path) -> None:
    """Columns called `prediction:` describe the outputs."""
    write(tmp_path, "alcohol,ph,prediction:quality")
    monitored = MonitorFixture(tmp_path)
    await monitored.monitor.refresh()
    await monitored.response(STEPS)
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_prediction_reference_rows") == 50
    assert monitored.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == pytest.approx(
        0.2
    )


async def test_without_predictions_the_first_responses_are_the_baseline(tmp_path: Path) -> None:
    """Later ones are tested against it, with no reference at all; it says what it is."""
    monitored = MonitorFixture(tmp_path)
    await monitored.response(STEPS)
    await monitored.monitor.evaluate_all()
    first = monitored.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks")
    await monitored.response(STEPS + 100)
    await monitored.response(STEPS + 100)
    await monitored.monitor.evaluate_all()
    info = [
        sample.labels["source"]
        for family in monitored.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "driftgauge_prediction_reference_info"
    ]

    assert first == 0
    assert monitored.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == pytest.approx(
        0.8
    )
    assert ["baseline"] == info
    assert monitored.value("driftgauge_prediction_reference_rows") == BASELINE_ROWS


async def test_too_few_responses_make_no_baseline(tmp_path: Path) -> None:
    """One row is lacking."""
    monitored = MonitorFixture(tmp_path)
    await monitored.response(STEPS[1:])
    await monitored.monitor.evaluate_all()

    assert await monitored.states.load(RESPONSES, "baseline") is None
    assert monitored.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") is None


async def test_replicas_take_one_baseline(tmp_path: Path) -> None:
    """Who comes second takes over what the first has kept."""
    one = MonitorFixture(tmp_path)
    other = MonitorFixture(tmp_path, one.ring, one.states)
    await one.response(STEPS)
    await one.monitor.evaluate_all()
    await other.response(STEPS + 100)
    await other.monitor.evaluate_all()

    assert other.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == pytest.approx(0.5)


async def swapped(directory: Path) -> MonitorFixture:
    """A tower with a baseline, whose reference has just been replaced while its ring was full of other responses."""
    write(directory, "alcohol,ph")
    monitored = MonitorFixture(directory)
    await monitored.monitor.refresh()
    await monitored.response(STEPS)
    await monitored.monitor.evaluate_all()
    for _ in range(3):
        await monitored.response(STEPS + 100)
    write(directory, "alcohol,ph", rows=60)
    await monitored.monitor.refresh()
    await monitored.monitor.evaluate_all()
    return monitored


async def test_a_new_reference_takes_a_new_baseline_of_the_responses_that_follow(tmp_path: Path) -> None:
    """It stands for a new model: what the one before answered says nothing of it."""
    monitored = await swapped(tmp_path)
    await monitored.response(STEPS[1:] + 200)
    await monitored.monitor.evaluate_all()
    waiting = monitored.value("driftgauge_prediction_reference_rows")
    for _ in range(3):
        await monitored.response(STEPS + 200)
        await monitored.monitor.evaluate_all()

    assert waiting == 0
    assert monitored.value("driftgauge_prediction_reference_rows") == BASELINE_ROWS
    assert monitored.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == pytest.approx(
        0.1
    )


async def test_a_restart_does_not_put_responses_of_before_into_the_new_baseline(tmp_path: Path) -> None:
    """The old baseline stays in the store until the new one is taken, and tells that the reference was another."""
    before = await swapped(tmp_path)
    monitored = MonitorFixture(tmp_path, before.ring, before.states)
    await monitored.monitor.refresh()
    await monitored.response(STEPS[1:] + 200)
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_prediction_reference_rows") == 0


async def test_a_store_that_has_lost_the_old_baseline_does_not_hasten_the_new_one(tmp_path: Path) -> None:
    """What the process knew tells as well that the reference was another."""
    write(tmp_path, "alcohol,ph")
    monitored = MonitorFixture(tmp_path)
    await monitored.monitor.refresh()
    await monitored.response(STEPS)
    await monitored.monitor.evaluate_all()
    await monitored.states.delete(RESPONSES, "baseline")
    write(tmp_path, "alcohol,ph", rows=60)
    await monitored.monitor.refresh()
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_prediction_reference_rows") == 0


async def test_a_store_that_was_emptied_does_not_keep_a_new_baseline_waiting(tmp_path: Path) -> None:
    """Its rows are numbered from 1 again."""
    monitored = await swapped(tmp_path)
    assert isinstance(monitored.ring, MemoryRing)
    await monitored.ring.close()
    await monitored.response(STEPS + 200)
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_prediction_reference_rows") == BASELINE_ROWS


async def test_a_reference_that_is_not_read_yet_leaves_the_baseline(tmp_path: Path) -> None:
    """As after a restart, on a volume that is slow."""
    write(tmp_path, "alcohol,ph")
    before = MonitorFixture(tmp_path)
    await before.monitor.refresh()
    await before.response(STEPS)
    await before.monitor.evaluate_all()
    monitored = MonitorFixture(tmp_path, before.ring, before.states)
    for _ in range(3):
        await monitored.response(STEPS + 100)
    await monitored.monitor.evaluate_all()
    await monitored.monitor.refresh()
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_prediction_drift_statistic", prediction="quality", test="ks") == 1


async def test_replicas_take_one_new_baseline_after_a_new_reference(tmp_path: Path) -> None:
    """Who sees the reference second finds the baseline that the first took, and leaves it."""
    write(tmp_path, "alcohol,ph")
    one = MonitorFixture(tmp_path)
    other = MonitorFixture(tmp_path, one.ring, one.states)
    for monitored in (one, other):
        await monitored.monitor.refresh()
        await monitored.response(STEPS)
        await monitored.monitor.evaluate_all()
    write(tmp_path, "alcohol,ph", rows=60)
    await one.monitor.refresh()
    await one.monitor.evaluate_all()
    await one.response(STEPS)
    for monitored in (one, other, one):
        monitored.clock.now += 1
        await monitored.monitor.refresh()
        await monitored.monitor.evaluate_all()
    state = await one.states.load(RESPONSES, "baseline")

    assert state is not None
    assert state.version == 2
    assert unpack(state.blob).taken_at == 1_001  # type: ignore[union-attr] # it was packed by this version


async def test_another_form_of_answers_takes_a_new_baseline_once_the_old_one_is_gone(tmp_path: Path) -> None:
    """Two forms at once leave the baseline of the first."""
    monitored = MonitorFixture(tmp_path)
    await monitored.response(STEPS)
    await monitored.monitor.evaluate_all()
    both = np.column_stack([STEPS, STEPS])
    await monitored.response(both, ("quality", "price"))
    await monitored.monitor.evaluate_all()
    before = monitored.value("driftgauge_prediction_drift_statistic", prediction="price", test="ks")
    for _ in range(3):
        await monitored.response(both, ("quality", "price"))
    await monitored.monitor.evaluate_all()

    assert before is None
    assert monitored.value("driftgauge_prediction_drift_statistic", prediction="price", test="ks") == pytest.approx(0.1)


async def test_a_baseline_that_expired_in_the_store_is_kept_anew(tmp_path: Path) -> None:
    """It is looked for once a minute."""
    monitored = MonitorFixture(tmp_path)
    await monitored.response(STEPS)
    await monitored.monitor.evaluate_all()
    await monitored.states.delete(RESPONSES, "baseline")
    monitored.clock.now += 61
    await monitored.monitor.evaluate_all()

    assert await monitored.states.load(RESPONSES, "baseline") is not None


async def test_replicas_agree_on_a_baseline_again_after_the_store_was_emptied(tmp_path: Path) -> None:
    """One restarted and took a new one; a minute later the other tests against it too."""
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


async def test_a_baseline_of_another_form_gives_way(tmp_path: Path) -> None:
    """What cannot be read is deleted, since it would block the new one."""
    monitored = MonitorFixture(tmp_path)
    await monitored.states.save(RESPONSES, "baseline", b"of tomorrow", 0)
    await monitored.response(STEPS)
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_prediction_reference_rows") == BASELINE_ROWS


def test_a_baseline_is_the_same_after_its_bytes() -> None:
    """Columns, kinds, rows and categories outlive the process."""
    kinds = (FeatureKind.NUMERIC, FeatureKind.CATEGORICAL)
    before = Baseline("abc", ("score", "label"), kinds, np.array([[0.5, 7.0], [np.nan, 8.0]]), {7.0: "yes"}, 5.0)
    after = unpack(pack(before))

    assert after is not None
    assert (before.reference, before.columns, before.kinds) == (after.reference, after.columns, after.kinds)
    assert (before.categories, before.taken_at) == (after.categories, after.taken_at)
    np.testing.assert_array_equal(before.rows, after.rows)


def test_text_that_is_ever_new_is_ignored() -> None:
    """A model that writes has no distribution of categories."""
    kinds = (FeatureKind.CATEGORICAL, FeatureKind.CATEGORICAL)
    rows = np.column_stack([np.arange(40.0), np.arange(40.0) % 3])
    profiles = Baseline("", ("prose", "label"), kinds, rows, {}, 0.0).profiles()

    assert [FeatureKind.IGNORED, FeatureKind.CATEGORICAL] == [profile.kind for profile in profiles]


async def test_a_reference_that_is_too_small_is_said_loudly_and_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning names the rows that would do, and a gauge tells them."""
    write(tmp_path, "alcohol,ph", rows=20)
    monitored = MonitorFixture(tmp_path, rule=Rule(0.05, Correction.HOLM, 20, Budget(2_592_000, 30, 0.05)))
    caplog.set_level(logging.WARNING)
    await monitored.monitor.refresh()
    monitored.models.admit(WINE)
    await monitored.monitor.refresh()
    await monitored.monitor.refresh()
    needed = monitored.value("driftgauge_reference_rows_needed")
    loud = [record.message for record in caplog.records if "false-alarm budget" in record.message]

    assert needed is not None
    assert 20 < needed < 100
    assert 1 == len(loud)
    assert f"{needed:.0f} rows would do" in loud[0]

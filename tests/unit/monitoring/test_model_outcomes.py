"""The evaluation of labelled predictions beside inputs and predictions."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.outcomes.outcome_report import EstimateWithheld, OutcomeSample, OutcomeTest
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import VerdictState
from driftgauge.inference.payload import Kind
from driftgauge.monitoring.model_outcomes import aged, diagnosed, is_outside
from driftgauge.page.outcomes_as_json import outcomes_as_json
from driftgauge.reference.dataset import schema_hash
from driftgauge.results.latest_outcomes import BaselineProgress
from driftgauge.storage.label_slices import IN_MEMORY
from driftgauge.storage.labels import LabelLayout, WaitingResponse
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.memory_labels import MemoryLabels
from driftgauge.storage.ring import StreamKey
from tests.support.clock import ManualClock
from tests.support.labelled_wine import LabelledWine, graded, write_reference
from tests.support.models import WINE
from tests.support.monitor_fixture import BASELINE_ROWS
from tests.support.outcome_reports import GRADE, WORSE
from tests.support.reports import ALCOHOL, report_of
from tests.support.rings import AwayRing

PERFORMANCE, CONCEPT = OutcomeTest
MIN_ROWS = 20  # that of the fixture


@pytest.fixture
async def wine(tmp_path: Path) -> AsyncIterator[LabelledWine]:
    """A monitor of wine that keeps all in memory, whose reference is right in nine of ten rows."""
    write_reference(tmp_path)
    ring, clock = MemoryRing(1_000), ManualClock()
    fixture = LabelledWine(tmp_path, MemoryLabels(ring, IN_MEMORY, clock), ring, clock)
    await fixture.watcher.refresh()
    yield fixture
    fixture.close()


def accuracy(wine: LabelledWine, sample: OutcomeSample) -> float:
    """The accuracy of a sample."""
    found = wine.report.outputs[0].metrics
    return next(one.value for one in found if (one.metric, one.sample) == ("accuracy", sample))


async def test_a_model_whose_responses_never_waited_has_no_result(wine: LabelledWine) -> None:
    """No series either."""
    await wine.look()

    assert wine.result is None
    assert wine.value("driftgauge_responses_pending") is None


async def test_responses_wait_before_any_label(wine: LabelledWine) -> None:
    """How many they are is shown; the tests have too few labels."""
    await wine.respond(graded(30, 0.9)[0])
    await wine.look()

    assert wine.value("driftgauge_responses_pending") == 30
    assert wine.value("driftgauge_responses_kept_ratio") == 1
    assert wine.value("driftgauge_outcome_cannot_tell", output="grade", test="concept", reason="few_labels") == 1


async def test_labels_say_how_often_predictions_are_right(wine: LabelledWine) -> None:
    """The accuracy is that of the labelled rows, beside the reference's."""
    predictions, labels = graded(200, 0.9)
    ids = await wine.respond(predictions)
    await wine.label(ids[:150], labels[:150])
    await wine.look()
    right = float((predictions[:150] == labels[:150]).mean())

    assert accuracy(wine, OutcomeSample.WINDOW) == right
    assert accuracy(wine, OutcomeSample.REFERENCE) == pytest.approx(0.9, abs=0.02)
    assert wine.report.source == "reference"
    assert wine.report.coverage == 0.75
    assert wine.value("driftgauge_outcome_window_rows") == 150
    assert wine.value("driftgauge_outcome_reference_rows") == 2_000
    assert wine.value("driftgauge_responses_pending") == 50


async def test_responses_with_other_columns_are_a_share_of_all(wine: LabelledWine) -> None:
    """Such as those of V1 beside V2: no number is about them, and the result says how many there are."""
    predictions, labels = graded(30, 0.9)
    other = LabelLayout(("prediction",), (FeatureKind.NUMERIC,), ("prediction",), (FeatureKind.NUMERIC,))
    ids = await wine.respond(predictions[:15])
    waiting = [WaitingResponse((number,), wine.clock.now, np.array([[5.0]])) for number in range(10)]
    await wine.store.put(WINE, other, waiting)
    ids += await wine.respond(predictions[15:])
    await wine.label(ids, labels)
    await wine.look()

    assert wine.result is not None
    assert wine.result.waiting.other_columns == 10 / 40
    assert wine.report.rows == 30


async def test_each_labelled_row_is_counted_once(wine: LabelledWine) -> None:
    """By the detector, and by label and prediction, over several looks."""
    for seed in range(3):
        await wine.serve(60, 0.9, seed)
    predictions, labels = (
        np.concatenate(both) for both in zip(*(graded(60, 0.9, seed) for seed in range(3)), strict=True)
    )
    pairs = [(5.0, 5.0), (5.0, 6.0), (6.0, 5.0), (6.0, 6.0)]
    counted = [
        wine.value("driftgauge_confusion_total", output="grade", label=f"{label:g}", prediction=f"{prediction:g}")
        for label, prediction in pairs
    ]

    assert wine.value("driftgauge_detector_rows_total", kind="outcome") == 180
    assert wine.value("driftgauge_outcome_rows_total", output="grade") == 180
    assert counted == [np.sum((labels == label) & (predictions == prediction)) for label, prediction in pairs]
    assert wine.value("driftgauge_correct_predictions_total", output="grade") == np.sum(labels == predictions)


async def test_worse_predictions_alarm(wine: LabelledWine) -> None:
    """Both tests: the errors rose within the bins. The sentence says what helps."""
    for seed in range(8):
        await wine.serve(100, 0.5, seed)

    assert wine.value("driftgauge_performance_drift") == 1
    assert wine.value("driftgauge_concept_drift") == 1
    assert "retrain on recent labels" in wine.report.reading


async def test_predictions_as_right_as_before_do_not_alarm(wine: LabelledWine) -> None:
    """The state of both tests is ok."""
    for seed in range(5):
        await wine.serve(100, 0.9, seed)

    assert [one.state for one in wine.report.outputs[0].tests] == [VerdictState.OK] * 2
    assert wine.value("driftgauge_performance_drift") == 0


async def test_a_rise_of_errors_within_the_tolerance_does_not_alarm(tmp_path: Path) -> None:
    """`performance_tolerance` reaches the detector, and the results say from which rise on it finds one."""
    write_reference(tmp_path)
    found = []
    for options in ({}, {"performance_tolerance": 0.3}, {"drift_tolerance": 0.3}):
        ring, clock = MemoryRing(1_000), ManualClock()
        wine = LabelledWine(tmp_path, MemoryLabels(ring, IN_MEMORY, clock), ring, clock, options=options)
        await wine.watcher.refresh()
        for seed in range(8):
            await wine.serve(100, 0.7, seed)
        assert wine.result is not None
        (output,) = outcomes_as_json(wine.result)["outputs"]
        found.append([(one["state"], one["detectable"] > 0.29) for one in output["tests"]])
        wine.close()

    assert found == [[("drift", False)] * 2, [("ok", True)] * 2, [("ok", True)] * 2]


async def test_without_labels_in_the_reference_the_first_ones_stand_for_it(wine: LabelledWine) -> None:
    """That is a baseline, which says so."""
    write_reference(wine.references_directory, labelled=False)
    await wine.load_changed_reference()
    await wine.serve(BASELINE_ROWS - 1, 0.9)
    await wine.serve(BASELINE_ROWS, 0.9, 2)
    facts = None if wine.outcomes is None else wine.outcomes.latest.reference(WINE)

    assert (wine.report.source, wine.report.rows) == ("baseline", 2 * BASELINE_ROWS - 1)
    assert facts is not None
    assert (facts.rows, facts.source, facts.path) == (BASELINE_ROWS, "baseline", f"first {BASELINE_ROWS} labelled rows")


async def test_accuracy_is_shown_before_there_is_a_baseline(wine: LabelledWine) -> None:
    """From `min_rows` on, of the window alone and without a verdict; below, and then too, the figures are named."""
    write_reference(wine.references_directory, labelled=False)
    await wine.load_changed_reference()
    await wine.serve(MIN_ROWS - 1, 0.9)
    early = wine.result
    await wine.serve(1, 0.9, 2)
    (output,) = wine.report.outputs

    assert early is not None
    assert early.report is None
    assert early.waiting.baseline == BaselineProgress(MIN_ROWS - 1, BASELINE_ROWS, MIN_ROWS)
    assert {one.sample for one in output.metrics} == {OutcomeSample.WINDOW}
    assert 0.5 < accuracy(wine, OutcomeSample.WINDOW) <= 1
    assert {one.state for one in output.tests} == {VerdictState.CANNOT_TELL}
    assert f"{MIN_ROWS} of {BASELINE_ROWS} labelled rows for a baseline" in wine.report.reading
    assert wine.value("driftgauge_outcome_cannot_tell", output="grade", test="concept", reason="no_reference") == 1
    assert wine.value("driftgauge_outcome_rows_total", output="grade") == MIN_ROWS


async def test_a_baseline_counts_no_row_again(wine: LabelledWine) -> None:
    """Those that were counted before it are fed to its tests, which is no reset."""
    write_reference(wine.references_directory, labelled=False)
    await wine.load_changed_reference()
    await wine.serve(MIN_ROWS, 0.9)
    await wine.serve(BASELINE_ROWS, 0.9, 2)

    assert wine.report.source == "baseline"
    assert wine.value("driftgauge_outcome_rows_total", output="grade") == MIN_ROWS + BASELINE_ROWS
    assert wine.value("driftgauge_detector_rows_total", kind="outcome") == MIN_ROWS + BASELINE_ROWS
    assert not wine.value("driftgauge_detector_resets_total", kind="outcome")


def estimated(wine: LabelledWine) -> bool:
    """Whether there is an estimated accuracy; either it is there, or the reason why not."""
    output = wine.report.outputs[0]
    samples = {one.sample for one in output.metrics}
    assert (OutcomeSample.ESTIMATED in samples) == (output.estimate_withheld is None)
    return OutcomeSample.ESTIMATED in samples


async def put_inputs(wine: LabelledWine, alcohol: float) -> None:
    """Let 100 inputs come around a level of alcohol; the reference has normal values around 10."""
    values = np.random.default_rng(3).normal(alcohol, 1, (100, 1))
    await wine.put(StreamKey(WINE, Kind.REQUEST), values, schema_hash(("alcohol",), (FeatureKind.NUMERIC,)))


async def test_the_accuracy_is_estimated_before_any_label(wine: LabelledWine) -> None:
    """Of all responses that wait, by the reference's relation of prediction and label."""
    await put_inputs(wine, 10.0)
    await wine.respond(graded(60, 0.9)[0])
    await wine.look()

    assert wine.report.rows == 0
    assert accuracy(wine, OutcomeSample.ESTIMATED) == pytest.approx(0.9, abs=0.02)


async def test_nothing_is_estimated_where_inputs_are_outside_of_the_reference(wine: LabelledWine) -> None:
    """An estimate that is shown goes when inputs alarm beyond the range, and returns with them."""
    await put_inputs(wine, 10.0)
    await wine.serve(60, 0.9)
    assert estimated(wine)
    await put_inputs(wine, 30.0)
    await wine.look()

    assert not estimated(wine)
    assert wine.report.outputs[0].estimate_withheld is EstimateWithheld.OUTSIDE


async def test_nothing_is_estimated_where_the_relation_has_changed(wine: LabelledWine) -> None:
    """The concept test alarms."""
    for seed in range(8):
        await wine.serve(100, 0.5, seed)

    assert not estimated(wine)
    assert wine.report.outputs[0].estimate_withheld is EstimateWithheld.CONCEPT


async def test_a_baseline_estimates_nothing_until_further_labels_came(wine: LabelledWine) -> None:
    """Its own labels do not check it; those that come next do, and then its rows are too few for a bin."""
    write_reference(wine.references_directory, labelled=False)
    await wine.load_changed_reference()
    await wine.serve(BASELINE_ROWS, 0.9)
    first = wine.report.outputs[0].estimate_withheld
    await wine.serve(1, 0.9, 2)

    assert first is EstimateWithheld.BASELINE
    assert wine.report.outputs[0].estimate_withheld is EstimateWithheld.FEW_EXAMPLES


async def test_a_store_that_is_away_leaves_the_last_result_until_it_is_stale(tmp_path: Path) -> None:
    """Then there is no verdict, for the reason that the store does not respond."""
    write_reference(tmp_path)
    ring, clock = MemoryRing(1_000), ManualClock()
    away = AwayRing(ring)
    away.away = False
    wine = LabelledWine(tmp_path, MemoryLabels(ring, IN_MEMORY, clock), away, clock)
    await wine.watcher.refresh()
    await wine.serve(100, 0.9)
    away.away = True
    await wine.look()
    before = wine.result
    for _ in range(3):
        await wine.look()
    wine.close()

    assert before is not None
    assert wine.result is None
    assert wine.value("driftgauge_outcome_cannot_tell", output="grade", test="concept", reason="store") == 1


async def test_a_detector_of_outcomes_goes_on_after_a_restart(tmp_path: Path) -> None:
    """From the state in the store: no row is fed twice."""
    write_reference(tmp_path)
    ring, clock = MemoryRing(1_000), ManualClock()
    labels = MemoryLabels(ring, IN_MEMORY, clock)
    one = LabelledWine(tmp_path, labels, ring, clock)
    await one.watcher.refresh()
    await one.serve(100, 0.9)
    other = LabelledWine(tmp_path, labels, ring, clock, states=one.states, leases=one.leases)
    await other.watcher.refresh()
    await one.coordinator.release_all()
    await other.serve(60, 0.9, 2)
    for each in (one, other):
        each.close()

    assert one.value("driftgauge_detector_rows_total", kind="outcome") == 100
    assert other.value("driftgauge_detector_rows_total", kind="outcome") == 60
    assert other.value("driftgauge_outcome_rows_total", output="grade") == 60


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (VerdictState.DRIFT, "moved to harder cases"),
        (VerdictState.OK, "wait"),
        (VerdictState.CANNOT_TELL, "whether the inputs moved"),
    ],
)
def test_the_diagnosis_is_about_the_inputs_too(inputs: VerdictState, words: str) -> None:
    """GRADE's performance alarms, and its concept does not; each output has a sentence of its own."""
    report = diagnosed(WORSE, inputs)

    assert words in report.outputs[0].reading
    assert report.reading == f"grade: {report.outputs[0].reading} price: {report.outputs[1].reading}"
    assert diagnosed(replace(WORSE, outputs=(GRADE,)), inputs).reading == report.outputs[0].reading


def test_inputs_that_drift_within_the_range_are_not_outside() -> None:
    """Only a feature that drifts counts, with more values outside than are tolerated."""
    drifting = replace(ALCOHOL, outside=3)

    assert is_outside(report_of(drifting), 0.002)
    assert not is_outside(report_of(drifting), 0.5)
    assert not is_outside(report_of(replace(ALCOHOL, outside=0)), 0.002)


@pytest.mark.parametrize(("days", "said"), [(None, False), (1.9, False), (12.0, True)])
def test_a_reading_says_how_old_its_labels_are(days: float | None, said: bool) -> None:  # noqa: FBT001 - a case
    """From two days on, so that an old verdict does not look fresh."""
    reading = aged(WORSE, None if days is None else days * 86_400).reading

    assert reading.startswith(WORSE.reading)
    assert reading.endswith("the newest labelled response is 12 days old.") is said

"""The gauges of labelled predictions, and their counters."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from driftgauge.drift.outcomes.outcome_report import ClassValue, OutcomeTest
from driftgauge.metrics.outcome_counts import ErrorSums, OutcomeCounts, OutputCounts
from driftgauge.metrics.outcome_gauges import OutcomeGauges
from driftgauge.results.latest import ReferenceFacts
from driftgauge.results.latest_outcomes import LatestOutcomes, OutcomeResult
from tests.support.clock import ManualClock
from tests.support.models import IRIS, WINE, labels
from tests.support.outcome_reports import GRADE, PRICE, RESULT, WAITING, WINDOW, WORSE, result_of


@pytest.fixture
def clock() -> ManualClock:
    """It stands at the time of the result."""
    made = ManualClock()
    made.now = 1_000.0
    return made


@pytest.fixture
def latest(clock: ManualClock) -> LatestOutcomes:
    """It has no result yet."""
    return LatestOutcomes(90, clock)


@pytest.fixture
def registry(latest: LatestOutcomes) -> CollectorRegistry:
    """It shows the results."""
    made = CollectorRegistry()
    made.register(OutcomeGauges(latest))
    return made


def series(registry: CollectorRegistry) -> int:
    """How many series there are."""
    return sum(len(family.samples) for family in registry.collect())


def value(registry: CollectorRegistry, name: str, **more: str) -> float | None:
    """One series of wine."""
    return registry.get_sample_value(f"driftgauge_{name}", labels(WINE, **more))


def test_a_model_without_labels_has_no_series(registry: CollectorRegistry) -> None:
    """Every family is there, and empty."""
    assert series(registry) == 0
    assert len(list(registry.collect())) == 21


def test_verdicts_and_evidence_are_shown(latest: LatestOutcomes, registry: CollectorRegistry) -> None:
    """One of the three states of each test holds, with the evidence and what it is compared with."""
    latest.publish(WINE, RESULT)
    performance = {"output": "grade", "test": "performance"}
    states = [value(registry, "outcome_state", **performance, state=one) for one in ("ok", "drift", "cannot_tell")]

    assert states == [0, 1, 0]
    assert value(registry, "outcome_state", output="grade", test="concept", state="ok") == 1
    assert value(registry, "outcome_drift", **performance) == 1
    assert value(registry, "outcome_drift_statistic", **performance) == 9.25
    assert value(registry, "outcome_drift_threshold", **performance) == 7
    assert value(registry, "outcome_cannot_tell", output="price", test="concept", reason="few_labels") == 1
    assert value(registry, "performance_drift") == 1
    assert value(registry, "concept_drift") == 0


def test_numbers_and_their_intervals_are_shown(latest: LatestOutcomes, registry: CollectorRegistry) -> None:
    """A number without an interval has no ends."""
    latest.publish(WINE, RESULT)
    accuracy = {"output": "grade", "metric": "accuracy", "sample": "window"}
    ends = [value(registry, f"performance{end}", **accuracy) for end in ("", "_lower", "_upper")]

    assert ends == [0.75, 0.7, 0.8]
    assert value(registry, "performance", output="price", metric="bias", sample="window") == -0.5
    assert value(registry, "performance_lower", output="price", metric="bias", sample="window") is None
    assert (
        value(registry, "class_performance", output="grade", **{"class": "good"}, metric="recall", sample="window")
        == 0.5
    )
    assert value(registry, "class_rows", output="grade", **{"class": "poor"}, sample="reference") == 600
    assert value(registry, "calibration", output="grade", bin="good", sample="window") == 0.75
    assert value(registry, "calibration", output="grade", bin="poor", sample="window") is None
    assert value(registry, "calibration", output="price", bin="up to 10", sample="window") == -0.5


def test_the_window_and_what_waits_are_shown(latest: LatestOutcomes, registry: CollectorRegistry) -> None:
    """Rows, time, coverage, selection, and the responses that wait."""
    latest.publish(WINE, RESULT)
    names = ("outcome_window_rows", "outcome_window_timestamp_seconds", "outcome_coverage_ratio")
    waiting = ("responses_pending", "responses_kept_ratio")

    assert [value(registry, name) for name in names] == [412, 999, 0.5]
    assert [value(registry, name) for name in waiting] == [300, 0.25]
    assert value(registry, "outcome_selection", output="grade") == 0.125
    assert value(registry, "outcome_selection", output="price") is None


def test_responses_that_wait_are_shown_before_any_label(latest: LatestOutcomes, registry: CollectorRegistry) -> None:
    """No verdict and no metric is."""
    latest.publish(WINE, WAITING)

    assert value(registry, "responses_pending") == 300
    assert series(registry) == 2


def test_what_labels_are_compared_with_is_shown(latest: LatestOutcomes, registry: CollectorRegistry) -> None:
    """Rows, and whether they are the reference's or a baseline; nothing while there are none."""
    latest.set_reference(IRIS, None)
    latest.set_reference(WINE, ReferenceFacts(300, "ab12", "first 300 labelled rows", 0.0, source="baseline"))
    facts = {"hash": "ab12", "path": "first 300 labelled rows", "loaded": "1970-01-01T00:00:00Z", "source": "baseline"}

    assert value(registry, "outcome_reference_rows") == 300
    assert value(registry, "outcome_reference_info", **facts) == 1
    assert series(registry) == 2


def test_an_alarm_of_one_output_is_one_of_the_model(latest: LatestOutcomes, registry: CollectorRegistry) -> None:
    """Without any verdict there is no value, with a single one that is well it is 0."""
    only_price = replace(WORSE, outputs=(PRICE,))
    latest.publish(WINE, replace(RESULT, report=only_price))
    without = value(registry, "concept_drift")
    alarmed = replace(GRADE, tests=(result_of(OutcomeTest.CONCEPT, 8.0, drift=True),))
    latest.publish(WINE, replace(RESULT, report=replace(WORSE, outputs=(PRICE, alarmed))))

    assert without is None
    assert value(registry, "concept_drift") == 1
    assert value(registry, "performance_drift") is None


@pytest.mark.parametrize("result", [RESULT, WAITING])
def test_a_stale_result_has_no_series(
    latest: LatestOutcomes, registry: CollectorRegistry, clock: ManualClock, result: OutcomeResult
) -> None:
    """Unless the store is away, and then only its states."""
    latest.publish(WINE, result)
    clock.now += 91

    assert series(registry) == 0


def test_a_result_that_is_stale_since_the_store_is_away_cannot_tell(
    latest: LatestOutcomes, registry: CollectorRegistry, clock: ManualClock
) -> None:
    """The alarm of before is no verdict of now; the reason is the store."""
    latest.publish(WINE, RESULT)
    latest.record_store_failure(WINE)
    before = value(registry, "outcome_state", output="grade", test="performance", state="drift")
    clock.now += 91

    assert before == 1
    assert value(registry, "outcome_state", output="grade", test="performance", state="cannot_tell") == 1
    assert value(registry, "outcome_cannot_tell", output="grade", test="performance", reason="store") == 1
    assert value(registry, "performance", output="grade", metric="accuracy", sample="window") is None


def test_texts_of_classes_that_would_be_one_label_differ(latest: LatestOutcomes, registry: CollectorRegistry) -> None:
    """Two series of one name would make the scrape invalid."""
    values = [
        ClassValue(class_text=text, metric="recall", sample=WINDOW, value=0.5)
        for text in ("x" * 90, "x" * 91, "\udc80")
    ]
    latest.publish(WINE, replace(RESULT, report=replace(WORSE, outputs=(replace(GRADE, class_values=tuple(values)),))))
    family = next(one for one in registry.collect() if one.name == "driftgauge_class_performance")

    assert [sample.labels["class"] for sample in family.samples] == ["x" * 80, "x" * 80 + "'", "?"]


def test_counters_of_rows_add_up() -> None:
    """Pairs of label and prediction, sums of errors, and displaced responses; a model that is gone has none."""
    registry = CollectorRegistry()
    counts = OutcomeCounts(registry)
    grades = OutputCounts("grade", 3, 2, {("good", "good"): 2, ("good", "poor"): 1}, None)
    prices = OutputCounts("price", 2, 0, {}, ErrorSums(0.5, 1.5, 2.5))
    for _ in range(2):
        counts.count_rows(WINE, [grades, prices])
    counts.count_displaced(WINE, 4)
    shown = {
        "rows": value(registry, "outcome_rows_total", output="grade"),
        "correct": value(registry, "correct_predictions_total", output="grade"),
        "wrong": value(registry, "confusion_total", output="grade", label="good", prediction="poor"),
        "below": value(registry, "absolute_error_total", output="price", direction="below"),
        "squared": value(registry, "squared_error_total", output="price"),
        "displaced": value(registry, "responses_displaced_total"),
    }
    counts.retain([])

    assert shown == {"rows": 6, "correct": 4, "wrong": 2, "below": 3, "squared": 5, "displaced": 4}
    assert value(registry, "confusion_total", output="grade", label="good", prediction="poor") is None
    assert value(registry, "responses_displaced_total") is None

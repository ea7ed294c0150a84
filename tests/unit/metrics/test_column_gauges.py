"""The gauges of single columns, of features and of predictions."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from driftgauge.drift.result import Bin, DriftReport, DriftTest, DriftTestResult
from driftgauge.metrics.column_gauges import INPUTS, LONGEST_BIN, OUTPUTS, Subject, bin_names
from driftgauge.metrics.drift_gauges import DriftGauges
from driftgauge.page.contents import Facts, part_of
from driftgauge.results.latest import Evaluation, LatestEvaluations
from tests.support.models import WINE, labels
from tests.support.reports import ALCOHOL, COLOUR, FOUND, moved, report_of

Ask = Callable[..., float | None]


@pytest.fixture(params=[INPUTS, OUTPUTS], ids=lambda subject: str(subject.label))
def subject(request: pytest.FixtureRequest) -> Subject:
    """Features, then predictions."""
    subject: Subject = request.param
    return subject


@pytest.fixture
def ask(latest: LatestEvaluations, registry: CollectorRegistry, subject: Subject) -> Ask:
    """A function that returns the value of a series of a column of the published report."""
    latest.publish(WINE, subject.kind, Evaluation(FOUND, 1_000, 0.01, 999))

    def value(family: str, column: str, **more: str) -> float | None:
        return registry.get_sample_value(subject.prefix + family, labels(WINE, **{subject.label: column}, **more))

    return value


def columns_with_series(latest: LatestEvaluations, subject: Subject, report: DriftReport, limit: int) -> list[str]:
    """The columns of a report that have series, in order."""
    registry = CollectorRegistry()
    registry.register(DriftGauges(latest, max_features=limit))
    latest.publish(WINE, subject.kind, Evaluation(report, 1_000, 0.01, 999))
    family = next(one for one in registry.collect() if one.name == subject.prefix + "rows")
    return [sample.labels[subject.label] for sample in family.samples]


def test_every_test_of_a_column_is_shown(ask: Ask) -> None:
    """Statistic, p, threshold and verdict have the label `test`; the detector has no p-value."""
    shown = {
        test: [ask(family, "alcohol", test=test) for family in ("drift_statistic", "drift_threshold", "drift")]
        for test in ("ks", "missing", "sequential")
    }

    assert {"ks": [0.5, 0.25, 1], "missing": [0.1, 0.2, 0], "sequential": [9.5, 7.0, 1]} == shown
    assert [0.001, 0.02, None] == [ask("drift_p_value", "alcohol", test=test) for test in shown]


def test_a_threshold_out_of_reach_is_infinite(ask: Ask) -> None:
    """It is shown, because it means that nothing could alarm."""
    assert math.inf == ask("drift_threshold", "colour", test="tv")
    assert math.inf == ask("detectable_statistic", "colour")


def test_every_number_of_a_column_is_shown(ask: Ask) -> None:
    """Rows, effective rows, the detectable distance, and the effect sizes."""
    names = (
        "rows",
        "effective_rows",
        "dependence_factor",
        "detectable_statistic",
        "psi",
        "jensen_shannon",
        "wasserstein",
    )

    assert [90, 30, 3, 0.375, 0.75, 0.5, 1.25] == [ask(name, "alcohol") for name in names]


def test_what_the_tests_can_find_is_shown(
    latest: LatestEvaluations, registry: CollectorRegistry, subject: Subject
) -> None:
    """A column of which it is not known, or for which the detector never finds the change, has no series."""
    known = replace(ALCOHOL, reference_effective_rows=400.5, rows_to_detect=230)
    latest.publish(WINE, subject.kind, Evaluation(report_of(known, COLOUR), 1_000, 0.01, 999))

    def value(family: str, column: str, **more: str) -> float | None:
        return registry.get_sample_value(subject.reach_prefix + family, labels(WINE, **{subject.label: column}, **more))

    assert [400.5, None] == [value("reference_effective_rows", name) for name in ("alcohol", "colour")]
    assert [230, None] == [value("rows_to_detect", name, size="0.5sd") for name in ("alcohol", "colour")]


def test_categories_have_no_numeric_series(ask: Ask) -> None:
    """They have no Wasserstein distance and no deciles."""
    assert ask("wasserstein", "colour") is None
    assert ask("quantile", "colour", sample="window", level="0.5") is None


@pytest.mark.parametrize(("sample", "step"), [("window", 1), ("reference", 10)])
def test_the_deciles_of_both_samples_are_shown(ask: Ask, sample: str, step: int) -> None:
    """Each of the eleven levels has a series; the label is `level`, because `quantile` is reserved for summaries."""
    shown = [ask("quantile", "alcohol", sample=sample, level=f"{tenth / 10:g}") for tenth in range(11)]

    assert [step * tenth for tenth in range(11)] == shown


def test_the_shares_of_both_samples_are_shown(ask: Ask) -> None:
    """Each bin of a numeric column and of a category has a series."""
    assert [0.25, 0.625, 0.125] == [
        ask("share", "alcohol", sample="window", bin=name) for name in ("below", "0", "missing")
    ]
    assert [0.75, 0.25] == [ask("share", "colour", sample="reference", bin=name) for name in ("red", "unseen")]


def test_a_column_without_a_value_is_shown(
    latest: LatestEvaluations, registry: CollectorRegistry, subject: Subject
) -> None:
    """All values are missing: rows are 0, the factor is that of the missing ones, the window has no deciles."""
    empty = replace(ALCOHOL, rows=0, missing=100, effective_rows=50.0, window_quantiles=())
    latest.publish(WINE, subject.kind, Evaluation(report_of(empty), 1_000, 0.01, 999))
    named = labels(WINE, **{subject.label: "alcohol"})

    assert 0 == registry.get_sample_value(subject.prefix + "rows", named)
    assert 2 == registry.get_sample_value(subject.prefix + "dependence_factor", named)
    assert 50 == registry.get_sample_value(subject.prefix + "quantile", named | {"sample": "reference", "level": "0.5"})


@pytest.mark.parametrize(
    ("dependence", "factor"), [({"location": 4.0, "scale": 2.0, "below": None}, 4.0), ({"location": None}, None)]
)
def test_the_largest_factor_with_a_bound_is_shown(
    latest: LatestEvaluations,
    registry: CollectorRegistry,
    subject: Subject,
    dependence: dict[str, float | None],
    factor: float | None,
) -> None:
    """There is no series if no score has a bound."""
    feature = replace(ALCOHOL, dependence=dependence)
    latest.publish(WINE, subject.kind, Evaluation(report_of(feature), 1_000, 0.01, 999))

    assert factor == registry.get_sample_value(
        subject.prefix + "dependence_factor", labels(WINE, **{subject.label: "alcohol"})
    )


@pytest.mark.parametrize(("limit", "names"), [(4, ["d", "b", "a", "c"]), (2, ["d", "b"])])
def test_columns_that_drift_have_series_first(
    latest: LatestEvaluations, subject: Subject, limit: int, names: list[str]
) -> None:
    """A column that drifts comes first, whatever its distance; then those nearest to their threshold."""
    report = report_of(
        moved("a", 0.2, 0.4), moved("b", 0.1, 0.125), moved("c", 0.4, math.inf), moved("d", 0.1, 0.5, drift=True)
    )

    assert names == columns_with_series(latest, subject, report, limit)


def test_any_distance_from_a_threshold_of_zero_has_series_first(latest: LatestEvaluations, subject: Subject) -> None:
    """Its severity is infinite."""
    report = report_of(moved("a", 0.1, 0.125), moved("b", 0.01, 0.0))

    assert ["b", "a"] == columns_with_series(latest, subject, report, 2)


def test_the_page_and_the_metrics_show_the_same_columns_first(latest: LatestEvaluations, subject: Subject) -> None:
    """A share of missing values at 12 times its threshold counts more than a distance at 1.5 times its own."""
    missing = DriftTestResult(test=DriftTest.MISSING, statistic=0.6, p_value=0.0, threshold=0.05, drift=True)
    b = moved("b", 0.05, 0.2)
    report = report_of(moved("a", 0.3, 0.2, drift=True), replace(b, tests=(*b.tests, missing)))
    facts = Facts(window="", reference="", reference_rows=0)
    pictures = part_of("", (), np.empty((0, 0)), report, facts).pictures

    assert ["b", "a"] == [picture.drift.feature for picture in pictures]
    assert ["b", "a"] == columns_with_series(latest, subject, report, 2)


def test_the_most_severe_columns_have_series(latest: LatestEvaluations, subject: Subject) -> None:
    """The others have none beyond `max_features`."""
    registry = CollectorRegistry()
    registry.register(DriftGauges(latest, max_features=2))
    report = report_of(*(moved(f"x{n}", n / 10, 1.0) for n in range(5)))
    latest.publish(WINE, subject.kind, Evaluation(report, 1_000, 0.01, 999))

    shown = [
        n
        for n in range(5)
        if registry.get_sample_value(subject.prefix + "rows", labels(WINE, **{subject.label: f"x{n}"}))
    ]

    assert [3, 4] == shown


def test_the_fifty_most_severe_columns_have_details(
    latest: LatestEvaluations, registry: CollectorRegistry, subject: Subject
) -> None:
    """The others have their tests, but neither deciles nor bins."""
    report = report_of(*(moved(f"x{n}", n / 100, 1.0) for n in range(60)))
    latest.publish(WINE, subject.kind, Evaluation(report, 1_000, 0.01, 999))

    def detailed(family: str, **more: str) -> list[int]:
        return [
            n
            for n in range(60)
            if registry.get_sample_value(subject.prefix + family, labels(WINE, **{subject.label: f"x{n}"}, **more))
            is not None
        ]

    assert list(range(60)) == detailed("rows")
    assert list(range(10, 60)) == detailed("quantile", sample="window", level="1")
    assert list(range(10, 60)) == detailed("share", sample="window", bin="0")


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["red", "white"], ["red", "white"]),
        (["missing", "rare", "missing", "missing"], ["missing", "rare", "missing'", "missing''"]),
        (["\ud800", "é"], ["?", "é"]),
        (["a" * 200, "a" * 300], ["a" * LONGEST_BIN, "a" * LONGEST_BIN + "'"]),
    ],
)
def test_bins_have_unique_names(texts: list[str], names: list[str]) -> None:
    """Two equal names, or one that UTF-8 cannot encode, would make the whole scrape invalid."""
    assert names == bin_names(texts)


def test_untrusted_categories_leave_the_scrape_valid(latest: LatestEvaluations, registry: CollectorRegistry) -> None:
    """Quotes, line ends and bytes that are not UTF-8 are escaped."""
    bins = tuple(Bin(label=text, upper=None, reference=0.5, window=0.5) for text in ('a"\n\\', "\udcff"))
    latest.publish(WINE, INPUTS.kind, Evaluation(report_of(replace(COLOUR, histogram=bins)), 1_000, 0.01, 999))

    assert rb'bin="a\"\n\\"' in generate_latest(registry)

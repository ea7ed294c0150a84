"""The gauges of single columns, of inputs and of outputs."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from driftgauge.drift.result import Bin
from driftgauge.metrics.column_gauges import INPUTS, LONGEST_BIN, OUTPUTS, Subject, bin_names, farthest
from driftgauge.metrics.drift_gauges import DriftGauges
from driftgauge.metrics.evaluation import Evaluation
from tests.support.clock import ManualClock
from tests.support.models import WINE, labels
from tests.support.reports import ALCOHOL, COLOUR, FOUND, moved, report_of

Ask = Callable[..., float | None]


@pytest.fixture(params=[INPUTS, OUTPUTS], ids=lambda subject: str(subject.label))
def subject(request: pytest.FixtureRequest) -> Subject:
    """Inputs, then outputs."""
    found: Subject = request.param
    return found


@pytest.fixture
def ask(gauges: DriftGauges, registry: CollectorRegistry, subject: Subject) -> Ask:
    """Asks for a series of a column of the published report."""
    gauges.publish(WINE, subject.kind, Evaluation(FOUND, 1_000, 0.01, 999))

    def asked(family: str, column: str, **more: str) -> float | None:
        return registry.get_sample_value(subject.prefix + family, labels(WINE, **{subject.label: column}, **more))

    return asked


def test_every_test_of_a_column_is_shown(ask: Ask) -> None:
    """Statistic, p, bar and verdict carry the test as a label; the detector has no p-value."""
    shown = {
        test: [ask(family, "alcohol", test=test) for family in ("drift_statistic", "drift_threshold", "drift")]
        for test in ("ks", "missing", "sequential")
    }

    assert {"ks": [0.5, 0.25, 1], "missing": [0.1, 0.2, 0], "sequential": [9.5, 7.0, 1]} == shown
    assert [0.001, 0.02, None] == [ask("drift_p_value", "alcohol", test=test) for test in shown]


def test_a_bar_out_of_reach_is_infinite(ask: Ask) -> None:
    """It is shown, so that one sees that nothing could alarm."""
    assert math.inf == ask("drift_threshold", "colour", test="tv")
    assert math.inf == ask("detectable_statistic", "colour")


def test_every_number_of_a_column_is_shown(ask: Ask) -> None:
    """Rows, what they are worth, what could be seen, and the effect sizes."""
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


def test_what_a_category_does_not_have_is_absent(ask: Ask) -> None:
    """No Wasserstein distance, no deciles."""
    assert ask("wasserstein", "colour") is None
    assert ask("quantile", "colour", sample="window", level="0.5") is None


@pytest.mark.parametrize(("sample", "step"), [("window", 1), ("reference", 10)])
def test_the_deciles_of_both_samples_are_shown(ask: Ask, sample: str, step: int) -> None:
    """One series for each of the eleven levels, named by a label that is not a summary's `quantile`."""
    shown = [ask("quantile", "alcohol", sample=sample, level=f"{tenth / 10:g}") for tenth in range(11)]

    assert [step * tenth for tenth in range(11)] == shown


def test_the_shares_of_both_samples_are_shown(ask: Ask) -> None:
    """One series for each bin, of numbers and of categories alike."""
    assert [0.25, 0.625, 0.125] == [
        ask("share", "alcohol", sample="window", bin=name) for name in ("below", "0", "missing")
    ]
    assert [0.75, 0.25] == [ask("share", "colour", sample="reference", bin=name) for name in ("red", "unseen")]


def test_a_column_without_a_value_is_shown(gauges: DriftGauges, registry: CollectorRegistry, subject: Subject) -> None:
    """All are missing: rows are 0, the factor is that of the missing ones, the window has no deciles."""
    empty = replace(ALCOHOL, rows=0, missing=100, effective_rows=50.0, window_quantiles=())
    gauges.publish(WINE, subject.kind, Evaluation(report_of(empty), 1_000, 0.01, 999))
    named = labels(WINE, **{subject.label: "alcohol"})

    assert 0 == registry.get_sample_value(subject.prefix + "rows", named)
    assert 2 == registry.get_sample_value(subject.prefix + "dependence_factor", named)
    assert 50 == registry.get_sample_value(subject.prefix + "quantile", named | {"sample": "reference", "level": "0.5"})


@pytest.mark.parametrize(("limit", "names"), [(4, ["d", "b", "a", "c"]), (2, ["d", "b"])])
def test_the_farthest_columns_have_series(limit: int, names: list[str]) -> None:
    """What drifts comes first, whatever its distance; then who is nearest to the bar, or farthest beyond."""
    report = report_of(
        moved("a", 0.2, 0.4), moved("b", 0.1, 0.125), moved("c", 0.4, math.inf), moved("d", 0.1, 0.5, drift=True)
    )

    assert names == [feature.feature for feature in farthest(report, limit)]


def test_a_bar_of_nothing_divides_nothing() -> None:
    """The distance itself counts."""
    report = report_of(moved("a", 0.2, 0.0), moved("b", 0.1, 0.125))

    assert ["b", "a"] == [feature.feature for feature in farthest(report, 2)]


def test_only_so_many_columns_have_series(clock: ManualClock, subject: Subject) -> None:
    """The nearest ones have none."""
    gauges, registry = DriftGauges(90, clock, max_features=2), CollectorRegistry()
    registry.register(gauges)
    report = report_of(*(moved(f"x{n}", n / 10, 1.0) for n in range(5)))
    gauges.publish(WINE, subject.kind, Evaluation(report, 1_000, 0.01, 999))

    shown = [
        n
        for n in range(5)
        if registry.get_sample_value(subject.prefix + "rows", labels(WINE, **{subject.label: f"x{n}"}))
    ]

    assert [3, 4] == shown


def test_the_fifty_farthest_have_details(gauges: DriftGauges, registry: CollectorRegistry, subject: Subject) -> None:
    """The others have their tests, and neither deciles nor bins."""
    report = report_of(*(moved(f"x{n}", n / 100, 1.0) for n in range(60)))
    gauges.publish(WINE, subject.kind, Evaluation(report, 1_000, 0.01, 999))

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
def test_bins_have_names_of_their_own(texts: list[str], names: list[str]) -> None:
    """Two of one name, or one that UTF-8 cannot hold, would cost the whole scrape."""
    assert names == bin_names(texts)


def test_strange_categories_leave_the_scrape_whole(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """Quotes, line ends and bytes that are no UTF-8 come from strangers."""
    thresholds = tuple(Bin(label=text, upper=None, reference=0.5, window=0.5) for text in ('a"\n\\', "\udcff"))
    gauges.publish(WINE, INPUTS.kind, Evaluation(report_of(replace(COLOUR, histogram=thresholds)), 1_000, 0.01, 999))

    assert rb'bin="a\"\n\\"' in generate_latest(registry)

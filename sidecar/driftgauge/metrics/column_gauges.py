"""The gauges of single columns: inputs and outputs have the very same families, under names of their own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from prometheus_client.core import GaugeMetricFamily

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import DriftReport, DriftTestResult, FeatureDrift
from driftgauge.drift.statistics.effects import LEVELS
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.exchange_counters import MODEL_LABELS, model_labels

DETAILED_FEATURES = 50
"""Columns of a model whose deciles and bins are shown, the farthest from the reference first: each has some 50 series
of these, and a scrape is rendered on the loop that carries inferences."""

LONGEST_BIN = 80
"""Characters of a category's text that are shown: a label is no place for a document."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What columns are called, by the half of an inference that they belong to.

    Args:
        kind: That half.
        prefix: Begins the names of the families of single columns.
        label: Holds the column's name.
        noun: One of them, in a sentence.
    """

    kind: Kind
    prefix: str
    label: str
    noun: str


INPUTS = Subject(Kind.REQUEST, "driftgauge_feature_", "feature", "feature")
OUTPUTS = Subject(Kind.RESPONSE, "driftgauge_prediction_", "prediction", "prediction")

Shown = Mapping[ModelKey, Sequence[FeatureDrift]]
"""The columns of each model that have series, the farthest first."""

_Number = Callable[[FeatureDrift], float | None]

_OF_TESTS: tuple[tuple[str, str, Callable[[DriftTestResult], float | None]], ...] = (
    (
        "drift_statistic",
        "Distance of a {} from the reference, 0 to 1 (ks, tv, missing), or evidence, log10 of seconds (sequential).",
        lambda test: test.statistic,
    ),
    (
        "drift_p_value",
        "Two-sided asymptotic p-value of the statistic of a {}, before correction; as if rows were independent.",
        lambda test: test.p_value,
    ),
    (
        "drift_threshold",
        "The bar: the smallest statistic of a {} that would alarm; infinite where none could.",
        lambda test: test.threshold,
    ),
    ("drift", "1 if this test of a {} alarms, else 0.", lambda test: float(test.drift)),
)

_OF_COLUMNS: tuple[tuple[str, str, _Number], ...] = (
    ("rows", "Values of a {} in the window that were tested, missing ones left out.", lambda one: one.rows),
    (
        "effective_rows",
        "How many independent rows the tested values of a {} are worth: rows of one request are alike.",
        lambda one: one.effective_rows,
    ),
    (
        "dependence_factor",
        "Rows of the window for one row that is independent, of a {}; at least 1.",
        lambda one: max(1.0, (one.rows or one.missing) / one.effective_rows),
    ),
    (
        "detectable_statistic",
        "The smallest true distance of a {} that would alarm in nine windows of ten; infinite where none could.",
        lambda one: one.detectable,
    ),
    ("psi", "Population stability index of a {} over the bins of its histogram, in nats.", lambda one: one.effects.psi),
    (
        "jensen_shannon",
        "Jensen-Shannon distance of a {} over the bins of its histogram, base 2, 0 to 1.",
        lambda one: one.effects.jensen_shannon,
    ),
    (
        "wasserstein",
        "First Wasserstein distance of a {} in standard deviations of the reference; numbers alone.",
        lambda one: one.effects.wasserstein,
    ),
)


def farthest(report: DriftReport, limit: int) -> tuple[FeatureDrift, ...]:
    """The columns that have series.

    Args:
        report: All that were tested.
        limit: At most so many, at least 1.

    Returns:
        Those that drift first; then by distance in units of its bar, then by the distance itself, descending.
    """
    return tuple(nlargest(limit, report.features, key=_farness))


def families(subject: Subject, shown: Shown) -> Iterator[GaugeMetricFamily]:
    """All families of single columns.

    Args:
        subject: Inputs or outputs.
        shown: The columns that have series.
    """
    yield from _of_tests(subject, shown)
    yield from _of_columns(subject, shown)
    detailed = {model: columns[:DETAILED_FEATURES] for model, columns in shown.items()}
    yield _quantiles(subject, detailed)
    yield _shares(subject, detailed)


def _farness(feature: FeatureDrift) -> tuple[bool, float, float]:
    distance = feature.distance
    ratio = distance.statistic / distance.threshold if distance.threshold > 0 else distance.statistic
    return feature.drift, ratio, distance.statistic


def _family(subject: Subject, name: str, text: str, *more: str) -> GaugeMetricFamily:
    names = (*MODEL_LABELS, subject.label, *more)
    return GaugeMetricFamily(subject.prefix + name, text.format(subject.noun), labels=names)


def _of_tests(subject: Subject, shown: Shown) -> Iterator[GaugeMetricFamily]:
    for name, text, value in _OF_TESTS:
        family = _family(subject, name, text, "test")
        for model, column in _each(shown):
            for test in column.tests:
                number = value(test)
                if number is not None:
                    family.add_metric((*model_labels(model), column.feature, test.test), number)
        yield family


def _of_columns(subject: Subject, shown: Shown) -> Iterator[GaugeMetricFamily]:
    for name, text, value in _OF_COLUMNS:
        family = _family(subject, name, text)
        for model, column in _each(shown):
            number = value(column)
            if number is not None:
                family.add_metric((*model_labels(model), column.feature), number)
        yield family


def _quantiles(subject: Subject, detailed: Shown) -> GaugeMetricFamily:
    text = (
        "Deciles of the values of a {}, in its own unit, of window and reference; of the 50 farthest that are numbers."
    )
    family = _family(subject, "quantile", text, "sample", "level")  # `quantile` is reserved for summaries
    for model, column in _each(detailed):
        if column.kind is not FeatureKind.NUMERIC:
            continue
        for sample, values in (("window", column.window_quantiles), ("reference", column.reference_quantiles)):
            for level, value in zip(LEVELS, values, strict=False):  # a window without a value has none
                family.add_metric((*model_labels(model), column.feature, sample, level), value)
    return family


def _shares(subject: Subject, detailed: Shown) -> GaugeMetricFamily:
    text = (
        "Share of the rows whose {} lies in a bin, of window and reference, missing ones included; of the 50 farthest."
    )
    family = _family(subject, "share", text, "sample", "bin")
    for model, column in _each(detailed):
        names = bin_names([one.label for one in column.histogram])
        for name, one in zip(names, column.histogram, strict=True):
            for sample, share in (("window", one.window), ("reference", one.reference)):
                family.add_metric((*model_labels(model), column.feature, sample, name), share)
    return family


def bin_names(texts: Iterable[str]) -> list[str]:
    """The texts of a column's bins as label values: each its own, short, and such that UTF-8 can hold it.

    Two series of one name would cost the whole scrape, and so would half of a surrogate pair. A category that is called
    like a bin that has another meaning, or like another one's beginning, gets a prime.
    """
    found: dict[str, None] = {}
    for text in texts:
        name = text[:LONGEST_BIN].encode("utf-8", "replace").decode()
        while name in found:
            name += "'"
        found[name] = None
    return list(found)


def _each(shown: Shown) -> Iterator[tuple[ModelKey, FeatureDrift]]:
    return ((model, column) for model, columns in shown.items() for column in columns)

"""The gauges of single columns: features and predictions have the same families, under different names."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import DriftTestResult, FeatureDrift
from driftgauge.drift.statistics.effects import LEVELS
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.request_counts import MODEL_LABELS, model_labels

DETAILED_FEATURES = 50
"""Columns of a stream whose deciles and bins are shown, the most severe first: they are some 50 series a column, and a
model may have thousands of columns."""

DETECTED_SIZE = "0.5sd"
"""The change whose rows to detect are shown: a shift by half a standard deviation of the reference."""

LONGEST_BIN = 80
"""Characters of a category's text in a label; the rest is cut."""


@dataclass(frozen=True, slots=True)
class Subject:
    """How the columns of requests or of responses are named in metrics.

    Args:
        kind: Requests or responses.
        prefix: The start of the names of their families.
        reach_prefix: The start of the names of the families that say what the tests can find.
        label: The label that has the column's name.
        noun: What a help text calls one of them.
    """

    kind: Kind
    prefix: str
    reach_prefix: str
    label: str
    noun: str


INPUTS = Subject(Kind.REQUEST, "driftgauge_feature_", "driftgauge_", "feature", "feature")
OUTPUTS = Subject(Kind.RESPONSE, "driftgauge_prediction_", "driftgauge_prediction_", "prediction", "prediction")

Shown = Mapping[ModelKey, Sequence[FeatureDrift]]
"""The columns of each model that have series, the most severe first."""

_Number = Callable[[FeatureDrift], float | None]

_TEST_FAMILIES: tuple[tuple[str, str, Callable[[DriftTestResult], float | None]], ...] = (
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
        "The smallest statistic of a {} that would alarm; infinite where none could.",
        lambda test: test.threshold,
    ),
    ("drift", "1 if this test of a {} alarms, else 0.", lambda test: float(test.drift)),
)

_COLUMN_FAMILIES: tuple[tuple[str, str, _Number], ...] = (
    ("rows", "Values of a {} in the window that were tested, missing ones left out.", lambda one: one.rows),
    (
        "effective_rows",
        "How many independent rows the tested values of a {} are worth: rows of one request resemble each other.",
        lambda one: one.effective_rows,
    ),
    (
        "dependence_factor",
        "Rows per independent row, of a {}, at least 1; of the scores with a bound the largest.",
        lambda one: one.dependence_factor,
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
        "First Wasserstein distance of a {} in standard deviations of the reference; numeric ones only.",
        lambda one: one.effects.wasserstein,
    ),
)


def column_families(subject: Subject, shown: Shown) -> Iterator[GaugeMetricFamily]:
    """All families of single columns.

    Args:
        subject: Features or predictions.
        shown: The columns that have series.
    """
    yield from _test_families(subject, shown)
    yield from _value_families(subject, shown)
    yield from _reach_families(subject, shown)
    detailed = {model: columns[:DETAILED_FEATURES] for model, columns in shown.items()}
    yield _quantiles(subject, detailed)
    yield _shares(subject, detailed)


def _family(subject: Subject, name: str, text: str, *more: str) -> GaugeMetricFamily:
    names = (*MODEL_LABELS, subject.label, *more)
    return GaugeMetricFamily(subject.prefix + name, text.format(subject.noun), labels=names)


def _test_families(subject: Subject, shown: Shown) -> Iterator[GaugeMetricFamily]:
    for name, text, value in _TEST_FAMILIES:
        family = _family(subject, name, text, "test")
        for model, column in _each(shown):
            for test in column.tests:
                number = value(test)
                if number is not None:
                    family.add_metric((*model_labels(model), column.feature, test.test), number)
        yield family


def _value_families(subject: Subject, shown: Shown) -> Iterator[GaugeMetricFamily]:
    for name, text, value in _COLUMN_FAMILIES:
        family = _family(subject, name, text)
        for model, column in _each(shown):
            number = value(column)
            if number is not None:
                family.add_metric((*model_labels(model), column.feature), number)
        yield family


def _reach_families(subject: Subject, shown: Shown) -> Iterator[GaugeMetricFamily]:
    """The families that say what the tests can find, with the reference and the rows that they have."""
    names = (*MODEL_LABELS, subject.label)
    text = f"How many independent rows the values of a {subject.noun} in the reference are worth."
    effective = GaugeMetricFamily(f"{subject.reach_prefix}reference_effective_rows", text, labels=names)
    text = (
        f"Rows that the detector needs for a shift of a {subject.noun} by half a standard deviation of the reference "
        "(0.5sd), by estimate; numeric ones only, and absent where it never finds such a shift."
    )
    to_detect = GaugeMetricFamily(f"{subject.reach_prefix}rows_to_detect", text, labels=(*names, "size"))
    for model, column in _each(shown):
        values = (*model_labels(model), column.feature)
        if column.reference_effective_rows is not None:
            effective.add_metric(values, column.reference_effective_rows)
        if column.rows_to_detect is not None:
            to_detect.add_metric((*values, DETECTED_SIZE), column.rows_to_detect)
    yield effective
    yield to_detect


def _quantiles(subject: Subject, detailed: Shown) -> GaugeMetricFamily:
    text = (
        "Deciles of the values of a {}, in its own unit, of window and reference; numeric ones of the 50 most severe."
    )
    family = _family(subject, "quantile", text, "sample", "level")  # `quantile` is reserved for summaries
    for model, column in _each(detailed):
        if column.kind is not FeatureKind.NUMERIC:
            continue
        for sample, values in (("window", column.window_quantiles), ("reference", column.reference_quantiles)):
            for level, value in zip(LEVELS, values, strict=False):  # a window without values has no deciles
                family.add_metric((*model_labels(model), column.feature, sample, level), value)
    return family


def _shares(subject: Subject, detailed: Shown) -> GaugeMetricFamily:
    text = (
        "Share of rows whose {} lies in a bin, of window and reference, missing ones included; of the 50 most severe."
    )
    family = _family(subject, "share", text, "sample", "bin")
    for model, column in _each(detailed):
        names = bin_names([one.label for one in column.histogram])
        for name, one in zip(names, column.histogram, strict=True):
            for sample, share in (("window", one.window), ("reference", one.reference)):
                family.add_metric((*model_labels(model), column.feature, sample, name), share)
    return family


def bin_names(texts: Iterable[str]) -> list[str]:
    """The texts of a column's bins as label values: unique, at most about `LONGEST_BIN` long, and valid UTF-8.

    Two series of one name would make the whole scrape invalid, and so would half of a surrogate pair. A name that is
    taken gets a prime. Example: the category `missing` and the bin of missing values are `missing` and `missing'`.
    """
    names: dict[str, None] = {}
    for text in texts:
        name = text[:LONGEST_BIN].encode("utf-8", "replace").decode()
        while name in names:
            name += "'"
        names[name] = None
    return list(names)


def _each(shown: Shown) -> Iterator[tuple[ModelKey, FeatureDrift]]:
    return ((model, column) for model, columns in shown.items() for column in columns)

"""The metrics of the rows of one sample, with their intervals."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.calibration import calibration_error
from driftgauge.drift.outcomes.outcome_columns import Floats, LabelledOutput, OutcomeColumns, Task
from driftgauge.drift.outcomes.outcome_intervals import (
    Interval,
    bootstrap_intervals,
    effective_rows,
    mean_interval,
    wilson_interval,
)
from driftgauge.drift.outcomes.outcome_metrics import (
    ClassRows,
    NumberErrors,
    RocCurves,
    brier_scores,
    complete_rows,
    log_losses,
    scores_of_classes,
)
from driftgauge.drift.outcomes.outcome_report import ClassValue, MetricValue, OutcomeSample
from driftgauge.drift.outcomes.prediction_bins import OTHER, PredictionBins, confidence_of

_CALIBRATION_ERROR = "calibration_error"

_F1 = "f1:"
"""Before the place of a class: its F1 among the metrics of a draw."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleValues:
    """The metrics of the rows of one sample.

    Args:
        rows: How many there are.
        metrics: Those that are defined.
        class_values: Metrics of single classes; empty for a regression.
        class_rows: The labels of each class, `(other)` last if there are any.
        confusion: Shape `(c + 1, c + 1)`; `None` for a regression.
    """

    rows: int
    metrics: tuple[MetricValue, ...] = ()
    class_values: tuple[ClassValue, ...] = ()
    class_rows: tuple[tuple[str, OutcomeSample, int], ...] = ()
    confusion: Floats | None = None


class LabelledSample:
    """The rows of one sample, all with a prediction and a label, prepared for metrics of any weights."""

    def __init__(
        self,
        output: LabelledOutput,
        bins: PredictionBins,
        columns: OutcomeColumns,
        weights: Floats | None,
        requests: NDArray[np.int64] | None,
        factor: float,
    ) -> None:
        self._output, self._bins, self._columns = output, bins, columns
        self._weights, self._requests, self._factor = weights, requests, factor
        self._rows = columns.labels.size

    def values(self, sample: OutcomeSample, draws: int) -> SampleValues:
        """All metrics that are defined."""
        if self._rows == 0:
            return SampleValues(0)
        if self._output.task is Task.REGRESSION:
            return SampleValues(self._rows, tuple(self._numbers(sample, draws)))
        return self._classes(sample, draws)

    def _worth(self, rows: NDArray[np.bool_] | None = None) -> float:
        """The effective rows of all rows, or of some."""
        if rows is None:
            return effective_rows(self._rows, self._weights, self._factor)
        weights = None if self._weights is None else self._weights[rows]
        return effective_rows(int(np.count_nonzero(rows)), weights, self._factor)

    def _numbers(self, sample: OutcomeSample, draws: int) -> Iterator[MetricValue]:
        predictions, labels = self._columns.predictions, self._columns.labels
        errors = predictions - labels
        yield self._mean("mae", sample, np.abs(errors), least=0.0)
        yield self._mean("bias", sample, errors)
        metrics = NumberErrors(predictions, labels).metrics
        yield from _metric_values(sample, metrics(np.ones(self._rows)), self._intervals(metrics, draws))

    def _classes(self, sample: OutcomeSample, draws: int) -> SampleValues:
        rows = ClassRows.of(self._columns, self._output.classes)
        texts = (*self._output.class_texts, OTHER)
        drawn = _ClassDraws(self._output, self._bins, self._columns, rows)
        intervals = self._intervals(drawn.metrics, draws)
        found = drawn.metrics(np.ones(self._rows))
        metrics = [self._share("accuracy", sample, rows.right), *self._means_of_scores(sample, drawn.scores, rows)]
        named = {name: value for name, value in found.items() if not name.startswith(_F1)}
        metrics += _metric_values(sample, named, intervals)
        labels = np.bincount(rows.labels, minlength=len(texts)).tolist()
        return SampleValues(
            self._rows,
            tuple(metrics),
            tuple(self._class_values(sample, rows, texts, intervals)),
            tuple((text, sample, count) for text, count in zip(texts, labels, strict=True) if count or text != OTHER),
            rows.confusion(),
        )

    def _class_values(
        self, sample: OutcomeSample, rows: ClassRows, texts: Iterable[str], intervals: Mapping[str, Interval]
    ) -> Iterator[ClassValue]:
        scores = rows.scores(np.ones(self._rows))
        for place, text in enumerate(texts):
            parts = (
                ("precision", float(scores.precision[place]), rows.predictions == place),
                ("recall", float(scores.recall[place]), rows.labels == place),
            )
            for metric, value, of_class in parts:
                if not math.isnan(value):
                    yield _class_value(text, metric, sample, value, wilson_interval(value, self._worth(of_class)))
            f1 = float(scores.f1[place])
            if not math.isnan(f1):
                yield _class_value(text, "f1", sample, f1, intervals.get(f"{_F1}{place}"))

    def _means_of_scores(self, sample: OutcomeSample, scores: Floats | None, rows: ClassRows) -> Iterator[MetricValue]:
        if scores is None:
            return
        known = complete_rows(scores)
        if known.any():
            losses = log_losses(scores[known], rows.labels[known])
            yield self._mean("log_loss", sample, losses, known, least=0.0)
            yield self._mean("brier", sample, brier_scores(scores[known], rows.labels[known]), known, least=0.0)

    def _share(self, metric: str, sample: OutcomeSample, right: NDArray[np.bool_]) -> MetricValue:
        share = float(right.mean())
        lower, upper = wilson_interval(share, self._worth())
        return MetricValue(metric=metric, sample=sample, value=share, lower=lower, upper=upper)

    def _mean(
        self,
        metric: str,
        sample: OutcomeSample,
        values: Floats,
        rows: NDArray[np.bool_] | None = None,
        least: float = -math.inf,
    ) -> MetricValue:
        """A mean; `rows` are those that have a value, `least` is the least that there can be."""
        lower, upper = mean_interval(values, self._worth(rows)) or (None, None)
        lower = None if lower is None else max(least, lower)
        return MetricValue(metric=metric, sample=sample, value=float(values.mean()), lower=lower, upper=upper)

    def _intervals(self, metrics: Callable[[Floats], Mapping[str, float]], draws: int) -> dict[str, Interval]:
        return bootstrap_intervals(metrics, self._rows, self._requests, draws, biased=[_CALIBRATION_ERROR])


class _ClassDraws:
    """The metrics of classes whose intervals are drawn."""

    def __init__(self, output: LabelledOutput, bins: PredictionBins, columns: OutcomeColumns, rows: ClassRows) -> None:
        self._rows, self._bins = rows, bins
        self._places, self._right = bins.find(columns), rows.right.astype(np.float64)
        self._confidence = confidence_of(columns)
        self.scores = scores_of_classes(columns, output.classes)
        self._known = None if self.scores is None else complete_rows(self.scores)
        self._curves = (
            None
            if self.scores is None or self._known is None
            else RocCurves(self.scores[self._known], rows.labels[self._known])
        )

    def metrics(self, weights: Floats) -> dict[str, float]:
        """Metrics of the output, and F1 of each class as `f1:<place>`."""
        scores = self._rows.scores(weights)
        found = {"balanced_accuracy": scores.balanced_accuracy, "f1": scores.macro_f1}
        found |= {f"{_F1}{place}": value for place, value in enumerate(scores.f1.tolist())}
        if self._curves is not None and self._known is not None:
            found["roc_auc"] = self._curves.drawn_area(weights[self._known])
        if self._confidence is not None:
            found[_CALIBRATION_ERROR] = calibration_error(
                self._bins, self._places, self._confidence, self._right, weights
            )
        return found


def _metric_values(
    sample: OutcomeSample, values: Mapping[str, float], intervals: Mapping[str, Interval]
) -> Iterator[MetricValue]:
    for name, value in values.items():
        if not math.isnan(value):
            lower, upper = intervals.get(name, (None, None))
            yield MetricValue(metric=name, sample=sample, value=value, lower=lower, upper=upper)


def _class_value(text: str, metric: str, sample: OutcomeSample, value: float, interval: Interval | None) -> ClassValue:
    lower, upper = interval or (None, None)
    return ClassValue(class_text=text, metric=metric, sample=sample, value=value, lower=lower, upper=upper)

"""The counters of outcomes: from them any metric over any range is a query."""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter

from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.column_gauges import LONGEST_BIN
from driftgauge.metrics.request_counts import MODEL_LABELS, model_labels

_OUTPUT_LABELS = (*MODEL_LABELS, "output")


class ErrorSums(NamedTuple):
    """Sums over rows with a number and its label.

    Args:
        above: Sum of prediction - label where it is above 0.
        below: Sum of label - prediction where it is above 0.
        squared: Sum of its squares.
    """

    above: float
    below: float
    squared: float


class OutputCounts(NamedTuple):
    """Rows of one output that are counted now.

    Args:
        output: Its name.
        rows: How many they are.
        correct: Of classes, how many predictions are right, those of a class without a place of its own among them.
        confusion: How many rows have each pair of label and prediction, by their texts; empty for numbers.
        errors: Sums of errors; `None` for classes.
    """

    output: str
    rows: int
    correct: int
    confusion: Mapping[tuple[str, str], int]
    errors: ErrorSums | None


class OutcomeCounts:
    """Counts labelled rows when they are judged, and responses whose id came again.

    Args:
        registry: Where the families are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, names: tuple[str, ...]) -> Counter:
            return Counter(name, text, names, registry=registry)

        self._rows = counter(
            "driftgauge_outcome_rows_total", "Labelled rows of an output that were judged.", _OUTPUT_LABELS
        )
        self._correct = counter(
            "driftgauge_correct_predictions_total",
            "Labelled rows of an output whose predicted class is the label.",
            _OUTPUT_LABELS,
        )
        self._confusion = counter(
            "driftgauge_confusion_total",
            "Labelled rows of an output by label and prediction; of the 20 most frequent classes, and (other).",
            (*_OUTPUT_LABELS, "label", "prediction"),
        )
        self._errors = counter(
            "driftgauge_absolute_error_total",
            "Sum of the absolute errors of predictions that are above their label, and of those below it.",
            (*_OUTPUT_LABELS, "direction"),
        )
        self._squared = counter(
            "driftgauge_squared_error_total", "Sum of the squared errors of predictions.", _OUTPUT_LABELS
        )
        self._displaced = counter(
            "driftgauge_responses_displaced_total",
            "Responses that waited for labels when their id came again: the newest one counts.",
            MODEL_LABELS,
        )
        self._started: dict[ModelKey, set[tuple[Counter, tuple[str, ...]]]] = {}

    def count_rows(self, model: ModelKey, outputs: Iterable[OutputCounts]) -> None:
        """Count rows that were judged."""
        for one in outputs:
            self._add(model, self._rows, (one.output,), one.rows)
            for (label, prediction), number in one.confusion.items():
                self._add(model, self._confusion, (one.output, _shown(label), _shown(prediction)), number)
            if one.errors is None:
                self._add(model, self._correct, (one.output,), one.correct)
            else:
                self._add(model, self._errors, (one.output, "above"), one.errors.above)
                self._add(model, self._errors, (one.output, "below"), one.errors.below)
                self._add(model, self._squared, (one.output,), one.errors.squared)

    def count_displaced(self, model: ModelKey, responses: int) -> None:
        """Count responses whose id came again."""
        self._add(model, self._displaced, (), responses)

    def retain(self, models: Container[ModelKey]) -> None:
        """Remove the series of models that are not in `models`."""
        for model in [model for model in self._started if model not in models]:
            for family, values in self._started.pop(model):
                family.remove(*model_labels(model), *values)

    def _add(self, model: ModelKey, family: Counter, values: tuple[str, ...], number: float) -> None:
        self._started.setdefault(model, set()).add((family, values))
        family.labels(*model_labels(model), *values).inc(number)


def _shown(text: str) -> str:
    """The text of a class as a label value: cut, and valid UTF-8."""
    return text[:LONGEST_BIN].encode("utf-8", "replace").decode()

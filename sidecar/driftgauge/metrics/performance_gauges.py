"""The gauges of how often predictions are right: of each output, and of its classes."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from driftgauge.drift.outcomes.outcome_report import ClassValue, MetricValue, OutputOutcome
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.column_gauges import bin_names
from driftgauge.metrics.request_counts import MODEL_LABELS, model_labels

_Outputs = Sequence[tuple[ModelKey, OutputOutcome]]

_INTERVAL: tuple[tuple[str, str, Callable[[MetricValue], float | None]], ...] = (
    (
        "driftgauge_performance",
        "A metric of an output's predictions, of the labelled window or another sample.",
        lambda one: one.value,
    ),
    (
        "driftgauge_performance_lower",
        "Lower end of the 95 % interval of a metric.",
        lambda one: one.lower,
    ),
    (
        "driftgauge_performance_upper",
        "Upper end of the 95 % interval of a metric.",
        lambda one: one.upper,
    ),
)


def performance_families(outputs: _Outputs) -> Iterator[GaugeMetricFamily]:
    """The families of the metrics.

    Args:
        outputs: Each output with its model.
    """
    for name, text, value in _INTERVAL:
        family = GaugeMetricFamily(name, text, labels=(*MODEL_LABELS, "output", "metric", "sample"))
        for model, output in outputs:
            for one in output.metrics:
                number = value(one)
                if number is not None:
                    family.add_metric((*model_labels(model), output.output, one.metric, one.sample), number)
        yield family
    yield _class_performance(outputs)
    yield _class_rows(outputs)


def _class_performance(outputs: _Outputs) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "driftgauge_class_performance",
        "Precision, recall or f1 of a class of an output; of the 20 most frequent classes, and (other).",
        labels=(*MODEL_LABELS, "output", "class", "metric", "sample"),
    )
    for model, output in outputs:
        names = _class_names(one.class_text for one in output.class_values)
        for one in output.class_values:
            family.add_metric((*model_labels(model), output.output, *_class_labels(names, one)), one.value)
    return family


def _class_rows(outputs: _Outputs) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "driftgauge_class_rows",
        "Labels of a class of an output, in the window and in the reference.",
        labels=(*MODEL_LABELS, "output", "class", "sample"),
    )
    for model, output in outputs:
        names = _class_names(text for text, _, _ in output.class_rows)
        for text, sample, rows in output.class_rows:
            family.add_metric((*model_labels(model), output.output, names[text], sample), rows)
    return family


def _class_labels(names: dict[str, str], one: ClassValue) -> tuple[str, str, str]:
    return names[one.class_text], one.metric, one.sample


def _class_names(texts: Iterator[str]) -> dict[str, str]:
    """A value of the label `class` for each text: cut, valid UTF-8, and no two alike."""
    different = list(dict.fromkeys(texts))
    return dict(zip(different, bin_names(different), strict=True))

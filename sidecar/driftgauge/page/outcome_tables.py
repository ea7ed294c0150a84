"""The tables of one output's labels: tests, metrics, classes, the confusion matrix and the bins of predictions."""

from collections.abc import Callable, Sequence

from driftgauge.drift.outcomes.outcome_report import (
    CalibrationBin,
    ClassValue,
    Confusion,
    OutcomeSample,
    OutcomeTestResult,
    OutputOutcome,
)
from driftgauge.page.calibration_chart import is_outside
from driftgauge.page.formatting import DASH, number, share
from driftgauge.page.markup import Markup, clipped, joined, named, tag
from driftgauge.page.outcome_words import METRICS, REASONS, SAMPLES, TESTS, interval, metric_number

_LONGEST_CLASS = 40
"""Characters of a class's text that are shown."""

_PER_CLASS = ("precision", "recall", "f1")


def tests_table(output: OutputOutcome) -> Markup:
    """Both tests, with evidence and threshold."""
    lines = [_test(one) for one in output.tests]
    titles = ("test", "evidence", "threshold", "alarm")
    return _wide(_table(f"Tests of labels: {clipped(output.output)}", titles, lines, "tests"), "Tests")


def _test(test: OutcomeTestResult) -> Markup:
    alarm = "▲ yes" if test.drift else "no"
    if test.untested is not None and not test.drift:
        alarm = tag("span", f"? {REASONS[test.untested.reason]}", class_="reason")
    return tag(
        "tr",
        tag("th", TESTS[test.test], scope="row"),
        tag("td", f"{test.statistic:.2f}"),
        tag("td", number(test.threshold) if test.threshold > 0 else DASH),
        tag("td", alarm),
        class_="alarm" if test.drift else "quiet",
    )


def metrics_table(output: OutputOutcome) -> Markup:
    """Every metric of each sample, with its 95 % interval."""
    found = {(one.metric, one.sample): one for one in output.metrics}
    samples = [one for one in SAMPLES if any(sample is one for _, sample in found)]
    lines = []
    for metric in dict.fromkeys(metric for metric, _ in found):
        cells = []
        for sample in samples:
            one = found.get((metric, sample))
            value = DASH if one is None else metric_number(metric, one.value)
            range_ = "" if one is None else interval(one)
            cells.append(tag("td", value, tag("small", range_) if range_ else ""))
        lines.append(tag("tr", tag("th", METRICS.get(metric, metric), scope="row"), *cells))
    titles = ("metric", *(SAMPLES[one] for one in samples))
    table = _table(f"Metrics with 95 % intervals: {clipped(output.output)}", titles, lines, "tests metrics")
    return _wide(table, "Metrics")


def class_table(output: OutputOutcome) -> Markup:
    """Precision, recall and F1 of each class, now and (in brackets) in the reference; nothing for numbers."""
    values = {(one.class_text, one.metric, one.sample): one for one in output.class_values}
    rows = {(text, sample): number_ for text, sample, number_ in output.class_rows}
    texts = list(dict.fromkeys([one.class_text for one in output.class_values]))
    if not texts:
        return Markup()
    lines = [
        tag(
            "tr",
            tag("th", named(text, _LONGEST_CLASS), scope="row"),
            tag("td", _pair(_count(rows, text), lambda one: f"{one:,.0f}")),
            *(tag("td", _pair(_values(values, text, metric), share)) for metric in _PER_CLASS),
        )
        for text in texts
    ]
    titles = ("class", "labels", *(METRICS[one].split(" ")[0] for one in _PER_CLASS))
    table = _table(f"Classes, now and (in the reference): {clipped(output.output)}", titles, lines, "tests classes")
    return _wide(table, "Classes")


def _values(
    values: dict[tuple[str, str, OutcomeSample], ClassValue], text: str, metric: str
) -> tuple[float | None, float | None]:
    now, before = (values.get((text, metric, sample)) for sample in (OutcomeSample.WINDOW, OutcomeSample.REFERENCE))
    return (None if now is None else now.value), (None if before is None else before.value)


def _count(rows: dict[tuple[str, OutcomeSample], int], text: str) -> tuple[int | None, int | None]:
    return rows.get((text, OutcomeSample.WINDOW)), rows.get((text, OutcomeSample.REFERENCE))


def _pair(both: tuple[float | None, float | None], shown: Callable[[float], str]) -> Markup:
    """The number of the window, and that of the reference in brackets."""
    now, before = (None if one is None else shown(one) for one in both)
    return joined((now or DASH, tag("small", f"({before})") if before is not None else ""))


def confusion_table(name: str, confusion: Confusion) -> Markup:
    """How often each class was predicted for each label; a cell's colour is its share of the label's rows."""
    titles = [tag("td", "label \\ prediction", class_="corner")]
    titles += [tag("th", named(text, _LONGEST_CLASS), scope="col") for text in confusion.classes]
    lines = [
        tag(
            "tr",
            tag("th", named(text, _LONGEST_CLASS), scope="row"),
            *_confusion_cells(place, confusion),
        )
        for place, text in enumerate(confusion.classes)
    ]
    caption = tag("caption", f"Labels (lines) and predicted classes (columns) of the window: {clipped(name)}")
    table = tag("table", caption, tag("thead", tag("tr", *titles)), tag("tbody", *lines), class_="confusion")
    return _wide(table, "Confusion matrix")


def _confusion_cells(label: int, confusion: Confusion) -> list[Markup]:
    """The cells of one label: rows, their share now, and in the reference."""
    window, reference = confusion.window[label], confusion.reference[label]
    compared = any(map(any, confusion.reference))
    rows, before = sum(window), sum(reference)
    cells = []
    for prediction, number_ in enumerate(window):
        part = number_ / rows if rows else 0.0
        then = reference[prediction] / before if before else 0.0
        if not number_ and not reference[prediction]:
            cells.append(tag("td", "0", class_="quiet"))
            continue
        kind = "right" if prediction == label else "wrong"
        text = tag("small", f"{100 * part:.0f} %" + (f" ({100 * then:.0f} %)" if compared else ""))
        cells.append(tag("td", f"{number_:,}", text, class_=kind, style=f"--part:{100 * part:.0f}%"))
    return cells


def bins_table(name: str, bins: Sequence[CalibrationBin]) -> Markup:
    """Every bin of predictions, with the band of tolerance."""
    shown = share if bins[0].class_text else number
    lines = [
        tag(
            "tr",
            tag("th", named(one.label, _LONGEST_CLASS), scope="row"),
            tag("td", DASH if one.window is None else shown(one.window)),
            tag("td", shown(one.reference)),
            tag("td", f"{shown(one.tolerated_lower)} to {shown(one.tolerated_upper)}"),
            tag("td", f"{one.window_rows:,}"),
            tag("td", f"{one.reference_rows:,}"),
            class_="alarm" if is_outside(one) else "quiet",
        )
        for one in bins
    ]
    titles = ("bin", "window", "reference", "tolerated", "rows", "reference rows")
    table = _table(f"Bins of predictions: {clipped(name)}", titles, lines, "tests bins")
    return _wide(table, "Bins of predictions")


def _wide(table: Markup, label: str) -> Markup:
    """A table that may be wider than the screen: it scrolls by itself, with the keyboard too."""
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=label)


def _table(caption: str, titles: Sequence[str], lines: Sequence[Markup], kind: str) -> Markup:
    head = tag("tr", *(tag("th", title, scope="col") for title in titles))
    return tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *lines), class_=kind)

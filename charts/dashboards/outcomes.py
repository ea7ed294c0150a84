"""The Outcomes board: how often the predictions are right, the two verdicts, and how labels come in."""

from collections.abc import Iterator

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.annotations import ANNOTATIONS
from charts.dashboards.board import Row, Tree, board, model_variables
from charts.dashboards.panels import graph, grid, number, states
from charts.dashboards.promql import highest, lowest, mean, quantile, rate, selected, state, total
from charts.dashboards.queries import Query
from charts.dashboards.style import DASHED, GREEN, HALF, QUARTER, RED, THIRD, Text
from charts.dashboards.units import OWN, SECONDS, SHARE, STATE, THRESHOLDS, count, per_second

_CLASSES = 'metric="accuracy"'
_NUMBERS = 'metric=~"mae|rmse|bias"'
_REFERENCE = {"^reference": [DASHED]}


def outcomes() -> Tree:
    """Make the board: is the model right, do its predictions mean what they meant, and do labels come?"""
    return board(
        "outcomes",
        "driftgauge / Outcomes",
        "One model's predictions with their labels: accuracy, the verdicts on performance and concept, and how labels "
        "come in. Empty for a model without labels.",
        (
            Row("Verdict", (*_now(), *_verdicts())),
            Row("Performance of the newest labelled rows", tuple(_performance())),
            Row("Over the time range", tuple(_ranges())),
            Row("Labels", tuple(_labels())),
            Row("Compared with", (*_listed(),)),
        ),
        model_variables(single_service=True),
        ANNOTATIONS,
    )


def _verdicts() -> Iterator[Panel]:
    verdict = Text(
        "Performance and concept",
        "Performance drifts if the predictions are wrong more often than on the reference, concept if labels are not "
        "what they were for the same predictions. Inputs alone: a harmless move. Performance alone: more of the hard "
        "cases. Both: the relation between inputs and labels has changed; retrain on recent labels.",
        STATE,
    )
    evidence = Text(
        "Evidence on outcomes against its threshold",
        "The detector's evidence, log10 of seconds, divided by its threshold: at the line at 1 it alarms. It rises "
        "with each label that is worse than what is tolerated, and is low otherwise.",
        THRESHOLDS,
        "evidence / threshold",
    )
    by = "output, test"
    statistic, threshold = (selected(f"driftgauge_outcome_drift_{name}") for name in ("statistic", "threshold"))
    yield states(verdict, Query(state("driftgauge_outcome_state", by=by), "{{output}} {{test}}"), width=HALF)
    yield graph(evidence, Query(highest(f"{statistic} / {threshold}", by), "{{output}} {{test}}"), line=1)


def _performance() -> Iterator[Panel]:
    accuracy = Text(
        "Accuracy",
        "Share of right predictions among those judged last, with its 95 % interval, and that of the reference "
        "(dashed). Weighted: corrected for labels that were chosen by the prediction. Estimated: of all responses, "
        "without labels, if the relation had not changed. Empty for numbers.",
        SHARE,
    )
    errors = Text(
        "Errors of numbers",
        "Of the predictions judged last, in their own unit, and of the reference (dashed): mean absolute error, "
        "root mean square error, and bias (prediction less label). Empty for classes.",
        OWN,
        "unit of the label",
    )
    recall = Text(
        "Recall by class",
        "Share of the labels of each class that were predicted, and that of the reference (dashed). Empty for numbers.",
        SHARE,
    )
    calibration = Text(
        "Calibration",
        "Share of right predictions in each bin of the predictions; of numbers the mean error. If the reference's "
        "(dashed) are left, the predictions no longer mean what they meant.",
        OWN,
        "share of right ones, or mean error",
    )
    yield graph(accuracy, *_lines("driftgauge_performance", _CLASSES, "output"), limits=(0, 1), overrides=_REFERENCE)
    yield graph(
        errors, *_lines("driftgauge_performance", _NUMBERS, "output, metric"), limits=(None, None), overrides=_REFERENCE
    )
    recalls = 'metric="recall"'
    yield graph(
        recall,
        *_lines("driftgauge_class_performance", recalls, "output, class"),
        limits=(0, 1),
        overrides=_REFERENCE,
    )
    yield graph(
        calibration, *_lines("driftgauge_calibration", "", "output, bin"), limits=(None, None), overrides=_REFERENCE
    )


def _lines(family: str, matcher: str, by: str) -> Iterator[Query]:
    """The window's and the reference's values of a family; of the accuracy also its interval, and other samples."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    matchers = (matcher,) if matcher else ()
    window, reference = (mean(selected(family, *matchers, f'sample="{one}"'), by) for one in ("window", "reference"))
    yield Query(window, legend)
    yield Query(reference, f"reference {legend}")
    if matcher == _CLASSES:
        others = mean(selected(family, matcher, 'sample=~"weighted|estimated"'), f"{by}, sample")
        yield Query(others, f"{legend} {{{{sample}}}}")
        for end in ("lower", "upper"):
            yield Query(mean(selected(f"{family}_{end}", matcher, 'sample="window"'), by), f"{legend} {end} end")


def _labels() -> Iterator[Panel]:
    outcomes_of_labels = Text(
        "Labels by outcome",
        "Labels a second by what became of them. Unknown: no response with this id waits. Not kept: it was not in the "
        "sample of responses that wait. Too late: the row was judged before.",
        per_second("labels"),
    )
    delay = Text(
        "Delay of the labels",
        "Time from a response to its label: median, nine of ten, 99 of 100. If labels of one class take longer, set "
        "`label_maturity_seconds`.",
        SECONDS,
    )
    shares = Text(
        "Coverage, kept, selection",
        "Coverage: responses of the window's time that have a label. Kept: responses that wait for a label, or did. "
        "Selection: distance between predictions of labelled responses and of all; where it is large, labels were "
        "chosen by the prediction, and performance has no verdict.",
        SHARE,
    )
    by_outcome = total(rate("driftgauge_labels_total"), "outcome")
    family = "driftgauge_label_delay_seconds"
    levels = [Query(quantile(level, family, "model_name"), f"{level:g}") for level in (0.5, 0.9, 0.99)]
    yield graph(outcomes_of_labels, Query(f"{by_outcome} > 0", "{{outcome}}"), width=THIRD)
    yield graph(delay, *levels, width=THIRD)
    yield graph(
        shares,
        Query(lowest(selected("driftgauge_outcome_coverage_ratio"), "model_name"), "coverage"),
        Query(lowest(selected("driftgauge_responses_kept_ratio"), "model_name"), "kept"),
        Query(highest(selected("driftgauge_outcome_selection"), "output"), "selection {{output}}"),
        limits=(0, 1),
        width=THIRD,
    )


def _now() -> Iterator[Panel]:
    alarming = Text(
        "Tests that alarm", "Tests of performance and concept that alarm, over all outputs.", count("tests")
    )
    window = Text("Labelled rows", "Rows that are described: those judged last.", count("rows"))
    age = Text("Newest labelled response", "How long ago the newest labelled response passed.", SECONDS)
    waiting = Text("Responses that wait", "Responses that wait for their first label.", count("responses"))
    alarms = total(highest(selected("driftgauge_outcome_drift"), "output, test"), "")
    newest = selected("driftgauge_outcome_window_timestamp_seconds")
    yield number(alarming, alarms, ((None, GREEN), (1, RED)), width=QUARTER)
    yield number(window, f"max({selected('driftgauge_outcome_window_rows')})", width=QUARTER)
    yield number(age, f"time() - max({newest})", width=QUARTER)
    yield number(waiting, f"max({selected('driftgauge_responses_pending')})", width=QUARTER)


def _ranges() -> Iterator[Panel]:
    """What the counters say, over any range: rows are counted once, whichever replica judges them."""
    accuracy = Text(
        "Accuracy of each interval",
        "Right predictions as a share of the rows that were judged in each interval. Empty for numbers.",
        SHARE,
    )
    errors = Text(
        "Mean errors of each interval",
        "Mean absolute and root mean square error of the rows that were judged in each interval, in the unit of the "
        "label. Empty for classes.",
        OWN,
        "unit of the label",
    )
    confusion = Text(
        "Confusion",
        "Rows of the time range by label and predicted class: right ones have the same class twice.",
        count("rows"),
    )
    classes = Text(
        "Labels of each class",
        "Labels in the newest window. A class that has become rarer or more frequent moves accuracy and recall.",
        count("rows"),
    )
    by = "output"
    judged = total(rate("driftgauge_outcome_rows_total"), by)
    right = total(rate("driftgauge_correct_predictions_total"), by)
    absolute, squared = (total(rate(f"driftgauge_{name}_error_total"), by) for name in ("absolute", "squared"))
    pairs = total(f"increase({selected('driftgauge_confusion_total')}[$__range])", "output, label, prediction")
    rows = mean(selected("driftgauge_class_rows", 'sample="window"'), "output, class")
    yield graph(accuracy, Query(f"{right} / {judged}", "{{output}}"), limits=(0, 1))
    yield graph(
        errors,
        Query(f"{absolute} / {judged}", "{{output}} mean absolute"),
        Query(f"sqrt({squared} / {judged})", "{{output}} root mean square"),
    )
    headings = {"output": "Output", "label": "Label", "prediction": "Prediction"}
    yield grid(confusion, {"Rows": Query(f"{pairs} > 0")}, headings, {}, width=HALF)
    yield graph(classes, Query(rows, "{{output}} {{class}}"))


def _listed() -> Iterator[Panel]:
    """What outcomes are compared with, and tests without a verdict."""
    reference = Text("Labelled rows compared with", "Rows of the reference, or of the baseline.", count("rows"))
    judged = Text(
        "Rows of responses",
        "Rows of responses a second: judged with a label (labelled), too old without one (unlabelled), not kept at all "
        "(dropped); and responses whose id came again (displaced), of which the newest counts.",
        per_second("rows"),
    )
    compared = Text(
        "Outcomes are compared with",
        "The reference's own labels, or a baseline of the first labelled responses since it was loaded. A baseline "
        "shows changes since then, not since validation.",
        count("processes"),
    )
    untested = Text(
        "Cannot tell: outcomes",
        "Tests without a verdict now, why, and how many processes say so.",
        count("processes"),
    )
    states_of_rows = total(rate("driftgauge_outcomes_total"), "state")
    displaced = total(rate("driftgauge_responses_displaced_total"), "model_name")
    by_file = f"count by (source, path, hash, loaded) ({selected('driftgauge_outcome_reference_info')})"
    by_reason = f"count by (output, test, reason) ({selected('driftgauge_outcome_cannot_tell')})"
    yield number(reference, f"min({selected('driftgauge_outcome_reference_rows')})", width=HALF)
    yield graph(judged, Query(states_of_rows, "{{state}}"), Query(displaced, "displaced"))
    files = {"source": "Source", "path": "Path", "hash": "Hash", "loaded": "Since"}
    yield grid(compared, {"Processes": Query(by_file)}, files, {}, width=HALF)
    reasons = {"output": "Output", "test": "Test", "reason": "Reason"}
    yield grid(untested, {"Processes": Query(by_reason)}, reasons, {}, width=HALF)

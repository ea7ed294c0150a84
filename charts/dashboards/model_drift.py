"""The Model drift board: one model's features, how far each has moved, since when, and which way."""

from charts.dashboards.board import Mark, Row, Tree, Variable, board, model_variables
from charts.dashboards.panels import (
    DASHED,
    GREEN,
    RED,
    SIXTH,
    THIRD,
    Query,
    Text,
    cells,
    colour,
    curves,
    graph,
    grid,
    number,
    verdicts,
)
from charts.dashboards.promql import MODEL, highest, mean, rate, selected, total

_CHOSEN = 'feature=~"$feature"'
_FEATURE = f"{MODEL}, feature"
_STATISTIC, _THRESHOLD, _P_VALUE, _VERDICT = (
    highest(selected(f"driftgauge_feature_drift{ending}", _CHOSEN), _FEATURE)
    for ending in ("_statistic", "_threshold", "_p_value", "")
)
_RATIO = highest(
    f"{selected('driftgauge_feature_drift_statistic', _CHOSEN)} / "
    f"{selected('driftgauge_feature_drift_threshold', _CHOSEN)}",
    _FEATURE,
)
"""Divided in each process before the maximum: D of one and the threshold of another have no ratio."""
_REFERENCE = f"{MODEL}, hash, path, loaded"

REFERENCE_CHANGES = Mark(
    "Reference changed",
    f"{highest(selected('driftgauge_reference_info'), _REFERENCE)} unless "
    f"{highest(selected('driftgauge_reference_info') + ' offset 1m', _REFERENCE)}",
    "{{path}} of {{inference_service}}, loaded {{loaded}}, SHA-256 {{hash}}",
)


def model_drift() -> Tree:
    """Answers: which features have drifted, how far, since when, and are the rows sound?"""
    feature = Variable(
        "feature",
        "Feature",
        'driftgauge_feature_drift{inference_service_namespace=~"$namespace", inference_service=~"$inference_service"}',
        "feature",
    )
    return board(
        "model-drift",
        "driftgauge / Model drift",
        "One model's windows against its reference: the verdict on each feature, D, p, the distributions, the rows.",
        (_verdict(), _distance(), _rows(), _feature()),
        (*model_variables(single_service=True), feature),
        (REFERENCE_CHANGES,),
    )


def _verdict() -> Row:
    drifted = Text(
        "Drifted features", "Features whose newest window differs from the reference, after correction.", "short"
    )
    tested = Text("Tested features", "Features with values enough for a test.", "short")
    window = Text("Window", "Rows of the newest window. No verdict under `min_rows`.", "short")
    age = Text("Window age", "Time since the newest row of the window passed.", "s")
    evaluated = Text("Evaluated", "Time since the newest evaluation.", "s")
    reference = Text("Reference", "Rows of the reference; 0 means that there is none and nothing is tested.", "short")
    state = Text(
        "Features over time",
        "The verdict on each feature. All at once: look for a deployment, a changed unit or order of columns, or a new "
        "population. One alone: look at the source of that feature. A gap: too few values, or no evaluation.",
        "none",
    )
    in_use = Text(
        "Reference in use",
        "Which file each process compares with: its path, the SHA-256 of its content and when it was loaded (UTC). "
        "More than one hash: replicas have not all picked up the newest file yet.",
        "short",
    )
    return Row(
        "Verdict",
        (
            number(drifted, f"max({selected('driftgauge_drifted_features')})", ((None, GREEN), (1, RED))),
            number(tested, f"count({highest(selected('driftgauge_feature_drift'), _FEATURE)})"),
            number(window, f"max({selected('driftgauge_window_rows')})"),
            number(age, f"time() - max({selected('driftgauge_window_timestamp_seconds')})"),
            number(evaluated, f"time() - max({selected('driftgauge_evaluation_timestamp_seconds')})"),
            number(reference, f"min({selected('driftgauge_reference_rows')})", ((None, RED), (1, GREEN))),
            verdicts(state, Query(_VERDICT, "{{feature}}")),
            grid(
                in_use,
                {"Processes": Query(f"count by ({_REFERENCE}) ({selected('driftgauge_reference_info')})")},
                {
                    "inference_service_namespace": "Namespace",
                    "inference_service": "InferenceService",
                    "component": "",
                    "model_name": "Model",
                    "path": "Path",
                    "hash": "SHA-256",
                    "loaded": "Loaded",
                },
                {},
            ),
        ),
    )


def _distance() -> Row:
    distances = Text(
        "D by feature",
        "Kolmogorov-Smirnov distance of the window from the reference: 0 is the same distribution, 1 no overlap.",
        "none",
    )
    ratio = Text(
        "D against its threshold",
        "D divided by the smallest D that would be called drift: above 1 is drift. This compares features whose "
        "samples differ in size. Of replicas with windows of their own the highest is shown.",
        "none",
    )
    p_values = Text(
        "p-value by feature",
        "Two-sided p-value of D before correction, on a scale from 0 to 1. It assumes independent rows: trust D more "
        "than p.",
        "none",
    )
    heat = Text(
        "Heatmap of D",
        "D of each feature over time: the darker, the further from the reference. A feature that wanders slowly shows "
        "as a gradient, a broken one as an edge.",
        "none",
    )
    return Row(
        "Distance",
        (
            graph(distances, Query(_STATISTIC, "{{feature}}"), width=THIRD, limits=(0, 1)),
            graph(ratio, Query(_RATIO, "{{feature}}"), width=THIRD),
            graph(p_values, Query(_P_VALUE, "{{feature}}"), width=THIRD, limits=(0, 1)),
            cells(heat, Query(_STATISTIC, "{{feature}}")),
        ),
    )


def _rows() -> Row:
    rows = Text("Rows", "Feature rows a second that went into the ring.", "rowsps")
    missing = Text(
        "Missing values",
        "Values a second that were null, NaN or absent, by feature. They are left out of the test: a feature that is "
        "suddenly missing is a fault of its source, not drift.",
        "cps",
    )
    ends = Text(
        "Request payloads by end",
        "Request payloads a second: accepted, sampled out, dropped or rejected, and why. Rejected for wrong_width "
        "or wrong_type: callers and the reference disagree on the features.",
        "reqps",
    )
    by_end = total(rate("driftgauge_payloads_total", 'kind="request"'), "outcome, reason")
    return Row(
        "Rows and missing values",
        (
            graph(rows, Query(total(rate("driftgauge_rows_total")), "{{model_name}}"), width=THIRD),
            graph(
                missing,
                Query(total(rate("driftgauge_missing_values_total", _CHOSEN), _FEATURE), "{{feature}}"),
                width=THIRD,
            ),
            graph(ends, Query(f"{by_end} > 0", "{{outcome}} {{reason}}"), width=THIRD),
        ),
    )


def _deciles(sample: str, by: str, *levels: str) -> str:
    """Quantiles of one of the two samples of the chosen feature, at all levels unless some are named."""
    chosen = (f'level=~"{"|".join(levels)}"',) if levels else ()
    return mean(selected("driftgauge_feature_quantile", _CHOSEN, f'sample="{sample}"', *chosen), by)


def _feature() -> Row:
    against = Text(
        "D and its threshold: $feature",
        "D of this feature and the smallest D that would be called drift. The threshold moves with the sample sizes "
        "and, under Holm's correction, with the other features. Of replicas with windows of their own each line shows "
        "the highest; D against its threshold compares them one by one.",
        "none",
    )
    now = Text(
        "Distribution now: $feature",
        "Deciles of the window and of the reference: the value (upwards) below which that share of the rows lies "
        "(along). Parallel curves: a shift, or a changed unit. Another slope: another spread. A flat part: many equal "
        "values. Of replicas with windows of their own the mean of each decile is shown.",
        "none",
    )
    moving = Text(
        "Deciles over time: $feature",
        "The 1st, 5th and 9th decile of the window, and as dashed lines those of the reference. Shows when the "
        "distribution began to move. Of replicas with windows of their own the mean of each decile is shown.",
        "none",
    )
    shown = ("0.1", "0.5", "0.9")
    return Row(
        "Feature: $feature",
        (
            graph(
                against,
                Query(_STATISTIC, "D"),
                Query(_THRESHOLD, "threshold"),
                width=THIRD,
                overrides={"^threshold$": [DASHED, colour(RED)]},
            ),
            curves(
                now,
                "level",
                Query(_deciles("window", "level"), "window"),
                Query(_deciles("reference", "level"), "reference"),
            ),
            graph(
                moving,
                Query(_deciles("window", "feature, level", *shown), "window {{level}}"),
                Query(_deciles("reference", "feature, level", *shown), "reference {{level}}"),
                width=2 * SIXTH,
                limits=(None, None),
                overrides={"^reference": [DASHED]},
            ),
        ),
        repeat="feature",
    )

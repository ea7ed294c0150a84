"""The Model drift board: one model's inputs and answers, how far each has moved, since when, and which way."""

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.annotations import MARKS
from charts.dashboards.board import Row, Tree, Variable, board, model_variables
from charts.dashboards.columns import (
    INPUTS,
    OUTPUTS,
    Subject,
    distance,
    effects,
    evidence_of,
    one,
    ratio_of,
    verdicts_of,
)
from charts.dashboards.panels import GREEN, HALF, ORANGE, RED, THIRD, Query, Text, graph, grid, number
from charts.dashboards.predictions import predictions
from charts.dashboards.promql import MODEL, highest, rate, selected, total

_REFERENCE = f"{MODEL}, hash, path, loaded"


def model_drift() -> Tree:
    """Answers: what has drifted, how far, since when, which way, do the answers follow, and are the rows sound?"""
    return board(
        "model-drift",
        "driftgauge / Model drift",
        "One model's windows against its reference: the verdict on each feature and each output, evidence, D, the "
        "distributions, the rows.",
        (
            _verdict(),
            predictions(),
            distance(INPUTS),
            effects(INPUTS),
            _rows(),
            one(INPUTS),
            distance(OUTPUTS),
            effects(OUTPUTS),
            one(OUTPUTS),
        ),
        (*model_variables(single_service=True), _choice(INPUTS), _choice(OUTPUTS)),
        MARKS,
    )


def _choice(subject: Subject) -> Variable:
    """Columns that have series."""
    metric = (
        f'driftgauge_{subject.label}_drift{{inference_service_namespace=~"$namespace", '
        'inference_service=~"$inference_service"}'
    )
    return Variable(subject.label, subject.label.capitalize(), metric, subject.label)


def _verdict() -> Row:
    drifted = Text("Drifted features", "Features whose newest window differs from the reference.", "short")
    tested = Text("Tested features", "Features with values enough for a test.", "short")
    window = Text("Window", "Rows of the newest window. No verdict under `min_rows`.", "short")
    age = Text("Window age", "Time since the newest row of the window passed.", "s")
    evaluated = Text("Evaluated", "Time since the newest evaluation.", "s")
    reference = Text("Reference", "Rows of the reference; 0 means that there is none and nothing is tested.", "short")
    needed = Text(
        "Reference rows needed",
        "Rows at which the reference's error is no larger than a window's, if it has fewer: until then small changes "
        "go unseen. 0: it has enough.",
        "short",
    )
    tested_now = selected("driftgauge_features", 'state="tested"')
    return Row(
        "Verdict",
        (
            number(drifted, f"max({selected('driftgauge_drifted_features')})", ((None, GREEN), (1, RED))),
            number(tested, f"max({tested_now})"),
            number(window, f"max({selected('driftgauge_window_rows')})"),
            number(age, f"time() - max({selected('driftgauge_window_timestamp_seconds')})"),
            number(evaluated, f"time() - max({selected('driftgauge_evaluation_timestamp_seconds')})"),
            number(reference, f"min({selected('driftgauge_reference_rows')})", ((None, RED), (1, GREEN))),
            verdicts_of(INPUTS),
            evidence_of(INPUTS),
            ratio_of(INPUTS),
            number(needed, f"max({selected('driftgauge_reference_rows_needed')})", ((None, GREEN), (1, ORANGE))),
            _in_use(),
        ),
    )


def _in_use() -> Panel:
    text = Text(
        "Reference in use",
        "Which file each process compares with: its path, the SHA-256 of its content and when it was loaded (UTC). "
        "More than one hash: replicas have not all picked up the newest file yet.",
        "short",
    )
    return grid(
        text,
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
        width=20,
    )


def _rows() -> Row:
    rows = Text("Rows", "Feature rows a second that went into the ring.", "rowsps")
    missing = Text(
        "Missing values",
        "Values a second that were null, NaN or absent, by feature. They are left out of D, and their share has a "
        "test of its own: a feature that is suddenly missing is a fault of its source.",
        "cps",
    )
    ends = Text(
        "Request payloads by end",
        "Request payloads a second: accepted, sampled out, dropped or rejected, and why. Rejected for wrong_width "
        "or wrong_type: callers and the reference disagree on the features.",
        "reqps",
    )
    states = Text(
        "Columns by state",
        "Features: tested, with too few values (untested), left out such as dates and identifiers (ignored); and those "
        "that have series here (shown): at most `max_features`, the farthest first. All are tested.",
        "short",
    )
    lacking = Text(
        "Change of the missing share",
        "Gap between the shares of missing values in window and reference, where either side misses any.",
        "percentunit",
    )
    by_end = total(rate("driftgauge_payloads_total", 'kind="request"'), "outcome, reason")
    missed = total(rate("driftgauge_missing_values_total", 'feature=~"$feature"'), INPUTS.by)
    by_state = highest(selected("driftgauge_features"), "state")
    return Row(
        "Rows and missing values",
        (
            graph(rows, Query(total(rate("driftgauge_rows_total")), "{{model_name}}"), width=THIRD),
            graph(missing, Query(missed, "{{feature}}"), width=THIRD),
            graph(ends, Query(f"{by_end} > 0", "{{outcome}} {{reason}}"), width=THIRD),
            graph(lacking, Query(INPUTS.worst("drift_statistic", 'test="missing"'), INPUTS.legend), width=HALF),
            graph(states, Query(by_state, "{{state}}"), width=HALF),
        ),
    )

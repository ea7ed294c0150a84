"""The Model drift board: how far the inputs and predictions of one model have moved, since when, and which way."""

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.annotations import ANNOTATIONS
from charts.dashboards.board import Row, Tree, Variable, board, model_variables
from charts.dashboards.columns import (
    INPUTS,
    OUTPUTS,
    Subject,
    cannot_tell_of,
    distance,
    effects,
    evidence_of,
    ratio_of,
    states_of,
)
from charts.dashboards.one_column import one
from charts.dashboards.panels import GREEN, HALF, ORANGE, RED, THIRD, Query, Text, graph, grid, number
from charts.dashboards.predictions import predictions
from charts.dashboards.promql import MODEL, highest, rate, selected, total

_REFERENCE = f"{MODEL}, hash, path, loaded"


def model_drift() -> Tree:
    """Make the board: what has drifted, how far, since when, which way, and do the predictions follow?"""
    return board(
        "model-drift",
        "driftgauge / Model drift",
        "One model's windows against its reference: the verdict on each feature and prediction, evidence, D, the "
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
        ANNOTATIONS,
    )


def _choice(subject: Subject) -> Variable:
    """The variable that selects columns with series."""
    metric = (
        f'driftgauge_{subject.label}_drift{{inference_service_namespace=~"$namespace", '
        'inference_service=~"$inference_service"}'
    )
    return Variable(subject.label, subject.label.capitalize(), metric, subject.label)


def _verdict() -> Row:
    drifted = Text("Drifted features", "Features whose newest window differs from the reference.", "short")
    tested = Text("Tested features", "Features with a verdict.", "short")
    window = Text("Window", "Rows of the newest window. Below `min_rows` there is no verdict.", "short")
    age = Text("Window age", "Time since the newest row of the window passed.", "s")
    evaluated = Text("Evaluated", "Time since the newest evaluation.", "s")
    reference = Text("Reference", "Rows of the reference; 0 means no reference, and nothing is tested.", "short")
    needed = Text(
        "Reference rows needed",
        "Rows at which the reference's error is no larger than a window's, if it has fewer: until then small changes "
        "stay unseen. 0: it has enough.",
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
            states_of(INPUTS),
            *cannot_tell_of(INPUTS),
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
        "More than one hash: not all replicas have loaded the newest file yet.",
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
    rows = Text("Rows", "Feature rows a second that were stored.", "rowsps")
    missing = Text(
        "Missing values",
        "Values a second that were null, NaN or absent, by feature. They are left out of D, and their share has "
        "its own test: a feature that is suddenly missing is a fault of its source.",
        "cps",
    )
    outcomes = Text(
        "Request payloads by outcome",
        "Request payloads a second: accepted, sampled out, dropped or rejected, and why. Rejected for wrong_width "
        "or wrong_type: clients and the reference disagree on the features.",
        "reqps",
    )
    states = Text(
        "Columns by state",
        "Features: with a verdict (tested), without one (untested), left out such as dates and identifiers "
        "(ignored), and with series here (shown): at most `max_features`, the most severe first. The rest is tested.",
        "short",
    )
    missing_share = Text(
        "Change of the missing share",
        "Difference between the shares of missing values in window and reference, where either has any.",
        "percentunit",
    )
    by_outcome = total(rate("driftgauge_payloads_total", 'kind="request"'), "outcome, reason")
    missed = total(rate("driftgauge_missing_values_total", 'feature=~"$feature"'), INPUTS.by)
    by_state = highest(selected("driftgauge_features"), "state")
    return Row(
        "Rows and missing values",
        (
            graph(rows, Query(total(rate("driftgauge_rows_total")), "{{model_name}}"), width=THIRD),
            graph(missing, Query(missed, "{{feature}}"), width=THIRD),
            graph(outcomes, Query(f"{by_outcome} > 0", "{{outcome}} {{reason}}"), width=THIRD),
            graph(missing_share, Query(INPUTS.worst("drift_statistic", 'test="missing"'), INPUTS.legend), width=HALF),
            graph(states, Query(by_state, "{{state}}"), width=HALF),
        ),
    )

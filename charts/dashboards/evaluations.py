"""The rows on evaluations: how long they take, how old they are, what they leave out, and which replica makes them."""

from grafana_foundation_sdk.models import dashboard

from charts.dashboards.board import Row
from charts.dashboards.panels import graph
from charts.dashboards.promql import (
    MODEL,
    MODEL_LEGEND,
    PROCESS,
    PROCESS_LEGEND,
    highest,
    lowest,
    rate,
    selected,
    total,
)
from charts.dashboards.queries import Query
from charts.dashboards.style import DASHED, THIRD, Text
from charts.dashboards.units import ROWS_PER_SECOND, SECONDS, count, per_second


def evaluation() -> Row:
    """Make the row."""
    duration = Text(
        "Evaluation time", "How long the newest evaluation of each model took, reading the window included.", SECONDS
    )
    age = Text(
        "Evaluation age",
        "Time since the newest evaluation of each model. The series ends after three intervals.",
        SECONDS,
    )
    failures = Text(
        "Failed evaluations",
        "Evaluations that failed in the last hour, by model, and 1 where the newest state could not be saved (dashed); "
        "the log has the reason.",
        count("evaluations"),
    )
    skipped = Text(
        "Skipped blocks",
        "Blocks of rows a second that have other columns than the reference: after a change of its columns the old "
        "rows are not tested.",
        per_second("blocks"),
    )
    untested = Text(
        "Untested outputs",
        "Outputs of each model's responses that are not tested, because they hold objects or have no fixed width or "
        "number of rows; the log names them.",
        count("outputs"),
    )
    reference = Text("Reference rows", "Rows of each model's reference; 0 without one.", count("rows"))
    evaluated = highest(selected("driftgauge_evaluation_timestamp_seconds"))
    failed = f"increase({selected('driftgauge_evaluation_failures_total')}[1h])"
    return Row(
        "Evaluation",
        (
            graph(
                duration, Query(highest(selected("driftgauge_evaluation_duration_seconds")), MODEL_LEGEND), width=THIRD
            ),
            graph(age, Query(f"time() - {evaluated}", MODEL_LEGEND), width=THIRD),
            graph(
                failures,
                Query(total(failed, MODEL), MODEL_LEGEND),
                Query(highest(selected("driftgauge_state_unsaved")), f"not saved {MODEL_LEGEND}"),
                width=THIRD,
                overrides={"^not saved": [DASHED]},
            ),
            *_detector(),
            graph(skipped, Query(total(rate("driftgauge_skipped_blocks_total")), MODEL_LEGEND), width=THIRD),
            graph(untested, Query(total(selected("driftgauge_untested_outputs_total")), MODEL_LEGEND), width=THIRD),
            graph(reference, Query(lowest(selected("driftgauge_reference_rows")), MODEL_LEGEND), width=THIRD),
        ),
    )


def replicas() -> Row:
    """Make the row on who evaluates: with Redis one replica for each model, and all show its results."""
    leases = Text(
        "Models by replica", "Models that each process evaluates. Replicas share them evenly.", count("models")
    )
    evaluators = Text(
        "Evaluators of each model",
        "Replicas that evaluate a model. With Redis one; for a moment two while it moves to another replica, and none "
        "for up to four intervals after its replica died. Without Redis each replica tests its own window.",
        count("replicas"),
    )
    unreadable = Text(
        "Unreadable results",
        "Results of other replicas, by process, that are not shown, because they are damaged or of another program.",
        count("results"),
    )
    return Row(
        "Replicas",
        (
            graph(leases, Query(f"driftgauge_leases{{{PROCESS}}}", PROCESS_LEGEND), width=THIRD),
            graph(evaluators, Query(total(selected("driftgauge_evaluator")), MODEL_LEGEND), width=THIRD),
            graph(
                unreadable,
                Query(f"increase(driftgauge_unreadable_results_total{{{PROCESS}}}[1h])", PROCESS_LEGEND),
                width=THIRD,
            ),
        ),
    )


def _detector() -> tuple[dashboard.Panel, dashboard.Panel]:
    fed = Text(
        "Detector",
        "Rows a second that were fed to the sequential detector, and those that it never saw (dashed), because more "
        "rows came between two evaluations than a window has.",
        ROWS_PER_SECOND,
    )
    resets = Text(
        "Detector resets",
        "How often in the last hour a detector dropped its evidence, as it does for each new reference.",
        count("resets"),
    )
    return (
        graph(
            fed,
            Query(_by_kind(rate("driftgauge_detector_rows_total")), f"{{{{kind}}}} {MODEL_LEGEND}"),
            Query(
                _by_kind(rate("driftgauge_rows_without_reference_hour_total")),
                f"hour not in reference {{{{kind}}}} {MODEL_LEGEND}",
            ),
            Query(_by_kind(rate("driftgauge_detector_skipped_rows_total")), f"skipped {{{{kind}}}} {MODEL_LEGEND}"),
            overrides={"^skipped": [DASHED]},
        ),
        graph(
            resets,
            Query(
                _by_kind(f"increase({selected('driftgauge_detector_resets_total')}[1h])"),
                f"{{{{kind}}}} {MODEL_LEGEND}",
            ),
        ),
    )


def _by_kind(vector: str) -> str:
    """The sum by model and kind (request or response)."""
    return total(vector, f"{MODEL}, kind")

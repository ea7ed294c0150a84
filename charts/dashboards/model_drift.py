"""The Model drift board: how far the inputs and predictions of one model have moved, since when, and which way."""

from charts.dashboards.annotations import ANNOTATIONS
from charts.dashboards.board import Row, Tree, board, model_variables
from charts.dashboards.columns import (
    INPUTS,
    OUTPUTS,
    SHOWN,
    beside,
    choice_of,
    counted,
    distance,
    effects,
    evidence_of,
    listed,
    ratio_of,
    reach,
    states_of,
)
from charts.dashboards.model_rows import references, rows
from charts.dashboards.one_column import one
from charts.dashboards.panels import number
from charts.dashboards.predictions import predictions
from charts.dashboards.promql import selected
from charts.dashboards.revisions import revisions
from charts.dashboards.style import GREEN, RED, Text
from charts.dashboards.units import SECONDS, count


def model_drift() -> Tree:
    """Make the board: what has drifted, how far, since when, which way, and do the predictions follow?"""
    return board(
        "model-drift",
        "driftgauge / Model drift",
        "One model's windows against its reference: the verdict on each feature and prediction, evidence, D, the "
        "distributions, the rows.",
        (
            _verdict(),
            one(INPUTS),
            one(OUTPUTS),
            predictions(),
            Row("Columns without a verdict", beside(counted, listed)),
            distance(),
            effects(),
            reach(),
            rows(),
            references(),
            revisions(),
        ),
        (*model_variables(single_service=True), SHOWN, choice_of(INPUTS), choice_of(OUTPUTS)),
        ANNOTATIONS,
    )


def _verdict() -> Row:
    """The row that is open: features at the left, predictions at the right."""
    drifted, drifted_predictions = (
        Text(f"Drifted {noun}", f"{noun.capitalize()} whose newest window differs from {other}.", count(noun))
        for noun, other in (("features", "the reference"), ("predictions", "what they are compared with"))
    )
    tested, tested_predictions = (
        Text(f"Tested {noun}", f"{noun.capitalize()} with a verdict.", count(noun))
        for noun in ("features", "predictions")
    )
    age = Text("Window age", "Time since the newest row of the window passed.", SECONDS)
    evaluated = Text("Evaluated", "Time since the newest evaluation.", SECONDS)
    alarming = (None, GREEN), (1, RED)
    now_tested, now_tested_predictions = (
        selected(f"driftgauge_{noun}", 'state="tested"') for noun in ("features", "predictions")
    )
    return Row(
        "Verdict",
        (
            number(drifted, f"max({selected('driftgauge_drifted_features')})", alarming),
            number(tested, f"max({now_tested})"),
            number(evaluated, f"time() - max({selected('driftgauge_evaluation_timestamp_seconds')})"),
            number(drifted_predictions, f"max({selected('driftgauge_drifted_predictions')})", alarming),
            number(tested_predictions, f"max({now_tested_predictions})"),
            number(age, f"time() - max({selected('driftgauge_window_timestamp_seconds')})"),
            *beside(states_of, ratio_of, evidence_of),
        ),
    )

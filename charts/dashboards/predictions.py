"""The row on the model's predictions: their verdict, what they are compared with, confidence and class balance."""

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.board import Row
from charts.dashboards.columns import OUTPUTS, cannot_tell_of, evidence_of, ratio_of, states_of
from charts.dashboards.panels import DASHED, GREEN, HALF, RED, Query, Text, graph, grid, number
from charts.dashboards.promql import MODEL, mean, selected

_REFERENCE = f"{MODEL}, source, path, hash, loaded"
_CONFIDENCE = 'prediction=~".*_confidence"'
_CLASS = 'prediction=~".*_class"'


def predictions() -> Row:
    """Make the row. Predictions often show drift before single inputs do, and need no labels."""
    drifted = Text(
        "Drifted predictions", "Predictions whose newest window differs from what they are compared with.", "short"
    )
    tested = Text("Tested predictions", "Predictions with a verdict.", "short")
    window = Text("Responses", "Rows of the newest window of responses.", "short")
    compared = Text("Rows compared with", "Rows of the reference or the baseline; 0 without either.", "short")
    tested_now = selected("driftgauge_predictions", 'state="tested"')
    return Row(
        "Predictions",
        (
            number(drifted, f"max({selected('driftgauge_drifted_predictions')})", ((None, GREEN), (1, RED))),
            number(tested, f"max({tested_now})"),
            number(window, f"max({selected('driftgauge_prediction_window_rows')})"),
            number(compared, f"min({selected('driftgauge_prediction_reference_rows')})", ((None, RED), (1, GREEN))),
            states_of(OUTPUTS),
            *cannot_tell_of(OUTPUTS),
            evidence_of(OUTPUTS),
            ratio_of(OUTPUTS),
            _confidence(),
            _classes(),
            _compared_with(),
        ),
    )


def _confidence() -> Panel:
    text = Text(
        "Confidence",
        "Median and 1st decile of the largest score of each prediction, and those of what it is compared with "
        "(dashed). If confidence falls, the model gets inputs that it does not know; this may also be so if it "
        "rises. Empty unless predictions are scores that sum to 1.",
        "percentunit",
    )
    by, levels = "prediction, level", 'level=~"0.1|0.5"'
    window, reference = (
        mean(selected("driftgauge_prediction_quantile", _CONFIDENCE, levels, f'sample="{sample}"'), by)
        for sample in ("window", "reference")
    )
    return graph(
        text,
        Query(window, "{{prediction}} {{level}}"),
        Query(reference, "reference {{prediction}} {{level}}"),
        width=HALF,
        limits=(0, 1),
        overrides={"^reference": [DASHED]},
    )


def _classes() -> Panel:
    text = Text(
        "Class balance",
        "Share of the predictions for each class, by its position among the scores, and those of what it is compared "
        "with (dashed). Empty unless predictions are scores; predictions that are text have their own rows below.",
        "percentunit",
    )
    window, reference = (
        mean(selected("driftgauge_prediction_share", _CLASS, f'sample="{sample}"'), "prediction, bin")
        for sample in ("window", "reference")
    )
    return graph(
        text,
        Query(window, "{{prediction}} {{bin}}"),
        Query(reference, "reference {{prediction}} {{bin}}"),
        width=HALF,
        limits=(0, 1),
        overrides={"^reference": [DASHED]},
    )


def _compared_with() -> Panel:
    text = Text(
        "Predictions are compared with",
        "The reference's own predictions, or a baseline of the first responses since the reference was loaded. A "
        "baseline shows changes since then, not since training.",
        "short",
    )
    return grid(
        text,
        {"Processes": Query(f"count by ({_REFERENCE}) ({selected('driftgauge_prediction_reference_info')})")},
        {
            "inference_service_namespace": "Namespace",
            "inference_service": "InferenceService",
            "component": "",
            "model_name": "Model",
            "source": "Source",
            "path": "Path",
            "hash": "Hash",
            "loaded": "Since",
        },
        {},
    )

"""The row of the model's answers: their verdict, what they are compared with, confidence and class balance."""

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.board import Row
from charts.dashboards.columns import OUTPUTS, evidence_of, ratio_of, verdicts_of
from charts.dashboards.panels import DASHED, GREEN, HALF, RED, Query, Text, graph, grid, number
from charts.dashboards.promql import MODEL, mean, selected

_REFERENCE = f"{MODEL}, source, path, hash, loaded"
_CONFIDENCE = 'prediction=~".*_confidence"'
_CLASS = 'prediction=~".*_class"'


def predictions() -> Row:
    """Drift of the answers: often seen before that of the inputs, and without labels."""
    drifted = Text("Drifted outputs", "Outputs whose newest window differs from what they are compared with.", "short")
    tested = Text("Tested outputs", "Outputs with values enough for a test.", "short")
    window = Text("Responses", "Rows of the newest window of responses.", "short")
    compared = Text("Rows compared with", "Of the reference or the baseline; 0 while there is neither.", "short")
    tested_now = selected("driftgauge_predictions", 'state="tested"')
    return Row(
        "Predictions",
        (
            number(drifted, f"max({selected('driftgauge_drifted_predictions')})", ((None, GREEN), (1, RED))),
            number(tested, f"max({tested_now})"),
            number(window, f"max({selected('driftgauge_prediction_window_rows')})"),
            number(compared, f"min({selected('driftgauge_prediction_reference_rows')})", ((None, RED), (1, GREEN))),
            verdicts_of(OUTPUTS),
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
        "Median and 1st decile of the largest score of each answer, and as dashed lines those of what it is compared "
        "with. A model that grows unsure meets inputs that it does not know; one that grows surer than it was may too. "
        "Empty where answers are no scores that sum to 1.",
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
        "Share of the answers for each class, by its place among the scores, and as dashed lines those of what it is "
        "compared with. Empty where answers are no scores; labels in words are rows of their own below.",
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
        "Outputs are compared with",
        "The reference's own predictions, or a baseline of the first responses since the reference was loaded: such a "
        "one knows nothing of training, and tells change since then.",
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

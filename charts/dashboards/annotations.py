"""Events that the Model drift board marks on all of its panels: new references, new starts, the onset of alarms."""

from charts.dashboards.board import Mark
from charts.dashboards.panels import BLUE, ORANGE, RED
from charts.dashboards.promql import MODEL, highest, selected, total

_REFERENCE = f"{MODEL}, hash, path, loaded"


def _new(metric: str, by: str, condition: str = "", *matchers: str) -> str:
    """Has a series where something holds that did not a minute before."""
    series = selected(metric, *matchers)
    return f"{highest(series, by)}{condition} unless {highest(f'{series} offset 1m', by)}{condition}"


REFERENCE_CHANGED = Mark(
    "Reference changed",
    _new("driftgauge_reference_info", _REFERENCE),
    "{{path}} of {{inference_service}}, loaded {{loaded}}, SHA-256 {{hash}}",
)
BASELINE_TAKEN = Mark(
    "Baseline of the predictions taken",
    _new("driftgauge_prediction_reference_info", _REFERENCE, "", 'source="baseline"'),
    "{{path}} of {{inference_service}}, since {{loaded}}",
    BLUE,
)
_RESETS = f"increase({selected('driftgauge_detector_resets_total')}[2m])"
DETECTOR_RESET = Mark(
    "Detector started anew",
    f"{total(_RESETS, f'{MODEL}, kind')} > 0",
    "{{kind}} rows of {{inference_service}}: what was known of another reference is forgotten",
    ORANGE,
)
DRIFT_BEGAN = Mark(
    "Drift began", _new("driftgauge_drift", MODEL, " == 1"), "inputs of {{inference_service}}/{{model_name}}", RED
)
PREDICTION_DRIFT_BEGAN = Mark(
    "Drift of predictions began",
    _new("driftgauge_drifted_predictions", MODEL, " > 0"),
    "answers of {{inference_service}}/{{model_name}}",
    RED,
)

MARKS = (REFERENCE_CHANGED, BASELINE_TAKEN, DETECTOR_RESET, DRIFT_BEGAN, PREDICTION_DRIFT_BEGAN)

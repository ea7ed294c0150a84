"""Events that the Model drift board marks on all its panels: new references, detector resets, the start of drift."""

from charts.dashboards.board import Annotation
from charts.dashboards.promql import MODEL, highest, selected, total
from charts.dashboards.style import BLUE, ORANGE, RED

_REFERENCE = f"{MODEL}, hash, path, loaded"


def _new(metric: str, by: str, condition: str = "", *matchers: str) -> str:
    """An expression with a series where a condition holds that did not hold a minute before."""
    series = selected(metric, *matchers)
    return f"{highest(series, by)}{condition} unless {highest(f'{series} offset 1m', by)}{condition}"


REFERENCE_CHANGED = Annotation(
    "Reference changed",
    _new("driftgauge_reference_info", _REFERENCE),
    "{{path}} of {{inference_service}}, loaded {{loaded}}, SHA-256 {{hash}}",
)
BASELINE_TAKEN = Annotation(
    "Baseline of the predictions taken",
    _new("driftgauge_prediction_reference_info", _REFERENCE, "", 'source="baseline"'),
    "{{path}} of {{inference_service}}, since {{loaded}}",
    BLUE,
)
_RESETS = f"increase({selected('driftgauge_detector_resets_total')}[2m])"
DETECTOR_RESET = Annotation(
    "Detector reset",
    f"{total(_RESETS, f'{MODEL}, kind')} > 0",
    "{{kind}} rows of {{inference_service}}: evidence against another reference is dropped",
    ORANGE,
)
DRIFT_BEGAN = Annotation(
    "Drift began",
    _new("driftgauge_drift", MODEL, " == 1"),
    "inputs of {{inference_service}}/{{model_name}} {{revision}}",
    RED,
)
PREDICTION_DRIFT_BEGAN = Annotation(
    "Drift of predictions began",
    _new("driftgauge_drifted_predictions", MODEL, " > 0"),
    "predictions of {{inference_service}}/{{model_name}} {{revision}}",
    RED,
)

ANNOTATIONS = (REFERENCE_CHANGED, BASELINE_TAKEN, DETECTOR_RESET, DRIFT_BEGAN, PREDICTION_DRIFT_BEGAN)

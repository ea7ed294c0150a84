"""The row on what only predictions have: confidence and class balance."""

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.board import Row
from charts.dashboards.panels import graph
from charts.dashboards.promql import mean, selected
from charts.dashboards.queries import Query
from charts.dashboards.style import DASHED, Text
from charts.dashboards.units import SHARE

_CONFIDENCE = 'prediction=~".*_confidence"'
_CLASS = 'prediction=~".*_class"'


def predictions() -> Row:
    """Make the row. Predictions often show drift before single inputs do, and need no labels."""
    return Row("Confidence and classes of the predictions", (_confidence(), _classes()))


def _confidence() -> Panel:
    text = Text(
        "Confidence",
        "Median and 1st decile of the largest score of each prediction, and those of what it is compared with "
        "(dashed). If confidence falls, the model gets inputs that it does not know; this may also be so if it "
        "rises. Empty unless predictions are scores that sum to 1.",
        SHARE,
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
        limits=(0, 1),
        overrides={"^reference": [DASHED]},
    )


def _classes() -> Panel:
    text = Text(
        "Class balance",
        "Share of the predictions for each class, by its position among the scores, and those of what it is compared "
        "with (dashed). Empty unless predictions are scores; predictions that are text have their own rows.",
        SHARE,
    )
    window, reference = (
        mean(selected("driftgauge_prediction_share", _CLASS, f'sample="{sample}"'), "prediction, bin")
        for sample in ("window", "reference")
    )
    return graph(
        text,
        Query(window, "{{prediction}} {{bin}}"),
        Query(reference, "reference {{prediction}} {{bin}}"),
        limits=(0, 1),
        overrides={"^reference": [DASHED]},
    )

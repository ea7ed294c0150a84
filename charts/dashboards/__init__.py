"""The Grafana boards of driftgauge as code; `python -m charts.dashboards` writes them into the chart.

__main__         writes the files
fleet | model_drift | sidecar_health
                 the three boards: which panels, in which order
columns          rows on single features and predictions
predictions      the row on the model's predictions
annotations      events that the Model drift board marks
infrastructure   the row on the predictor pods, from cAdvisor and kube-state-metrics
board            a board of rows: variables, links, positions on the grid
panels           the kinds of panels, with every option that matters
promql           expressions: labels of a model, rates, aggregates over replicas
"""

from charts.dashboards.fleet import fleet
from charts.dashboards.model_drift import model_drift
from charts.dashboards.sidecar_health import sidecar_health

BOARDS = {"fleet": fleet, "model-drift": model_drift, "sidecar-health": sidecar_health}
"""File name without its extension -> function that makes the board."""

__all__ = ["BOARDS"]

"""The Grafana boards of driftgauge as code; `python -m charts.dashboards` writes them into the chart.

__main__         writes the files
fleet | model_drift | sidecar_health
                 the three boards: which panels, in which order
columns          rows of single features and outputs
predictions      the row of the model's answers
marks            events on the Model drift board
infrastructure   the row of the predictor pods, from cAdvisor and kube-state-metrics
board            a board around its rows: variables, links, places on the grid
panels           the kinds of panels, each with all its options said
promql           expressions: labels of a model, rates, the newest of replicas
"""

from charts.dashboards.fleet import fleet
from charts.dashboards.model_drift import model_drift
from charts.dashboards.sidecar_health import sidecar_health

BOARDS = {"fleet": fleet, "model-drift": model_drift, "sidecar-health": sidecar_health}
"""File name without its ending -> what makes the board."""

__all__ = ["BOARDS"]

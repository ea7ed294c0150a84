"""The Grafana boards of driftgauge as code; `python -m charts.dashboards` writes them into the chart.

__main__         writes the files
fleet | model_drift | outcomes | sidecar_health
                 the four boards: which panels, in which order
columns          panels on all columns, features beside predictions; the variables that choose columns
one_column       the row on one feature or prediction
predictions      the row on what only predictions have
model_rows       the rows on windows, missing values and references
evaluations      the row on evaluations
infrastructure   the row on the predictor pods, from cAdvisor and kube-state-metrics
annotations      events that the Model drift board marks
board            a board of rows: variables, links, positions on the grid
panels           the kinds of panels, with every option that matters
style            texts, colours, widths, names of states
units            units of numbers
queries          queries of panels, and what Grafana does with their results
promql           expressions: labels of a model, rates, aggregates over replicas
"""

from charts.dashboards.fleet import fleet
from charts.dashboards.model_drift import model_drift
from charts.dashboards.outcomes import outcomes
from charts.dashboards.sidecar_health import sidecar_health

BOARDS = {"fleet": fleet, "model-drift": model_drift, "outcomes": outcomes, "sidecar-health": sidecar_health}
"""File name without its extension -> function that makes the board."""

__all__ = ["BOARDS"]

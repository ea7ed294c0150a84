"""Sends the queries of a panel as Grafana would."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.support.alerting import AlertingPrometheus
from tests.support.boards import Tree
from tests.support.promql import filled

STEP_SECONDS = 60
HOURS = 6
VARIABLES = {
    "cluster": ".*",
    "job": ".*driftgauge.*",
    "namespace": ".*",
    "inference_service": ".*",
    "component": ".*",
    "model_name": ".*",
    "revision": ".*",
    "feature": ".*",
    "prediction": ".*",
    "__range": "6h",
    "__rate_interval": "4m",
}
"""All values of each variable; `$__range` is the whole history, `$__rate_interval` four of its steps."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a query's result.

    Args:
        name: Its name in the legend.
        labels: Its labels.
        times: Shape `(n,)`, float64, hours before the end, at most 0.
        values: Shape `(n,)`, float64.
    """

    name: str
    labels: Mapping[str, str]
    times: NDArray[np.float64]
    values: NDArray[np.float64]


def lines(
    panel: Tree, prometheus: AlertingPrometheus, end: float, variables: Mapping[str, str]
) -> dict[str, list[Line]]:
    """The series of each query of a panel, by the query's letter."""
    return {
        target["refId"]: query(target["expr"], target.get("legendFormat", ""), prometheus, end, variables)
        for target in panel["targets"]
    }


def now(found: list[Line]) -> list[Line]:
    """The series that exist at the end: those that an instant query would return."""
    return [line for line in found if line.times[-1] * 3600 >= -STEP_SECONDS]


def onsets(line: Line) -> list[float]:
    """The times at which a series with gaps starts, in hours before the end."""
    begins = np.diff(line.times, prepend=-np.inf) * 3600 > 1.5 * STEP_SECONDS
    found: list[float] = line.times[begins].tolist()
    return found


def query(
    expr: str, legend: str, prometheus: AlertingPrometheus, end: float, variables: Mapping[str, str]
) -> list[Line]:
    """Send one expression over the last hours; returns its series."""
    found = prometheus.query_range(filled(expr, variables), end - HOURS * 3600, end - STEP_SECONDS, STEP_SECONDS)
    return [_line(one["metric"], one["values"], legend, end) for one in found]


def _line(labels: Mapping[str, str], samples: list[tuple[float, str]], legend: str, end: float) -> Line:
    times = (np.array([time for time, _ in samples], dtype=np.float64) - end) / 3600
    values = np.array([float(value) for _, value in samples])
    return Line(_name(legend, labels), labels, times, values)


def _name(legend: str, labels: Mapping[str, str]) -> str:
    """The legend with its labels replaced by their values; HTML shows several spaces as one."""
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)
    return " ".join(text.split())

"""A board as a figure: its panels at their positions on the grid."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from charts.pictures.panels import KINDS
from charts.pictures.responses import VARIABLES, lines, onsets, query
from tests.support.alerting import AlertingPrometheus
from tests.support.boards import Tree, variables

CAPTION = "drawn from the same queries with matplotlib; not a Grafana screenshot"

_COLUMNS = 24
_WIDTH_INCHES, _ROW_INCHES, _TOP_ROWS = 15.0, 0.3, 2.0
_GAP_X, _GAP_Y = 0.9, 1.6  # in cells of the grid, for the labels of axes
_CHOICE = {"inference_service": "wine", "feature": "alcohol", "prediction": "quality_confidence"}
"""The values of the variables on the board of one model."""


def draw(board: Tree, prometheus: AlertingPrometheus, end: float, path: Path) -> None:
    """Send the queries of a board, and write its picture.

    Args:
        board: The board's JSON.
        prometheus: A Prometheus with the history.
        end: The end of the history, in seconds since the epoch.
        path: The path of the PNG.
    """
    values = _choice(board)
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"]) + _TOP_ROWS
    figure = Figure(figsize=(_WIDTH_INCHES, height * _ROW_INCHES), dpi=90)
    FigureCanvasAgg(figure)
    figure.text(0.01, 1 - 0.8 / height, board["title"], fontsize=13, weight="bold")
    figure.text(0.99, 1 - 0.8 / height, CAPTION, fontsize=10, ha="right", style="italic")
    events = [
        (onset, annotation["iconColor"])
        for annotation in board["annotations"].get("list", [])
        for line in query(annotation["expr"], "", prometheus, end, values)
        for onset in onsets(line)
    ]
    for panel in board["panels"]:
        if panel["type"] == "row":
            _heading(figure, panel, height, values)
            continue
        chosen = _widened(panel, values)
        axes = _axes(figure, panel, height, values)
        KINDS[panel["type"]](axes, panel, lines(panel, prometheus, end, chosen))
        if panel["type"] in {"timeseries", "state-timeline"}:
            for onset, colour in events:
                axes.axvline(onset, color=colour, linewidth=0.8, linestyle=":")
    figure.savefig(path, metadata={"Software": None})


def _choice(board: Tree) -> Mapping[str, str]:
    """All values of each variable, except where the board needs a single value."""
    single = {name for name, variable in variables(board).items() if not variable.get("multi")}
    repeated = {panel["repeat"] for panel in board["panels"] if "repeat" in panel}
    return VARIABLES | {name: value for name, value in _CHOICE.items() if name in single | repeated}


def _widened(panel: Tree, values: Mapping[str, str]) -> Mapping[str, str]:
    """Only repeated rows show one feature or prediction; the others show all."""
    everything = {name: VARIABLES[name] for name in ("feature", "prediction") if f"${name}" not in panel["title"]}
    return {**values, **everything}


def _filled_title(title: str, values: Mapping[str, str]) -> str:
    return title.replace("$feature", values["feature"]).replace("$prediction", values["prediction"])


def _axes(figure: Figure, panel: Tree, height: float, values: Mapping[str, str]) -> Axes:
    position = panel["gridPos"]
    left, width = (position["x"] + _GAP_X) / _COLUMNS, (position["w"] - 1.2 * _GAP_X) / _COLUMNS
    if panel["type"] in {"state-timeline", "heatmap"}:  # names are left of the axes
        left, width = left + 1.5 / _COLUMNS, width - 1.5 / _COLUMNS
    bottom = 1 - (position["y"] + _TOP_ROWS + position["h"] - 0.4 * _GAP_Y) / height
    axes = figure.add_axes((left, bottom, width, (position["h"] - 1.1 * _GAP_Y) / height))
    axes.set_title(shorten(_filled_title(panel["title"], values), 60), fontsize=8, loc="left")
    return axes


def _heading(figure: Figure, panel: Tree, height: float, values: Mapping[str, str]) -> None:
    y = 1 - (panel["gridPos"]["y"] + _TOP_ROWS + 0.6) / height
    figure.text(0.01, y, _filled_title(panel["title"], values), fontsize=10, weight="bold", color="dimgray")

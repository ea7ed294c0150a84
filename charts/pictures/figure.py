"""A board as a figure: its panels at their places on the grid."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from charts.pictures.panels import KINDS
from charts.pictures.responses import VARIABLES, ask, lines, onsets
from tests.support.alerting import AlertingPrometheus
from tests.support.boards import Tree, variables

CAPTION = "drawn from the same queries with matplotlib; not a Grafana screenshot"

_COLUMNS = 24
_WIDTH_INCHES, _ROW_INCHES, _TOP_ROWS = 15.0, 0.3, 2.0
_GAP_X, _GAP_Y = 0.9, 1.6  # cells left free for axes' labels
_CHOICE = {"inference_service": "wine", "feature": "alcohol", "prediction": "quality_confidence"}
"""What the board on one model shows."""


def draw(board: Tree, prometheus: AlertingPrometheus, end: float, path: Path) -> None:
    """Ask everything that a board asks, and write the picture.

    Args:
        board: As in its file.
        prometheus: Has the history.
        end: When that ends, in seconds since the epoch.
        path: Of the PNG.
    """
    values = _choice(board)
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"]) + _TOP_ROWS
    figure = Figure(figsize=(_WIDTH_INCHES, height * _ROW_INCHES), dpi=90)
    FigureCanvasAgg(figure)
    figure.text(0.01, 1 - 0.8 / height, board["title"], fontsize=13, weight="bold")
    figure.text(0.99, 1 - 0.8 / height, CAPTION, fontsize=10, ha="right", style="italic")
    marks = [
        (onset, mark["iconColor"])
        for mark in board["annotations"].get("list", [])
        for line in ask(mark["expr"], "", prometheus, end, values)
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
            for onset, colour in marks:
                axes.axvline(onset, color=colour, linewidth=0.8, linestyle=":")
    figure.savefig(path, metadata={"Software": None})


def _choice(board: Tree) -> Mapping[str, str]:
    """All of everything, but for what the board asks to choose."""
    single = {name for name, variable in variables(board).items() if not variable.get("multi")}
    repeated = {panel["repeat"] for panel in board["panels"] if "repeat" in panel}
    return VARIABLES | {name: value for name, value in _CHOICE.items() if name in single | repeated}


def _widened(panel: Tree, values: Mapping[str, str]) -> Mapping[str, str]:
    """Only the repeated rows are of one feature or output; the others show all."""
    everything = {name: VARIABLES[name] for name in ("feature", "prediction") if f"${name}" not in panel["title"]}
    return {**values, **everything}


def _filled_title(title: str, values: Mapping[str, str]) -> str:
    return title.replace("$feature", values["feature"]).replace("$prediction", values["prediction"])


def _axes(figure: Figure, panel: Tree, height: float, values: Mapping[str, str]) -> Axes:
    place = panel["gridPos"]
    left, width = (place["x"] + _GAP_X) / _COLUMNS, (place["w"] - 1.2 * _GAP_X) / _COLUMNS
    if panel["type"] in {"state-timeline", "heatmap"}:  # names stand left of the axes
        left, width = left + 1.5 / _COLUMNS, width - 1.5 / _COLUMNS
    bottom = 1 - (place["y"] + _TOP_ROWS + place["h"] - 0.4 * _GAP_Y) / height
    axes = figure.add_axes((left, bottom, width, (place["h"] - 1.1 * _GAP_Y) / height))
    axes.set_title(shorten(_filled_title(panel["title"], values), 60), fontsize=8, loc="left")
    return axes


def _heading(figure: Figure, panel: Tree, height: float, values: Mapping[str, str]) -> None:
    place = 1 - (panel["gridPos"]["y"] + _TOP_ROWS + 0.6) / height
    figure.text(0.01, place, _filled_title(panel["title"], values), fontsize=10, weight="bold", color="dimgray")

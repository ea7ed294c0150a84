"""A board as a figure: its panels at their positions on the grid."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from charts.pictures.panels import KINDS
from charts.pictures.responses import VARIABLES, lines, onsets, query
from tests.support.alerting import AlertingPrometheus
from tests.support.boards import Tree, variables

CAPTION = "drawn from the same queries with matplotlib; not a Grafana screenshot"

EXPANDED: dict[str, tuple[str, ...]] = {
    "driftgauge-fleet": ("Drift",),
    "driftgauge-model-drift": ("Feature: $feature",),
    "driftgauge-sidecar-health": ("Overhead", "Queue and losses"),
    "driftgauge-outcomes": ("Performance of the newest labelled rows", "Labels"),
}
"""Uid of a board -> rows that its picture shows besides the first one; the others are collapsed, as on the board."""

_COLUMNS = 24
_WIDTH_INCHES, _ROW_INCHES, _TOP_ROWS, _DPI = 13.5, 0.245, 2.0, 100
_CHOICE = {"inference_service": "wine", "feature": "sulphates", "prediction": "quality_confidence"}
"""The values of the variables on the board of one model."""


@dataclass(frozen=True, slots=True)
class _Canvas:
    """A figure, and its height in cells of the grid."""

    figure: Figure
    height: float

    def place(self, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        """A rectangle of the grid as matplotlib has it: left, bottom, width and height as shares of the figure."""
        bottom = self.height - _TOP_ROWS - y - height
        return x / _COLUMNS, bottom / self.height, width / _COLUMNS, height / self.height


def draw(
    board: Tree, prometheus: AlertingPrometheus, end: float, path: Path, expanded: tuple[str, ...] | None = None
) -> None:
    """Send the queries of a board, and write its picture.

    Args:
        board: The board's JSON.
        prometheus: A Prometheus with the history.
        end: The end of the history, in seconds since the epoch.
        path: The path of the PNG.
        expanded: The rows that are shown besides the first one; `None` for those of `EXPANDED`.
    """
    values = choice(board)
    shown = EXPANDED[board["uid"]] if expanded is None else expanded
    places = list(placed(board, shown))
    height = max(y + panel["gridPos"]["h"] for panel, y in places) + _TOP_ROWS
    canvas = _Canvas(Figure(figsize=(_WIDTH_INCHES, height * _ROW_INCHES), dpi=_DPI, facecolor="#f4f5f5"), height)
    FigureCanvasAgg(canvas.figure)
    canvas.figure.text(0.01, 1 - 1.2 / height, board["title"], fontsize=14, weight="bold")
    canvas.figure.text(0.99, 1 - 1.2 / height, CAPTION, fontsize=9, ha="right", style="italic")
    events = [
        (onset, annotation["iconColor"])
        for annotation in board["annotations"].get("list", [])
        for line in query(annotation["expr"], "", prometheus, end, values)
        for onset in onsets(line)
    ]
    for panel, y in places:
        if panel["type"] == "row":
            collapsed = panel["collapsed"] and panel["title"] not in shown
            _heading(canvas, panel, y, _filled_title(panel["title"], values), collapsed=collapsed)
            continue
        axes = _axes(canvas, panel, y, values)
        KINDS[panel["type"]](axes, panel, lines(panel, prometheus, end, widened(panel, values)))
        _fit_labels(canvas, axes, panel)
        if panel["type"] in {"timeseries", "state-timeline"}:
            for onset, colour in events:
                axes.axvline(onset, color=colour, linewidth=0.9, linestyle=":")
    canvas.figure.savefig(path, metadata={"Software": None})


def placed(board: Tree, expanded: tuple[str, ...]) -> Iterator[tuple[Tree, float]]:
    """Headings and shown panels, each with its line on the grid; an expanded row moves those below it down."""
    down = 0.0
    for panel in board["panels"]:
        yield panel, panel["gridPos"]["y"] + down
        if panel["type"] == "row" and panel["collapsed"] and panel["title"] in expanded:
            yield from ((one, one["gridPos"]["y"] + down) for one in panel["panels"])
            bottom = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in panel["panels"])
            down += bottom - panel["gridPos"]["y"] - panel["gridPos"]["h"]


def choice(board: Tree) -> Mapping[str, str]:
    """All values of each variable, except where the board needs a single value."""
    single = {name for name, variable in variables(board).items() if not variable.get("multi")}
    repeated = {panel["repeat"] for panel in board["panels"] if "repeat" in panel}
    return VARIABLES | {name: value for name, value in _CHOICE.items() if name in single | repeated}


def widened(panel: Tree, values: Mapping[str, str]) -> Mapping[str, str]:
    """Only repeated rows show one feature or prediction; the others show all."""
    everything = {name: VARIABLES[name] for name in ("feature", "prediction") if f"${name}" not in panel["title"]}
    return {**values, **everything}


def _filled_title(title: str, values: Mapping[str, str]) -> str:
    return title.replace("$feature", values["feature"]).replace("$prediction", values["prediction"])


def _axes(canvas: _Canvas, panel: Tree, y: float, values: Mapping[str, str]) -> Axes:
    """The card of a panel with its title, and the axes in it, with space for their labels."""
    place = panel["gridPos"]
    card = canvas.place(place["x"] + 0.08, y + 0.12, place["w"] - 0.16, place["h"] - 0.24)
    canvas.figure.add_artist(
        Rectangle(card[:2], card[2], card[3], facecolor="white", edgecolor="#dcdcdc", linewidth=0.8, zorder=-1)
    )
    left, right, bottom = 0.3, 0.55, 0.3
    if panel["type"] not in {"stat", "table"}:
        left, bottom = 1.7, 1.8 if panel["type"] == "trend" else 1.0
    if panel["type"] == "heatmap":  # the scale of its colours is at the right
        right = 1.6
    inside = canvas.place(place["x"] + left, y + 1.4, place["w"] - left - right, place["h"] - 1.4 - bottom)
    title = shorten(_filled_title(panel["title"], values), 60)
    canvas.figure.text(card[0] + 0.004, canvas.place(0, y + 0.95, 0, 0)[1], title, fontsize=9)
    return canvas.figure.add_axes(inside)


def _fit_labels(canvas: _Canvas, axes: Axes, panel: Tree) -> None:
    """Move the left and lower edge of the axes so that their labels are inside the card."""
    if panel["type"] in {"stat", "table"}:
        return
    labels = axes.get_tightbbox()
    place = axes.get_position()
    if labels is None:
        return
    inside = labels.transformed(canvas.figure.transFigure.inverted())
    wanted = (panel["gridPos"]["x"] + 0.3) / _COLUMNS
    left = place.x0 + wanted - inside.x0
    axes.set_position((left, place.y0, place.x1 - left, place.height))


def _heading(canvas: _Canvas, panel: Tree, y: float, title: str, *, collapsed: bool) -> None:
    """The title of a row; that of a collapsed one is followed by how many panels it has."""
    text = f"> {title}   ({len(panel['panels'])} panels)" if collapsed else title
    canvas.figure.text(0.006, canvas.place(0, y + 0.7, 0, 0)[1], text, fontsize=10, weight="bold", color="#555555")

"""Each kind of panel on its axes."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from charts.dashboards.units import counted
from charts.pictures.numbers import with_unit
from charts.pictures.responses import HOURS, Line, now
from tests.support.boards import Tree

Responses = Mapping[str, list[Line]]

COLOURS = {"green": "#56a64b", "red": "#e02f44", "orange": "#ff780a", "blue": "#1f60c4", "#8e8e8e": "#8e8e8e"}
"""Grafana's names of colours, as in its light theme."""

SMALL = 7.5
"""Size of the text in panels, in points."""

_LEGEND_LINES = 8
_DASHED = ("limit", "capacity", "threshold", "detectable", "effective", "skipped", "reference")
_CELL_CHARACTERS = 22


def graph(axes: Axes, panel: Tree, responses: Responses) -> None:
    """Lines over time, dashed as on the board, and the line at a threshold."""
    for line in (line for found in responses.values() for line in found):
        colour = COLOURS["red"] if line.name.startswith("threshold") else None
        style = "--" if line.name.startswith(_DASHED) else "-"
        axes.plot(line.times, line.values, style, linewidth=1.1, label=line.name, color=colour)
    defaults = panel["fieldConfig"]["defaults"]
    _limit(axes, defaults)
    _over_time(axes)
    _numbers(axes, defaults)
    _legend(axes)


def number(axes: Axes, panel: Tree, responses: Responses) -> None:
    """The last value as a large number, in the colour of its threshold."""
    defaults = panel["fieldConfig"]["defaults"]
    found = [line.values[-1] for lines in responses.values() for line in now(lines)]
    text, colour = "none", COLOURS["#8e8e8e"]
    if found:
        steps = [step["color"] for step in defaults["thresholds"]["steps"] if (step["value"] or 0) <= found[0]]
        text, colour = _named(found[0], defaults), COLOURS[steps[-1]]
    axes.text(0.5, 0.4, text, ha="center", va="center", fontsize=16, color=colour, weight="bold")
    axes.set_axis_off()


def states(axes: Axes, panel: Tree, responses: Responses) -> None:
    """Bands in the colours of the states."""
    found = [line for lines in responses.values() for line in lines]
    names = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    for place, line in enumerate(found):
        for value, state in names.items():
            axes.fill_between(
                line.times,
                place - 0.4,
                place + 0.4,
                where=line.values == float(value),
                step="post",
                color=COLOURS[state["color"]],
                linewidth=0,
            )
    axes.set_yticks(range(len(found)), [line.name for line in found], fontsize=SMALL)
    _over_time(axes)
    patches = [Patch(color=COLOURS[state["color"]], label=state["text"]) for state in names.values()]
    axes.legend(
        handles=patches,
        loc="lower right",
        bbox_to_anchor=(1, 0.98),
        ncols=len(patches),
        fontsize=SMALL,
        frameon=False,
    )


def cells(axes: Axes, panel: Tree, responses: Responses) -> None:
    """A heatmap with a row for each series, from 0 to the board's darkest value, if it has one."""
    found = [line for lines in responses.values() for line in lines]
    times = sorted({float(time) for line in found for time in line.times})
    table = np.full((len(found), len(times)), np.nan)
    for place, line in enumerate(found):
        table[place, np.searchsorted(times, line.times)] = line.values
    mesh = axes.pcolormesh(
        times,
        range(len(found)),
        table,
        cmap="Oranges",
        vmin=0,
        vmax=panel["options"]["color"].get("max"),
        shading="nearest",
    )
    axes.set_yticks(range(len(found)), [line.name for line in found], fontsize=SMALL)
    _over_time(axes)
    numbers = _formatter(panel["fieldConfig"]["defaults"])
    inside = axes.inset_axes((1.01, 0, 0.015, 1))
    figure = axes.get_figure(root=True)
    if figure is not None:
        figure.colorbar(mesh, cax=inside, format=numbers).ax.tick_params(labelsize=SMALL)


def curves(axes: Axes, panel: Tree, responses: Responses) -> None:
    """Curves over a label, at the end of the history."""
    for target in panel["targets"]:
        points = sorted((float(line.labels["level"]), line.values[-1]) for line in now(responses[target["refId"]]))
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, linewidth=1.2, label=target["legendFormat"])
    axes.set_xlabel("share of the rows below the value", fontsize=SMALL)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: with_unit(value, "percentunit")))
    axes.tick_params(labelsize=SMALL)
    axes.grid(visible=True, linewidth=0.3)
    _numbers(axes, panel["fieldConfig"]["defaults"])
    _legend(axes)


def table(axes: Axes, panel: Tree, responses: Responses) -> None:
    """A line for each set of labels, with the value of each query; a label that no series has makes no column."""
    organized = panel["transformations"][-1]["options"]
    names = {name: organized["renameByName"][name] for name, _ in sorted(organized["indexByName"].items(), key=_place)}
    shown = [line for lines in responses.values() for line in now(lines)]
    labels = [name for name in names if not name.startswith("Value") and any(name in line.labels for line in shown)]
    headings = [heading for name, heading in names.items() if name.startswith("Value")]
    own = {
        one["matcher"]["options"]: {value["id"]: value["value"] for value in one["properties"]}
        for one in panel["fieldConfig"]["overrides"]
    }
    values: dict[tuple[str, ...], list[str]] = {}
    for heading, lines in zip(headings, responses.values(), strict=True):
        defaults = panel["fieldConfig"]["defaults"] | own.get(heading, {})
        for line in now(lines):
            key = tuple(line.labels.get(name, "")[:_CELL_CHARACTERS] for name in labels)
            values.setdefault(key, ["-"] * len(headings))[headings.index(heading)] = _named(line.values[-1], defaults)
    axes.set_axis_off()
    if values:
        _draw_table(axes, [*(names[name] for name in labels), *headings], [[*key, *row] for key, row in values.items()])
    else:
        axes.text(0.5, 0.45, "none", ha="center", va="center", fontsize=SMALL)


def _draw_table(axes: Axes, headings: list[str], rows: list[list[str]]) -> None:
    """Columns as wide as their longest text; the names of states are red or green."""
    widths = [max(map(len, column)) + 2 for column in zip(headings, *rows, strict=True)]
    lines = sorted(rows, key=_by_number)
    drawn = axes.table(
        lines,
        colLabels=headings,
        colWidths=[width / sum(widths) for width in widths],
        loc="upper center",
        cellLoc="left",
        edges="horizontal",
    )
    drawn.auto_set_font_size(value=False)
    drawn.set_fontsize(SMALL)
    height = min(0.16, 1 / (len(rows) + 1))
    for (line, _), cell in drawn.get_celld().items():
        cell.set_height(height)
        cell.set_edgecolor("#dcdcdc")
        text = cell.get_text()
        text.set_color({"drift": COLOURS["red"], "ok": COLOURS["green"]}.get(text.get_text(), "black"))
        if line == 0:
            text.set_fontweight("bold")


def _by_number(row: list[str]) -> tuple[bool, float, list[str]]:
    """Bins are numbers and words: numbers come first, in their order."""
    return (not row[0].isdigit(), float(row[0]) if row[0].isdigit() else 0.0, row)


def _place(item: tuple[str, int]) -> int:
    return item[1]


def _named(value: float, defaults: Tree) -> str:
    """The name of a state, or the value with its unit."""
    for mapping in defaults.get("mappings") or []:
        if f"{value:.0f}" in mapping["options"]:
            return str(mapping["options"][f"{value:.0f}"]["text"])
    return with_unit(value, defaults["unit"])


KINDS: Mapping[str, Callable[[Axes, Tree, Responses], None]] = {
    "timeseries": graph,
    "stat": number,
    "state-timeline": states,
    "heatmap": cells,
    "trend": curves,
    "table": table,
}
"""Grafana's name of a kind of panel -> function that draws it."""


def _limit(axes: Axes, defaults: Tree) -> None:
    """Set the ends of the vertical axis, and draw the line at a threshold."""
    custom = defaults.get("custom", {})
    top = defaults.get("max")
    if "thresholdsStyle" in custom:
        axes.axhline(defaults["thresholds"]["steps"][-1]["value"], color=COLOURS["red"], linestyle="--", linewidth=1.1)
        axes.set_ylim(top=max(axes.get_ylim()[1], custom["axisSoftMax"]))
    if top is not None:
        axes.set_ylim(top=1.04 * top)  # so that a line at the top is visible
    axes.set_ylim(bottom=defaults.get("min"))


def _numbers(axes: Axes, defaults: Tree) -> None:
    """Write the numbers of the vertical axis with their unit, and name the axis."""
    whole = counted(defaults["unit"]) != ""
    steps = [1, 1.5, 3, 6, 10] if defaults["unit"] == "s" else [1, 2, 2.5, 5, 10]
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=steps, integer=whole))
    axes.yaxis.set_major_formatter(_formatter(defaults))
    axes.set_ylabel(defaults.get("custom", {}).get("axisLabel", ""), fontsize=SMALL)


def _formatter(defaults: Tree) -> FuncFormatter:
    return FuncFormatter(lambda value, _: with_unit(value, defaults["unit"]))


def _over_time(axes: Axes) -> None:
    """The time of the day, UTC: the history ends at midnight."""
    axes.set_xlim(-HOURS, 0)
    axes.set_xticks(range(-HOURS, 1), [f"{(24 + hour) % 24:02}:00" for hour in range(-HOURS, 1)])
    axes.tick_params(labelsize=SMALL)
    axes.grid(visible=True, linewidth=0.3)


def _legend(axes: Axes) -> None:
    handles, names = axes.get_legend_handles_labels()
    if len(names) > _LEGEND_LINES:
        used = [number for number, line in enumerate(axes.get_lines()) if np.any(np.asarray(line.get_ydata()))]
        handles, names = ([all_of[number] for number in used[:_LEGEND_LINES]] for all_of in (handles, names))
    if any(names):
        axes.legend(handles, names, fontsize=6.5, loc="best", framealpha=0.7)

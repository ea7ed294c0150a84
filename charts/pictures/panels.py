"""Each kind of panel on its axes."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes

from charts.pictures.responses import HOURS, Line, now
from tests.support.boards import Tree

Responses = Mapping[str, list[Line]]

_LEGEND_LINES = 8
_SMALL = 6.5
_THOUSAND = 1000.0
_SUFFIX = {"s": " s", "percentunit": " %", "reqps": "/s", "rowsps": "/s", "cps": "/s", "Bps": " B/s", "bytes": " B"}


def with_unit(value: float, unit: str) -> str:
    """A value with its unit, in short form."""
    if math.isnan(value):
        return "-"
    if unit == "percentunit":
        value *= 100
    if unit == "bytes" and value >= 2**20:
        return f"{value / 2**20:.0f} MiB"
    if unit == "s" and 0 < value < 1:
        return f"{value * _THOUSAND:.3g} ms"
    text = f"{value:.0f}" if value == round(value) or abs(value) >= _THOUSAND else f"{value:.3g}"
    return text + _SUFFIX.get(unit, "")


def graph(axes: Axes, panel: Tree, responses: Responses) -> None:
    """Lines over time, dashed as on the board."""
    dashed = ("limit", "capacity", "threshold", "detectable", "effective", "skipped", "reference")
    for line in (line for found in responses.values() for line in found):
        style = "--" if line.name.startswith(dashed) else "-"
        axes.plot(line.times, line.values, style, linewidth=0.9, label=line.name)
    limits = panel["fieldConfig"]["defaults"]
    top = limits.get("max")
    axes.set_ylim(
        bottom=limits.get("min"), top=None if top is None else 1.04 * top
    )  # so that a line at the top is visible
    _over_time(axes)
    _legend(axes)


def number(axes: Axes, panel: Tree, responses: Responses) -> None:
    """The last value as a large number."""
    found = [line.values[-1] for lines in responses.values() for line in now(lines)]
    unit = panel["fieldConfig"]["defaults"]["unit"]
    axes.text(0.5, 0.45, with_unit(found[0], unit) if found else "none", ha="center", va="center", fontsize=15)
    axes.set_axis_off()


def states(axes: Axes, _: Tree, responses: Responses) -> None:
    """Bands of green (ok), red (drift) and grey (cannot tell)."""
    found = [line for lines in responses.values() for line in lines]
    for place, line in enumerate(found):
        for state, colour in ((0, "tab:green"), (1, "tab:red"), (2, "tab:grey")):
            axes.fill_between(
                line.times,
                place - 0.4,
                place + 0.4,
                where=line.values == state,
                step="post",
                color=colour,
                linewidth=0,
            )
    axes.set_yticks(range(len(found)), [line.name for line in found], fontsize=_SMALL)
    _over_time(axes)


def cells(axes: Axes, panel: Tree, responses: Responses) -> None:
    """A heatmap with a row for each series, from 0 to the board's darkest value, if it has one."""
    found = [line for lines in responses.values() for line in lines]
    times = sorted({float(time) for line in found for time in line.times})
    table = np.full((len(found), len(times)), np.nan)
    for place, line in enumerate(found):
        table[place, np.searchsorted(times, line.times)] = line.values
    axes.pcolormesh(
        times,
        range(len(found)),
        table,
        cmap="Oranges",
        vmin=0,
        vmax=panel["options"]["color"].get("max"),
        shading="nearest",
    )
    axes.set_yticks(range(len(found)), [line.name for line in found], fontsize=_SMALL)
    _over_time(axes)


def curves(axes: Axes, panel: Tree, responses: Responses) -> None:
    """Curves over a label, at the end of the history."""
    for target in panel["targets"]:
        points = sorted((float(line.labels["level"]), line.values[-1]) for line in now(responses[target["refId"]]))
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, linewidth=1.2, label=target["legendFormat"])
    axes.set_xlabel("level", fontsize=_SMALL)
    axes.tick_params(labelsize=_SMALL)
    _legend(axes)


def table(axes: Axes, panel: Tree, responses: Responses) -> None:
    """A line for each set of labels, with the value of each query."""
    organized = panel["transformations"][-1]["options"]
    names = {name: organized["renameByName"][name] for name, _ in sorted(organized["indexByName"].items(), key=_place)}
    values: dict[tuple[str, ...], list[str]] = {}
    labels = [name for name in names if not name.startswith("Value")]
    differ = {one["matcher"]["options"]: one["properties"][0]["value"] for one in panel["fieldConfig"]["overrides"]}
    headings = [heading for name, heading in names.items() if name.startswith("Value")]
    for heading, lines in zip(headings, responses.values(), strict=True):
        for line in now(lines):
            row = values.setdefault(tuple(line.labels.get(name, "")[:24] for name in labels), ["-"] * len(headings))
            row[headings.index(heading)] = _cell(line.values[-1], differ.get(heading))
    axes.set_axis_off()
    if not values:
        axes.text(0.5, 0.45, "none", ha="center", va="center", fontsize=_SMALL)
        return
    drawn = axes.table(
        [[*key, *row] for key, row in sorted(values.items())],
        colLabels=[*(names[name] for name in labels), *headings],
        loc="upper center",
        cellLoc="left",
    )
    drawn.auto_set_font_size(value=False)
    drawn.set_fontsize(_SMALL)


def _place(item: tuple[str, int]) -> int:
    return item[1]


def _cell(value: float, differs: object) -> str:
    """A value with its column's unit or mapping."""
    if isinstance(differs, list):
        return str(differs[0]["options"][f"{value:.0f}"]["text"])
    return with_unit(value, differs if isinstance(differs, str) else "short")


KINDS: Mapping[str, Callable[[Axes, Tree, Responses], None]] = {
    "timeseries": graph,
    "stat": number,
    "state-timeline": states,
    "heatmap": cells,
    "trend": curves,
    "table": table,
}
"""Grafana's name of a kind of panel -> function that draws it."""


def _over_time(axes: Axes) -> None:
    axes.set_xlim(-HOURS, 0)
    axes.set_xticks(range(-HOURS, 1), [f"{hour} h" for hour in range(-HOURS, 1)])
    axes.tick_params(labelsize=_SMALL)
    axes.grid(visible=True, linewidth=0.3)


def _legend(axes: Axes) -> None:
    handles, names = axes.get_legend_handles_labels()
    if any(names):
        axes.legend(handles[:_LEGEND_LINES], names[:_LEGEND_LINES], fontsize=5.5, loc="best", framealpha=0.6)

"""Tables as Markdown, as JSON, and as plots."""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from textwrap import fill

from benchmarks.results import Cell, Table
from benchmarks.statistics.tables import table as as_table

_ROW_INCHES, _WIDTH_INCHES = 0.32, 8.0
_TITLE_CHARS = 70
_LARGE, _MIDDLE = 100, 10


def machine() -> dict[str, str]:
    """The machine of a run."""
    cpus = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in cpus.splitlines() if line.startswith("model name")), "?")
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def as_markdown(one: Table) -> str:
    """A table, followed by its method."""
    rows = [[_shown(cell) for cell in row] for row in one.rows]
    versions = ", ".join(f"{name} {version}" for name, version in one.versions.items())
    return f"{as_table(one.columns, rows)}\n\n{one.method}{f' Versions: {versions}.' if versions else ''}"


def as_json(tables: Iterable[Table], origin: dict[str, str]) -> str:
    """All tables with their origin, for programs."""
    return json.dumps({"origin": origin, "tables": [asdict(one) for one in tables]}, indent=1) + "\n"


def draw(one: Table, path: Path) -> None:
    """Draw a bar chart, if the table has a plot: one group for each row, one colour for each column."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - slow to import, and only used here
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    plot = one.plot
    if plot is None:
        return
    places = [one.columns.index(name) for name in plot.columns]
    rows = [row for row in one.rows if any(isinstance(row[at], int | float) for at in places)]
    size = _WIDTH_INCHES, 1.2 + _ROW_INCHES * len(rows) * (0.6 + 0.4 * len(places))
    figure = Figure(figsize=size, facecolor="white")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    height = 0.8 / len(places)
    for number, at in enumerate(places):
        offset = (number - (len(places) - 1) / 2) * height
        lengths = axes.barh([row + offset for row in range(len(rows))], [_length(row[at]) for row in rows], height)
        axes.bar_label(lengths, [_shown(row[at]) for row in rows], fontsize=7, padding=2)
    axes.set_yticks(range(len(rows)), [str(row[0]) for row in rows])
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.set_xlabel(plot.unit)
    if plot.is_logarithmic:
        axes.set_xscale("log")
    if len(places) > 1:
        axes.legend(list(plot.columns), fontsize=8, loc="upper left", bbox_to_anchor=(1.08, 1.0))
    axes.set_title(fill(one.title, _TITLE_CHARS), fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None, "Creator": None})


def _length(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int | float) else 0.0


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if abs(cell) >= _LARGE:
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if abs(cell) >= _MIDDLE else f"{cell:.2f}"

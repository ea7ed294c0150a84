"""A board around its rows: variables, links, and a place on the grid for every panel."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from charts.dashboards.panels import DATASOURCE, GRID_COLUMNS, PURPLE

TAG = "driftgauge"
"""On all boards, which link to each other by it."""

ALL = dashboard.VariableOption(selected=True, text="All", value="$__all")


Tree = dict[str, Any]
"""A board in the shape of its JSON."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading.

    Args:
        title: The heading.
        panels: From left to right, and on.
        repeat: The variable for each of whose values the row is shown once.
    """

    title: str
    panels: Sequence[dashboard.Panel]
    repeat: str | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the head of a board.

    Args:
        name: As in `$name`.
        label: As a person reads it.
        metric: The metric, perhaps with matchers, whose label gives the choices.
        source: That label.
        single: One value at a time; else any number, and all of them at first.
        listed: All means every value that is listed; else it means any value, the empty one too.
    """

    name: str
    label: str
    metric: str
    source: str
    single: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Vertical lines at events.

    Args:
        name: What they are.
        expr: Has a series for as long as the event is new.
        text: Of each, with `{{label}}`.
        colour: Of the lines.
    """

    name: str
    expr: str
    text: str
    colour: str = PURPLE


def model_variables(*, single_service: bool = False) -> list[Variable]:
    """The choice of processes and models that every board offers.

    Args:
        single_service: One InferenceService of one namespace at a time: two of the same name are two services.
    """
    requests = 'request_count{job=~"$job"'
    return [
        Variable("job", "Job", "driftgauge_build_info", "job", listed=True),
        Variable("namespace", "Namespace", requests + "}", "inference_service_namespace", single=single_service),
        Variable(
            "inference_service",
            "InferenceService",
            requests + ', inference_service_namespace=~"$namespace"}',
            "inference_service",
            single=single_service,
        ),
        Variable("component", "Component", requests + ', inference_service=~"$inference_service"}', "component"),
        Variable("model_name", "Model", requests + ', inference_service=~"$inference_service"}', "model_name"),
    ]


def board(
    name: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    variables: Sequence[Variable],
    marks: Sequence[Mark] = (),
) -> Tree:
    """A board as Grafana reads it.

    Args:
        name: Its uid, in links.
        title: What a person reads.
        description: Which questions it answers.
        rows: Top down.
        variables: The choices, each of which may use those before it.
        marks: Events that all panels show.
    """
    builder = (
        build.Dashboard(title)
        .uid(f"driftgauge-{name}")
        .description(description)
        .tags([TAG])
        .readonly()
        .refresh("1m")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .link(_links())
    )
    for variable in variables:
        builder = builder.with_variable(_variable(variable))
    for mark in marks:
        builder = builder.annotation(_annotation(mark))
    made = builder.build()
    made.panels = _placed(rows)
    tree: Tree = json.loads(JSONEncoder().encode(made))
    for annotation, mark in zip(tree["annotations"].get("list", []), marks, strict=True):
        # keys of the Prometheus data source, which the SDK's type does not know
        annotation |= {"titleFormat": mark.name, "textFormat": mark.text, "step": "60s"}
    return tree


def as_json(tree: Tree) -> str:
    """The text of a board's file, with keys in order."""
    return json.dumps(tree, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _placed(rows: Sequence[Row]) -> list[dashboard.Panel | dashboard.RowPanel]:
    """Every heading and panel with a place and a number of its own."""
    placed: list[dashboard.Panel | dashboard.RowPanel] = []
    top = 0
    for row in rows:
        heading = dashboard.RowPanel(title=row.title, collapsed=False, panels=[], repeat=row.repeat)
        heading.grid_pos = dashboard.GridPos(x=0, y=top, w=GRID_COLUMNS, h=1)
        placed.append(heading)
        top = _place(row.panels, top + 1)
        placed.extend(row.panels)
    for number, panel in enumerate(placed, start=1):
        panel.id_val = number
    return placed


def _place(panels: Sequence[dashboard.Panel], top: int) -> int:
    """Set panels side by side, on a new line where one does not fit; answers the first free line below."""
    left = line_height = 0
    for panel in panels:
        size = panel.grid_pos or dashboard.GridPos()
        if left + size.w > GRID_COLUMNS:
            left, top, line_height = 0, top + line_height, 0
        panel.grid_pos = dashboard.GridPos(x=left, y=top, w=size.w, h=size.h)
        left, line_height = left + size.w, max(line_height, size.h)
    return top + line_height


def _variable(variable: Variable) -> build.QueryVariable:
    made = (
        build.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(DATASOURCE)
        .query({"query": f"label_values({variable.metric}, {variable.source})", "refId": variable.name})
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=not variable.single)
        .include_all(include_all=not variable.single)
    )
    if variable.single:
        return made
    return made.current(ALL) if variable.listed else made.current(ALL).all_value(".*")


def _annotation(mark: Mark) -> build.AnnotationQuery:
    return (
        build.AnnotationQuery()
        .name(mark.name)
        .datasource(DATASOURCE)
        .enable(enable=True)
        .hide(hide=False)
        .icon_color(mark.colour)
        .expr(mark.expr)
    )


def _links() -> build.DashboardLink:
    return (
        build.DashboardLink("driftgauge")
        .type(dashboard.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=False)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )

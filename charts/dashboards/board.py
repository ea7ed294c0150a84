"""A board of rows: variables, links, and a position on the grid for every panel."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from charts.dashboards.panels import DATASOURCE, GRID_COLUMNS, PURPLE

TAG = "driftgauge"
"""A tag of all boards, by which they link to each other."""

ALL = dashboard.VariableOption(selected=True, text="All", value="$__all")

Tree = dict[str, Any]
"""A board in the shape of its JSON."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading.

    Args:
        title: The heading.
        panels: From left to right, then in new lines.
        repeat: A variable; the row is repeated for each of its values.
    """

    title: str
    panels: Sequence[dashboard.Panel]
    repeat: str | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a board, which the user chooses.

    Args:
        name: Its name, as in `$name`.
        label: The label beside the choice.
        metric: The metric whose label has the values; it may have matchers.
        source: That label.
        single: One value at a time; else any number, and all of them at first.
        listed: "All" means every listed value; else it means any value, including the empty one.
    """

    name: str
    label: str
    metric: str
    source: str
    single: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Annotation:
    """Vertical lines at events.

    Args:
        name: The name of the events.
        expr: An expression with a series while an event is new.
        text: The text of each event, with `{{label}}`.
        colour: The colour of the lines.
    """

    name: str
    expr: str
    text: str
    colour: str = PURPLE


def model_variables(*, single_service: bool = False) -> list[Variable]:
    """The variables of every board, which select processes and models.

    Args:
        single_service: Whether one InferenceService of one namespace is selected at a time.
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
    annotations: Sequence[Annotation] = (),
) -> Tree:
    """Make a board in Grafana's schema.

    Args:
        name: The end of its uid, which links use.
        title: Its title.
        description: What it shows.
        rows: Its rows from top to bottom.
        variables: Its variables, each of which may use those before it.
        annotations: Events that all panels show.
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
    for annotation in annotations:
        builder = builder.annotation(_annotation(annotation))
    built = builder.build()
    built.panels = _placed(rows)
    tree: Tree = json.loads(JSONEncoder().encode(built))
    for query, annotation in zip(tree["annotations"].get("list", []), annotations, strict=True):
        # keys of the Prometheus data source, which the SDK's type does not have
        query |= {"titleFormat": annotation.name, "textFormat": annotation.text, "step": "60s"}
    return tree


def as_json(tree: Tree) -> str:
    """The text of a board's file, with sorted keys."""
    return json.dumps(tree, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _placed(rows: Sequence[Row]) -> list[dashboard.Panel | dashboard.RowPanel]:
    """All headings and panels, each with a position and a number."""
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
    """Set the positions of panels side by side, in a new line where one does not fit; returns the next free line."""
    left = line_height = 0
    for panel in panels:
        size = panel.grid_pos or dashboard.GridPos()
        if left + size.w > GRID_COLUMNS:
            left, top, line_height = 0, top + line_height, 0
        panel.grid_pos = dashboard.GridPos(x=left, y=top, w=size.w, h=size.h)
        left, line_height = left + size.w, max(line_height, size.h)
    return top + line_height


def _variable(variable: Variable) -> build.QueryVariable:
    query = (
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
        return query
    return query.current(ALL) if variable.listed else query.current(ALL).all_value(".*")


def _annotation(annotation: Annotation) -> build.AnnotationQuery:
    return (
        build.AnnotationQuery()
        .name(annotation.name)
        .datasource(DATASOURCE)
        .enable(enable=True)
        .hide(hide=False)
        .icon_color(annotation.colour)
        .expr(annotation.expr)
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

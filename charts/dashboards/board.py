"""A board of rows: variables, links, and a position on the grid for every panel."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from charts.dashboards.promql import CLUSTER, PROCESS
from charts.dashboards.queries import DATASOURCE
from charts.dashboards.style import GRID_COLUMNS, PURPLE

TAG = "driftgauge"
"""A tag of all boards, by which they link to each other."""

ALL = dashboard.VariableOption(selected=True, text="All", value="$__all")

Tree = dict[str, Any]
"""A board in the shape of its JSON."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading. The first row of a board is open, the others are collapsed until someone opens them.

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
    """A variable of a board, whose values come from Prometheus.

    Args:
        name: Its name, as in `$name`.
        label: The label beside the choice.
        query: A query in Grafana's notation, such as `label_values(metric, label)`; it may use the variables before.
        single: One value at a time; else any number, and all of them at first.
        listed: "All" means every listed value; else it means any value, including the empty one.
        pattern: A regular expression with a group that is the value, for each line of the query's result.
        description: What the choice does.
        newest: The last value in alphabetical order stands first.
    """

    name: str
    label: str
    query: str
    single: bool = False
    listed: bool = False
    pattern: str = ""
    description: str = ""
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable with fixed values, of which the first is the default.

    Args:
        name: Its name, as in `$name`.
        label: The label beside the choice.
        values: Text of each option -> its value.
        description: What the choice does.
    """

    name: str
    label: str
    values: Mapping[str, str]
    description: str


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
    requests = f"request_count{{{PROCESS}"
    in_namespace = f'{requests}, inference_service_namespace=~"$namespace"'
    of_service = f'{in_namespace}, inference_service=~"$inference_service"'
    return [
        Variable(
            "cluster",
            "Cluster",
            "label_values(driftgauge_build_info, cluster)",
            description="Label that a Prometheus which collects from several clusters adds; All if there is none.",
        ),
        Variable("job", "Job", f"label_values(driftgauge_build_info{{{CLUSTER}}}, job)", listed=True),
        Variable(
            "namespace",
            "Namespace",
            f"label_values({requests}}}, inference_service_namespace)",
            single=single_service,
        ),
        Variable(
            "inference_service",
            "InferenceService",
            f"label_values({in_namespace}}}, inference_service)",
            single=single_service,
        ),
        Variable("component", "Component", f"label_values({of_service}}}, component)"),
        Variable("model_name", "Model", f"label_values({of_service}}}, model_name)"),
        Variable(
            "revision",
            "Revision",
            f"label_values({of_service}}}, revision)",
            single=single_service,
            description="None, or All, if the revisions of the models are not known.",
            newest=True,
        ),
    ]


def board(
    name: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    variables: Sequence[Variable | Choice],
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
        builder = builder.with_variable(_choice(variable) if isinstance(variable, Choice) else _variable(variable))
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
    return json.dumps(tree, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _placed(rows: Sequence[Row]) -> list[dashboard.Panel | dashboard.RowPanel]:
    """All headings and panels, each with a position and a number; the panels of a collapsed row are inside its heading.

    They have the positions that they take when only their row is expanded: Grafana then moves the rows below down.
    """
    placed: list[dashboard.Panel | dashboard.RowPanel] = []
    numbers = count(1)
    top = 0
    for row in rows:
        collapsed = bool(placed)
        heading = dashboard.RowPanel(title=row.title, collapsed=collapsed, panels=[], repeat=row.repeat)
        heading.grid_pos = dashboard.GridPos(x=0, y=top, w=GRID_COLUMNS, h=1)
        bottom = _place(row.panels, top + 1)
        heading.id_val = next(numbers)
        for panel in row.panels:
            panel.id_val = next(numbers)
        placed.append(heading)
        if collapsed:
            heading.panels = list(row.panels)
        else:
            placed.extend(row.panels)
        top = top + 1 if collapsed else bottom
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
    """A list of values in alphabetical order, or in that of the query's result if a pattern reads them."""
    order = dashboard.VariableSort.DISABLED if variable.pattern else dashboard.VariableSort.ALPHABETICAL_ASC
    if variable.newest:
        order = dashboard.VariableSort.ALPHABETICAL_DESC
    query = (
        build.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(DATASOURCE)
        .query({"query": variable.query, "refId": variable.name})
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(order)
        .multi(multi=not variable.single)
        .include_all(include_all=not variable.single)
    )
    if variable.pattern:
        query = query.regex(variable.pattern)
    if variable.description:
        query = query.description(variable.description)
    if variable.single:
        return query
    return query.current(ALL) if variable.listed else query.current(ALL).all_value(".*")


def _choice(choice: Choice) -> build.CustomVariable:
    options = [
        dashboard.VariableOption(selected=position == 0, text=text, value=value)
        for position, (text, value) in enumerate(choice.values.items())
    ]
    return (
        build.CustomVariable(choice.name)
        .label(choice.label)
        .description(choice.description)
        .values(", ".join(f"{text} : {value}" for text, value in choice.values.items()))
        .options(options)
        .current(options[0])
        .multi(multi=False)
        .include_all(include_all=False)
    )


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

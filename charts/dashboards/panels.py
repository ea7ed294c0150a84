"""The kinds of panels: one function for each, which sets every option that matters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as part
from grafana_foundation_sdk.builders import dashboard as shared
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, statetimeline, table, timeseries, trend
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
"""The Prometheus that the board's first variable selects."""

GREEN, ORANGE, RED, BLUE, PURPLE, GREY = "green", "orange", "red", "blue", "purple", "#8e8e8e"

GRID_COLUMNS = 24
FULL, HALF, THIRD, SIXTH = GRID_COLUMNS, GRID_COLUMNS // 2, GRID_COLUMNS // 3, GRID_COLUMNS // 6
_LOW_ROWS, _HIGH_ROWS = 4, 8

DASHED = dashboard.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]})


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a panel.

    Args:
        expr: PromQL.
        legend: Name of each series, with `{{label}}`.
    """

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """The texts of a panel.

    Args:
        title: Its title.
        description: What the numbers are, and how to read them.
        unit: Grafana's name of their unit.
    """

    title: str
    description: str
    unit: str


def graph(
    text: Text,
    *queries: Query,
    width: int = HALF,
    limits: tuple[float | None, float | None] = (0, None),
    overrides: Mapping[str, Sequence[dashboard.DynamicConfigValue]] | None = None,
) -> dashboard.Panel:
    """Lines over time.

    Args:
        text: Title, description, unit.
        queries: The lines.
        width: In columns of the grid, which has 24.
        limits: The ends of the axis; `None` follows the data.
        overrides: Regular expression for names of series -> their own properties.
    """
    panel = (
        timeseries.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .span(width)
        .height(_HIGH_ROWS)
        .draw_style(common.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(span_nulls=False)
        .legend(_legend())
        .tooltip(_tooltip())
    )
    lowest, highest = limits
    if lowest is not None:
        panel = panel.min(lowest)
    if highest is not None:
        panel = panel.max(highest)
    for names, properties in (overrides or {}).items():
        panel = panel.override_by_regexp(names, list(properties))
    for target in _targets(queries):
        panel = panel.with_target(target)
    return panel.build()


def number(text: Text, expr: str, steps: Sequence[tuple[float | None, str]] = ((None, BLUE),)) -> dashboard.Panel:
    """One number, its current value.

    Args:
        text: Title, description, unit.
        expr: An expression with one series.
        steps: The colours, each with its lowest value; the first has none.
    """
    panel = (
        stat.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .span(SIXTH)
        .height(_LOW_ROWS)
        .no_value("none")
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .text_mode(common.BigValueTextMode.VALUE)
        .justify_mode(common.BigValueJustifyMode.AUTO)
        .reduce_options(part.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(values=False))
        .thresholds(_thresholds(steps))
    )
    return panel.with_target(_instant(Query(expr), "A")).build()


def states(text: Text, query: Query) -> dashboard.Panel:
    """Bands of states over time, one for each series; values are those of `promql.state`."""
    panel = (
        statetimeline.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .span(FULL)
        .height(_HIGH_ROWS)
        .mappings([state_mapping()])
        .color_scheme(shared.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
        .thresholds(_thresholds(((None, GREEN), (1, RED), (2, GREY))))
        .show_value(common.VisibilityMode.AUTO)
        .merge_values(merge_values=True)
        .align_value(common.TimelineValueAlignment.LEFT)
        .row_height(0.9)
        .fill_opacity(70)
        .legend(_legend())
        .tooltip(_tooltip())
    )
    return panel.with_target(_range(query, "A")).build()


def cells(text: Text, query: Query, width: int = FULL, highest: float | None = 1) -> dashboard.Panel:
    """A heatmap with a row for each series; a cell is darker for a higher value.

    Args:
        text: Title, description, unit.
        query: The rows.
        width: In columns of the grid, which has 24.
        highest: The darkest value, above 0; `None` uses the highest of the data.
    """
    colours = (
        heatmap.HeatmapColorOptions()
        .mode(HeatmapColorMode.SCHEME)
        .scheme("Oranges")
        .scale(HeatmapColorScale.LINEAR)
        .exponent(0.5)
        .steps(64)
        .reverse(reverse=False)
        .min(0)
    )
    if highest is not None:
        colours = colours.max(highest)
    panel = (
        heatmap.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .span(width)
        .height(_HIGH_ROWS)
        .calculate(calculate=False)
        .color(colours)
        .cell_gap(1)
        .cell_values(heatmap.CellValues().unit(text.unit).decimals(3))
        .y_axis(heatmap.YAxisConfig().axis_placement(common.AxisPlacement.LEFT).reverse(reverse=False))
        .show_value(common.VisibilityMode.NEVER)
        .show_legend()
        .mode(common.TooltipDisplayMode.SINGLE)
    )
    return panel.with_target(_range(query, "A")).build()


def curves(text: Text, x_field: str, *queries: Query) -> dashboard.Panel:
    """Curves over a label instead of time, with current values.

    Args:
        text: Title, description, unit.
        x_field: The label, whose values are numbers.
        queries: The curves, each with series that differ only in that label; the legend names the curve.
    """
    panel = (
        trend.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .span(THIRD)
        .height(_HIGH_ROWS)
        .x_field(x_field)
        .draw_style(common.GraphDrawStyle.LINE)
        .line_width(2)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.ALWAYS)
        .legend(_legend())
        .tooltip(_tooltip())
        .transformations(_joined(x_field, queries))
    )
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        panel = panel.with_target(_instant(query, letter))
    return panel.build()


def grid(
    text: Text,
    columns: Mapping[str, Query],
    names: Mapping[str, str],
    overrides: Mapping[str, Sequence[dashboard.DynamicConfigValue]],
    width: int = FULL,
) -> dashboard.Panel:
    """A table with a line for each set of labels.

    Args:
        text: Title, description, unit of columns without their own.
        columns: Heading -> query of the column; all with the same labels.
        names: Label -> heading, in the order of the columns; an empty heading hides it.
        overrides: Heading -> its column's own properties.
        width: In columns of the grid, which has 24.
    """
    headings = {f"Value #{letter}": heading for letter, heading in zip(ascii_uppercase, columns, strict=False)}
    if len(columns) == 1:  # Grafana numbers the values only where there are several queries
        headings = {"Value": next(iter(columns))}
    panel = (
        table.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .span(width)
        .height(_HIGH_ROWS)
        .show_header(show_header=True)
        .cell_height(common.TableCellHeight.SM)
        .footer(part.TableFooterOptions().show(show=False).reducer([]).count_rows(count_rows=False))
        .transformations(_organized({**names, **headings}))
    )
    for heading, properties in overrides.items():
        panel = panel.override_by_name(heading, list(properties))
    for letter, query in zip(ascii_uppercase, columns.values(), strict=False):
        panel = panel.with_target(_instant(query, letter))
    return panel.build()


def unit(name: str) -> dashboard.DynamicConfigValue:
    """A column's or a series' own unit."""
    return dashboard.DynamicConfigValue(id_val="unit", value=name)


def colour(name: str) -> dashboard.DynamicConfigValue:
    """A series' own colour."""
    return dashboard.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": name})


def state_mapping() -> dashboard.ValueMap:
    """Shows the numbers of `promql.state` as the names of the states."""
    return dashboard.ValueMap(
        options={
            "0": dashboard.ValueMappingResult(text="ok", color=GREEN, index=0),
            "1": dashboard.ValueMappingResult(text="drift", color=RED, index=1),
            "2": dashboard.ValueMappingResult(text="cannot tell", color=GREY, index=2),
        }
    )


def _targets(queries: Sequence[Query]) -> list[prometheus.Dataquery]:
    return [_range(query, letter) for letter, query in zip(ascii_uppercase, queries, strict=False)]


def _range(query: Query, letter: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .expr(query.expr)
        .legend_format(query.legend)
        .ref_id(letter)
        .datasource(DATASOURCE)
        .format(PromQueryFormat.TIME_SERIES)
        .range()
    )


def _instant(query: Query, letter: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .expr(query.expr)
        .legend_format(query.legend)
        .ref_id(letter)
        .datasource(DATASOURCE)
        .format(PromQueryFormat.TABLE)
        .instant()
    )


def _joined(field: str, queries: Sequence[Query]) -> list[dashboard.DataTransformerConfig]:
    names = {f"Value #{letter}": query.legend for letter, query in zip(ascii_uppercase, queries, strict=False)}
    times = {f"Time {number}": True for number in range(1, len(queries) + 1)}
    conversion = {"conversions": [{"targetField": field, "destinationType": "number"}], "fields": {}}
    return [
        dashboard.DataTransformerConfig(id_val="convertFieldType", options=conversion),
        dashboard.DataTransformerConfig(id_val="joinByField", options={"byField": field, "mode": "outer"}),
        dashboard.DataTransformerConfig(id_val="sortBy", options={"fields": {}, "sort": [{"field": field}]}),
        dashboard.DataTransformerConfig(
            id_val="organize", options={"excludeByName": times, "indexByName": {}, "renameByName": names}
        ),
    ]


def _organized(headings: Mapping[str, str]) -> list[dashboard.DataTransformerConfig]:
    hidden = {"Time": True} | {name: True for name, heading in headings.items() if not heading}
    shown = {name: heading for name, heading in headings.items() if heading}
    positions = {name: position for position, name in enumerate(shown)}
    return [
        dashboard.DataTransformerConfig(id_val="merge", options={}),
        dashboard.DataTransformerConfig(
            id_val="organize", options={"excludeByName": hidden, "indexByName": positions, "renameByName": shown}
        ),
    ]


def _thresholds(steps: Sequence[tuple[float | None, str]]) -> shared.ThresholdsConfig:
    values = [dashboard.Threshold(value=value, color=name) for value, name in steps]
    return shared.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(values)


def _legend() -> part.VizLegendOptions:
    return (
        part.VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs([])
    )


def _tooltip() -> part.VizTooltipOptions:
    return part.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)

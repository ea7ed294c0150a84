"""The kinds of panels: one function for each, which sets every option that matters."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as part
from grafana_foundation_sdk.builders import dashboard as shared
from grafana_foundation_sdk.builders import heatmap, stat, statetimeline, table, timeseries, trend
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale

from charts.dashboards.queries import DATASOURCE, Query, current, joined, organized, over_time
from charts.dashboards.style import (
    BLUE,
    FULL,
    HALF,
    RED,
    SIXTH,
    THIRD,
    VERDICTS,
    Names,
    Steps,
    Text,
    singular,
    state_mapping,
)
from charts.dashboards.units import counted

_LOW_ROWS, _HIGH_ROWS = 4, 8


def graph(
    text: Text,
    *queries: Query,
    width: int = HALF,
    limits: tuple[float | None, float | None] = (0, None),
    overrides: Mapping[str, Sequence[dashboard.DynamicConfigValue]] | None = None,
    line: float | None = None,
) -> dashboard.Panel:
    """Lines over time.

    Args:
        text: Title, description, unit.
        queries: The lines.
        width: In columns of the grid, which has 24.
        limits: The ends of the axis; `None` follows the data.
        overrides: Regular expression for names of series -> their own properties.
        line: A value at which a dashed red line is drawn; the axis always has it.
    """
    panel = (
        timeseries.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .axis_label(text.axis)
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
    if line is not None:
        style = part.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        steps = _thresholds(((None, "transparent"), (line, RED)))
        panel = panel.thresholds(steps).thresholds_style(style).axis_soft_max(1.25 * line)
    for names, properties in (overrides or {}).items():
        panel = panel.override_by_regexp(names, list(properties))
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        panel = panel.with_target(over_time(query, letter))
    return panel.build()


def number(
    text: Text, expr: str, steps: Steps = ((None, BLUE),), *, width: int = SIXTH, names: Names = ()
) -> dashboard.Panel:
    """One number, its current value.

    Args:
        text: Title, description, unit.
        expr: An expression with one series.
        steps: The colours.
        width: In columns of the grid, which has 24.
        names: The states for which the number stands, if it is none.
    """
    panel = (
        stat.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .span(width)
        .height(_LOW_ROWS)
        .no_value("none")
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .text_mode(common.BigValueTextMode.VALUE)
        .justify_mode(common.BigValueJustifyMode.AUTO)
        .reduce_options(part.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(values=False))
        .thresholds(_thresholds(steps))
    )
    if names:
        panel = panel.mappings([state_mapping(names)])
    if noun := counted(text.unit):
        panel = panel.mappings([singular(noun)])
    return panel.with_target(current(Query(expr))).build()


def states(text: Text, query: Query, width: int = FULL, names: Names = VERDICTS) -> dashboard.Panel:
    """Bands of states over time, one for each series.

    Args:
        text: Title, description, unit.
        query: The bands; values are the positions of states in `names`.
        width: In columns of the grid, which has 24.
        names: The states.
    """
    steps = [(position or None, colour) for position, (_, colour) in enumerate(names)]
    panel = (
        statetimeline.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .span(width)
        .height(_HIGH_ROWS)
        .mappings([state_mapping(names)])
        .color_scheme(shared.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
        .thresholds(_thresholds(steps))
        .show_value(common.VisibilityMode.AUTO)
        .merge_values(merge_values=True)
        .align_value(common.TimelineValueAlignment.LEFT)
        .row_height(0.9)
        .fill_opacity(70)
        .legend(_legend())
        .tooltip(_tooltip())
    )
    return panel.with_target(over_time(query)).build()


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
    return panel.with_target(over_time(query)).build()


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
        .axis_label(text.axis)
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
        .transformations(joined(x_field, queries))
    )
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        panel = panel.with_target(current(query, letter))
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
        .transformations(organized({**names, **headings}))
    )
    for heading, properties in overrides.items():
        panel = panel.override_by_name(heading, list(properties))
    for letter, query in zip(ascii_uppercase, columns.values(), strict=False):
        panel = panel.with_target(current(query, letter))
    return panel.build()


def _thresholds(steps: Steps) -> shared.ThresholdsConfig:
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

"""What panels have in common: texts, colours, widths, names of states, properties of single series."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models import dashboard

from charts.dashboards.units import count

GREEN, ORANGE, RED, BLUE, PURPLE, GREY = "green", "orange", "red", "blue", "purple", "#8e8e8e"

GRID_COLUMNS = 24
FULL, HALF, THIRD, QUARTER, SIXTH = GRID_COLUMNS, GRID_COLUMNS // 2, GRID_COLUMNS // 3, GRID_COLUMNS // 4, 4

DASHED = dashboard.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]})

Steps = Sequence[tuple[float | None, str]]
"""Colours, each with its lowest value; the first has none."""

Names = Sequence[tuple[str, str]]
"""The name and the colour of each state, in the order of the numbers 0, 1, ... that stand for them."""

VERDICTS: Names = (("ok", GREEN), ("drift", RED), ("cannot tell", GREY))
"""The states of `promql.state`."""

ALARMS: Names = (("quiet", GREEN), ("alarms", RED))
UP_OR_DOWN: Names = (("down", RED), ("up", GREEN))
ON_OR_SUSPENDED: Names = (("on", GREEN), ("suspended", ORANGE))


@dataclass(frozen=True, slots=True)
class Text:
    """The texts of a panel.

    Args:
        title: Its title.
        description: What the numbers are, and how to read them.
        unit: Grafana's name of their unit.
        axis: What the axis says, where the numbers have no unit.
    """

    title: str
    description: str
    unit: str
    axis: str = ""


def unit(name: str) -> dashboard.DynamicConfigValue:
    """A column's or a series' own unit."""
    return dashboard.DynamicConfigValue(id_val="unit", value=name)


def colour(name: str) -> dashboard.DynamicConfigValue:
    """A series' own colour."""
    return dashboard.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": name})


def of_count(noun: str) -> list[dashboard.DynamicConfigValue]:
    """The unit of a column of a table that counts things.

    Args:
        noun: What they are, in the plural.
    """
    return [unit(count(noun)), dashboard.DynamicConfigValue(id_val="mappings", value=[singular(noun)])]


def singular(noun: str) -> dashboard.ValueMap:
    """Shows 1 with the noun in the singular: a unit has no plural.

    Args:
        noun: The noun of the unit, in the plural.
    """
    text = f"1 {noun.removesuffix('s')}"
    return dashboard.ValueMap(options={"1": dashboard.ValueMappingResult(text=text, index=0)})


def state_mapping(names: Names = VERDICTS) -> dashboard.ValueMap:
    """Shows the numbers of states as their names."""
    return dashboard.ValueMap(
        options={
            f"{position}": dashboard.ValueMappingResult(text=name, color=chosen, index=position)
            for position, (name, chosen) in enumerate(names)
        }
    )

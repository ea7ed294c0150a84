"""Queries of the panels: the expressions as Grafana sends them, and what it does with the results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
"""The Prometheus that the board's first variable selects."""


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a panel.

    Args:
        expr: PromQL.
        legend: Name of each series, with `{{label}}`.
    """

    expr: str
    legend: str = ""


def over_time(query: Query, letter: str = "A") -> prometheus.Dataquery:
    """The query as one over the time range of the board.

    Args:
        query: The expression.
        letter: Its name within the panel.
    """
    return _query(query, letter).format(PromQueryFormat.TIME_SERIES).range()


def current(query: Query, letter: str = "A") -> prometheus.Dataquery:
    """The query as one at the end of the time range.

    Args:
        query: The expression.
        letter: Its name within the panel.
    """
    return _query(query, letter).format(PromQueryFormat.TABLE).instant()


def joined(field: str, queries: Sequence[Query]) -> list[dashboard.DataTransformerConfig]:
    """Transformations of several results into a table with a line for each value of a label.

    Args:
        field: The label, whose values are numbers.
        queries: The legend of each names its column.
    """
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


def organized(headings: Mapping[str, str]) -> list[dashboard.DataTransformerConfig]:
    """Transformations of several results into one table, with these columns in this order.

    Args:
        headings: Label, or `Value #A` of a query -> heading; an empty heading hides the column.
    """
    hidden = {"Time": True} | {name: True for name, heading in headings.items() if not heading}
    shown = {name: heading for name, heading in headings.items() if heading}
    positions = {name: position for position, name in enumerate(shown)}
    return [
        dashboard.DataTransformerConfig(id_val="merge", options={}),
        dashboard.DataTransformerConfig(
            id_val="organize", options={"excludeByName": hidden, "indexByName": positions, "renameByName": shown}
        ),
    ]


def _query(query: Query, letter: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter).datasource(DATASOURCE)

"""The variables of a dashboard as Grafana fills them: https://grafana.com/docs/grafana/latest/dashboards/variables/."""

import json
import re
from urllib.parse import urlencode

from tests.support.alerting import AlertingPrometheus
from tests.support.boards import Tree, variables
from tests.support.processes import get
from tests.support.promql import filled

BUILT_IN = {"__rate_interval": "10s", "__range": "600s"}
"""`$__rate_interval` is at least four scrape intervals, here of 1 s; `$__range` is the time range of the board."""


def options(prometheus: AlertingPrometheus, variable: Tree, chosen: dict[str, str]) -> list[str]:
    """The values of a variable of type query, given the selection of those before it."""
    function, inside = variable["query"]["query"].removesuffix(")").split("(", 1)
    if function == "label_values":
        selector, label = inside.rsplit(", ", 1)
        return prometheus.label_values(label, filled(selector, chosen))
    pattern = re.compile(variable["regex"].removeprefix("/").removesuffix("/"))
    found = [pattern.search(line) for line in _lines(prometheus, filled(inside, chosen))]
    return [one[1] for one in found if one is not None]


def first_values(prometheus: AlertingPrometheus, board: Tree) -> dict[str, str]:
    """The variables of a board at first: the default, else All if possible, else the first value, or the empty one."""
    values = dict(BUILT_IN)
    for name, variable in variables(board).items():
        if variable["type"] == "custom":
            values[name] = variable["current"]["value"]
        if variable["type"] != "query":
            continue
        found = options(prometheus, variable, values)
        everything = variable.get("allValue") or f"({'|'.join(found)})"
        values[name] = everything if variable["includeAll"] else next(iter(found), "")
    return values


def _lines(prometheus: AlertingPrometheus, expression: str) -> list[str]:
    """Each series of an instant query as a line of text, to which Grafana applies the variable's pattern."""
    response = json.loads(get(f"{prometheus.url}/api/v1/query?{urlencode({'query': expression})}"))
    lines = []
    for one in response["data"]["result"]:
        labels = ",".join(f'{name}="{value}"' for name, value in one["metric"].items())
        time, value = one["value"]
        lines.append(f"{{{labels}}} {value} {time * 1000:.0f}")
    return lines

"""The panels, expressions and variables of the committed dashboards, and the alert rules."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILES = Path(__file__).parents[2] / "charts" / "driftgauge" / "files"
ALERTS = FILES / "alerts.yaml"

Tree = dict[str, Any]


@dataclass(frozen=True)
class Expression:
    """One PromQL expression.

    Args:
        place: Dashboard and panel, for messages.
        text: The PromQL, with Grafana's variables.
    """

    place: str
    text: str


def boards() -> dict[str, Tree]:
    """The committed dashboards, by file name without its ending."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((FILES / "dashboards").glob("*.json"))}


def headings(board: Tree) -> list[Tree]:
    """The row headings of a dashboard."""
    return [panel for panel in board["panels"] if panel["type"] == "row"]


def panels(board: Tree) -> list[Tree]:
    """The panels of a dashboard without the row headings, those of collapsed rows included."""
    return [one for panel in board["panels"] for one in (panel["panels"] if panel["type"] == "row" else [panel])]


def variables(board: Tree) -> dict[str, Tree]:
    """The variables of a dashboard, by name."""
    return {variable["name"]: variable for variable in board["templating"]["list"]}


def expressions(board: Tree) -> Iterator[Expression]:
    """Every expression of a dashboard: of its panels, and of its annotations."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield Expression(f"{board['title']} / {panel['title']} {target['refId']}", target["expr"])
    for annotation in board["annotations"].get("list", []):
        yield Expression(f"{board['title']} / {annotation['name']}", annotation["expr"])


def rules() -> list[Tree]:
    """The alert rules, in order."""
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]

"""Writes the options into the chart's schema, and docs/values.md."""

import json
from pathlib import Path
from typing import Any

import yaml

from charts.values.options import logger_options
from charts.values.table import as_markdown

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "driftgauge"
SCHEMA = CHART / "values.schema.json"
PAGE = ROOT / "docs" / "values.md"


def page() -> str:
    """The text of docs/values.md."""
    return as_markdown(_schema(), yaml.safe_load((CHART / "values.yaml").read_text()))


def main() -> None:
    """Write both files, replacing the existing ones."""
    schema = _schema()
    schema["properties"]["config"]["properties"] = logger_options()
    SCHEMA.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    PAGE.write_text(page())


def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())
    return schema


if __name__ == "__main__":
    main()

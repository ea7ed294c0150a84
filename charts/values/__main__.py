"""Writes docs/values.md."""

import json
from pathlib import Path

import yaml

from charts.values.table import as_markdown

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "driftgauge"
PAGE = ROOT / "docs" / "values.md"


def page() -> str:
    """The page as it should be."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    return as_markdown(schema, yaml.safe_load((CHART / "values.yaml").read_text()))


def main() -> None:
    """Write the page over the one that was there."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

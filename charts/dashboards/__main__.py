"""Writes every board as JSON into the chart."""

from pathlib import Path

from charts.dashboards import BOARDS
from charts.dashboards.board import as_json

DIRECTORY = Path(__file__).parents[1] / "driftgauge" / "files" / "dashboards"


def main() -> None:
    """Write all files, replacing existing ones."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, board in BOARDS.items():
        (DIRECTORY / f"{name}.json").write_text(as_json(board()))


if __name__ == "__main__":
    main()

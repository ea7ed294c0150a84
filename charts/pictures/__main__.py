"""Draws every board into docs/pictures."""

import tempfile
from pathlib import Path

from charts.pictures.figure import draw
from tests.support.backfill import backfilled
from tests.support.boards import boards

DIRECTORY = Path(__file__).parents[2] / "docs" / "pictures"
END = 1_795_392_000
"""23 November 2026, 00:00 UTC: the end of the invented history."""


def main(directory: Path = DIRECTORY) -> None:
    """Write all pictures, replacing existing ones."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, backfilled(END, Path(work)) as prometheus:
        for name, board in boards().items():
            draw(board, prometheus, END, directory / f"{name}.png")


if __name__ == "__main__":
    main()

"""The result of a benchmark: tables, as values. `render` prints and draws them."""

from dataclasses import dataclass, field

Cell = str | float | None
"""A name, a number, or `None` if a peer is not installed or does not support the case."""


@dataclass(frozen=True, slots=True)
class Plot:
    """How a table is drawn: a bar chart with a group for each row and a colour for each column.

    Args:
        columns: The columns to draw; all have the same unit.
        unit: Label of the axis.
        is_logarithmic: Whether the axis is logarithmic.
    """

    columns: tuple[str, ...]
    unit: str
    is_logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table of figures.

    Args:
        slug: Its name in files and in the marks of the document: lower case and hyphens.
        title: What was measured.
        method: How it was measured: what ran, how often, what a figure is (the median of how many).
        columns: Names with units; the first column has the names of the rows.
        rows: Each has as many cells as there are columns.
        plot: How it is drawn; `None` if it is not.
        versions: Version of each program, by its name.

    Raises:
        ValueError: A row does not have as many cells as there are columns.
    """

    slug: str
    title: str
    method: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    plot: Plot | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the number of cells in each row."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.slug}: the row {row} does not have {len(self.columns)} cells")

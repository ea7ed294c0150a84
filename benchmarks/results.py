"""What a benchmark gives: tables, as values; how they are printed, drawn and kept stands elsewhere."""

from dataclasses import dataclass, field

Cell = str | float | None
"""A name, a number, or `None` where a peer is not installed or does not do the thing."""


@dataclass(frozen=True, slots=True)
class Plot:
    """How a table is drawn: a bar for each of its rows, a colour for each column.

    Args:
        columns: Which columns; all have the same unit.
        unit: Stands at the axis.
        is_logarithmic: Whether the axis is.
    """

    columns: tuple[str, ...]
    unit: str
    is_logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table of figures.

    Args:
        slug: Its name in files and in the marks of the document: small letters and hyphens.
        title: What was measured, in few words.
        method: How, in some sentences: what ran, how often, what a figure is (median of how many).
        columns: Names with units; the first is that of the rows.
        rows: As many cells as there are columns.
        plot: How it is drawn, if it is.
        versions: Version of each program that took part, by its name.

    Raises:
        ValueError: A row is not as wide as the head.
    """

    slug: str
    title: str
    method: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    plot: Plot | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a row that does not fit."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.slug}: the row {row} has not {len(self.columns)} cells")

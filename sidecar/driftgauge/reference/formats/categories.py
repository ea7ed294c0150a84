"""Columns of text: categories, or dates, which are left out. This module does no I/O."""

import re

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.names import printable
from driftgauge.protocol.category import MAX_TEXT_CHARS, code
from driftgauge.reference.table_limits import Column

MAX_TEXTS = 10_000
"""Texts that are kept of one column; beyond it a text is no category but an identifier, and its code will do."""

DATES = "holds dates: it is left out, since a date is always new"

_NEARLY_ALL = 0.95
"""Share of a column's texts that must be dates for the column to hold dates."""

_DAY = r"\d{4}([-/])\d{2}\1\d{2}"
_TIME = r"\d{2}:\d{2}(:\d{2}([.,]\d+)?)?"
_DATE = re.compile(rf"{_DAY}([T ]{_TIME} ?(Z|UTC|[+-]\d{{2}}:?(\d{{2}})?)?)?|{_TIME}", re.ASCII)
"""ISO 8601's usual forms, a space for the T and slashes for the hyphens allowed."""


class Texts:
    """Gives the texts of one column their codes, and counts what they look like."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, bool]] = {}
        self._cells = 0
        self._dates = 0

    def code(self, text: str, cells: int = 1) -> float:
        """The code of a text that stands in so many cells."""
        known = self._known.get(text)
        if known is None:
            known = code(text), _DATE.fullmatch(text) is not None
            if len(self._known) < MAX_TEXTS:
                self._known[text] = known
        self._cells += cells
        self._dates += cells * known[1]
        return known[0]

    def column(self, values: NDArray[np.float64], *, certain: bool = False) -> Column:
        """The column whose texts these were.

        Args:
            values: Shape `(n,)`, float64: the codes that were given, NaN for a missing value.
            certain: It holds categories, whatever they look like.
        """
        if not certain and self._dates >= _NEARLY_ALL * self._cells > 0:
            return ignored_column(values.size, DATES)
        categories = {code: _shown(text) for text, (code, _) in self._known.items()}
        return Column(FeatureKind.CATEGORICAL, values, categories)


def ignored_column(rows: int, why: str) -> Column:
    """A column that is left out, and why; it reads on after the column's name."""
    return Column(FeatureKind.IGNORED, np.full(rows, np.nan), left_out=why)


def _shown(text: str) -> str:
    """A text as it can stand in a label: not endless, and of letters that UTF-8 has."""
    cut = text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 3] + "..."
    return printable(cut)

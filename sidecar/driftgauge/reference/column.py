"""One column of a dataset, and the codes of its categories."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import printable
from driftgauge.protocol.category import MAX_TEXT_CHARS, code

MAX_TEXTS: Final = 10_000
"""Texts kept of one column. A column with more of them holds identifiers, and its codes suffice."""

DATES: Final = "holds dates: it is left out, since a date is always new"
"""Why a column of dates is left out; follows the column's name."""

SHOWN_CHARACTERS: Final = 40
"""How much of an untrusted text an error shows."""

_MIN_DATE_SHARE: Final = 0.95
"""Share of a column's texts that must be dates for the column to hold dates."""

_DAY: Final = r"\d{4}([-/])\d{2}\1\d{2}"
_TIME: Final = r"\d{2}:\d{2}(:\d{2}([.,]\d+)?)?"
_DATE: Final = re.compile(rf"{_DAY}([T ]{_TIME} ?(Z|UTC|[+-]\d{{2}}:?(\d{{2}})?)?)?|{_TIME}", re.ASCII)
"""The usual forms of ISO 8601; a space for the T and slashes for the hyphens are allowed."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of a file or of data in memory.

    Args:
        kind: How the column is tested.
        values: Shape `(n,)`, float64: numbers, or the codes of categories; NaN is a missing value.
        categories: The text of each code, of at most 10,000 codes; empty unless the column is categorical.
        left_out: Why an ignored column is left out; follows the column's name.
    """

    kind: FeatureKind
    values: NDArray[np.float64]
    categories: Mapping[float, str] = field(default_factory=dict)
    left_out: str = ""


def ignored_column(rows: int, why: str) -> Column:
    """A column that is left out of the tests.

    Args:
        rows: Its length.
        why: The reason; follows the column's name.
    """
    return Column(FeatureKind.IGNORED, np.full(rows, np.nan), left_out=why)


class CategoryEncoder:
    """Gives the texts of one column their codes, and counts the dates among them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, bool]] = {}
        self._cells = 0
        self._dates = 0

    def encode(self, text: str, cells: int = 1) -> float:
        """The code of a text.

        Args:
            text: Not empty.
            cells: How many cells hold it.
        """
        known = self._known.get(text)
        if known is None:
            known = code(text), _DATE.fullmatch(text) is not None
            if len(self._known) < MAX_TEXTS:
                self._known[text] = known
        self._cells += cells
        self._dates += cells * known[1]
        return known[0]

    def column(self, values: NDArray[np.float64], *, is_categorical: bool = False) -> Column:
        """The column of the encoded texts: categorical, or left out if nearly all texts are dates.

        Args:
            values: Shape `(n,)`, float64: codes, NaN for a missing value.
            is_categorical: The column is known to be categorical, even if its texts are dates.
        """
        if not is_categorical and self._dates >= _MIN_DATE_SHARE * self._cells > 0:
            return ignored_column(values.size, DATES)
        categories = {code: _label_text(text) for text, (code, _) in self._known.items()}
        return Column(FeatureKind.CATEGORICAL, values, categories)


def _label_text(text: str) -> str:
    """A text as a label can hold it: cut where it is long, and valid UTF-8."""
    cut = text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 3] + "..."
    return printable(cut)


def shortened(text: str) -> str:
    """A text in quotes, cut where it is long, with control characters escaped for logs and terminals."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "...")

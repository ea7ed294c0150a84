"""The codes of the texts of one column."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.inference.payload import printable
from driftgauge.protocol.category import MAX_TEXT_CHARS, code, text_of
from driftgauge.protocol.tensor import widen
from driftgauge.reference.cells import number
from driftgauge.reference.column import DATES, MAX_TEXTS, NOT_TESTED, Column, ColumnRules, ignored_column, shortened

_MIN_DATE_SHARE: Final = 0.95
"""Share of a column's texts that must be dates for the column to hold dates."""

_DAY: Final = r"\d{4}([-/])\d{2}\1\d{2}"
_TIME: Final = r"\d{2}:\d{2}(:\d{2}([.,]\d+)?)?"
_DATE: Final = re.compile(rf"{_DAY}([T ]{_TIME} ?(Z|UTC|[+-]\d{{2}}:?(\d{{2}})?)?)?|{_TIME}", re.ASCII)
"""The usual forms of ISO 8601; a space for the T and slashes for the hyphens are allowed."""


class CategoryEncoder:
    """Gives the texts of one column their codes, and counts the dates among them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, bool]] = {}
        self._cells = 0
        self._dates = 0

    def encode(self, text: str, cells: int = 1) -> float:
        """The code of a text.

        Args:
            text: As `text_of` returns it.
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


def text_column(
    path: Path, name: str, texts: Sequence[str | None], places: NDArray[np.intp], rules: ColumnRules
) -> Column:
    """A column of texts whose writer marks them as text.

    Args:
        path: Named in errors.
        name: Of the column.
        texts: The different texts, as `text_of` returns them; `None` is a missing value.
        places: Shape `(n,)`: the index of each row's text.
        rules: May have the kind of the column, and missing words.

    Raises:
        ReferenceDataError: The column is known to be numeric, and a text is not a number.
    """
    kind = rules.kinds.get(name)
    texts = [None if text in rules.missing_words else text for text in texts]
    if kind is FeatureKind.IGNORED:
        return ignored_column(places.size, NOT_TESTED)
    if kind is FeatureKind.NUMERIC:
        return Column(kind, texts_as_numbers(path, name, texts, places))
    cells = np.bincount(places, minlength=len(texts)).tolist()
    encoder = CategoryEncoder()
    codes = [np.nan if text is None else encoder.encode(text, count) for text, count in zip(texts, cells, strict=True)]
    return encoder.column(np.array(codes, dtype=np.float64)[places], is_categorical=kind is FeatureKind.CATEGORICAL)


def texts_as_numbers(
    path: Path, name: str, texts: Sequence[str | None], places: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The texts of a window as numbers, where the reference holds numbers; arguments as for `text_column`.

    Raises:
        ReferenceDataError: A text is not a number.
    """
    numbers = [number(text or "") for text in texts]
    wrong = np.array([value is None or np.isinf(value) for value in numbers], dtype=np.bool_)[places]
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ReferenceDataError(
            f"{path}: row {row + 1}, column {shortened(name)}: {shortened(texts[places[row]] or '')} is not a number, "
            "the reference holds numbers there"
        )
    return np.array(numbers, dtype=np.float64)[places]


def numbers_as_categories(values: NDArray[Any]) -> Column:
    """A column of numbers whose values are names, such as codes of shops, as categories.

    Args:
        values: Shape `(n,)`: bool, integers, or floats with NaN for a missing value. A number has the text that it
            has in a request: 94103 and 94103.0 are `94103`.
    """
    exact = widen(values) if values.dtype.kind == "f" else values  # integers above 2**53 keep their digits
    distinct, places = np.unique(exact, return_inverse=True)
    encoder = CategoryEncoder()
    codes = [np.nan if (text := text_of(value)) is None else encoder.encode(text) for value in distinct.tolist()]
    return encoder.column(np.array(codes, dtype=np.float64)[places], is_categorical=True)


def _label_text(text: str) -> str:
    """A text as a label can hold it: cut where it is long, and valid UTF-8."""
    cut = text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 3] + "..."
    return printable(cut)

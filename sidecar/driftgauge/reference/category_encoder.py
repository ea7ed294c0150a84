"""The codes of the texts of one column."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from driftgauge.reference.column import (
    DATES,
    MAX_TEXTS,
    NOT_TESTED,
    Column,
    ColumnRules,
    ignored_column,
    place,
    shortened,
)
from driftgauge.reference.text_forms import is_date, plain_number

_MIN_SHARE: Final = 0.95
"""Share of a column's cells that must have a form for the column to have it."""

_MAX_FORMATTED: Final = 20
"""Different numbers with a currency or a percent sign up to which they are categories, such as classes of prices."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one text."""

    code: float
    is_date: bool
    is_formatted: bool


class CategoryEncoder:
    """Gives the texts of one column their codes, and counts the dates and the formatted numbers among them.

    Args:
        path: Named in errors.
        name: Of the column.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._known: dict[str, _Known] = {}
        self._cells = 0
        self._dates = 0
        self._formatted = 0

    def encode(self, text: str, cells: int = 1) -> float:
        """The code of a text.

        Args:
            text: As `text_of` returns it.
            cells: How many cells hold it.
        """
        known = self._known.get(text)
        if known is None:
            known = _Known(code(text), is_date(text), plain_number(text) is not None)
            if len(self._known) < MAX_TEXTS:
                self._known[text] = known
        self._cells += cells
        self._dates += cells * known.is_date
        self._formatted += cells * known.is_formatted
        return known.code

    def column(
        self,
        values: NDArray[np.float64],
        *,
        is_categorical: bool = False,
        lines: Sequence[int] = (),
        rows: Sequence[int] = (),
    ) -> Column:
        """The column of the encoded texts: categorical, or left out if nearly all texts are dates.

        Args:
            values: Shape `(n,)`, float64: codes, NaN for a missing value.
            is_categorical: The column is known to be categorical, whatever its texts are.
            lines: The line of each row, in a format of lines.
            rows: The number of each row, if the data is a sample.

        Raises:
            ReferenceDataError: Nearly all texts are numbers with a currency, a percent sign or separators.
        """
        if not is_categorical and self._dates >= _MIN_SHARE * self._cells > 0:
            return ignored_column(values.size, DATES)
        if not is_categorical and self._formatted >= _MIN_SHARE * self._cells > 0:
            self._refuse_formatted(values, lines, rows)
        categories = {known.code: _label_text(text) for text, known in self._known.items()}
        return Column(FeatureKind.CATEGORICAL, values, categories)

    def _refuse_formatted(self, values: NDArray[np.float64], lines: Sequence[int], rows: Sequence[int]) -> None:
        """Refuse many different numbers with a currency or a percent sign; the first one is named."""
        formatted = {known.code: text for text, known in self._known.items() if known.is_formatted}
        if len(formatted) <= _MAX_FORMATTED:
            return
        row = int(np.argmax(np.isin(values, list(formatted))))
        text = formatted[float(values[row])]
        where = f"{self._path}: {place(row, lines, rows)}, column {shortened(self._name)}"
        raise ReferenceDataError(
            f"{where}: {shortened(text)} is a number written as text: write {plain_number(text)} "
            "(or name the column as categorical: driftgauge reference build --categorical)"
        )


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
        ReferenceDataError: The column is known to be numeric, and a text is not a number; or as
            `CategoryEncoder.column`.
    """
    kind = rules.kind_of(name)
    texts = [None if text in rules.missing_words else text for text in texts]
    if kind is FeatureKind.IGNORED:
        return ignored_column(places.size, NOT_TESTED)
    if kind is FeatureKind.NUMERIC:
        return Column(kind, texts_as_numbers(path, name, texts, places))
    cells = np.bincount(places, minlength=len(texts)).tolist()
    encoder = CategoryEncoder(path, name)
    codes = [np.nan if text is None else encoder.encode(text, count) for text, count in zip(texts, cells, strict=True)]
    is_categorical = kind is FeatureKind.CATEGORICAL
    return encoder.column(np.array(codes, dtype=np.float64)[places], is_categorical=is_categorical, rows=rules.rows)


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


def numbers_as_categories(path: Path, name: str, values: NDArray[Any]) -> Column:
    """A column of numbers whose values are names, such as codes of shops, as categories.

    Args:
        path: Named in errors.
        name: Of the column.
        values: Shape `(n,)`: bool, integers, or floats with NaN for a missing value. A number has the text that it
            has in a request: 94103 and 94103.0 are `94103`.
    """
    exact = widen(values) if values.dtype.kind == "f" else values  # integers above 2**53 keep their digits
    distinct, places = np.unique(exact, return_inverse=True)
    encoder = CategoryEncoder(path, name)
    codes = [np.nan if (text := text_of(value)) is None else encoder.encode(text) for value in distinct.tolist()]
    return encoder.column(np.array(codes, dtype=np.float64)[places], is_categorical=True)


def _label_text(text: str) -> str:
    """A text as a label can hold it: cut where it is long, and valid UTF-8."""
    cut = text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 3] + "..."
    return printable(cut)

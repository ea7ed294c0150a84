"""Converts arrays and lists of Python objects to columns."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import text_of
from driftgauge.protocol.missing_words import is_missing_number
from driftgauge.protocol.tensor import widen
from driftgauge.reference.category_encoder import CategoryEncoder, numbers_as_categories, text_column
from driftgauge.reference.column import DATES, NO_RULES, NOT_TESTED, Column, ColumnRules, ignored_column, shortened
from driftgauge.reference.row_times import check_times, datetime_seconds, number_seconds, object_seconds, time_column

NUMBER_KINDS: Final = "biuf"
"""numpy's letters for bool, signed, unsigned and float."""

TEXT_KINDS: Final = "US"
"""numpy's letters for text, and for bytes, which are read as UTF-8."""

DATE_KINDS: Final = "M"

_OBJECT_KINDS: Final = frozenset({"O", "T"})
"""numpy's letters for Python objects and for text of variable length."""

MAX_EXACT: Final = 2**53
"""Up to here float64 holds every integer."""

INEXACT: Final = (
    "holds integers above 2^53, which float64 cannot hold: it is left out; --categorical makes it categories"
)
"""Why a column of such integers is left out. Most are identifiers."""

_NUMBER: Final = "a number"

_DATE_TYPES: Final = (dt.date, dt.time, np.datetime64)


def array_column(
    path: Path,
    name: str,
    array: NDArray[Any],
    rules: ColumnRules = NO_RULES,
) -> Column:
    """One column of an array, its kind given by the rules, or else by the dtype.

    Args:
        path: Named in errors.
        name: Of the column.
        array: Shape `(n,)`. Bool, integers and floats are numbers, text and bytes are categories, datetime64 is
            left out, as is text of which nearly all cells are dates.
        rules: May have the kind of the column, and missing words.

    Raises:
        ReferenceDataError: The array has another dtype, or text where numbers are known to be.
    """
    if rules.is_time(name):
        return _array_times(path, name, array)
    if rules.kind_of(name) is FeatureKind.IGNORED:
        return ignored_column(array.size, NOT_TESTED)
    if array.dtype.kind in DATE_KINDS:
        return ignored_column(array.size, DATES)
    if array.dtype.kind not in TEXT_KINDS:
        return _number_column(path, name, array, rules)
    distinct, places = np.unique(array, return_inverse=True)
    return text_column(path, name, [text_of(word) for word in distinct.tolist()], places, rules)


def _array_times(path: Path, name: str, array: NDArray[Any]) -> Column:
    """The column of the times of the rows: datetime64, text, or numbers since the epoch."""
    if array.dtype.kind in DATE_KINDS:
        seconds = datetime_seconds(array)
    elif array.dtype.kind in TEXT_KINDS:
        seconds = np.array([object_seconds(text_of(word) or "") for word in array.tolist()])
    else:
        seconds = number_seconds(array_numbers(path, name, array))
    check_times(path, name, seconds, lambda row: "" if _is_missing(array[row]) else str(array[row]))
    return time_column(seconds)


def _is_missing(value: Any) -> bool:  # noqa: ANN401 - an element of any array
    return value is None or value != value  # noqa: PLR0124 - NaN and NaT alone differ from themselves


def _number_column(path: Path, name: str, array: NDArray[Any], rules: ColumnRules) -> Column:
    """One column of an array of numbers."""
    kind = rules.kind_of(name)
    if kind is FeatureKind.CATEGORICAL and array.dtype.kind in NUMBER_KINDS:
        return numbers_as_categories(path, name, array)
    if kind is None and has_inexact_integers(array):
        return ignored_column(array.size, INEXACT)
    return Column(FeatureKind.NUMERIC, array_numbers(path, name, array))


def has_inexact_integers(array: NDArray[Any]) -> bool:
    """Whether an array of integers holds one beyond 2**53, from where on float64 cannot tell neighbours apart."""
    if array.dtype.kind not in "iu" or array.size == 0:
        return False
    return int(array.max()) > MAX_EXACT or int(array.min()) < -MAX_EXACT


def array_numbers(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.float64]:
    """An array's numbers as float64, in the same shape.

    Raises:
        ReferenceDataError: The array does not hold numbers.
    """
    require_numbers(path, name, array)
    return widen(array)


def require_numbers(path: Path, name: str, array: NDArray[Any]) -> None:
    """Refuse an array of another dtype.

    Raises:
        ReferenceDataError: The array does not hold numbers.
    """
    if array.dtype.kind not in NUMBER_KINDS:
        raise ReferenceDataError(f"{path}: array {shortened(name)} holds {array.dtype}, not numbers")


def memory_column(
    path: Path,
    name: str,
    values: Any,  # noqa: ANN401 - whatever a caller holds in memory
    rules: ColumnRules = NO_RULES,
) -> Column:
    """One column of an array or a sequence in memory.

    Args:
        path: Named in errors.
        name: Of the column.
        values: An array, or what numpy makes one of (a pandas Series), as in `array_column`; or a sequence or
            array of objects, which are all numbers, all text or all dates. `None`, NaN and the empty text are missing.
        rules: May have the kind of the column.

    Raises:
        ReferenceDataError: There is more than one axis, or the values are of other or of different types.
    """
    if rules.kind_of(name) is FeatureKind.IGNORED and not rules.is_time(name):
        return ignored_column(len(values), NOT_TESTED)
    array = np.asarray(values) if hasattr(values, "__array__") else _object_array(values)
    if array.ndim != 1:
        raise ReferenceDataError(f"{path}: column {shortened(name)} has shape {array.shape}, a column has one axis")
    if array.dtype.kind not in _OBJECT_KINDS:
        return array_column(path, name, array, rules)
    objects = array.astype(object).tolist()
    if rules.is_time(name):
        seconds = np.array([object_seconds(value) for value in objects])
        check_times(path, name, seconds, lambda row: "" if _is_missing(objects[row]) else str(objects[row]))
        return time_column(seconds)
    return _object_column(path, name, objects, rules)


def _object_array(values: Sequence[object]) -> NDArray[Any]:
    """A sequence as an array of the objects themselves: numpy would convert the numbers of `["a", 1]` to text."""
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array


def _object_column(path: Path, name: str, values: Sequence[object], rules: ColumnRules) -> Column:
    """One column of objects of one type."""
    present = _present(values, rules.missing_words)
    families = [_family(values[index]) for index in present]
    family = families[0] if families else _NUMBER
    for index, other in zip(present, families, strict=True):
        if other != family or not other:
            shown = f"{shortened(str(values[index]))} is {other or type(values[index]).__name__}"
            rule = f"the rows before hold {family}" if family else "a column holds numbers, text or dates"
            raise ReferenceDataError(f"{path}: row {index + 1}, column {shortened(name)}: {shown}, {rule}")
    if family == "a date":
        return ignored_column(len(values), DATES)
    if family == "text":
        return _object_texts(path, name, values, rules)
    if rules.kind_of(name) is FeatureKind.CATEGORICAL:
        return _object_categories(path, name, values, present)
    return _object_numbers(values, present, rules.kind_of(name))


def _present(values: Sequence[object], missing_words: frozenset[str]) -> list[int]:
    """The indices of the values that are not missing; beside numbers, `NA` and its like are."""
    texts = [text_of(value) if isinstance(value, str | bytes) else None for value in values]
    has_numbers = any(_family(value) == _NUMBER for value in values if text_of(value) is not None)
    missing = {
        text
        for text in set(texts)
        if text is not None and (is_missing_number(text, missing_words) if has_numbers else text in missing_words)
    }
    return [
        index
        for index, (value, text) in enumerate(zip(values, texts, strict=True))
        if text_of(value) is not None and text not in missing
    ]


def _family(value: object) -> str:
    """What a value is, empty if no column may hold it."""
    if isinstance(value, str | bytes):
        return "text"
    if isinstance(value, _DATE_TYPES):
        return "a date"
    return _NUMBER if isinstance(value, Real | Decimal | np.bool_) else ""


def _object_texts(path: Path, name: str, values: Sequence[object], rules: ColumnRules) -> Column:
    words = [text_of(value) for value in values]
    texts = list(dict.fromkeys(words))
    place = {text: index for index, text in enumerate(texts)}
    return text_column(path, name, texts, np.array([place[word] for word in words], dtype=np.intp), rules)


def _object_numbers(values: Sequence[object], present: Sequence[int], kind: FeatureKind | None) -> Column:
    integers = [int(value) for index in present if isinstance(value := values[index], Integral)]
    if kind is None and len(integers) == len(present) and any(abs(integer) > MAX_EXACT for integer in integers):
        return ignored_column(len(values), INEXACT)
    numbers = np.full(len(values), np.nan)
    found = np.array([values[index] for index in present])
    if found.dtype.kind not in NUMBER_KINDS:  # decimals, and integers that no dtype of numpy holds
        found = np.array([_as_float(number) for number in found.tolist()])
    numbers[list(present)] = widen(found)
    return Column(FeatureKind.NUMERIC, numbers)


def _object_categories(path: Path, name: str, values: Sequence[object], present: Sequence[int]) -> Column:
    """Numbers that are names, such as codes of shops: each has the text that it has in a request."""
    codes = np.full(len(values), np.nan)
    encoder = CategoryEncoder(path, name)
    codes[list(present)] = [encoder.encode(_number_text(values[index])) for index in present]
    return encoder.column(codes, is_categorical=True)


def _number_text(value: Any) -> str:  # noqa: ANN401 - Real, Decimal and numpy's bool have no common type
    if isinstance(value, bool | np.bool_):
        return str(text_of(bool(value)))
    if isinstance(value, Integral):
        return str(int(value))
    return str(text_of(float(widen(np.asarray(value))) if isinstance(value, np.floating) else _as_float(value)))


def _as_float(number: Any) -> float:  # noqa: ANN401 - Real and Decimal have no common type
    try:
        return float(number)
    except OverflowError:
        return np.inf

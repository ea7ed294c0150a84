"""The references of the models that messages are for, and valid rows for them."""

import csv
import io
import json
from collections.abc import Iterator
from itertools import cycle, islice

from benchmarks.hostile.messages import LIMIT_BYTES, Data
from benchmarks.proxy.bodies import COLUMNS, rows
from examples.wine.make_data import COLUMNS as WINE_NAMES

_TEXTS = {
    "workclass": ("Private", "Self-emp-not-inc", "Local-gov", "Federal-gov"),
    "education": ("HS-grad", "Some-college", "Bachelors", "Masters", "Assoc-voc"),
    "marital_status": ("Married-civ-spouse", "Never-married", "Divorced"),
    "occupation": ("Prof-specialty", "Craft-repair", "Exec-managerial", "Adm-clerical", "Sales", "Other-service"),
    "relationship": ("Husband", "Not-in-family", "Own-child", "Unmarried", "Wife"),
    "native_country": ("United-States", "Mexico", "Philippines", "Germany"),
}

Row = list[float] | list[str]


def names_of(data: Data) -> tuple[str, ...]:
    """The columns of a reference."""
    if data is Data.TEXTS:
        return tuple(_TEXTS)
    return WINE_NAMES if data is Data.WINES else tuple(f"f{number}" for number in range(COLUMNS))


def rows_of(data: Data, count: int) -> list[Row]:
    """Valid rows, numbers with three decimals or texts."""
    if data is Data.TEXTS:
        return [list(row) for row in islice(zip(*map(cycle, _TEXTS.values()), strict=False), count)]
    return [list(row) for row in rows(count, len(names_of(data)))]


def reference(data: Data) -> bytes:
    """A reference of 2,000 rows as CSV."""
    written = io.StringIO()
    csv.writer(written).writerows([names_of(data), *rows_of(data, 2_000)])
    return written.getvalue().encode()


def body_of(data: Data, size: int = LIMIT_BYTES) -> bytes:
    """A V1 request with as many valid rows as fit into some bytes, at least one; wines are rows by name."""
    kept: list[str] = []
    length = len('{"instances":[]}')
    for row in _written_rows(data):
        length += len(row) + 1
        if kept and length > size:
            return f'{{"instances":[{",".join(kept)}]}}'.encode()
        kept.append(row)
    raise AssertionError("rows never end")


def _written_rows(data: Data) -> Iterator[str]:
    """The same thousand rows again and again."""
    thousand = rows_of(data, 1_000)
    if data is Data.WINES:
        return cycle([json.dumps(dict(zip(WINE_NAMES, row, strict=True))) for row in thousand])
    return cycle([json.dumps(row) for row in thousand])

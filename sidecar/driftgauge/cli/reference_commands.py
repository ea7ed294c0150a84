"""The flags of `driftgauge reference build`, `show` and `capture`, and their execution."""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from driftgauge.cli.command_parser import CommandParser
from driftgauge.cli.window_arguments import add_window_address
from driftgauge.errors import ConfigError
from driftgauge.protocol.missing_words import NO_WORDS, split_words

TASKS = ("auto", "classification", "regression")
"""Choices of `--task`."""


def add_reference(parser: CommandParser) -> None:
    """Add the three commands to a parser."""
    command = parser.add_commands("action", "ACTION")
    _add_build(command("build", "draw a reference from training data of any size"))
    _add_show(command("show", "print what a reference holds"))
    _add_capture(command("capture", "make the window of a running process a reference: exit 1 without confirmation"))


def run_reference(known: argparse.Namespace, replies: TextIO, out: TextIO, err: TextIO) -> int:
    """Run one of the three commands.

    Args:
        known: The parsed command line.
        replies: Replies to questions.
        out: Receives the report.
        err: Receives faults.

    Returns:
        Exit code: 0 success, 1 not confirmed, 2 a fault.

    Raises:
        ConfigError: A flag is out of its range.
    """
    if known.action == "build":
        return _build(known, out, err)
    if known.action == "show":
        from driftgauge.cli.reference_files import parse_time_rules, run_show  # noqa: PLC0415 only this command needs it
        from driftgauge.reference.column import ColumnRules  # noqa: PLC0415 as above

        time_rules = parse_time_rules(known.time_column, known.rhythm_timezone, is_ordered=known.ordered)
        rules = ColumnRules(missing_words=known.missing_words, time=time_rules)
        return run_show(known.file, known.format, out, err, rules)
    return _capture(known, replies, out, err)


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("training", type=Path, metavar="TRAINING", help="CSV or Parquet file")
    _add_output(parser)
    parser.add_argument(
        "--rows",
        type=int,
        metavar="N",
        help="rows that are kept (default: 100000, or fewer of more than 50 columns)",
    )
    text = "of the draw (default: %(default)s); not used where the order of the rows is known"
    parser.add_argument("--seed", type=int, metavar="N", default=0, help=text)
    text = "columns that hold the model's outputs"
    parser.add_argument("--predictions", nargs="+", metavar="NAME", default=[], help=text)
    text = "columns whose numbers are names, such as codes: tested as categories (a name with a comma: in quotes)"
    parser.add_argument("--categorical", type=_listed_names, metavar="NAME,NAME", default=[], help=text)
    text = "columns that hold the labels of outputs, such as quality=grade: no features; rows new to the model"
    parser.add_argument("--labels", nargs="+", action="extend", metavar="OUTPUT=COLUMN", default=[], help=text)
    text = "what the model does for the outputs with labels (default: what the rows show)"
    parser.add_argument("--task", choices=TASKS, default="auto", help=text)
    text = "the classes, in the order of the class scores"
    parser.add_argument("--classes", type=_listed_names, metavar="NAME,NAME", default=[], help=text)
    add_missing_words(parser)
    add_quiet(parser)
    _add_times(
        parser,
        " The newest whole weeks that fit are kept, else the newest whole days, else a run of rows of each hour",
        " The last rows are kept",
    )


def _add_times(parser: argparse.ArgumentParser, of_times: str = "", of_order: str = "") -> None:
    """Add the flags that say where the times of the rows are, and what follows for the sample."""
    text = f"column that holds the time of each row: ISO 8601, or seconds or milliseconds since 1970.{of_times}"
    parser.add_argument("--time-column", metavar="NAME", default="", help=text)
    text = f"the rows stand in the order of time, without a column of times.{of_order}"
    parser.add_argument("--ordered", action="store_true", help=text)
    text = "time zone of the hours of the day, such as Europe/Berlin (default: %(default)s)"
    parser.add_argument("--rhythm-timezone", metavar="ZONE", default="UTC", help=text)


def add_missing_words(parser: argparse.ArgumentParser) -> None:
    """Add the flag `--missing-words` to a parser."""
    text = "texts that are missing values in every column, such as unknown,-999 (empty cells always are)"
    parser.add_argument("--missing-words", type=split_words, metavar="WORD,WORD", default=NO_WORDS, help=text)


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add the flag `--quiet` to a parser."""
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress, which only a terminal gets")


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV, Parquet or NPZ file")
    add_missing_words(parser)
    _add_times(parser)
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: %(default)s")


def _add_capture(parser: argparse.ArgumentParser) -> None:
    add_window_address(parser)
    parser.add_argument("--revision", metavar="NAME", default="", help="which of its revisions, if it has several")
    _add_output(parser)
    text = "how long to collect rows, each once, such as 14d or 12h (default: the rows of one window)"
    parser.add_argument("--for", dest="duration", metavar="TIME", default="", help=text)
    text = "take the rows that have labels by now, with predictions and labels, so that performance can be tested"
    parser.add_argument("--labels", action="store_true", help=text)
    parser.add_argument("--yes", action="store_true", help="write the file without asking")
    add_quiet(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    text = "the reference that is written, .npz"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help=text)


def _listed_names(text: str) -> list[str]:
    """Names between commas, as in a line of CSV."""
    return next(csv.reader([text]), [])


def _build(known: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    from driftgauge.cli.reference_files import parse_time_rules, run_build  # noqa: PLC0415 only this command needs it
    from driftgauge.drift.outcomes.labelled_output import TaskSettings  # noqa: PLC0415
    from driftgauge.drift.outcomes.outcome_columns import Task  # noqa: PLC0415
    from driftgauge.reference.sample import SampleSpec  # noqa: PLC0415

    labels, faults = _parse_labels(known.labels)
    if known.rows is not None and known.rows < 1:
        faults.append(f"rows: must be at least 1; it is {known.rows}")
    if known.seed < 0:
        faults.append(f"seed: must be at least 0; it is {known.seed}")
    if faults:
        raise ConfigError(faults)
    predictions, categorical = tuple(known.predictions), tuple(known.categorical)
    time_rules = parse_time_rules(known.time_column, known.rhythm_timezone, is_ordered=known.ordered)
    settings = TaskSettings(None if known.task == "auto" else Task(known.task), tuple(known.classes))
    spec = SampleSpec(
        known.rows, known.seed, predictions, categorical, known.missing_words, time_rules, labels, settings
    )
    return run_build(known.training, known.output, spec, out, err, quiet=known.quiet)


def _parse_labels(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The column of labels of each output, and what is wrong with the flag."""
    pairs = [text.partition("=") for text in given]
    faults = [
        f"labels: must be an output and a column, such as quality=grade; it is {text!r}"
        for text, (output, _, column) in zip(given, pairs, strict=True)
        if not output or not column
    ]
    labels = {output: column for output, _, column in pairs}
    if len(labels) < len(pairs) or len(set(labels.values())) < len(pairs):
        faults.append("labels: each output and each column must be named once")
    return labels, faults


def _capture(known: argparse.Namespace, replies: TextIO, out: TextIO, err: TextIO) -> int:
    from driftgauge.cli.reference_capture import (  # noqa: PLC0415 only this command needs it
        ONE_WINDOW,
        Terminal,
        Timing,
        WindowAddress,
        run_capture,
    )

    name = known.inference_service
    model = known.model or name
    window = WindowAddress(known.admin_url, known.namespace, name, known.component, model, known.revision, known.labels)
    timing = Timing(_parse_duration(known.duration)) if known.duration else ONE_WINDOW
    return run_capture(window, known.output, Terminal(not known.yes, replies, out, err, known.quiet), timing)


def _parse_duration(text: str) -> float:
    """Seconds of a number with or without a unit.

    Raises:
        ConfigError: It is neither, or not more than 0.
    """
    from driftgauge.config.option_types import parse_duration  # noqa: PLC0415 only this flag needs it

    try:
        seconds = float(str(parse_duration(text)))
    except ValueError as error:
        raise ConfigError([f"for: {error}; it is {text!r}"]) from None
    if seconds <= 0:
        raise ConfigError([f"for: must be more than 0; it is {text!r}"])
    return seconds

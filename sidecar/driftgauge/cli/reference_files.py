"""The commands `reference show` and `reference build`: print a reference file; draw one from training data."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO
from zoneinfo import ZoneInfo

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from driftgauge.cli.label_lines import label_facts, label_lines
from driftgauge.cli.progress import shown_progress
from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.rows_to_detect import rows_to_detect, sensitivity
from driftgauge.errors import ConfigError, ReferenceDataError
from driftgauge.reference.column import NO_RULES, ColumnRules, TimeRules, shortened
from driftgauge.reference.dataset import Reference, load_reference, prepare
from driftgauge.reference.files import parse_table
from driftgauge.reference.formats.driftgauge_npz import check_output, packed, write_whole
from driftgauge.reference.profiles import distinct_values
from driftgauge.reference.sample import SampleSpec, draw_sample, sampling_error

ShowFormat = Literal["table", "json"]

_NAMED_OUTPUTS = 10
"""How many predictions a fault names."""

TOP_CATEGORIES = 5
"""How many categories of a column are shown, the most frequent ones first."""

WIDTH_COLUMNS = 100
"""Width of the report in characters where the output is a file or a pipe."""

DEFAULT_BUDGET = Budget(false_alarm_seconds=2_592_000, evaluation_seconds=30, tolerance=0.02)
"""The false-alarm budget of a process with default options; a test compares it with the options."""

DEFAULT_WINDOW_ROWS = 2000
"""The default of the option `window_rows`; a test compares it with the options."""


def run_show(path: Path, output_format: ShowFormat, out: TextIO, err: TextIO, rules: ColumnRules = NO_RULES) -> int:
    """Print what a reference holds.

    Args:
        path: A CSV, Parquet or NPZ file.
        output_format: A table for people or JSON for programs.
        out: Receives the report.
        err: Receives faults.
        rules: What is known of the columns.

    Returns:
        Exit code: 0, or 2 if the file cannot serve as reference.
    """
    try:
        reference = load_reference(path, 0.0, rules)
    except ReferenceDataError as error:
        err.write(f"{error}\n")
        return 2
    if output_format == "json":
        out.write(json.dumps(_facts(reference), indent=2, allow_nan=False) + "\n")
    else:
        print_reference(reference, out)
    return 0


def parse_time_rules(column: str, zone: str, *, is_ordered: bool) -> TimeRules:
    """Where the times of the rows are.

    Raises:
        ConfigError: There is no such time zone.
    """
    try:
        ZoneInfo(zone)
    except (LookupError, ValueError, OSError):
        raise ConfigError([f"rhythm_timezone: is not the name of a time zone; it is {zone!r}"]) from None
    return TimeRules(column, is_ordered, zone)


def print_reference(reference: Reference, out: TextIO) -> None:
    """Print what a reference holds, for a person; names and categories are untrusted and shown as plain text."""
    terminal = out.isatty()
    console = Console(file=out, width=None if terminal else WIDTH_COLUMNS, force_terminal=terminal, highlight=False)
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1), collapse_padding=True)
    for title in ("column", "kind"):
        grid.add_column(title, overflow="fold")
    for title in ("missing", "distinct"):
        grid.add_column(title, justify="right", no_wrap=True)
    if reference.zone is not None:
        grid.add_column("by hour", no_wrap=True)
    grid.add_column("least, median, greatest; or most frequent", overflow="fold")
    for name, profile in _named(reference):
        by_hour = () if reference.zone is None else (_by_hour(profile),)
        grid.add_row(*map(_plain, (name, str(profile.kind), *_counts(profile), *by_hour, _content(profile))))
    console.print(grid)
    warnings = reference.warnings
    notes = (f"{'warning' if note in warnings else 'note'}: {note}" for note in reference.notes)
    for line in (*_origin(reference), *notes):
        console.print(Text(line), soft_wrap=True)


def _named(reference: Reference) -> list[tuple[str, Profile]]:
    """The columns by their names in the file."""
    inputs = [(profile.name, profile) for profile in reference.features]
    return inputs + [(f"prediction:{profile.name}", profile) for profile in reference.predictions]


def _plain(text: str) -> Text:
    return Text(text if text.isprintable() else repr(text))


def _counts(profile: Profile) -> tuple[str, str]:
    """Numbers of missing and of distinct values; empty if the column is left out, since they are not counted then."""
    if profile.kind is FeatureKind.IGNORED:
        return "", ""
    return str(profile.missing), str(distinct_values(profile))


def _by_hour(profile: Profile) -> str:
    """The model of hours and its parameters, or the number of buckets of hours; empty if the column has none."""
    if profile.hours is not None:
        return f"{profile.hours.name}, p {profile.parameters:g}"
    if profile.shares_by_hour is not None:
        return f"buckets: {profile.shares_by_hour.buckets}"
    return ""


def _content(profile: Profile) -> str:
    """What a column holds, in a few words."""
    if profile.kind is FeatureKind.IGNORED:
        return "left out"
    if profile.kind is FeatureKind.NUMERIC:
        return "  ".join(f"{value:.6g}" for value in _places(profile))
    top = _top(profile)
    more = ", ..." if distinct_values(profile) > len(top) else ""
    return ", ".join(f"{text} {share:.1%}" for text, share in top) + more


def _places(profile: Profile) -> tuple[float, float, float]:
    """The least value, the median by nearest rank, the greatest value."""
    values = profile.values
    return float(values[0]), float(values[(values.size - 1) // 2]), float(values[-1])


def _top(profile: Profile) -> list[tuple[str, float]]:
    """The most frequent categories and their shares of the values that are present."""
    codes, counts = np.unique(profile.values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:TOP_CATEGORIES]
    texts = [profile.categories.get(code, "?") for code in codes[order].tolist()]
    return list(zip(texts, (counts[order] / profile.size).tolist(), strict=True))


def _error(reference: Reference) -> float | None:
    """The sampling error; 0 of a file that is no sample, `None` of one that is not drawn at random."""
    if reference.origin is None or reference.origin.rows_seen <= reference.rows:
        return 0.0
    return None if reference.is_ordered else sampling_error(reference.origin.rows_seen, reference.rows)


def _origin(reference: Reference) -> list[str]:
    """The file, and what its rows were drawn from."""
    lines = [f"{reference.path}: {reference.rows} rows, sha256 {reference.digest}"]
    origin, error = reference.origin, _error(reference)
    if origin is not None and error == 0:
        lines.append(f"all rows of {origin.source}{_sum(origin.sha256)}")
    elif origin is not None and error is None:
        source = f"of the {origin.rows_seen} rows of {origin.source}{_sum(origin.sha256)}"
        lines.append(f"runs of neighbours in time {source}")
    elif origin is not None and error is not None:
        lines += [
            f"a sample of the {origin.rows_seen} rows of {origin.source}{_sum(origin.sha256)}, seed {origin.seed}",
            f"sampling error, with 99 % confidence: each column is within D = {_rounded_up(error)} of the whole file's",
        ]
    if reference.missing_words:
        lines.append(f"missing words: {', '.join(map(shortened, sorted(reference.missing_words)))}")
    return [
        *lines,
        *_order(reference),
        *_needed(reference),
        *_sensitivity(reference),
        *label_lines(reference, DEFAULT_BUDGET),
    ]


def _order(reference: Reference) -> list[str]:
    """Whether the order of the rows is known, and their times."""
    if reference.time_span is not None:
        first, last = (datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M") for time in reference.time_span)
        lines = [f"rows in the order of time, from {first} to {last} UTC"]
        if any(profile.parameters > 1 for _, profile in _named(reference)):
            zone = f"time zone {reference.zone}"
            lines.append(f"numbers of a column with p above 1 are shown as at its average hour ({zone})")
        hours = [] if reference.known_hours is None else reference.known_hours.lacking
        if hours:
            names = ", ".join(map(str, hours))
            lines.append(f"no rows, or too few, of the hours {names} ({reference.zone}): rows of them are not compared")
        return lines
    return ["rows in the order of time, without times"] if reference.is_ordered else []


def _needed(reference: Reference) -> list[str]:
    """Whether the rows are enough for the false-alarm budget of a process with default options."""
    needed = rows_needed(reference)
    if reference.rows >= needed:
        return []
    found = f"with {reference.rows} at best large changes can be seen"
    return [f"one false alarm in 30 days asks for {needed} rows: {found}"]


def _sensitivity(reference: Reference) -> list[str]:
    """How soon a process with default options finds a shift, if its rows are independent."""
    known = [rows for rows in rows_to_detect(reference.features, DEFAULT_BUDGET) if rows is not None]
    return [sensitivity(known, given="this reference, default options and independent rows")] if known else []


def rows_needed(reference: Reference) -> int:
    """The rows at which a reference's error is no larger than that of a full window, with default options."""
    tested = sum(profile.kind is not FeatureKind.IGNORED for profile in reference.features)
    return DEFAULT_BUDGET.rows_needed(DEFAULT_WINDOW_ROWS, max(1, tested))


def _sum(sha256: str) -> str:
    return f" (sha256 {sha256[:12]})" if sha256 else ""


def _rounded_up(error: float) -> str:
    """A bound with four decimals, rounded up so that it stays a bound."""
    return f"{math.ceil(error * 10_000) / 10_000:.4f}"


def _facts(reference: Reference) -> dict[str, Any]:
    """The report for programs."""
    origin = reference.origin
    return {
        "path": str(reference.path),
        "sha256": reference.digest,
        "rows": reference.rows,
        "origin": None
        if origin is None
        else {
            "source": origin.source,
            "sha256": origin.sha256 or None,
            "rows": origin.rows_seen,
            "seed": origin.seed,
            "version": origin.version,
        },
        "sampling_error": _error(reference),
        "rows_needed": rows_needed(reference),
        "ordered": reference.is_ordered,
        "first_time": None if reference.time_span is None else reference.time_span[0],
        "last_time": None if reference.time_span is None else reference.time_span[1],
        "features": _columns(reference.features),
        "predictions": _columns(reference.predictions),
        "labels": label_facts(reference, DEFAULT_BUDGET),
        "missing_words": sorted(reference.missing_words),
        "notes": list(reference.notes),
        "warnings": list(reference.warnings),
    }


def _columns(profiles: Sequence[Profile]) -> list[dict[str, Any]]:
    """Columns for programs; `rows_to_detect` as in `FeatureDrift`, for default options and independent rows."""
    known = rows_to_detect(profiles, DEFAULT_BUDGET)
    numeric = [profile.kind is FeatureKind.NUMERIC for profile in profiles]
    return [
        _column(profile) | ({"rows_to_detect": rows} if shown else {})
        for profile, rows, shown in zip(profiles, known, numeric, strict=True)
    ]


def _column(profile: Profile) -> dict[str, Any]:
    """One column for programs."""
    facts: dict[str, Any] = {"name": profile.name, "kind": str(profile.kind)}
    if profile.kind is FeatureKind.IGNORED:
        return facts
    facts |= {"missing": profile.missing, "distinct": distinct_values(profile)}
    if profile.kind is FeatureKind.NUMERIC:
        facts |= zip(("least", "median", "greatest"), _places(profile), strict=True)
    if profile.hours is not None:
        facts |= {"hour_model": profile.hours.name, "parameters": profile.parameters}
    if profile.shares_by_hour is not None:
        facts["hour_buckets"] = profile.shares_by_hour.buckets
    if profile.missing_by_hour is not None:
        facts["missing_hour_buckets"] = profile.missing_by_hour.buckets
    if profile.kind is FeatureKind.CATEGORICAL:
        facts["categories"] = [{"category": text, "share": share} for text, share in _top(profile)]
    return facts


def run_build(training: Path, output: Path, spec: SampleSpec, out: TextIO, err: TextIO, *, quiet: bool = False) -> int:
    """Draw a reference and write it.

    Args:
        training: A CSV or Parquet file of any size.
        output: The reference, `.npz`; an existing file is replaced.
        spec: Size, seed and predictions of the sample.
        out: Receives what the reference holds.
        err: Receives faults, and on a terminal the progress.
        quiet: Show no progress.

    Returns:
        Exit code: 0, or 2 if the training data cannot serve or the reference cannot be written.
    """
    try:
        check_output(output)
        with shown_progress(err, quiet=quiet) as (report, _):
            table = draw_sample(training, spec, report)
            report("computing the distributions", None)
            content = packed(table)
            reference = prepare(parse_table(output, content), 0.0, spec.time.zone)
            _check_labels(training, reference, spec)
        write_whole(output, content)
    except ReferenceDataError as error:
        err.write(f"{error}\n")
        return 2
    print_reference(reference, out)
    return 0


def _check_labels(training: Path, reference: Reference, spec: SampleSpec) -> None:
    """Refuse labels that a person has named and that nothing can be compared with.

    Raises:
        ReferenceDataError: An output of `--labels` cannot be judged; the sentence says why.
    """
    judged = {one.name for one in reference.labelled}
    useless = next((name for name in spec.labels if name not in judged), None)
    if useless is None:
        return
    start = f"output {shortened(useless)} "
    why = next((note for note in reference.notes if note.startswith(start)), f"{start}is not judged")
    known = ", ".join(shortened(one.name) for one in reference.predictions[:_NAMED_OUTPUTS]) or "none"
    raise ReferenceDataError(
        f"{training}: {why}; --labels names outputs as responses do, beside their predictions (there are: {known})"
    )

"""A reference dataset: a table prepared for the tests, with inputs and predictions separate."""

import hashlib
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from driftgauge.drift.hours.known_hours import KnownHours
from driftgauge.drift.outcomes.outcome_columns import LabelledOutput
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.reference.column import NO_RULES, ColumnRules, shortened
from driftgauge.reference.files import read_table
from driftgauge.reference.label_columns import labelled_outputs, output_name, warnings_of, without_labels
from driftgauge.reference.profiles import profiles_of, review_columns
from driftgauge.reference.row_order import RowTimes, in_order
from driftgauge.reference.table import Origin, Table


@dataclass(frozen=True, eq=False)
class Reference:
    """One version of a reference dataset, immutable.

    Args:
        features: The columns of inputs in the file's order, including those left out of the
            tests, since rows are matched by position too; empty if none is left to test.
        predictions: The columns of outputs, named without `prediction:`; may be empty.
        rows: Rows of the file, missing values included.
        digest: SHA-256 of the file's content, in hexadecimal.
        path: The file as it was named.
        loaded_at: When it was loaded, in seconds since the epoch.
        notes: Sentences on columns that are left out, constant or equal to another one.
        origin: Where the rows were drawn from, if the file says so.
        missing_words: Texts that are missing values in requests too, besides the empty one.
        is_ordered: The rows are known to be in the order of time.
        time_span: The times of the first and the last row, in seconds since the epoch; `None` if unknown.
        zone: The time zone of the models of hours; `None` if there are none.
        known_hours: The hours that the reference has rows of; `None` if there are no models of hours.
        labelled: The outputs with predictions and labels, at most 10; their columns are those of `predictions`, then
            the labels of each output.
    """

    features: tuple[Profile, ...]
    predictions: tuple[Profile, ...]
    rows: int
    digest: str
    path: Path
    loaded_at: float
    notes: tuple[str, ...] = ()
    origin: Origin | None = None
    missing_words: frozenset[str] = NO_WORDS
    is_ordered: bool = False
    time_span: tuple[float, float] | None = None
    zone: str | None = None
    known_hours: KnownHours | None = None
    labelled: tuple[LabelledOutput, ...] = ()

    def __repr__(self) -> str:
        """The size and the file, not the columns: they are long."""
        size = f"{self.rows} rows, {len(self.features)} features, {len(self.predictions)} predictions"
        return f"<Reference {str(self.path)!r}: {size}>"

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of the notes that say why the reference is not to be trusted."""
        return warnings_of(self.labelled)

    @cached_property
    def identity(self) -> str:
        """Identifies the content and the use of its order: evidence against one is no evidence against another."""
        return f"{self.digest}/{self.zone or 'ordered'}" if self.is_ordered else self.digest

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(profile.name for profile in self.features)

    @cached_property
    def kinds(self) -> tuple[FeatureKind, ...]:
        """Kinds of the features."""
        return tuple(profile.kind for profile in self.features)

    @cached_property
    def schema(self) -> str:
        """`schema_hash` of the features."""
        return schema_hash(self.columns, self.kinds, self.missing_words)

    @cached_property
    def prediction_columns(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return tuple(profile.name for profile in self.predictions)

    @cached_property
    def prediction_kinds(self) -> tuple[FeatureKind, ...]:
        """Kinds of the outputs."""
        return tuple(profile.kind for profile in self.predictions)

    @cached_property
    def prediction_schema(self) -> str:
        """`schema_hash` of the outputs."""
        return schema_hash(self.prediction_columns, self.prediction_kinds, self.missing_words)


def schema_hash(
    columns: Sequence[str], kinds: Sequence[FeatureKind], missing_words: AbstractSet[str] = NO_WORDS
) -> str:
    """Hash of how rows are read: 16 hexadecimal digits.

    They differ when a name, a kind, the order of the columns or a missing word differs.
    """
    joined = "".join(f"{kind}:{len(name)}:{name}" for name, kind in zip(columns, kinds, strict=True))
    joined += "".join(f"missing:{len(word)}:{word}" for word in sorted(missing_words))
    return hashlib.sha256(joined.encode()).hexdigest()[:16]


def load_reference(path: Path, now: float, rules: ColumnRules = NO_RULES) -> Reference:
    """Read a reference dataset from a file.

    Args:
        path: A CSV, Parquet or NPZ file.
        now: Seconds since the epoch.
        rules: What is known of the columns.

    Raises:
        ReferenceDataError: The file cannot serve as reference; the sentence says why.
    """
    return prepare(read_table(path, rules), now, rules.time.zone)


def prepare(table: Table, now: float, zone: str | None = None) -> Reference:
    """Prepare a table for the tests: sort every column and divide it into cells.

    Args:
        table: A checked table, of a file (`read_table`) or of data in memory (`table_of_columns`).
        now: Seconds since the epoch.
        zone: The time zone of the hours of the day, by which the columns of a table with times are modelled; `None`
            models none, for windows without times.

    Raises:
        ReferenceDataError: A column has no value in any row, no column is left to test, or a column of
            predictions or of labels has no name or the name of another.

    Notes:
        Columns of labels are no features. An output whose labels cannot be used has a note, and all else stays.
    """
    whole, table = table, without_labels(table)
    _check_predictions(table)
    every = profiles_of(table.columns, table.kinds, table.values, table.categories)
    _check_not_empty(table, every)
    profiles, notes = review_columns(table, every)
    row_times = None if zone is None or table.times is None else RowTimes(table.times, zone)
    if table.ordered:
        profiles = in_order(profiles, table.values, row_times)
    inputs = tuple(profile for profile in profiles if output_name(profile.name) is None)
    outputs = tuple(replace(one, name=name) for one in profiles if (name := output_name(one.name)) is not None)
    labelled, label_notes = labelled_outputs(whole, outputs if _are_tested(outputs) else ())
    if not _are_tested(inputs) and not _are_tested(outputs):
        raise ReferenceDataError(f"{table.path}: no column is left to test: {notes[0]}")
    return Reference(
        features=inputs if _are_tested(inputs) else (),
        predictions=outputs if _are_tested(outputs) else (),
        rows=table.values.shape[0],
        digest=table.digest,
        path=table.path,
        loaded_at=now,
        notes=label_notes + notes,
        origin=table.origin,
        missing_words=table.missing_words,
        is_ordered=table.ordered,
        zone=None if row_times is None else row_times.zone,
        known_hours=None if row_times is None else KnownHours.of(row_times.times, row_times.zone),
        time_span=None if table.times is None else (float(table.times[0]), float(table.times[-1])),
        labelled=labelled,
    )


def _check_predictions(table: Table) -> None:
    """Refuse columns of predictions without a name, or with the name of another one."""
    seen: set[str] = set()
    for column in table.columns:
        name = output_name(column)
        if name == "":
            raise ReferenceDataError(f"{table.path}: column {shortened(column)} must name an output after the colon")
        if name is not None and name in seen:
            raise ReferenceDataError(f"{table.path}: two columns describe the output {shortened(name)}")
        seen.update(() if name is None else (name,))


def _check_not_empty(table: Table, profiles: Sequence[Profile]) -> None:
    """Refuse a column that is to be tested and has no value."""
    for kind, profile in zip(table.kinds, profiles, strict=True):
        if kind is not profile.kind:
            raise ReferenceDataError(f"{table.path}: column {shortened(profile.name)} has no value in any row")


def _are_tested(profiles: Sequence[Profile]) -> bool:
    return any(profile.kind is not FeatureKind.IGNORED for profile in profiles)

"""Matches the columns of a dataset with those of a reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_columns import LABEL
from driftgauge.drift.profile import FeatureKind, Profile, ignored_profile
from driftgauge.errors import ReferenceDataError
from driftgauge.offline.label_rows import pair_outcomes
from driftgauge.offline.outcome_tests import OutcomePair
from driftgauge.reference.column import ColumnRules, shortened
from driftgauge.reference.dataset import Reference, prepare
from driftgauge.reference.kinds import as_kind
from driftgauge.reference.label_columns import PREDICTION, output_name, without_labels
from driftgauge.reference.table import Table

LISTED_NAMES = 5
"""How many names a note shows."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One of the two datasets of a comparison.

    Args:
        path: The file, or the name of the data.
        columns: Names of all columns.
        rows: Rows, missing values included.
        digest: SHA-256 of the content, in hexadecimal.
        named: The data itself names its columns.
        ordered: `columns` is the order of the data. A reference does not keep how inputs and predictions are mixed.
    """

    path: Path
    columns: tuple[str, ...]
    rows: int
    digest: str
    named: bool
    ordered: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A reference and the rows under test, column by column.

    Args:
        expected: The dataset to test against.
        found: The dataset under test.
        profiles: The `d` columns that both have, inputs and predictions, in the reference's order and under its names.
        values: Shape `(n, d)`, float64: the rows under test in these columns.
        notes: Sentences on columns that are left out or have no information.
        outcomes: The outputs with predictions and labels on both sides.
    """

    expected: Dataset
    found: Dataset
    profiles: tuple[Profile, ...]
    values: NDArray[np.float64]
    notes: tuple[str, ...]
    outcomes: tuple[OutcomePair, ...] = ()


def compare(reference: Table | Reference, window: Table) -> Comparison:
    """Match the columns of a dataset with those of the reference that it is tested against.

    Args:
        reference: The dataset to test against.
        window: The dataset under test. Its columns are matched by name, or by position where one of the two has no
            names (a matrix). It may lack predictions, labels, and columns that the reference leaves out.

    Raises:
        ReferenceDataError: The first cannot serve as reference, or the second does not fit it.
    """
    ready = reference if isinstance(reference, Reference) else prepare(reference, 0.0)
    expected = _of_table(without_labels(reference)) if isinstance(reference, Table) else _of_reference(ready)
    whole, window = window, without_labels(window)
    found = _of_table(window)
    profiles = _profiles(expected, ready)
    places = _places(expected, found)
    _require_columns(expected, found, profiles, places)
    kept = [profile for profile in profiles if profile.name in places or profile.kind is FeatureKind.IGNORED]
    columns = [_column(window, places.get(profile.name), profile.kind) for profile in kept]
    notes = [f"{expected.path}: {note}" for note in ready.notes] + _notes(expected, found, places)
    pairs, lacking = pair_outcomes(ready, whole)
    return Comparison(expected, found, tuple(kept), np.column_stack(columns), (*notes, *lacking), pairs)


def window_rules(reference: Table | Reference) -> ColumnRules:
    """How a window is read: each column as the kind that it has in the reference, whatever its values look like."""
    if isinstance(reference, Table):
        kinds, is_named = dict(zip(reference.columns, reference.kinds, strict=True)), reference.named
    else:
        inputs = {profile.name: profile.kind for profile in reference.features}
        outputs = {f"{PREDICTION}{profile.name}": profile.kind for profile in reference.predictions}
        labels = {f"{LABEL}{output.name}": output.label_kind for output in reference.labelled}
        kinds, is_named = inputs | outputs | labels, _of_reference(reference).named
    return ColumnRules(kinds, reference.missing_words, FeatureKind.IGNORED if is_named else None)


def _of_table(table: Table) -> Dataset:
    return Dataset(table.path, table.columns, table.values.shape[0], table.digest, table.named)


def _of_reference(reference: Reference) -> Dataset:
    """A reference does not keep whether its file named its columns: a matrix has the names that one is given."""
    columns = (*reference.columns, *(f"{PREDICTION}{name}" for name in reference.prediction_columns))
    named = columns != tuple(f"feature_{index}" for index in range(len(columns)))
    ordered = not reference.predictions
    return Dataset(reference.path, columns, reference.rows, reference.digest, named, ordered)


def listed(names: Sequence[str]) -> str:
    """The first few names, in quotes."""
    return ", ".join(map(shortened, names[:LISTED_NAMES])) + (", ..." if len(names) > LISTED_NAMES else "")


def _profiles(expected: Dataset, reference: Reference) -> tuple[Profile, ...]:
    """Inputs and predictions in the dataset's order, under the names that they have there."""
    inputs = {profile.name: profile for profile in reference.features}
    outputs = {profile.name: profile for profile in reference.predictions}

    def profile(column: str) -> Profile:
        output = output_name(column)
        known = inputs.get(column) if output is None else outputs.get(output)
        return ignored_profile(column, reference.rows) if known is None else replace(known, name=column)

    return tuple(profile(column) for column in expected.columns)


def _places(expected: Dataset, found: Dataset) -> Mapping[str, int]:
    """The index of each of the reference's columns in the other dataset."""
    if expected.named and found.named:
        position = {name: index for index, name in enumerate(found.columns)}
        return {name: position[name] for name in expected.columns if name in position}
    inputs = tuple(name for name in expected.columns if output_name(name) is None)
    for names in (expected.columns, inputs) if expected.ordered else (inputs,):
        if len(names) == len(found.columns):
            return {name: index for index, name in enumerate(names)}
    raise ReferenceDataError(
        f"{found.path}: it has {len(found.columns)} columns, {expected.path} has {len(expected.columns)}, "
        "and without names they must be as many"
    )


def _require_columns(expected: Dataset, found: Dataset, profiles: Sequence[Profile], places: Mapping[str, int]) -> None:
    """Refuse a dataset that lacks an input, or that has no column to test."""
    tested = [profile.name for profile in profiles if profile.kind is not FeatureKind.IGNORED]
    missing = [name for name in tested if name not in places and output_name(name) is None]
    if missing or not any(name in places for name in tested):
        first = (missing or tested)[0]
        more = len(missing or tested) - 1
        raise ReferenceDataError(
            f"{found.path}: column {shortened(first)} of {expected.path} is missing"
            + (f", and {more} more" if more else "")
        )


def _column(found: Table, place: int | None, kind: FeatureKind) -> NDArray[np.float64]:
    """The values of one column; NaN throughout where the reference leaves it out."""
    if place is None:
        return np.full(found.values.shape[0], np.nan)
    return as_kind(found, place, kind)


def _notes(expected: Dataset, found: Dataset, places: Mapping[str, int]) -> list[str]:
    """Sentences on the columns that are left out of the test."""
    notes = []
    used = set(places.values())
    unknown = [name for index, name in enumerate(found.columns) if index not in used]
    if unknown:
        notes.append(f"{found.path}: columns that the reference does not have are left out: {listed(unknown)}")
    lacking = [name for name in expected.columns if output_name(name) is not None and name not in places]
    if lacking:
        notes.append(f"{found.path}: predictions that it does not have are left out: {listed(lacking)}")
    return notes

"""Two datasets side by side: the columns of one are found in the other, and seen as that one sees them.

This module does no I/O.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile, ignored_profile
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import shortened
from driftgauge.reference.dataset import Reference, output_name, prepare
from driftgauge.reference.kinds import as_kind
from driftgauge.reference.table import Table

LISTED_NAMES = 5
"""How many names a note shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A reference and the rows under test, column by column.

    Args:
        expected: The dataset to test against.
        found: The dataset under test.
        profiles: The `d` columns that both have, inputs and predictions, in the reference's order and under its names.
        values: Shape `(n, d)`, float64: the rows under test in these columns.
        notes: Sentences on columns that are left out or that tell nothing.
    """

    expected: Table
    found: Table
    profiles: tuple[Profile, ...]
    values: NDArray[np.float64]
    notes: tuple[str, ...]


def compare(expected: Table, found: Table) -> Comparison:
    """Put a dataset beside the one that it is tested against.

    Args:
        expected: The dataset to test against.
        found: The dataset under test. Its columns are matched by the reference's names, or by position where
            one of the two names none (a matrix alone in NPZ). It may lack predictions, and columns that
            the reference leaves out.

    Raises:
        ReferenceDataError: One cannot serve as reference, or the other does not fit it.
    """
    reference = prepare(expected, 0.0)
    profiles = _profiles(expected, reference)
    places = _places(expected, found)
    _require_columns(expected, found, profiles, places)
    kept = [profile for profile in profiles if profile.name in places or profile.kind is FeatureKind.IGNORED]
    columns = [_column(found, places.get(profile.name), profile.kind) for profile in kept]
    notes = [f"{expected.path}: {note}" for note in reference.notes] + _notes(expected, found, places)
    return Comparison(expected, found, tuple(kept), np.column_stack(columns), tuple(notes))


def listed(names: Sequence[str]) -> str:
    """The first few names, in quotes."""
    return ", ".join(map(shortened, names[:LISTED_NAMES])) + (", ..." if len(names) > LISTED_NAMES else "")


def _profiles(expected: Table, reference: Reference) -> tuple[Profile, ...]:
    """Inputs and predictions in the file's order, under the names that stand in the file."""
    inputs = {profile.name: profile for profile in reference.features}
    outputs = {profile.name: profile for profile in reference.predictions}

    def profile(column: str) -> Profile:
        output = output_name(column)
        known = inputs.get(column) if output is None else outputs.get(output)
        return ignored_profile(column, reference.rows) if known is None else replace(known, name=column)

    return tuple(profile(column) for column in expected.columns)


def _places(expected: Table, found: Table) -> Mapping[str, int]:
    """Where each of the reference's columns stands in the other dataset, from 0."""
    if expected.named and found.named:
        position = {name: index for index, name in enumerate(found.columns)}
        return {name: position[name] for name in expected.columns if name in position}
    inputs = [name for name in expected.columns if output_name(name) is None]
    for names in (expected.columns, inputs):
        if len(names) == len(found.columns):
            return {name: index for index, name in enumerate(names)}
    raise ReferenceDataError(
        f"{found.path}: it has {len(found.columns)} columns, {expected.path} has {len(expected.columns)}, "
        "and without names they must be as many"
    )


def _require_columns(expected: Table, found: Table, profiles: Sequence[Profile], places: Mapping[str, int]) -> None:
    """Refuse a dataset that lacks an input, or that has nothing to test."""
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
    """The values of one column; none where the reference leaves it out."""
    if place is None:
        return np.full(found.values.shape[0], np.nan)
    return as_kind(found, place, kind)


def _notes(expected: Table, found: Table, places: Mapping[str, int]) -> list[str]:
    """What is left out of the test."""
    notes = []
    used = set(places.values())
    unknown = [name for index, name in enumerate(found.columns) if index not in used]
    if unknown:
        notes.append(f"{found.path}: columns that the reference does not have are left out: {listed(unknown)}")
    lacking = [name for name in expected.columns if output_name(name) is not None and name not in places]
    if lacking:
        notes.append(f"{found.path}: predictions that it does not have are left out: {listed(lacking)}")
    return notes

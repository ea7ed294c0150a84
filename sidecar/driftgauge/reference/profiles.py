"""Profiles of the columns of a reference, and notes on columns that are left out or redundant."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile, categorical_profile, ignored_profile, numeric_profile
from driftgauge.protocol.missing_words import is_missing_number
from driftgauge.reference.column import MAX_TEXTS, shortened
from driftgauge.reference.table import Table
from driftgauge.reference.times import possible_times, times

MIN_IDENTIFIER_ROWS = 1000
"""With fewer rows, texts that are nearly all different may still be categories."""

SHOWN_NOTES = 20
"""Notes that are listed; further ones are only counted."""


def profiles_of(
    columns: Sequence[str],
    kinds: Sequence[FeatureKind],
    rows: NDArray[np.float64],
    categories: Mapping[float, str],
) -> tuple[Profile, ...]:
    """The profile of each column.

    Args:
        columns: d names.
        kinds: As many kinds.
        rows: Shape `(n, d)`, n at least 1, float64, finite or NaN for a missing value; categories as codes.
        categories: The texts of codes, of all columns together, possibly not of every code.

    Returns:
        In the same order; a column without any value gets the profile of an ignored one.

    Notes:
        O(n log n) for each column.
    """
    return tuple(
        _profile(name, kind, rows[:, index], categories)
        for index, (name, kind) in enumerate(zip(columns, kinds, strict=True))
    )


def distinct_values(profile: Profile) -> int:
    """How many different values a column has."""
    return int(np.count_nonzero(np.diff(profile.values))) + min(1, profile.values.size)


def _profile(name: str, kind: FeatureKind, column: NDArray[np.float64], categories: Mapping[float, str]) -> Profile:
    values = column[~np.isnan(column)]
    if kind is FeatureKind.IGNORED or values.size == 0:
        return ignored_profile(name, column.size)
    values.sort()
    values.flags.writeable = False
    missing = column.size - values.size
    if kind is FeatureKind.CATEGORICAL:
        return categorical_profile(name, values, categories, missing)
    return numeric_profile(name, values, missing)


def review_columns(table: Table, profiles: Sequence[Profile]) -> tuple[tuple[Profile, ...], tuple[str, ...]]:
    """Leave out identifiers and times, and list what is left out, constant or a copy.

    Args:
        table: The dataset.
        profiles: One for each of its columns, in order.

    Returns:
        The profiles, those of identifiers and times ignored, and the notes: at most 20 sentences, and one that counts
        the rest.
    """
    left_out = {**table.left_out, **identifiers(profiles), **times(profiles)}
    kept = tuple(ignored_profile(one.name, one.rows) if one.name in left_out else one for one in profiles)
    notes = [
        f"column {shortened(one.name)} {left_out.get(one.name, 'is left out')}"
        for one in kept
        if one.kind is FeatureKind.IGNORED
    ]
    notes += [f"column {shortened(one.name)} is constant" for one in kept if distinct_values(one) == 1]
    notes += [f"column {shortened(name)} {why}" for name, why in possible_times(kept).items()]
    notes += [note for one in kept for note in _odd_texts(one)]
    notes += _copies(table, kept)
    if len(notes) > SHOWN_NOTES:
        more = len(notes) - SHOWN_NOTES
        notes[SHOWN_NOTES:] = [f"as much can be said of {more} more columns: left out, constant or equal to another"]
    return kept, tuple(notes)


def _odd_texts(profile: Profile) -> Iterator[str]:
    """Notes on texts that are taken as they stand, although a person may mean something else."""
    name, texts = shortened(profile.name), profile.categories.values()
    if profile.name != profile.name.strip():
        yield f"the name of column {name} begins or ends with a space, which is part of it"
    spaced = next((text for text in texts if text != text.strip()), None)
    if spaced is not None:
        yield f"column {name} has categories that begin or end with a space, such as {shortened(spaced)}"
    word = next((text for text in texts if is_missing_number(text)), None)
    if word is not None:
        yield f"column {name} has the category {shortened(word)}: if it is no category, name it in missing_words"


def identifiers(profiles: Iterable[Profile]) -> dict[str, str]:
    """The categorical columns that identify rows instead of grouping them, and why each is left out."""
    why = {}
    for profile in profiles:
        distinct, cells = distinct_values(profile), profile.values.size
        many = distinct > MAX_TEXTS or (cells >= MIN_IDENTIFIER_ROWS and 2 * distinct > cells)
        if many and profile.kind is FeatureKind.CATEGORICAL:
            why[profile.name] = f"holds {distinct} different texts in {cells} rows, as identifiers do: it is left out"
    return why


def _copies(table: Table, profiles: Sequence[Profile]) -> list[str]:
    """A sentence for each column that equals an earlier one; constant columns have a sentence of their own."""
    notes = []
    first: dict[bytes, str] = {}
    for index, profile in enumerate(profiles):
        if distinct_values(profile) > 1:
            content = profile.kind.encode() + table.values[:, index].tobytes()
            name = first.setdefault(blake2b(content).digest(), profile.name)
            if name != profile.name:
                notes.append(f"column {shortened(profile.name)} equals column {shortened(name)}")
    return notes

"""Profiles of the columns of a reference, and notes on columns that are left out or redundant."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile, categorical_profile, ignored_profile, numeric_profile
from driftgauge.protocol.missing_words import is_missing_number
from driftgauge.reference.cells import number
from driftgauge.reference.column import MAX_TEXTS, shortened
from driftgauge.reference.table import Table
from driftgauge.reference.times import possible_times, times

MIN_IDENTIFIER_ROWS = 1000
"""With fewer rows, texts that are nearly all different may still be categories."""

MAX_DECIMALS = 20
"""With more different numbers as text there is a note, since classes are fewer."""

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
    return int(np.count_nonzero(np.diff(profile.values))) + min(1, profile.size)


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
    notes += _odd_texts(kept)
    notes += _copies(table, kept)
    if len(notes) > SHOWN_NOTES:
        more = len(notes) - SHOWN_NOTES
        notes[SHOWN_NOTES:] = [f"as much can be said of {more} more columns: left out, constant or equal to another"]
    return kept, tuple(notes)


def _odd_texts(profiles: Sequence[Profile]) -> Iterator[str]:
    """Notes on texts that are taken as they stand, although a person may mean something else."""
    names = [one.name for one in profiles if one.name != one.name.strip()]
    if names:
        yield f"a space begins or ends the name of {shortened(names[0])}{_more(names)}: it is part of the name"
    spaced = {
        one.name: text for one in profiles if (text := _first(one, lambda text: text != text.strip())) is not None
    }
    if spaced:
        name, text = next(iter(spaced.items()))
        yield f"a space begins or ends categories of column {shortened(name)}{_more(spaced)}, such as {shortened(text)}"
    for one in profiles:
        if len(one.categories) > MAX_DECIMALS and _are_decimals(one.categories.values()):
            yield f"column {shortened(one.name)} holds numbers as text, which are tested as categories: write numbers"
        word = _first(one, is_missing_number)
        if word is not None:
            rule = "if it is a missing value, name it in missing_words"
            yield f"column {shortened(one.name)} has the category {shortened(word)}: {rule}"


def _are_decimals(texts: Collection[str]) -> bool:
    """Whether all texts are numbers and most have a point, which codes do not have."""
    return all(number(text) is not None for text in texts) and 2 * sum("." in text for text in texts) > len(texts)


def _first(profile: Profile, condition: Callable[[str], bool]) -> str | None:
    """The most frequent category for which a condition holds."""
    return next(filter(condition, profile.categories.values()), None)


def _more(names: Collection[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def identifiers(profiles: Iterable[Profile]) -> dict[str, str]:
    """The categorical columns that identify rows instead of grouping them, and why each is left out."""
    why = {}
    for profile in profiles:
        distinct, cells = distinct_values(profile), profile.size
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

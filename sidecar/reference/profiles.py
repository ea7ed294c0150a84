"""Rows -> profiles: each column sorted and parted into cells. This module does no I/O."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.profile import FeatureKind, Profile, categorical_profile, ignored_profile, numeric_profile


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
        categories: The texts of codes, of all columns together, perhaps not of every code.

    Returns:
        In the same order; a column without any value is left out of the tests as an ignored one is.

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

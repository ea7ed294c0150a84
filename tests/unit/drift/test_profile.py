"""Profiles: rows, categories and cells of a reference's columns."""

import numpy as np

from driftgauge.drift.profile import FeatureKind, categorical_profile, ignored_profile, numeric_profile


def test_rows_count_missing_values() -> None:
    """A column has as many rows as the reference, whatever its kind."""
    values = np.array([1.0, 2.0])
    profiles = (
        numeric_profile("a", values, 3),
        categorical_profile("b", values, {1.0: "x", 2.0: "y"}, 3),
        ignored_profile("c", 5),
    )

    assert [5, 5, 5] == [profile.rows for profile in profiles]
    assert list(FeatureKind) == [profile.kind for profile in profiles]


def test_categories_are_in_order_of_frequency() -> None:
    """Texts are ordered by count, then by code; those of codes that do not occur are left out."""
    texts = {1.0: "one", 2.0: "two", 3.0: "three", 9.0: "never"}
    profile = categorical_profile("a", np.array([1.0, 2.0, 3.0, 3.0]), texts)

    assert ["three", "one", "two"] == list(profile.categories.values())
    assert [3.0, 1.0, 2.0] == profile.cells.codes.tolist()


def test_a_code_without_text_is_a_category() -> None:
    """It has its cell, and no text."""
    profile = categorical_profile("a", np.array([1.0, 2.0, 2.0]), {1.0: "one"})

    assert {1.0: "one"} == profile.categories
    assert [2.0, 1.0] == profile.cells.codes.tolist()


def test_an_ignored_column_has_no_values() -> None:
    """All of its rows count as missing."""
    profile = ignored_profile("a", 7)

    assert (0, 7) == (profile.values.size, profile.missing)

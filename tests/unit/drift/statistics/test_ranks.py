"""Ranks of a window's values in their references."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.statistics.ks import rank_type, rank_window, ranks, sorted_ranks

Floats = NDArray[np.float64]

REFERENCE = np.array([1.0, 2.0, 2.0, 4.0])


def test_by_hand() -> None:
    """The ranks of values below, between, among and above the reference's."""
    below, at_most = ranks([REFERENCE], np.array([[0.0, 1.0, 1.5, 2.0, 2.0, 4.0, 5.0]]))

    assert [[0, 0, 1, 1, 1, 3, 4]] == below.tolist()
    assert [[0, 1, 1, 3, 3, 4, 4]] == at_most.tolist()


def test_missing_values_stand_last() -> None:
    """They stand last among the values and the ranks of every feature, and are not counted."""
    found = rank_window([REFERENCE, REFERENCE], np.array([[np.nan, 3.0, 0.0], [np.nan, np.nan, np.nan]]))

    assert [2, 0] == found.sizes
    assert [0.0, 3.0] == found.values[0, :2].tolist()
    assert np.isnan(found.values[0, 2])
    assert [0, 3, 65535] == found.below[0].tolist() == found.at_most[0].tolist()


def test_a_reference_without_values() -> None:
    """All ranks in an empty reference are 0."""
    below, at_most = ranks([np.empty(0)], np.array([[1.0, 2.0]]))

    assert [[0, 0]] == below.tolist() == at_most.tolist()


def test_no_features() -> None:
    """A window without features has no sizes."""
    assert [] == rank_window([], np.empty((0, 5))).sizes


@pytest.mark.parametrize(("rows", "kind"), [(65_534, np.uint16), (65_535, np.uint32), (100_000, np.uint32)])
def test_ranks_fit_their_type(rows: int, kind: type) -> None:
    """The type's greatest number is left for missing values, and both types are sorted."""
    below, _ = ranks([np.arange(float(rows))], np.array([[0.0, 7.0, 1e9, np.nan]]))

    assert kind == rank_type(rows)
    assert [[0, 7, rows, np.iinfo(kind).max]] == below.tolist() == sorted_ranks(below[:, ::-1]).tolist()

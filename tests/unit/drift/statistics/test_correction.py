"""The level of each feature under the four corrections."""

import numpy as np
import pytest

from driftgauge.drift.statistics.correction import Correction, p_value_thresholds

P_VALUES = [0.01, 0.04, 0.03, 0.005]
"""Wikipedia, "Holm-Bonferroni method", example: at 0.05 the procedure rejects the first and the last."""


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # others of the first: 0.005 < 0.05/4, 0.03 >= 0.05/3: one rejection, 0.05/3; of the last: 0.01 < 0.05/4 ...
        (Correction.HOLM, [0.05 / 3, 0.05 / 2, 0.05 / 2, 0.05 / 3]),
        # with one of them 0 all four are rejected, since the largest, 0.04, is below 0.05
        (Correction.BH, [0.05, 0.05, 0.05, 0.05]),
        (Correction.BONFERRONI, [0.05 / 4] * 4),
        (Correction.NONE, [0.05] * 4),
    ],
)
def test_levels_by_hand(method: Correction, expected: list[float]) -> None:
    """The levels of four features are those found by hand."""
    assert expected == pytest.approx(p_value_thresholds(np.array(P_VALUES), 0.05, method).tolist(), rel=1e-15)


@pytest.mark.parametrize("method", Correction)
def test_one_feature(method: Correction) -> None:
    """One feature is tested at alpha under every correction."""
    assert [0.05] == p_value_thresholds(np.array([0.3]), 0.05, method).tolist()


@pytest.mark.parametrize("method", Correction)
def test_no_feature(method: Correction) -> None:
    """Without features there are no levels."""
    assert [] == p_value_thresholds(np.empty(0), 0.05, method).tolist()

"""`check_drift`, the loop of the article over `scipy.stats.ks_2samp`."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

import driftgauge
from tests.support.samples import sample


def test_check_drift_is_a_loop_over_ks_2samp() -> None:
    """Its values are plain floats and bools, equal to scipy's own."""
    first, second = sample(1), sample(2, 0.2)
    expected = {}
    for i in range(3):
        stat, p = ks_2samp(first[:, i], second[:, i])
        expected[f"feature_{i}"] = {"statistic": stat, "p_value": p, "drift_detected": p < 0.2}
    results = driftgauge.check_drift(first, second, threshold=0.2)

    assert expected == results
    assert [[float, float, bool]] * 3 == [list(map(type, one.values())) for one in results.values()]


@pytest.mark.parametrize("rows", [(3, 4), (12_000, 300)])
def test_check_drift_of_small_and_of_large_samples(rows: tuple[int, int]) -> None:
    """The p-value is exact or asymptotic as scipy's is, with ties."""
    first, second = sample(1, rows=rows[0]).round(), sample(2, 0.2, rows=rows[1]).round()
    expected = [float(ks_2samp(first[:, i], second[:, i]).pvalue) for i in range(3)]

    assert expected == [one["p_value"] for one in driftgauge.check_drift(first, second).values()]


def test_check_drift_with_nan_detects_nothing() -> None:
    """A column with NaN has the statistic NaN, as `ks_2samp` has it."""
    (result,) = driftgauge.check_drift(np.zeros((3, 1)), np.array([[1.0], [np.nan], [1.0]])).values()

    assert np.isnan(result["statistic"])
    assert result["drift_detected"] is False


def test_check_drift_refuses_what_is_no_pair_of_matrices() -> None:
    """One sentence names the argument."""
    for first, second in ((sample(1), sample(2)[:, :2]), (sample(1)[:, 0], sample(2)), ([["a"]], [["b"]])):
        with pytest.raises(driftgauge.ReferenceDataError, match=r"^(reference|production)_data: it "):
            driftgauge.check_drift(first, second)

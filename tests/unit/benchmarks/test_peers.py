"""Peers' rules do what their sources say."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from benchmarks.statistics.peers import (
    PEERS,
    alibi_detect,
    equal_sample_distances,
    evidently,
    evidently_any,
    exact_critical,
    kswin_feature,
    nannyml,
    nannyml_distance,
    trustyai,
    tumbling,
)
from driftgauge.drift.profile import FeatureKind

NUMERIC = FeatureKind.NUMERIC


def normal(seed: int, rows: int, features: int = 3) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Rows without drift."""
    return np.random.default_rng(seed).standard_normal((rows, features))


def test_windows_tumble_without_overlap() -> None:
    """The last rows, which do not fill a window, are left out."""
    assert [4, 8] == [end for end, _ in tumbling(np.zeros((11, 1)), 4)]


@pytest.mark.parametrize(
    ("m", "n", "level", "below"), [(30, 30, 0.005, False), (1_000, 100, 0.05, True), (5_000, 100, 0.05, True)]
)
def test_the_critical_distance_is_the_first_below_the_level(m: int, n: int, level: float, below: bool) -> None:  # noqa: FBT001 a parameter of the test
    """Samples at it have a p-value below the level by scipy's exact distribution; samples one step nearer do not."""
    steps = round(m * exact_critical(m, n, level, below=below))
    reference, spaced = np.arange(m), np.arange(n) * (m / n) - 0.5

    p_values = [ks_2samp(reference, spaced + moved, method="exact").pvalue for moved in (steps - 1, steps)]

    assert p_values[0] >= level > p_values[1]


@given(st.lists(st.integers(0, 6), min_size=12, max_size=12))
def test_distances_of_many_pairs_are_those_of_scipy(values: list[int]) -> None:
    """They are the same with ties within and between the samples."""
    left, right = np.array(values[:6], dtype=np.float64), np.array(values[6:], dtype=np.float64)

    assert equal_sample_distances(left[np.newaxis], right[np.newaxis])[0] == pytest.approx(
        ks_2samp(left, right).statistic
    )


def test_kswin_forgets_all_rows_after_an_alarm() -> None:
    """It finds a jump within its last thirty rows, and cannot alarm again within a hundred."""
    rng = np.random.default_rng(5)
    stream = np.concatenate([rng.standard_normal(150), 9 + rng.standard_normal(400)])

    rows = list(kswin_feature(stream, rng))
    after = [row for row in rows if row > 150]

    assert 150 < after[0] <= 180
    assert all(later - row >= 100 for row, later in pairwise(rows))


def test_nannymls_distance_of_a_sample_to_itself_is_zero() -> None:
    """It is 0 for numbers and for categories."""
    values = np.round(normal(6, 500, 1)[:, 0])

    assert nannyml_distance(values, values, NUMERIC) == pytest.approx(0, abs=1e-7)
    assert nannyml_distance(values, values, FeatureKind.CATEGORICAL) == pytest.approx(0, abs=1e-7)


def test_nannymls_distance_of_disjoint_samples_is_one() -> None:
    """Values outside of the reference's bins share one more bin."""
    values = normal(7, 500, 1)[:, 0]

    assert nannyml_distance(values, values + 100, NUMERIC) == pytest.approx(1)


def test_evidently_asks_for_half_of_the_columns() -> None:
    """One column of three that moved by 0.3 standard deviations is above 0.1, but it is one of three."""
    reference, stream = normal(8, 5_000), normal(9, 1_000) + np.array([0.3, 0, 0])

    assert evidently(reference, stream, [NUMERIC] * 3) == []
    assert [1_000] == evidently_any(reference, stream, [NUMERIC] * 3)


@pytest.mark.parametrize("rule", [alibi_detect, evidently_any, nannyml, trustyai])
def test_a_shift_of_a_deviation_is_found_at_every_decision(rule: object) -> None:
    """Each rule alarms at its first and its last decision of a stream that moved."""
    assert callable(rule)
    rows = rule(normal(10, 5_000), normal(11, 2_000) + 1, [NUMERIC] * 3)

    assert rows[0] <= 1_000
    assert rows[-1] >= 1_980


@pytest.mark.parametrize("name", PEERS)
def test_rules_alarm_at_rows_of_the_stream_in_order(name: str) -> None:
    """Whatever the rule, its alarms ascend and lie within the stream."""
    rows = PEERS[name](normal(12, 1_000), normal(13, 3_000), [NUMERIC] * 3)

    assert rows == sorted(set(rows))
    assert all(0 < row <= 3_000 for row in rows)

"""Laws of the false-alarm budget's thresholds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.budget import Budget, detectable, reference_error
from driftgauge.drift.statistics.concentration import categories_error, upper_bound_sample_share, upper_bound_true_share

MONTH = 30 * 86_400.0
budgets = st.builds(
    Budget,
    false_alarm_seconds=st.floats(60.0, 100 * MONTH),
    evaluation_seconds=st.floats(1.0, 86_400.0),
    tolerance=st.floats(0.0, 0.99),
    share_tolerance=st.floats(0.0, 0.99),
    beyond_reference=st.booleans(),
)
rows = st.integers(1, 10**7)
features = st.integers(1, 10_000)
shares = st.floats(0.0, 1.0)
risks = st.floats(1e-12, 0.5)


@given(budget=budgets, m=rows, n=rows, more=rows, d=features)
def test_ks_threshold_falls_with_rows_and_rises_with_features(
    budget: Budget, m: int, n: int, more: int, d: int
) -> None:
    """More rows on either side lower the threshold, more features raise it, and it is above the tolerance.

    Those of the reference lower it as far as its error counts, not below the tolerance.
    """
    threshold = budget.ks_threshold(m, n, d)
    error_counts = budget.beyond_reference or reference_error(m, d) > budget.tolerance
    with_more = budget.ks_threshold(m + more, n, d)

    assert with_more < threshold if error_counts else with_more == threshold
    assert budget.ks_threshold(m, n + more, d) < threshold
    assert budget.ks_threshold(m, n, d + more) > threshold
    assert threshold > budget.tolerance


@given(
    budget=budgets,
    own=st.lists(st.integers(1, 10_000), min_size=1, max_size=100),
    rare=st.integers(0, 500),
    n=rows,
    more=rows,
    d=features,
)
def test_tv_threshold_falls_with_rows_and_rises_with_features(
    *, budget: Budget, own: list[int], rare: int, n: int, more: int, d: int
) -> None:
    """More rows of the window lower the threshold, more features raise it, and it is above the tolerance."""
    reference = np.array([*own, rare, 0], dtype=np.float64)
    categories = len(own) + (rare + 1) // 2
    threshold = budget.tv_threshold(reference, categories, n, d)

    assert budget.tv_threshold(reference, categories, n + more, d) < threshold
    assert budget.tv_threshold(reference, categories, n, d + more) > threshold
    assert threshold > budget.tolerance


@given(budget=budgets, reference=shares, share=shares, m=rows, n=rows, more=rows, d=features)
def test_share_threshold_falls_with_rows_and_rises_with_features(  # noqa: PLR0913 - as many arguments as the threshold has
    *, budget: Budget, reference: float, share: float, m: int, n: int, more: int, d: int
) -> None:
    """More rows on either side do not raise the threshold, and more features do not lower it.

    It is at least the tolerance, or else as far as a share can move.
    """
    threshold = budget.share_threshold(reference, share, m, n, d)
    spare = reference if share < reference else 1 - reference

    assert budget.share_threshold(reference, share, m + more, n, d) <= threshold + 1e-9
    assert budget.share_threshold(reference, share, m, n + more, d) <= threshold + 1e-9
    assert budget.share_threshold(reference, share, m, n, d + more) >= threshold - 1e-9
    assert threshold >= min(budget.tolerance_of_missing(reference), spare) - 1e-9


@given(budget=budgets, n=rows, d=features)
def test_rows_needed_grow_with_the_window(budget: Budget, n: int, d: int) -> None:
    """A longer window needs at least as many rows of the reference, and a finite number is always enough."""
    assert 1 <= budget.rows_needed(n, d) <= budget.rows_needed(2 * n, d)


@given(threshold=shares, n=rows, more=rows)
def test_detectable_falls_with_rows(threshold: float, n: int, more: int) -> None:
    """A detectable distance is above the threshold, and not farther from it with more rows."""
    assert threshold < detectable(threshold, n)
    assert detectable(threshold, n + more) <= detectable(threshold, n)


@given(share=shares, n=rows, risk=risks)
def test_chernoff_bounds_lie_between_the_share_and_one(share: float, n: int, risk: float) -> None:
    """Bounds on true and on sample shares are at least the share itself and at most 1."""
    assert share <= upper_bound_true_share(share, n, risk) <= 1.0
    assert share <= upper_bound_sample_share(share, n, risk) <= 1.0


@given(share=shares, n=rows, more=rows, risk=risks)
def test_chernoff_bounds_close_in_with_rows(share: float, n: int, more: int, risk: float) -> None:
    """More rows do not raise the bounds."""
    assert upper_bound_true_share(share, n + more, risk) <= upper_bound_true_share(share, n, risk) + 1e-12
    assert upper_bound_sample_share(share, n + more, risk) <= upper_bound_sample_share(share, n, risk) + 1e-12


@given(own=st.lists(st.integers(1, 10**6), min_size=1, max_size=50), risk=risks)
def test_categories_error_is_a_share(own: list[int], risk: float) -> None:
    """Both bounds are in [0, 1], and that on unknown categories is at most the total."""
    total, unknown = categories_error(np.array(own, dtype=np.float64), (0, 0.0), risk)

    assert 0.0 <= unknown <= total <= 1.0

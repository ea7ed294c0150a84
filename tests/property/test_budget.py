"""Laws of the false-alarm budget's bars."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.budget import Budget, detectable
from driftgauge.drift.statistics.concentration import categories_error, upper_bound_sample_share, upper_bound_true_share

MONTH = 30 * 86_400.0
budgets = st.builds(
    Budget,
    false_alarm_seconds=st.floats(60.0, 100 * MONTH),
    evaluation_seconds=st.floats(1.0, 86_400.0),
    tolerance=st.floats(0.0, 0.99),
)
rows = st.integers(1, 10**7)
features = st.integers(1, 10_000)
shares = st.floats(0.0, 1.0)
risks = st.floats(1e-12, 0.5)


@given(budget=budgets, m=rows, n=rows, more=rows, d=features)
def test_ks_bar_falls_with_rows_and_rises_with_features(budget: Budget, m: int, n: int, more: int, d: int) -> None:
    """More rows on either side lower the bar, more features raise it, and it is never below the tolerance."""
    threshold = budget.ks_threshold(m, n, d)

    assert budget.ks_threshold(m + more, n, d) < threshold
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
def test_tv_bar_falls_with_rows_and_rises_with_features(
    *, budget: Budget, own: list[int], rare: int, n: int, more: int, d: int
) -> None:
    """More rows of the window lower the bar, more features raise it, and it is never below the tolerance."""
    reference = np.array([*own, rare, 0], dtype=np.float64)
    categories = len(own) + (rare + 1) // 2
    threshold = budget.tv_threshold(reference, categories, n, d)

    assert budget.tv_threshold(reference, categories, n + more, d) < threshold
    assert budget.tv_threshold(reference, categories, n, d + more) > threshold
    assert threshold > budget.tolerance


@given(budget=budgets, reference=shares, share=shares, m=rows, n=rows, more=rows, d=features)
def test_share_bar_falls_with_rows_and_rises_with_features(  # noqa: PLR0913 - as many things as the bar depends on
    *, budget: Budget, reference: float, share: float, m: int, n: int, more: int, d: int
) -> None:
    """More rows on either side do not raise the bar, more features do not lower it, and no share beyond 1 is asked for.

    A tolerance is passed by every bar that can be reached at all.
    """
    threshold = budget.share_threshold(reference, share, m, n, d)
    spare = reference if share < reference else 1 - reference

    assert budget.share_threshold(reference, share, m + more, n, d) <= threshold + 1e-9
    assert budget.share_threshold(reference, share, m, n + more, d) <= threshold + 1e-9
    assert budget.share_threshold(reference, share, m, n, d + more) >= threshold - 1e-9
    assert threshold >= min(budget.tolerance, spare) - 1e-9


@given(budget=budgets, n=rows, d=features)
def test_rows_needed_grow_with_the_window(budget: Budget, n: int, d: int) -> None:
    """A longer window asks for more rows of the reference, and there is always a number that is enough."""
    assert 1 <= budget.rows_needed(n, d) <= budget.rows_needed(2 * n, d)


@given(threshold=shares, n=rows, more=rows)
def test_detectable_falls_with_rows(threshold: float, n: int, more: int) -> None:
    """What can be detected lies above the bar, and comes closer to it with more rows."""
    assert threshold < detectable(threshold, n)
    assert detectable(threshold, n + more) <= detectable(threshold, n)


@given(share=shares, n=rows, risk=risks)
def test_chernoff_bounds_lie_between_the_share_and_one(share: float, n: int, risk: float) -> None:
    """What may be true, or found, is at least the share itself and at most 1."""
    assert share <= upper_bound_true_share(share, n, risk) <= 1.0
    assert share <= upper_bound_sample_share(share, n, risk) <= 1.0


@given(share=shares, n=rows, more=rows, risk=risks)
def test_chernoff_bounds_close_in_with_rows(share: float, n: int, more: int, risk: float) -> None:
    """More rows bring truth and sample closer together."""
    assert upper_bound_true_share(share, n + more, risk) <= upper_bound_true_share(share, n, risk) + 1e-12
    assert upper_bound_sample_share(share, n + more, risk) <= upper_bound_sample_share(share, n, risk) + 1e-12


@given(own=st.lists(st.integers(1, 10**6), min_size=1, max_size=50), risk=risks)
def test_categories_error_is_a_share(own: list[int], risk: float) -> None:
    """Both bounds lie in [0, 1], and what is not met is no more than what is off in all."""
    total, unknown = categories_error(np.array(own, dtype=np.float64), (0, 0.0), risk)

    assert 0.0 <= unknown <= total <= 1.0

"""What is told of a reference's column whatever the window."""

import numpy as np

from driftgauge.drift.profile import categorical_profile, numeric_profile
from driftgauge.drift.statistics.effects import deciles
from driftgauge.drift.window_tester import ReferenceSummary


def test_numbers_have_quantiles() -> None:
    """Its deciles are those of its values."""
    values = np.arange(50.0)
    summary = ReferenceSummary(numeric_profile("a", values))

    assert deciles(values) == summary.deciles
    assert summary.quantiles is not None
    assert summary.quantiles.rows == 50


def test_categories_have_none() -> None:
    """Codes have no order; they have bars."""
    summary = ReferenceSummary(categorical_profile("a", np.array([1.0, 2.0]), {1.0: "x"}))

    assert ((), None) == (summary.deciles, summary.quantiles)
    assert ["x", "#2", "unseen", "missing"] == [one.label for one in summary.histogram.bars(np.empty(0), 0)]

"""What is told of a reference's column whatever the window."""

import numpy as np

from driftgauge.drift.profile import categorical_profile, numeric_profile
from driftgauge.drift.statistics.effects import deciles
from driftgauge.drift.window_tester import ReferenceSummary


def test_numbers_have_quantiles() -> None:
    """Its deciles are those of its values."""
    values = np.arange(50.0)
    portrait = ReferenceSummary(numeric_profile("a", values))

    assert deciles(values) == portrait.deciles
    assert portrait.quantiles is not None
    assert portrait.quantiles.rows == 50


def test_categories_have_none() -> None:
    """Codes have no order; they have bars."""
    portrait = ReferenceSummary(categorical_profile("a", np.array([1.0, 2.0]), {1.0: "x"}))

    assert ((), None) == (portrait.deciles, portrait.quantiles)
    assert ["x", "#2", "unseen", "missing"] == [one.label for one in portrait.histogram.bars(np.empty(0), 0)]

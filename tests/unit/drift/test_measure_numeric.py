"""The facts of many features at once are those of each feature alone."""

import numpy as np
import pytest

from driftgauge.drift.measure import numeric_facts
from driftgauge.drift.sorted_values import SortedValues
from driftgauge.drift.statistics.effects import Quantiles, deciles
from driftgauge.drift.statistics.ks import ks_statistic, rank_window
from tests.support.effects import distance_of


@pytest.mark.parametrize("rows", [40, 20_000])
def test_each_feature_has_the_facts_that_it_has_alone(rows: int) -> None:
    """With references and windows of several sizes, and more values than one numpy call takes."""
    generator = np.random.default_rng(1)
    references = [np.sort(generator.normal(size=size)) for size in (100, 100, 70, 100, 1)]
    columns = generator.normal(size=(5, rows)).round(1)
    columns[1, ::3] = np.nan
    columns[3] = np.nan
    found = numeric_facts(
        rank_window(references, columns),
        [Quantiles(SortedValues.of(one)) for one in references],
        [one.size for one in references],
    )

    assert [0, 1, 2, 4] == sorted(found)
    for index, one in found.items():
        values = np.sort(columns[index][~np.isnan(columns[index])])

        assert ks_statistic(references[index], values) == one.ks
        assert distance_of(references[index], values) == one.wasserstein
        assert deciles(values) == one.deciles


def test_features_that_are_not_numeric_are_left_out() -> None:
    """Categories have no numeric facts, since their codes have no order."""
    reference = np.array([1.0, 2.0])
    found = numeric_facts(
        rank_window([reference, reference], np.ones((2, 3))), [None, Quantiles(SortedValues.of(reference))], [2, 2]
    )

    assert [1] == list(found)

"""Features of one form are weighed as each is alone."""

import numpy as np

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.alike_bets import alike_bets, gains, lines, parts, whole
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.profile import categorical_profile, ignored_profile, numeric_profile

GENERATOR = np.random.default_rng(1)
PROFILES = (
    numeric_profile("a", np.sort(GENERATOR.normal(size=1_000))),
    ignored_profile("i", 1_000),
    categorical_profile("c", np.sort(np.arange(1_000.0) % 3), {}),
    numeric_profile("b", np.sort(GENERATOR.normal(size=1_000))),
    numeric_profile("few", np.sort(np.arange(1_000.0) % 7)),
)
BETS = [make_bets(one, Budget(86_400.0, 30.0, 0.05), 4) for one in PROFILES]
GROUPS = alike_bets(BETS, range(len(BETS)))


def test_only_bets_of_one_form_are_together() -> None:
    """The two columns of 1,000 different numbers are; categories, few numbers and ignored columns are alone."""
    assert [[0, 3], [1], [2], [4]] == [group.features.tolist() for group in GROUPS]


def test_gains_are_those_of_each_alone() -> None:
    """To the last bit."""
    for group in GROUPS:
        counts = GENERATOR.integers(0, 3, (group.features.size, 4, group.cells)).astype(float)
        each = [one.factors.gains(rows) for one, rows in zip(group.bets, counts, strict=True)]

        assert np.stack(each).tolist() == gains([one.factors for one in group.bets], counts).tolist()


def test_matrices_and_their_lines_are_those_of_each_alone() -> None:
    """The score tables are put together whole, and by the cells of rows."""
    for group in GROUPS:
        cells = GENERATOR.integers(0, group.cells, (group.features.size, 20))
        tables, matrices = [one.score_table for one in group.bets], [one.scores for one in group.bets]
        of_rows = [matrix[line] for matrix, line in zip(matrices, cells, strict=True)]

        assert np.stack(matrices).tolist() == whole(tables).tolist()
        assert np.stack(of_rows).tolist() == lines(tables, cells).tolist()


def test_parts_have_all_features_and_few_counts_each() -> None:
    """One feature may have more counts than are allowed: it is a part of its own."""
    group = GROUPS[0]

    assert [[0, 3]] == [one.features.tolist() for one in parts(group, 1, 2 * group.cells)]
    assert [[0], [3]] == [one.features.tolist() for one in parts(group, 2, 2 * group.cells)]
    assert [[0], [3]] == [one.features.tolist() for one in parts(group, 9, 1)]

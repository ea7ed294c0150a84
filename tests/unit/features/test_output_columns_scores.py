"""What counts as scores, and what follows from them."""

import numpy as np
import pytest

from driftgauge.features.output_columns import are_scores, decisions

NAN = np.nan


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0.2, 0.8], [1.0, 0.0]], True),
        ([[0.333, 0.333, 0.333]], True),
        ([[0.33, 0.33, 0.33]], False),
        ([[0.2, 0.8], [0.2, 0.7]], False),
        ([[-0.2, 1.2]], False),
        ([[1.0]], False),
        ([[0.2, 0.8], [NAN, 0.8]], True),
        ([[NAN, 1.0], [NAN, NAN]], None),
    ],
    ids=[
        "two classes",
        "rounded to three digits",
        "too far from 1",
        "one row is none",
        "outside [0, 1]",
        "one value per row",
        "a value is missing in one row",
        "a value is missing in every row",
    ],
)
def test_scores_lie_in_0_to_1_and_sum_to_1_in_every_row(rows: list[list[float]], expected: bool | None) -> None:  # noqa: FBT001 - the expected result
    """Within a thousandth."""
    assert expected is are_scores(np.array(rows))


def test_the_decision_is_the_largest_score_and_its_place() -> None:
    """Of equal scores the first; missing where a row is no scores."""
    found = decisions(np.array([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0], [0.9, 0.9, 0.9], [NAN, 1.0, 0.0]]))

    np.testing.assert_array_equal([[0.7, 1], [0.5, 0], [NAN, NAN], [NAN, NAN]], found)

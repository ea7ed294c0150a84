"""The sentence that inputs, performance and concept lead to."""

from itertools import product

import pytest

from driftgauge.drift.outcomes.diagnosis import diagnose
from driftgauge.drift.result import VerdictState

OK, DRIFT, CANNOT_TELL = VerdictState.OK, VerdictState.DRIFT, VerdictState.CANNOT_TELL


@pytest.mark.parametrize(
    ("verdicts", "advice"),
    [
        ((DRIFT, OK, OK), "take a new reference"),
        ((DRIFT, DRIFT, OK), "add training data there"),
        ((OK, DRIFT, DRIFT), "retrain on recent labels"),
        ((DRIFT, DRIFT, DRIFT), "retrain on recent labels"),
        ((OK, OK, DRIFT), "recalibrate"),
        ((OK, DRIFT, OK), "wait"),
        ((OK, OK, OK), "no drop of the accuracy is proved"),
    ],
)
def test_each_line_of_the_table_says_what_helps(
    verdicts: tuple[VerdictState, VerdictState, VerdictState], advice: str
) -> None:
    """Inputs, performance and concept, crossed."""
    assert advice in diagnose(*verdicts)


def test_all_combinations_have_a_clause() -> None:
    """What is unknown is said, and no clause ends with a full stop."""
    for verdicts in product(VerdictState, repeat=3):
        clause = diagnose(*verdicts)
        assert clause
        assert not clause.endswith(".")
        if CANNOT_TELL in verdicts[1:] and DRIFT is not verdicts[2]:
            assert "unknown" in clause

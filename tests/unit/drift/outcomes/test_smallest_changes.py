"""The smallest change that a test can find: one wording, for the page and for commands."""

import pytest

from driftgauge.drift.outcomes.outcome_columns import Task
from driftgauge.drift.outcomes.outcome_report import OutcomeTest
from driftgauge.drift.outcomes.smallest_changes import describe_smallest_change


@pytest.mark.parametrize(
    ("test", "task", "words"),
    [
        (OutcomeTest.PERFORMANCE, Task.CLASSIFICATION, "the share of errors by more than 3.1 points, if it lasts"),
        (OutcomeTest.CONCEPT, Task.CLASSIFICATION, "by more than 3.1 points in the best known of 16 bins"),
        (OutcomeTest.PERFORMANCE, Task.REGRESSION, "whose mean rank among the reference's is more than 3.1"),
        (OutcomeTest.CONCEPT, Task.REGRESSION, "residuals whose mean rank is more than 3.1 points higher"),
    ],
)
def test_the_clause_says_what_must_be_exceeded(test: OutcomeTest, task: Task, words: str) -> None:
    """Of classes a share of errors, of numbers a rank; of concept the bin in which that is least."""
    assert words in describe_smallest_change(test, task, 0.031, 16)


@pytest.mark.parametrize("least", [None, 0.5])
def test_a_reference_that_is_too_small_finds_nothing(least: float | None) -> None:
    """Then the clause says what is missing."""
    found = describe_smallest_change(OutcomeTest.CONCEPT, Task.CLASSIFICATION, least, 4)

    assert found == "can find no change within a bin of predictions: more labelled rows of the reference are needed"

"""The smallest change that each test of an output can find, in the words of the page and of the commands."""

from driftgauge.drift.outcomes.outcome_columns import Task
from driftgauge.drift.outcomes.outcome_report import OutcomeTest
from driftgauge.drift.outcomes.outcome_verdicts import LARGEST_RISE


def describe_smallest_change(test: OutcomeTest, task: Task, least: float | None, bins: int) -> str:
    """Say what a test can find: a clause whose subject is the test.

    Args:
        test: The test.
        task: What the model does.
        least: What the change must exceed, as of `OutcomeTestResult`; `None` if nothing is found.
        bins: How many bins of predictions there are.
    """
    of_performance = test is OutcomeTest.PERFORMANCE
    if least is None or least >= LARGEST_RISE:
        what = "no rise of errors" if of_performance else "no change within a bin of predictions"
        return f"can find {what}: more labelled rows of the reference are needed"
    points = f"{100 * least:.1f} points"
    if task is Task.REGRESSION:
        what = f"absolute errors whose mean rank among the reference's is more than {points} higher"
        within = f"residuals whose mean rank is more than {points} higher"
    else:
        what = within = f"a rise of the share of errors by more than {points}"
    if of_performance:
        return f"can find {what}, if it lasts"
    return f"can find {within} in the best known of {bins} bins of predictions, if it lasts"

"""The rule of outcomes: when they are tested, and what alarms."""

from dataclasses import dataclass

from driftgauge.drift.budget import Budget


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """When outcomes are tested, and what alarms.

    Args:
        min_rows: Fewest labelled rows of an output for a verdict on it, at least 1.
        window_rows: Newest labelled rows that are described for each output.
        budget: The budget of false alarms; its tolerance is `performance_tolerance`.
    """

    min_rows: int
    window_rows: int
    budget: Budget

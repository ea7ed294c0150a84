"""What a reference holds of labels: tasks, rows, errors, and the smallest changes that can be found."""

from typing import Any

from driftgauge.drift.budget import Budget
from driftgauge.drift.outcomes.describe_outcomes import describe_reference
from driftgauge.drift.outcomes.outcome_bets import OutcomeBets
from driftgauge.drift.outcomes.outcome_columns import LabelledOutput, Task
from driftgauge.drift.outcomes.outcome_report import OutcomeTest
from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from driftgauge.drift.outcomes.smallest_changes import describe_smallest_change
from driftgauge.reference.column import shortened
from driftgauge.reference.dataset import Reference

_SHOWN = {Task.CLASSIFICATION: ("accuracy", "balanced_accuracy", "roc_auc"), Task.REGRESSION: ("mae", "rmse", "r2")}
"""Metrics that are shown to people."""

_LEAST = {OutcomeTest.PERFORMANCE: "smallest_rise", OutcomeTest.CONCEPT: "smallest_change_in_a_bin"}
"""The fact that says what each test can find."""


def label_lines(reference: Reference, budget: Budget) -> list[str]:
    """Lines on each output with labels, for a person; the smallest changes are those of a detector with this budget."""
    count = len(reference.labelled)
    return [line for output in reference.labelled for line in _lines(output, budget, count)]


def label_facts(reference: Reference, budget: Budget) -> list[dict[str, Any]]:
    """Each output with labels, for programs; the smallest changes are those of a detector with this budget."""
    return [_facts(output, budget, len(reference.labelled)) for output in reference.labelled]


def _facts(output: LabelledOutput, budget: Budget, outputs: int) -> dict[str, Any]:
    bins = PredictionBins.of(output)
    bets = OutcomeBets.of(output, bins, budget, outputs)
    return {
        "output": output.name,
        "task": str(output.task),
        "classes": list(output.class_texts),
        "rows": output.reference.labels.size,
        "bins": bins.count,
        "metrics": {one.metric: one.value for one in describe_reference(output, bins, draws=0).metrics},
        "smallest_rise": bets.smallest_rise,
        "smallest_change_in_a_bin": bets.smallest_bin_change,
    }


def _lines(output: LabelledOutput, budget: Budget, outputs: int) -> list[str]:
    facts = _facts(output, budget, outputs)
    metrics = ", ".join(
        f"{name.replace('_', ' ')} {facts['metrics'][name]:.4g}"
        for name in _SHOWN[output.task]
        if name in facts["metrics"]
    )
    what = f"{output.task} of {len(output.class_texts)} classes" if output.class_texts else str(output.task)
    first = f"labels of {shortened(output.name)}: {what}, {facts['rows']} rows with prediction and label, {metrics}"
    reach = ", and ".join(f"{test} {_reach(output.task, facts, test)}" for test in OutcomeTest)
    return [first, f"of {shortened(output.name)} {reach}, with default options"]


def _reach(task: Task, facts: dict[str, Any], test: OutcomeTest) -> str:
    """The smallest change that a test can find, in words."""
    return describe_smallest_change(test, task, facts[_LEAST[test]], facts["bins"])

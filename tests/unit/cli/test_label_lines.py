"""What `reference show` says of labels is what the detector does."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driftgauge.app.outcome_parts import outcome_rule
from driftgauge.cli.label_lines import label_facts, label_lines
from driftgauge.cli.reference_files import DEFAULT_BUDGET
from driftgauge.config.load import load
from driftgauge.drift.outcomes.outcome_evaluator import OutcomeEvaluator
from driftgauge.drift.outcomes.outcome_report import OutcomeReport
from driftgauge.drift.stream_window import StreamWindow
from driftgauge.reference.dataset import Reference, load_reference

Columns = Callable[[np.random.Generator, int], dict[str, np.ndarray]]


def classes(dice: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Two classes with a confidence, nine in ten right."""
    predicted = dice.integers(2, size=rows)
    label = np.where(dice.random(rows) < 0.9, predicted, 1 - predicted)
    return {"prediction:a": predicted, "prediction:a_confidence": dice.uniform(0.5, 1, rows), "label:a": label}


def numbers(dice: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Numbers with normal errors."""
    label = dice.normal(size=rows)
    return {"prediction:b": label + dice.normal(size=rows), "label:b": label}


def both(dice: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Two outputs, which share the risk of a bad reference."""
    return classes(dice, rows) | numbers(dice, rows)


def reference_of(directory: Path, columns: Columns, rows: int) -> Reference:
    """A reference of these columns."""
    found = {"x": np.arange(rows)} | columns(np.random.default_rng(5), rows)
    path = directory / "reference.csv"
    np.savetxt(path, np.column_stack(list(found.values())), delimiter=",", header=",".join(found), comments="")
    return load_reference(path, 0.0)


def report_of(reference: Reference) -> OutcomeReport:
    """What a process with default options says before any label came."""
    evaluator = OutcomeEvaluator(reference.labelled, outcome_rule(load("logger", {}, (), None)), "digest")
    width = 1 + max(one.places.label for one in reference.labelled)
    nothing = np.empty(0, dtype=np.int64)
    window = StreamWindow(np.empty((0, width)), nothing, nothing, np.empty(0), nothing.astype(np.uint64))
    return evaluator.evaluate(None, window, None, 0.0).report


@pytest.mark.parametrize("rows", [60, 600, 6_000])
@pytest.mark.parametrize("columns", [classes, numbers, both])
def test_the_smallest_changes_are_those_of_the_detector(tmp_path: Path, columns: Columns, rows: int) -> None:
    """With default options, for outputs of each task alone and together, and for few and many rows."""
    reference = reference_of(tmp_path, columns, rows)
    shown = [(one["smallest_rise"], one["smallest_change_in_a_bin"]) for one in label_facts(reference, DEFAULT_BUDGET)]
    done = [tuple(test.detectable for test in one.tests) for one in report_of(reference).outputs]

    assert len(done) == len(reference.labelled) > 0
    assert shown == done


def test_a_larger_tolerance_finds_larger_changes_alone(tmp_path: Path) -> None:
    """What is shown follows the budget that is given."""
    reference = reference_of(tmp_path, both, 6_000)
    tolerant = label_facts(reference, replace(DEFAULT_BUDGET, tolerance=0.2))

    for shown, usual in zip(tolerant, label_facts(reference, DEFAULT_BUDGET), strict=True):
        assert shown["smallest_rise"] > usual["smallest_rise"]
        assert shown["smallest_change_in_a_bin"] > usual["smallest_change_in_a_bin"]


def test_lines_say_what_can_be_found(tmp_path: Path) -> None:
    """Of classes shares of errors, of numbers ranks of errors; of too few rows that more are needed."""
    many = label_lines(reference_of(tmp_path, both, 6_000), DEFAULT_BUDGET)
    few = label_lines(reference_of(tmp_path, classes, 4), DEFAULT_BUDGET)

    assert "of 'a' performance can find a rise of the share of errors by more than 2." in many[1]
    assert ", and concept can find a rise of the share of errors by more than " in many[1]
    assert "of 'b' performance can find absolute errors whose mean rank among the reference's is more than " in many[3]
    assert " points higher in the best known of 5 bins of predictions, if it lasts, with default options" in many[3]
    assert "performance can find no rise of errors: more labelled rows of the reference are needed" in few[1]

"""Counts labelled rows by label and prediction, and sums their errors, for the counters."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.ledger import CountedRows, RowOrigins
from driftgauge.drift.outcomes.outcome_columns import Floats, LabelledOutput, OutcomeColumns, Task
from driftgauge.drift.outcomes.outcome_metrics import ClassRows
from driftgauge.drift.outcomes.prediction_bins import OTHER
from driftgauge.metrics.outcome_counts import ErrorSums, OutputCounts


def counted_since(origins: RowOrigins, before: CountedRows, after: CountedRows) -> NDArray[np.bool_]:
    """Which rows of a window one ledger counts and an earlier one does not: shape `(n,)`."""
    positions, writers = origins.positions, origins.writers
    counted: NDArray[np.bool_] = (positions > origins.counted(before)[writers]) & (
        positions <= origins.counted(after)[writers]
    )
    return counted


def sum_outputs(outputs: Sequence[LabelledOutput], rows: Floats) -> Iterator[OutputCounts]:
    """Count the rows of each output.

    Args:
        outputs: The outputs.
        rows: Outcome rows, shape `(n, d)`.
    """
    for output in outputs:
        columns = output.places.columns(rows).labelled()
        if not columns.labels.size:
            continue
        if output.task is Task.REGRESSION:
            yield OutputCounts(output.name, columns.labels.size, 0, {}, _errors(columns))
        else:
            yield _classes(output, columns)


def _errors(columns: OutcomeColumns) -> ErrorSums:
    errors = columns.predictions - columns.labels
    return ErrorSums(
        float(np.maximum(errors, 0.0).sum()), float(np.maximum(-errors, 0.0).sum()), float((errors**2).sum())
    )


def _classes(output: LabelledOutput, columns: OutcomeColumns) -> OutputCounts:
    """The pairs of label and prediction that occur, and how many predictions are right."""
    rows, texts = ClassRows.of(columns, output.classes), (*output.class_texts, OTHER)
    cells = rows.confusion()
    confusion = {
        (texts[label], texts[prediction]): int(cells[label, prediction])
        for label, prediction in np.argwhere(cells).tolist()
    }
    right = int(np.count_nonzero(columns.labels == columns.predictions))  # also of classes in (other)
    return OutputCounts(output.name, columns.labels.size, right, confusion, None)

"""Bins of a model's own predictions: how often it is right is compared within each, whatever moves between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_columns import Floats, LabelledOutput, OutcomeColumns, Task

NO_BIN = -1
"""The bin of a row that is in none."""

OTHER = "(other)"
"""The text of all classes that have no place of their own."""

_CLASSES = 10
_CLASS_BINS = 8
_CLASS_BIN_ROWS = 200
_NUMBER_BINS = 5
_NUMBER_BIN_ROWS = 500


@dataclass(frozen=True, slots=True, eq=False)
class BinGroup:
    """The bins of one predicted class, or of all numbers.

    Args:
        codes: Shape `(k,)`, ascending: the codes of the predicted classes; one for each of the most frequent classes,
            several for the others together; empty for numbers.
        text: The text of the class; `(other)` for several, empty for numbers.
        uppers: Shape `(c - 1,)`, ascending: the greatest confidence (of numbers: the greatest prediction) of each of
            the `c` bins but the last, which has no upper end.
    """

    codes: Floats
    text: str
    uppers: Floats

    @property
    def count(self) -> int:
        """How many bins there are."""
        return self.uppers.size + 1

    def find(self, columns: OutcomeColumns, levels: Floats | None) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Which rows are in a bin of this group, shape `(n,)`, and in which one, shape `(rows found,)`."""
        found = np.isin(columns.predictions, self.codes) if self.codes.size else ~np.isnan(columns.predictions)
        if not self.uppers.size:
            return found, np.zeros(np.count_nonzero(found), dtype=np.intp)
        if levels is None:
            levels = np.full(columns.predictions.size, np.nan)
        found = found & ~np.isnan(levels)
        return found, np.searchsorted(self.uppers, levels[found])

    def ends(self) -> Iterator[tuple[float | None, float | None]]:
        """The lower and the upper end of each bin: what it begins above, and its greatest value; `None` if open."""
        edges = [None, *self.uppers.tolist(), None]
        return pairwise(edges)


@dataclass(frozen=True, slots=True, eq=False)
class PredictionBins:
    """Bins of the predictions of one output, made from its reference alone.

    Classes: each of the 10 most frequently predicted classes by itself and all others together, and within them the
    quantiles of the confidence, as many as leave 200 rows of the reference each, at most 8. Numbers: the quantiles of
    the prediction, as many as leave 500 rows each, at most 5. Equal values are never divided, so that there may be
    fewer. The outer bins of each group are open: they take what is beyond the reference.

    Args:
        groups: The predicted classes, the most frequent one first, `(other)` last; a single group for numbers.
        labels: A short name of each of the `b` bins.
        reference_rows: Shape `(b,)`: rows of the reference in each bin.
        reference_errors: Shape `(b,)`: how many of them are wrong; of numbers the sum of prediction - label.
    """

    groups: tuple[BinGroup, ...]
    labels: tuple[str, ...]
    reference_rows: Floats
    reference_errors: Floats

    @property
    def count(self) -> int:
        """How many bins there are."""
        return len(self.labels)

    @property
    def group_of(self) -> NDArray[np.intp]:
        """The index of each bin's group, shape `(b,)`."""
        return np.repeat(np.arange(len(self.groups)), [group.count for group in self.groups])

    @property
    def ends(self) -> tuple[tuple[float | None, float | None], ...]:
        """The lower and the upper end of each bin; `None` where it is open."""
        return tuple(end for group in self.groups for end in group.ends())

    @staticmethod
    def of(output: LabelledOutput) -> "PredictionBins":
        """The bins of an output's reference, which has at least one row."""
        groups = tuple(_groups(output))
        empty = PredictionBins(groups, tuple(_labels(groups)), np.empty(0), np.empty(0))
        bins = empty.find(output.reference)
        errors = empty.counts(bins, errors_of(output.task, output.reference))
        return PredictionBins(groups, empty.labels, empty.counts(bins), errors)

    def find(self, columns: OutcomeColumns) -> NDArray[np.intp]:
        """The bin of each row, whether it has a label or not.

        Returns:
            Shape `(n,)`: -1 for a row in no bin, which has no prediction, a class that the reference does not have, or
            no confidence where its class is divided by it.
        """
        bins = np.full(columns.predictions.size, NO_BIN, dtype=np.intp)
        first = 0
        for group in self.groups:
            levels = confidence_of(columns) if group.codes.size else columns.predictions
            found, places = group.find(columns, levels)
            bins[found] = first + places
            first += group.count
        return bins

    def counts(self, bins: NDArray[np.intp], weights: Floats | None = None) -> Floats:
        """How many rows are in each bin, or the sum of their weights.

        Args:
            bins: Shape `(n,)`: the bin of each row; -1 is counted nowhere.
            weights: Shape `(n,)`; `None` if each row counts once.

        Returns:
            Shape `(b,)`, float64.
        """
        kept = bins != NO_BIN
        each = np.ones(bins.size) if weights is None else weights
        return np.bincount(bins[kept], weights=each[kept], minlength=self.count).astype(np.float64)


def errors_of(task: Task, columns: OutcomeColumns) -> Floats:
    """The error of each row, shape `(n,)`: 1 if it is wrong, else 0; of numbers prediction - label.

    NaN where the prediction or the label is missing.
    """
    if task is Task.REGRESSION:
        differences: Floats = columns.predictions - columns.labels
        return differences
    wrong: Floats = (columns.predictions != columns.labels).astype(np.float64)
    wrong[np.isnan(columns.predictions) | np.isnan(columns.labels)] = np.nan
    return wrong


def confidence_of(columns: OutcomeColumns) -> Floats | None:
    """The largest class score of each row, shape `(n,)`, NaN where one is missing; `None` without scores."""
    if columns.confidence is None and columns.scores is not None:
        largest: Floats = columns.scores.max(axis=1)
        return largest
    return columns.confidence


def _groups(output: LabelledOutput) -> Iterator[BinGroup]:
    columns = output.reference
    if output.task is Task.REGRESSION:
        uppers = _uppers(columns.predictions, _NUMBER_BINS, _NUMBER_BIN_ROWS)
        yield BinGroup(np.empty(0), "", uppers)
        return
    codes, counts = np.unique(columns.predictions[~np.isnan(columns.predictions)], return_counts=True)
    order = np.argsort(-counts, kind="stable")  # of classes with as many rows, the one with the lesser code is first
    texts = dict(zip(output.classes, output.class_texts, strict=True))
    for code in codes[order[:_CLASSES]]:
        yield _class_group(columns, np.array([code]), texts.get(float(code), f"#{code:.0f}"))
    if codes.size > _CLASSES:
        yield _class_group(columns, np.sort(codes[order[_CLASSES:]]), OTHER)


def _class_group(columns: OutcomeColumns, codes: Floats, text: str) -> BinGroup:
    confidence = confidence_of(columns)
    if confidence is None:
        return BinGroup(codes, text, np.empty(0))
    own = confidence[np.isin(columns.predictions, codes)]
    return BinGroup(codes, text, _uppers(own, _CLASS_BINS, _CLASS_BIN_ROWS))


def _uppers(values: Floats, most: int, least_rows: int) -> Floats:
    """The greatest value of each quantile but the last: at most `most` quantiles of at least `least_rows` values."""
    ordered = np.sort(values[~np.isnan(values)])
    quantiles = min(most, ordered.size // least_rows)
    ranks = [-(-ordered.size * step // quantiles) - 1 for step in range(1, quantiles)]
    uppers: list[float] = []
    begin = 0
    for upper in np.unique(ordered[ranks]).tolist():
        end = int(np.searchsorted(ordered, upper, side="right"))
        if end - begin >= least_rows and ordered.size - end >= least_rows:
            uppers.append(upper)
            begin = end
    return np.array(uppers, dtype=np.float64)


def _labels(groups: tuple[BinGroup, ...]) -> Iterator[str]:
    for group in groups:
        for lower, upper in group.ends():
            yield ", ".join(part for part in (group.text, _range_text(lower, upper)) if part) or "all"


def _range_text(lower: float | None, upper: float | None) -> str:
    """What a bin is between, with four significant digits; empty if it is open at both ends."""
    if lower is None:
        return "" if upper is None else f"up to {upper:.4g}"
    return f"above {lower:.4g}" if upper is None else f"{lower:.4g} to {upper:.4g}"

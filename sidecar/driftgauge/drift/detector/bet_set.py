"""The bets on all features of a stream, in arrays by feature, by score and by measured score."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.bets import Bets
from driftgauge.drift.detector.step_table import StepTable

Floats = NDArray[np.float64]


MOST_SCALED = 10.0
"""An event in a bucket of hours with a small share counts at most this many times as much as at the average hour."""


BLOCK_FEATURES = 32
"""Features whose rows are worked on at once: a piece of their scores takes a megabyte, which a processor's cache holds.
"""


def blocks_of(features: int) -> list[range]:
    """The indices of features in blocks."""
    return [range(first, min(first + BLOCK_FEATURES, features)) for first in range(0, features, BLOCK_FEATURES)]


class BetSet:
    """The bets on the `d` features of a reference.

    Args:
        bets: The bets on each feature; none on one that is ignored.

    Attributes:
        bets: As given.
        width: The most bets on one feature.
        log_weights: Shape `(d, width)`: the log of each bet's weight; minus infinity where a feature has fewer bets.
        scores: Scores of all features.
        score_slices: The scores of each feature.
        measured: Scores of all features whose dependence is measured.
        measured_slices: The measured scores of each feature: those of its values, then the one of missing values.
        of_values: Shape `(measured,)`: whether the score is of the values as a whole, such as location.
    """

    def __init__(self, bets: Sequence[Bets]) -> None:
        self.bets = tuple(bets)
        self.width = max((one.log_weights.size for one in bets), default=0)
        self.log_weights = self.by_feature([one.log_weights for one in bets])
        self.score_slices = _slices([one.score_table.shape[1] for one in bets])
        self.scores = sum(one.score_table.shape[1] for one in bets)
        self.measured_slices = _slices([one.own_factors.size for one in bets])
        self.measured = sum(one.own_factors.size for one in bets)
        of_values = [one.own_factors < one.main_scores for one in bets]
        self.of_values = np.concatenate([np.empty(0, dtype=np.bool_), *of_values])
        self._measured = [_measured_table(one, main) for one, main in zip(bets, of_values, strict=True)]

    def by_feature(self, lines: Sequence[Floats]) -> Floats:
        """Lines of unequal lengths, one for each feature, as one array that is filled up with minus infinity."""
        block = np.full((len(lines), self.width), -np.inf)
        for line, values in zip(block, lines, strict=True):
            line[: values.size] = values
        return block

    def log_by_feature(self, log_evidence: Floats) -> Floats:
        """The log of the weighted mean over each feature's bets: shape `(d,)`; minus infinity where there is none."""
        found: Floats = np.logaddexp.reduce(log_evidence + self.log_weights, axis=1, initial=-np.inf)
        return found

    def score_part(self, features: range) -> slice:
        """The scores of neighbouring features."""
        return slice(self.score_slices[features[0]].start, self.score_slices[features[-1]].stop)

    def measured_part(self, features: range) -> slice:
        """The measured scores of neighbouring features."""
        return slice(self.measured_slices[features[0]].start, self.measured_slices[features[-1]].stop)

    def measured_scores(self, cells: NDArray[np.integer], features: range) -> Floats:
        """The measured scores of rows: shape `(n, measured)`, for those of some features.

        Those of single events, such as a missing value, are 0 where the event does not happen: only events show how
        they depend on each other.

        Args:
            cells: Shape `(d, n)`: the cell of each row, of all features.
            features: The features.
        """
        return np.hstack([self._measured[feature].whole().take(cells[feature], axis=0) for feature in features])

    def first_scores(self, cells: NDArray[np.integer], features: range) -> Floats:
        """The first measured score of rows: shape `(n, f)`; NaN where a row lacks the feature, or nothing is bet on it.

        Args:
            cells: Shape `(d, n)`: the cell of each row, of all features.
            features: The features.
        """
        numbers = np.full((cells.shape[1], len(features)), np.nan)
        for column, feature in enumerate(features):
            bets = self.bets[feature]
            if bets.own_factors.size:
                scores = bets.score_table.column(int(bets.own_factors[0]))
                found = scores.take(cells[feature])
                numbers[:, column] = np.where(cells[feature] == scores.size - 1, np.nan, found)
        return numbers

    def all_scores(self, cells: NDArray[np.integer]) -> Floats:
        """All scores of rows: shape `(n, scores)`.

        Args:
            cells: Shape `(d, n)`: the cell of each row.
        """
        return np.hstack([bets.scores.take(line, axis=0) for bets, line in zip(self.bets, cells, strict=True)])

    def of_measured(self, of_scores: Floats) -> Floats:
        """Numbers of all scores, reduced to the measured ones."""
        each = zip(self.bets, self.score_slices, strict=True)
        return np.concatenate([of_scores[part][bets.own_factors] for bets, part in each])


def _measured_table(bets: Bets, of_values: NDArray[np.bool_]) -> StepTable:
    """`_measured`, which shares the scores of values with those of the bets: they are the same first columns."""
    shared = bets.score_table.varying[:, : int(of_values.sum())]
    table = StepTable.of_scores(_measured(bets, of_values), shared.shape[1])
    return replace(table, varying=shared)


def _measured(bets: Bets, of_values: NDArray[np.bool_]) -> Floats:
    """The measured scores of each cell; those of events are 0 where the event does not happen.

    Where an event is more frequent at some hours, its score is smaller there, so that its mean is the same at all
    hours.
    """
    if bets.own_factors.size == 0:
        return bets.scores
    scores = bets.scores[:, bets.own_factors].reshape(bets.buckets, -1, bets.own_factors.size)
    shares = np.maximum(-scores.min(axis=1, keepdims=True, initial=np.inf), 0.0)
    mean = shares.mean(axis=0, keepdims=True)
    scale = np.where(mean > 0, mean / np.where(mean > 0, np.maximum(shares, mean / MOST_SCALED), 1.0), 1.0)
    events = (scores + shares) * scale
    return np.where(of_values, scores, events).reshape(-1, bets.own_factors.size)


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = np.cumsum([0, *sizes]).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]

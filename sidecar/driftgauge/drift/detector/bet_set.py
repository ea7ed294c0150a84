"""The bets on all features of a stream, in arrays by feature, by score and by measured score."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.alike_bets import AlikeBets, alike_bets, lines
from driftgauge.drift.detector.bets import Bets
from driftgauge.drift.detector.step_table import StepTable

Floats = NDArray[np.float64]

_Element = TypeVar("_Element", bound=np.generic)

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
        feature_of: Shape `(measured,)`: the feature of each measured score.
        bet_on: The features with bets.
        last: For each of them, its last measured score: that of missing values.
        alike: The features in groups of one form, by block of `blocks_of`.
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
        sizes = np.array([one.own_factors.size for one in bets], dtype=np.intp)
        self.feature_of = np.repeat(np.arange(sizes.size), sizes)
        self.bet_on = np.flatnonzero(sizes)
        self.last = np.cumsum(sizes)[self.bet_on] - 1
        each = zip(bets, self.score_slices, strict=True)
        places = [part.start + one.own_factors for one, part in each]
        self._measured_scores = np.concatenate([np.empty(0, dtype=np.intp), *places])
        self._main = np.flatnonzero(self.of_values)  # every feature with bets has some, and they are neighbours
        self._first_main = np.flatnonzero(np.diff(self.feature_of[self._main], prepend=-1))
        self._first_score = np.array([one.start for one in self.score_slices], dtype=np.intp)
        self._first_measured = np.array([one.start for one in self.measured_slices], dtype=np.intp)
        self.alike = [alike_bets(self.bets, features) for features in blocks_of(len(bets))]

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

    def greatest_of_values(self, numbers: Floats, least: float) -> Floats:
        """The greatest number of each feature's scores of its values as a whole, and at least this: shape `(d,)`.

        Args:
            numbers: Shape `(measured,)`: a number of each measured score.
            least: What a feature without bets has.
        """
        found = np.full(len(self.bets), least)
        if self._main.size:
            found[self.bet_on] = np.maximum(np.maximum.reduceat(numbers[self._main], self._first_main), least)
        return found

    def any_of_values(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether a mask of measured scores holds for any of the scores of each feature's values: shape `(d,)`."""
        found = np.zeros(len(self.bets), dtype=np.bool_)
        found[self.feature_of[self._main[mask[self._main]]]] = True
        return found

    def of_missing(self, numbers: NDArray[_Element], otherwise: _Element) -> NDArray[_Element]:
        """The number of each feature's score of missing values; another one where nothing is bet on it: `(d,)`."""
        found = np.full(len(self.bets), otherwise)
        found[self.bet_on] = numbers[self.last]
        return found

    def measured_of_bet(self, bets: NDArray[np.int64]) -> NDArray[np.intp]:
        """The measured score whose dependence one bet of each feature has: shape `(bet_on,)`, of these features alone.

        Args:
            bets: Shape `(d,)`: the index of a bet of each feature.
        """
        found = np.empty(len(self.bets), dtype=np.intp)
        for block in self.alike:
            for group in block:
                if group.first.factor_of.size:
                    of_bet = group.first.factor_of[bets[group.features]]
                    found[group.features] = self._first_measured[group.features] + of_bet
        return found[self.bet_on]

    def alike_in(self, features: range) -> list[AlikeBets]:
        """Features of one of `blocks_of`, in groups of one form."""
        return self.alike[features.start // BLOCK_FEATURES]

    def measured_of_bets(self, group: AlikeBets) -> NDArray[np.intp]:
        """The measured score whose dependence each bet of some features has: shape `(f, b)`."""
        places: NDArray[np.intp] = self._first_measured[group.features, np.newaxis] + group.first.factor_of
        return places

    def scores_of(self, group: AlikeBets) -> NDArray[np.intp]:
        """The places of the scores of some features among all scores: shape `(f, j)`."""
        places: NDArray[np.intp] = self._first_score[group.features, np.newaxis] + np.arange(
            group.first.score_table.shape[1]
        )
        return places

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
            features: The features: one of `blocks_of`.
        """
        before = self.measured_slices[features[0]].start
        found = np.empty((cells.shape[1], self.measured_slices[features[-1]].stop - before))
        for group in self.alike_in(features):
            tables = [self._measured[feature] for feature in group.features.tolist()]
            own = self._first_measured[group.features, np.newaxis] - before + np.arange(tables[0].shape[1])
            found[:, own.ravel()] = lines(tables, cells[group.features]).swapaxes(0, 1).reshape(found.shape[0], -1)
        return found

    def first_scores(self, cells: NDArray[np.integer], features: range) -> Floats:
        """The first measured score of rows: shape `(n, f)`; NaN where a row lacks the feature, or nothing is bet on it.

        Args:
            cells: Shape `(d, n)`: the cell of each row, of all features.
            features: The features: one of `blocks_of`.
        """
        numbers = np.full((cells.shape[1], len(features)), np.nan)
        for group in self.alike_in(features):
            if group.first.own_factors.size:
                score, last = int(group.first.own_factors[0]), group.cells - 1
                scores = np.stack([bets.score_table.column(score) for bets in group.bets])
                own = cells[group.features]
                found = np.where(own == last, np.nan, np.take_along_axis(scores, own.astype(np.intp), axis=1))
                numbers[:, group.features - features.start] = found.T
        return numbers

    def all_scores(self, cells: NDArray[np.integer]) -> Floats:
        """All scores of rows: shape `(n, scores)`.

        Args:
            cells: Shape `(d, n)`: the cell of each row.
        """
        return np.hstack([bets.scores.take(line, axis=0) for bets, line in zip(self.bets, cells, strict=True)])

    def of_measured(self, of_scores: Floats) -> Floats:
        """Numbers of all scores, reduced to the measured ones."""
        reduced: Floats = of_scores[self._measured_scores]
        return reduced


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

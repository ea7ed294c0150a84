"""How much rows depend on each other, for each measured score: from the reference where it shows it, else the stream.

A reference whose rows are in the order of time shows dependence before the stream does. Where it shows enough of it,
its factor is used alone: rows of the stream that grow more alike than those of the reference are then a change, and no
excuse. Elsewhere the stream's own rows are added to those of the reference, if these are in order, else they start
alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget, EffectiveRows
from driftgauge.drift.detector.bet_set import BetSet, blocks_of
from driftgauge.drift.detector.bets import make_bets, no_bets
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.detector.request_correlation import add_requests, correlation_bounds, no_sums, row_weights
from driftgauge.drift.detector.span_sums import BOUNDED_ROWS, Dependence, Units, add_units, dependence, no_spans
from driftgauge.drift.profile import Profile

Floats = NDArray[np.float64]

STRONG_ROWS = 64
"""A reference shows enough of a score's dependence if blocks of so many rows are known, and the factor is bounded."""

REFERENCE_GROWTH = 2.0
"""A reference is known once: it must show more clearly than a stream that its dependence has stopped growing."""

ASSUMED_FACTOR = float(BOUNDED_ROWS)
"""Rows of unknown dependence: so many neighbours count as one row."""

ASSUMED_RARE_FACTOR = 8.0
"""The same of events that the reference hardly has, such as missing values, until seven pairs of blocks have some."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownDependence:
    """What is known of the dependence of each of `s` measured scores.

    Args:
        factors: Shape `(s,)`, at least 1: rows / effective rows, to divide the log of an e-value by.
        bounded: Shape `(s,)`: whether this is an upper bound.
        grows: Shape `(s,)`: whether the factor still grows with the span, so that there is no bound: rows are alike.
        assumed: Shape `(s,)`: whether the factor is that of rare events of which too few are known.
    """

    factors: Floats
    bounded: NDArray[np.bool_]
    grows: NDArray[np.bool_]
    assumed: NDArray[np.bool_]


def _nothing() -> None:
    """Let no other thread run."""


class ScoreDependence:
    """The dependence of all measured scores of a reference's features.

    Args:
        bet_set: The bets on the features.
        rows: The reference's rows, if they are in the order of time.
        checkpoint: Called between pieces of rows, so that other threads can run.

    Attributes:
        reference_factors: Shape `(s,)`, at least 1: rows / effective rows of the reference; 1 if its order is unknown.
        start_requests: Requests that `start_spans` has.
        start_spans: Shape `(SUMS, SPANS, s)`, float32: the sums before the stream's first row.
        start_correlation: The sums of the correlation within requests before the stream's first row.
        reference_weights: Shape `(s,)`, in (0, 1]: the mean weight of a row of the reference.
    """

    def __init__(
        self, bet_set: BetSet, rows: NewRows | None = None, checkpoint: Callable[[], object] = _nothing
    ) -> None:
        self._bet_set = bet_set
        self._checkpoint = checkpoint
        self._blocks = blocks_of(len(bet_set.bets))
        self.start_requests, self.start_spans = 0, no_spans(bet_set.measured)
        self.start_correlation = no_sums(bet_set.scores)
        self.reference_weights = np.ones(bet_set.measured)
        if rows is not None:
            self.start_requests = rows.starts.size
            self.start_correlation = self._learn(rows)
            correlations = bet_set.of_measured(correlation_bounds(self.start_correlation))
            self.start_spans = self.add(self.start_spans, 0, rows, correlations)
            lengths, requests = np.unique(rows.lengths, return_counts=True)  # few: a line for each request takes 200 MB
            self.reference_weights = (lengths * requests) @ row_weights(lengths, correlations) / rows.requests.size
        self._reference = self._of_values_together(dependence(self.start_spans, REFERENCE_GROWTH, ~bet_set.of_values))
        self.reference_factors = self._reference.factors
        self._strong = self._reference.bounded & (self._reference.longest >= STRONG_ROWS)

    def known(self, spans: NDArray[np.float32], rhythm: NDArray[np.bool_]) -> KnownDependence:
        """What is known after the rows of these sums.

        Args:
            spans: Shape `(SUMS, SPANS, s)`.
            rhythm: Shape `(d,)`: the features whose values have a rhythm that the reference lacks: they have no bound.
        """
        found = self._of_values_together(dependence(spans, events=~self._bet_set.of_values))
        assumed = np.where(self._bet_set.of_values, ASSUMED_FACTOR, ASSUMED_RARE_FACTOR)
        unknown = ~found.bounded & ~found.grows
        rare = np.where(self._bet_set.of_values, 1.0, found.rough)
        factors = np.where(unknown, np.maximum(np.maximum(found.factors, rare), assumed), found.factors)
        factors = np.where(self._strong, self.reference_factors, factors)
        grows = self._reference.grows | ~self._strong & found.grows
        of_rhythm = rhythm[self._bet_set.feature_of]
        of_rhythm[self._bet_set.last] = False
        grows[of_rhythm] = True
        factors[of_rhythm] = np.inf
        bounded = (self._strong | found.bounded) & ~grows
        rare = ~self._bet_set.of_values & ~bounded & ~grows
        return KnownDependence(factors=factors, bounded=bounded, grows=grows, assumed=rare)

    def _of_values_together(self, found: Dependence) -> Dependence:
        """Dependence with that of rare values at least that of the values as a whole, of which they are a part."""
        of_feature, of_values = self._bet_set.feature_of, self._bet_set.of_values
        is_value = np.ones(of_feature.size, dtype=np.bool_)
        is_value[self._bet_set.last] = False
        grows = found.grows | is_value & self._bet_set.any_of_values(found.grows)[of_feature]
        main = self._bet_set.greatest_of_values(found.factors, -np.inf)[of_feature]
        rare = is_value & ~found.bounded & ~of_values
        factors = np.where(rare, np.maximum(found.factors, main), found.factors)
        return replace(found, factors=factors, bounded=found.bounded & ~grows, grows=grows)

    def add(self, spans: NDArray[np.float32], before: int, rows: NewRows, correlations: Floats) -> NDArray[np.float32]:
        """The sums with further rows, which are added in pieces of bounded memory.

        Args:
            spans: Shape `(SUMS, SPANS, s)`.
            before: How many requests the sums have.
            rows: The new rows.
            correlations: Shape `(s,)`: bounds of the correlation of two rows of one request.
        """
        for piece in rows.pieces(PIECE_ROWS):
            after = np.empty_like(spans)
            for features in self._blocks:
                self._checkpoint()
                part = self._bet_set.measured_part(features)
                units = self._units(piece, features, correlations[part])
                after[..., part] = add_units(spans[..., part], before, units)
            spans, before = after, before + piece.starts.size
        return spans

    def _units(self, rows: NewRows, features: range, correlations: Floats) -> Units:
        """The sums of the measured scores of some features, of each request."""
        scores = self._bet_set.measured_scores(rows.cells, features)
        of_values = self._bet_set.of_values[self._bet_set.measured_part(features)]
        if rows.of_several.size == 0:
            return Units(scores, scores**2, np.ones_like(scores), of_values)
        weights = np.repeat(row_weights(rows.lengths, correlations), rows.lengths, axis=0)
        parts = (weights * scores, weights * scores**2, weights)
        totals, squares, weight = (np.add.reduceat(part, rows.starts, axis=0) for part in parts)
        return Units(totals, squares, weight, of_values)

    def _learn(self, rows: NewRows) -> Floats:
        """The sums of the correlation within requests of several rows."""
        sums = no_sums(self._bet_set.scores)
        for piece in rows.pieces(PIECE_ROWS):
            self._checkpoint()
            several = piece.lengths > 1
            if several.any():
                scores = self._bet_set.all_scores(piece.cells)
                totals, squares = (np.add.reduceat(one, piece.starts, axis=0)[several] for one in (scores, scores**2))
                sums = add_requests(sums, totals, squares, piece.lengths[several])
        return sums


PIECE_ROWS = 1_024
"""Rows that are added at once, but for a longer request."""


def rows_in_order(profiles: Sequence[Profile]) -> NewRows | None:
    """The rows of a reference in order; `None` if the order is not known. Rows of one time are those of one request."""
    in_order = [one.in_order for one in profiles if one.in_order is not None]
    if not in_order or len(in_order) != len(profiles):
        return None
    requests = profiles[0].requests
    return NewRows(np.stack(in_order), np.arange(in_order[0].size) if requests is None else requests)


def reference_effective_rows(
    profiles: Sequence[Profile], checkpoint: Callable[[], object] = _nothing
) -> list[EffectiveRows]:
    """How many independent rows each feature's reference is worth.

    Rows of an unknown order are taken to be independent. A model of hours costs as many times the rows as it has
    parameters.
    """
    ordered = all(one.in_order is not None for one in profiles)
    bets = []
    for one in profiles:
        checkpoint()
        bets.append(make_bets(one, _NO_TOLERANCE, 1) if ordered else no_bets(one))
    bet_set = BetSet(bets)
    dependence_of = ScoreDependence(bet_set, rows_in_order(profiles), checkpoint)
    factors = dependence_of.reference_factors / dependence_of.reference_weights
    worth = []
    for profile, part in zip(profiles, bet_set.measured_slices, strict=True):
        main = bet_set.of_values[part]
        values, missing = factors[part][main].max(initial=1.0), factors[part][-1:].max(initial=1.0)
        worth.append(
            EffectiveRows(
                max(1.0, profile.size / (float(values) * profile.parameters)),
                max(1.0, profile.rows / float(missing)),
            )
        )
    return worth


_NO_TOLERANCE = Budget(1.0, 1.0, 0.0)

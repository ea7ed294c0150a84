"""What is measured of a window: the distance of each feature's values, and the share of missing ones.

Numbers are measured in one numpy call for many features (`numeric_facts`), categories and missing values feature by
feature (`Sample`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import EffectiveRows
from driftgauge.drift.hours.hour_buckets import ExpectedShares
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import DriftTest
from driftgauge.drift.statistics.effects import Quantiles, deciles_of_each, wasserstein
from driftgauge.drift.statistics.ks import (
    RankedWindow,
    ranked_ks_statistics,
    sorted_ks_statistic,
    weighted_ks_statistics,
)

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """The statistic of one test, and what is needed to judge it.

    Args:
        test: Which test.
        statistic: In [0, 1].
        rows: How many values of the reference, and of the window, it was computed from; both at least 1.
        effective_rows: How many independent rows the window's values are worth, at least 1.
        counts: Rows of reference and window in each cell, for tests of shares; `None` for `ks`. Those of the window are
            sums of weights.
        category_counts: The same for each single category, where a cell holds several. The reference's counts chose
            which categories have a cell of their own, and a p-value must not depend on that choice.
        categories: How many categories the reference knows, those without a cell of their own included; 0 but for `tv`.
        reference_effective_rows: How many independent rows the reference's values are worth; `None` if all are.
        raised: Whether the test alarmed at the last look: the alarm ends below a lower threshold.
        kept: Whether the alarm lasts while no threshold can be given.
    """

    test: DriftTest
    statistic: float
    rows: tuple[int, int]
    effective_rows: float
    counts: tuple[Counts, Counts] | None = None
    category_counts: tuple[Counts, Counts] | None = None
    categories: int = 0
    reference_effective_rows: float | None = None
    raised: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a feature from before its window.

    Args:
        factor: Values per independent value, at least 1; infinity if it has no bound.
        missing_factor: The same of rows, as to whether they lack the feature.
        raised: Whether the test of the values, and that of missing ones, alarmed at the last look.
        alike: Whether the dependence of the values grows without bound.
        missing_alike: Whether that of missing values does.
        unknown: Whether it is not known yet.
        reachable: Whether the detector could alarm within as many rows as the window has.
        rhythm: Whether the values have a rhythm of the day that the reference cannot explain.
        kept: Whether the rows have become alike after a day in which they were not.
        hour_known: Whether the reference has rows of the hour of the newest row.
    """

    factor: float = 1.0
    missing_factor: float = 1.0
    raised: tuple[bool, bool] = (False, False)
    alike: bool = False
    missing_alike: bool = False
    unknown: bool = False
    reachable: bool = False
    rhythm: bool = False
    kept: bool = False
    hour_known: bool = True


NO_PAST = Past()


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One feature of a window.

    Args:
        profile: The feature's reference.
        values: The values that are present, sorted ascending.
        missing: Rows without a value.
        past: What is known from before the window.
        ks: The KS statistic of the values, if it is known already.
        reference: How many independent rows the reference is worth; `None` if all are independent.
        expected: The shares of the reference at the hours of the window, if they depend on the hour.
        weights: The weight of each value, in their order; `None` if all are 1.
        row_weights: For the share of missing values: the sum of the weights of the rows with a value, and of those
            without; `None` if all are 1.
    """

    profile: Profile
    values: NDArray[np.float64]
    missing: int
    past: Past = NO_PAST
    ks: float | None = None
    reference: EffectiveRows | None = None
    expected: ExpectedShares | None = None
    weights: NDArray[np.float64] | None = None
    row_weights: tuple[float, float] | None = None

    @property
    def weight(self) -> float:
        """The sum of the weights of the values."""
        return float(self.values.size if self.weights is None else self.weights.sum())

    @property
    def present_and_missing(self) -> tuple[float, float]:
        """The sum of the weights of the rows with a value, and of those without."""
        return (float(self.values.size), float(self.missing)) if self.row_weights is None else self.row_weights

    @property
    def rows(self) -> int:
        """Rows of the window, those without a value included."""
        return self.values.size + self.missing

    def effective_rows(self, weight: float) -> float:
        """How many independent values are worth as much as values of this sum of weights, at least 1."""
        return max(1.0, weight / self.past.factor)

    def measure(self, min_rows: int) -> tuple[Measurement, ...]:
        """The distance of the values, if there are enough, and the gap of missing ones, if either side has any.

        Args:
            min_rows: Fewest values for a distance, and fewest rows for a share of missing values; at least 1.
        """
        distance = self._distance() if self.values.size >= min_rows else None
        missing = self._missing() if self.rows >= min_rows else None
        return tuple(one for one in (distance, missing) if one is not None)

    def _distance(self) -> Measurement:
        if self.profile.kind is FeatureKind.NUMERIC:
            ks = sorted_ks_statistic(self.profile.values, self.values) if self.ks is None else self.ks
            rows = self.profile.size, self.values.size
            return Measurement(
                DriftTest.KS,
                ks,
                rows,
                self.effective_rows(self.weight),
                reference_effective_rows=self._worth(of_values=True),
                raised=self.past.raised[0],
                kept=self.past.kept,
            )
        cells = self.profile.cells
        reference = np.rint(cells.shares * self.profile.size)
        if self.expected is not None:
            reference = self.expected.cells * self.profile.size
        window = np.bincount(cells.index(self.values), self.weights, cells.shares.size).astype(np.float64)
        return self._gap_of_shares(DriftTest.TV, reference, window, self.values.size, self.past.factor)

    def _missing(self) -> Measurement | None:
        if self.missing == 0 and self.profile.missing == 0:
            return None
        reference = np.array([self.profile.size, self.profile.missing], dtype=np.float64)
        if self.expected is not None:
            reference = self.profile.rows * np.array([1 - self.expected.missing, self.expected.missing])
        window = np.array(self.present_and_missing)
        return self._gap_of_shares(DriftTest.MISSING, reference, window, self.rows, self.past.missing_factor)

    def _gap_of_shares(
        self, test: DriftTest, reference: Counts, window: Counts, window_rows: int, factor: float
    ) -> Measurement:
        by_category = test is DriftTest.TV
        return Measurement(
            test=test,
            statistic=total_variation(reference, window),
            rows=(round(float(reference.sum())), window_rows),
            effective_rows=max(1.0, float(window.sum()) / factor),
            counts=(reference, window),
            reference_effective_rows=self._worth(of_values=by_category),
            raised=self.past.raised[0 if by_category else 1],
            kept=self.past.kept and by_category,
            category_counts=self._category_counts() if by_category and self.expected is None else None,
            categories=self.profile.cells.bounds.size if by_category else 0,
        )

    def _worth(self, *, of_values: bool) -> float | None:
        """How many independent rows the shares of the reference are known from; `None` if from all of its rows."""
        if self.reference is None:
            return None
        rows = self.reference.values if of_values else self.reference.all
        if self.expected is not None:
            rows /= self.expected.value_rows if of_values else self.expected.missing_rows
        return max(1.0, rows)

    def _category_counts(self) -> tuple[Counts, Counts]:
        known = self.profile.values
        codes = np.union1d(known, self.values)
        reference = np.bincount(np.searchsorted(codes, known), minlength=codes.size)
        window = np.bincount(np.searchsorted(codes, self.values), self.weights, codes.size)
        return reference.astype(np.float64), window.astype(np.float64)


def total_variation(reference: Counts, window: Counts) -> float:
    """The largest gap between the shares of any set of cells, in [0, 1].

    Args:
        reference: Shape `(k,)`, at least 0, not all 0.
        window: Shape `(k,)`, at least 0, not all 0.
    """
    return float(np.abs(reference / reference.sum() - window / window.sum()).sum() / 2)


_BLOCK_VALUES = 2**15
"""Values per numpy call: they fit into a processor's cache, and no call takes a millisecond."""


@dataclass(frozen=True, slots=True)
class NumericFacts:
    """The facts of one numeric feature.

    Args:
        ks: The KS statistic, in [0, 1].
        wasserstein: The first Wasserstein distance, in the reference's standard deviations; `None` where that is 0.
        deciles: The deciles of the window, ascending.
    """

    ks: float
    wasserstein: float | None
    deciles: tuple[float, ...]


def numeric_facts(
    window: RankedWindow, quantiles: Sequence[Quantiles | None], reference_rows: Sequence[int]
) -> Mapping[int, NumericFacts]:
    """The facts of each numeric feature that has values, by its position in the window.

    Args:
        window: `d` features.
        quantiles: The quantiles of each feature's reference; `None` for features that are not numeric.
        reference_rows: The number of values of each feature's reference, at least 1.
    """
    facts: dict[int, NumericFacts] = {}
    for positions, m, n in _blocks(window, quantiles, reference_rows):
        values, below, at_most = (
            window.values[positions, :n],
            window.below[positions, :n],
            window.at_most[positions, :n],
        )
        if window.weights is None:
            distances = ranked_ks_statistics(m, below, at_most)
        else:
            distances = weighted_ks_statistics(m, below, at_most, window.weights[positions, :n])
        references = [one for position in positions if (one := quantiles[position]) is not None]
        each = zip(
            distances.tolist(),
            wasserstein(references, values, at_most),
            deciles_of_each(values),
            strict=True,
        )
        facts.update(zip(positions, (NumericFacts(*one) for one in each), strict=True))
    return facts


def _blocks(
    window: RankedWindow, quantiles: Sequence[Quantiles | None], reference_rows: Sequence[int]
) -> Iterator[tuple[list[int], int, int]]:
    """Positions of features whose references are of one size and whose windows are too; and both sizes."""
    alike: dict[tuple[int, int], list[int]] = {}
    for position, sizes in enumerate(zip(reference_rows, window.sizes, strict=True)):
        if quantiles[position] is not None and sizes[1]:
            alike.setdefault(sizes, []).append(position)
    for (m, n), positions in alike.items():
        width = max(1, _BLOCK_VALUES // n)
        yield from ((positions[first : first + width], m, n) for first in range(0, len(positions), width))

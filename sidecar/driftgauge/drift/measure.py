"""What is measured of one feature's window: how far its values lie, and how many are missing.

This room is pure: numpy in, numbers out.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import DriftTest
from driftgauge.drift.statistics.ks import sorted_ks_statistic

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One test's statistic, before anybody says what it means.

    Args:
        test: Which test.
        statistic: In [0, 1].
        rows: How many values of the reference, and of the window, it was computed from; both at least 1.
        counts: Both sides' rows in each cell, for tests of shares; `None` for `ks`.
        every: The same of each category by itself, where cells join some: the reference chose which ones, and a
            p-value must not depend on that choice.
        categories: Categories that the reference knows, those that share a cell included; 0 but for `tv`.
    """

    test: DriftTest
    statistic: float
    rows: tuple[int, int]
    counts: tuple[Counts, Counts] | None = None
    every: tuple[Counts, Counts] | None = None
    categories: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One feature of a window.

    Args:
        profile: Its reference.
        window: The values that are present, sorted ascending.
        missing: Rows that lack it.
        statistic: The KS statistic of its values, where it is known already.
    """

    profile: Profile
    window: NDArray[np.float64]
    missing: int
    statistic: float | None = None

    def measurements(self, min_rows: int) -> tuple[Measurement, ...]:
        """The distance of its values, if there are enough, and the share of missing ones, if there are any."""
        distance = self._distance() if self.window.size >= min_rows else None
        missing = self._missing() if self.window.size + self.missing >= min_rows else None
        return tuple(one for one in (distance, missing) if one is not None)

    def _distance(self) -> Measurement:
        rows = self.profile.values.size, self.window.size
        if self.profile.kind is FeatureKind.NUMERIC:
            known = self.statistic
            found = sorted_ks_statistic(self.profile.values, self.window) if known is None else known
            return Measurement(DriftTest.KS, found, rows)
        reference = np.rint(self.profile.cells.shares * self.profile.values.size)
        window = self.profile.cells.count(self.window).astype(np.float64)
        counted = _of_counts(DriftTest.TV, (reference, window))
        return replace(counted, every=self._of_every_category(), categories=self.profile.cells.bounds.size)

    def _of_every_category(self) -> tuple[Counts, Counts]:
        codes = np.union1d(self.profile.values, self.window)
        reference, window = (
            np.diff(np.searchsorted(side, codes, side="right"), prepend=0).astype(np.float64)
            for side in (self.profile.values, self.window)
        )
        return reference, window

    def _missing(self) -> Measurement | None:
        if self.missing == 0 and self.profile.missing == 0:
            return None
        reference = np.array([self.profile.values.size, self.profile.missing], dtype=np.float64)
        window = np.array([self.window.size, self.missing], dtype=np.float64)
        return _of_counts(DriftTest.MISSING, (reference, window))


def total_variation(reference: Counts, window: Counts) -> float:
    """The largest gap between the shares of any set of cells, in [0, 1].

    Args:
        reference: Shape `(k,)`, at least 0, not all 0.
        window: Likewise.
    """
    return float(np.abs(reference / reference.sum() - window / window.sum()).sum() / 2)


def _of_counts(test: DriftTest, counts: tuple[Counts, Counts]) -> Measurement:
    reference, window = counts
    rows = int(reference.sum()), int(window.sum())
    return Measurement(test, total_variation(reference, window), rows, counts)

"""P-values of two sets of labelled rows: whether errors rose, and whether they changed given what the model said."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from driftgauge.drift.outcomes.outcome_columns import Floats, LabelledOutput, OutcomeColumns, Task
from driftgauge.drift.outcomes.prediction_bins import NO_BIN, PredictionBins, errors_of

_LEAST_EXPECTED = 5.0
"""A bin adds to the sum over bins only if it expects so many rows of the window on either side (Cochran's rule)."""


def performance_p_value(output: LabelledOutput, window: OutcomeColumns) -> float:
    """The chance of so many more errors in the window than in the reference, if they are as frequent in both.

    Args:
        output: The output, with its reference.
        window: At least one row, each with a prediction and a label.

    Returns:
        One-sided: small if the window is worse. Of classes that of Fisher's exact test of both shares of errors, of
        numbers that of the Mann-Whitney test of both sets of absolute errors.
    """
    before, after = errors_of(output.task, output.reference), errors_of(output.task, window)
    if output.task is Task.REGRESSION:
        return float(stats.mannwhitneyu(np.abs(after), np.abs(before), alternative="greater").pvalue)
    table = np.array([[np.count_nonzero(one), np.count_nonzero(one == 0)] for one in (after, before)])
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def least_p_value(output: LabelledOutput, rows: int) -> float:
    """The p-value of performance if every one of so many rows is wrong, or has a larger error than all before."""
    if output.task is Task.REGRESSION:
        before = np.arange(float(output.reference.labels.size))
        after = np.full(rows, before.size)
        return float(stats.mannwhitneyu(after, before, alternative="greater").pvalue)
    wrong = int(np.count_nonzero(errors_of(output.task, output.reference)))
    table = np.array([[rows, 0], [wrong, output.reference.labels.size - wrong]])
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def concept_p_value(output: LabelledOutput, bins: PredictionBins, window: OutcomeColumns) -> float | None:
    """The chance of errors that differ so much from the reference's given the bin, if they are equal in every bin.

    Args:
        output: The output, with its reference.
        bins: The bins of its predictions.
        window: The rows of the window, each with a prediction and a label.

    Returns:
        The least p-value of several tests, times their number. Of classes these are the Cochran-Mantel-Haenszel test,
        for errors that rose or fell everywhere, and the chi-square over all bins, for changes that cancel. Of numbers
        they are the same two of the ranks of prediction - label within the bin, and the first one of how far these
        ranks are from the middle. `None` if no row of the window is in a bin.
    """
    places = np.concatenate([bins.find(output.reference), bins.find(window)])
    of_window = np.arange(places.size) >= output.reference.labels.size
    kept = places != NO_BIN
    errors = np.concatenate([errors_of(output.task, output.reference), errors_of(output.task, window)])[kept]
    places, of_window = places[kept], of_window[kept]
    if not of_window.any():
        return None
    if output.task is Task.CLASSIFICATION:
        strata = Strata.of(errors, places, of_window)
        values = [strata.mean_p_value(), strata.sum_p_value()]
    else:
        ranks = _ranks(errors, places)
        location = Strata.of(ranks, places, of_window)
        spread = Strata.of((ranks - 1 / 2) ** 2, places, of_window)
        values = [location.mean_p_value(), location.sum_p_value(), spread.mean_p_value()]
    return min(1.0, len(values) * min(values))


def _ranks(values: Floats, places: NDArray[np.intp]) -> Floats:
    """The rank of each value in its bin, in (0, 1); equal values have their mean rank."""
    ranks = np.empty(values.size)
    for place in np.unique(places):
        here = places == place
        ranks[here] = (stats.rankdata(values[here]) - 1 / 2) / np.count_nonzero(here)
    return ranks


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """The sum of the scores of the window's rows in each of `b` bins, and its distribution if rows are exchangeable.

    Args:
        differences: Shape `(b,)`: the sums less their means.
        variances: Shape `(b,)`: their variances.
        expected: Shape `(b,)`: for scores of 0 and 1, the least mean number of rows of the window, or of the reference,
            with either score; for other scores the rows of the smaller side.
    """

    differences: Floats
    variances: Floats
    expected: Floats

    @staticmethod
    def of(scores: Floats, places: NDArray[np.intp], of_window: NDArray[np.bool_]) -> "Strata":
        """The strata of rows.

        Args:
            scores: Shape `(n,)`.
            places: Shape `(n,)`: the bin of each row.
            of_window: Shape `(n,)`: whether it is of the window.

        Notes:
            With the rows of a bin in any order, the sum of the scores of n of N rows has the mean n s and the variance
            n (N - n) / (N - 1) times that of the scores.
        """
        count = int(places.max(initial=0)) + 1

        def sums(values: Floats) -> Floats:
            return np.bincount(places, weights=values, minlength=count).astype(np.float64)

        rows, window = sums(np.ones(scores.size)), sums(of_window.astype(np.float64))
        whole = np.maximum(rows, 1.0)
        means = sums(scores) / whole
        spread = sums((scores - means[places]) ** 2) / whole
        variances = window * (rows - window) / np.maximum(rows - 1, 1.0) * spread
        smaller = np.minimum(window, rows - window)
        is_binary = bool(np.isin(scores, (0.0, 1.0)).all())
        expected = smaller * np.minimum(means, 1 - means) if is_binary else smaller
        return Strata(sums(scores * of_window) - window * means, variances, expected)

    def mean_p_value(self) -> float:
        """Two-sided, of the sum of all differences: the Cochran-Mantel-Haenszel test where scores are 0 and 1.

        Source:
            N. Mantel, W. Haenszel, "Statistical Aspects of the Analysis of Data from Retrospective Studies of Disease",
            JNCI 22, 1959, without a correction for continuity; of ranks P. van Elteren, 1960, with equal weights.
        """
        variance = float(self.variances.sum())
        if variance <= 0:
            return 1.0
        return float(stats.chi2.sf(float(self.differences.sum()) ** 2 / variance, 1))

    def sum_p_value(self) -> float:
        """Of the sum of the squared differences in units of their variances, over bins with enough expected rows."""
        kept = (self.variances > 0) & (self.expected >= _LEAST_EXPECTED)
        if not kept.any():
            return 1.0
        total = float((self.differences[kept] ** 2 / self.variances[kept]).sum())
        return float(stats.chi2.sf(total, np.count_nonzero(kept)))

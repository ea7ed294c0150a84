"""Who gets a label: whether the labelled responses differ from all responses in what the model said."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from driftgauge.drift.statistics.concentration import cells_error

_RISK = 0.01
"""Chance that randomly chosen labels differ by more than chance is said to explain."""

NEWEST: Final = (100, 150, 200, 300, 400, 600, 800, 1_200)
"""Of so many labels that came last it is asked, too, whether they are selected.

Selected labels are soon evidence: an alarm may come 145 labels after a selection begins, when all described rows, which
are 2,000 by default, do not show it yet.
"""


class BinsInTime(NamedTuple):
    """Rows by the bins of their predictions and the times of their responses.

    Args:
        places: Shape `(n,)`: the bin of each row; -1 counts as a bin.
        times: Shape `(n,)`: when its response passed, in seconds since the epoch.
    """

    places: NDArray[np.intp]
    times: NDArray[np.float64]


def selection_of(bins: PredictionBins, labelled: NDArray[np.intp], responses: NDArray[np.intp]) -> float | None:
    """The total variation between the bins of the labelled responses and those of all responses.

    Args:
        bins: The bins of predictions.
        labelled: Shape `(n,)`: the bin of each labelled response; -1 counts as a bin.
        responses: Shape `(m,)`: the bin of each response, or of a uniform sample.

    Returns:
        In [0, 1]; `None` if one side has no rows.
    """
    if not labelled.size or not responses.size:
        return None
    counts = [np.bincount(places + 1, minlength=bins.count + 1) / places.size for places in (labelled, responses)]
    return float(np.abs(counts[0] - counts[1]).sum() / 2)


def selection_by_chance(bins: PredictionBins, labelled_rows: float, response_rows: float, risk: float = _RISK) -> float:
    """The selection that labels of randomly chosen responses exceed with a chance of at most `risk`.

    Few labels differ from all responses by chance alone: 200 of many, in 17 bins, by up to 0.2.

    Args:
        bins: The bins of predictions.
        labelled_rows: Effective rows with a label, above 0.
        response_rows: Effective rows of the responses, or of a uniform sample, above 0.
        risk: In (0, 1).

    Returns:
        In [0, 1].

    Notes:
        The total variation of two samples is the greatest difference of their shares of any set of bins. By Hoeffding
        that of n and m independent rows is as that of n m / (n + m) rows from their distribution, so that its bounds
        hold; and those of labelled responses that are among the m differ less.
    """
    worth = 1 / (1 / labelled_rows + 1 / response_rows)
    return min(1.0, cells_error(worth, bins.count + 1, risk))


def is_selected(
    selection: float | None,
    bins: PredictionBins,
    labelled_rows: float,
    response_rows: float,
    tolerance: float,
    risk: float = _RISK,
) -> bool:
    """Whether the labelled responses are others than all responses, beyond the tolerance and what chance explains.

    Args:
        selection: The total variation between the bins of both, in [0, 1]; `None` if it is unknown.
        bins: The bins of predictions.
        labelled_rows: Effective rows with a label.
        response_rows: Effective rows of the responses, or of a uniform sample.
        tolerance: The largest difference that does not matter, in [0, 1).
        risk: Chance that randomly chosen labels differ by more than chance is said to explain, at most.
    """
    if selection is None or labelled_rows <= 0 or response_rows <= 0:
        return False
    return selection > tolerance + selection_by_chance(bins, labelled_rows, response_rows, risk)


def newest_are_selected(
    bins: PredictionBins, labelled: BinsInTime, responses: BinsInTime, worth: float, tolerance: float, *, least: int
) -> bool:
    """Whether the labels that came last are others than all responses of their time.

    Args:
        bins: The bins of predictions.
        labelled: The described rows, in the order in which their labels came.
        responses: All responses of their time, or a uniform sample.
        worth: How many independent rows a labelled row is worth, in (0, 1].
        tolerance: As of `is_selected`.
        least: How many labels came since the last look. Fewer are not asked about: they may be sorted.
    """
    for number in NEWEST:
        if least <= number < labelled.places.size:
            places, times = labelled.places[-number:], labelled.times[-number:]
            same_time = responses.places[(responses.times >= times.min()) & (responses.times <= times.max())]
            selection = selection_of(bins, places, same_time)
            if is_selected(selection, bins, worth * number, same_time.size, tolerance, _RISK / len(NEWEST)):
                return True
    return False

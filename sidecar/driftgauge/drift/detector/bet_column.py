"""One column of a stream that a detector bets on: a feature, or a loss that is computed from several columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.bets import Bets


@dataclass(frozen=True, slots=True, eq=False)
class BetColumn:
    """The bets on one column, and what is known of the scores whose dependence is measured.

    Args:
        bets: The bets; none on a column that is ignored.
        score_names: The name of each of the `f` measured scores, as the JSON shows it; several may have one name.
        varying: Shape `(f,)`: which of them vary among the rows of the reference.
    """

    bets: Bets
    score_names: Sequence[str]
    varying: NDArray[np.bool_]

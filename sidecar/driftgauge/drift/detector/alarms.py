"""Alarms of the detector: they begin at the threshold, and end by evidence that the change is over.

While an alarm lasts, a second e-process bets against "at least half of the change is still there". The bet that led when
the alarm began multiplied each row's evidence by b, and gained b - 1 on average. While it still gains half of that, c,
the mean of 1 - l (b - 1 - c) / (max b - 1 - c) is at most 1 for any l in (0, 1); when the change is over, it is above 1.
The product over the rows starts again at 1 at each look at which it is below; a few rows without the change end nothing.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RECOVERY_STAKES = np.array([0.05, 0.15, 0.5, 0.9])
"""Stakes of the bets against a lasting change."""

LOG_RECOVERY = math.log(10_000)
"""An alarm ends when the mean over these bets has reached this: about 1,300 rows of independent traffic after the end of
a change, and hardly ever while it lasts."""


def recovery_logs(log_factors: Floats, half: float) -> Floats:
    """What a row in each cell adds to the log of each bet against a lasting change: shape `(k + 1, 4)`.

    Args:
        log_factors: Shape `(k + 1,)`: what such a row adds to the log of the bet that led when the alarm began.
        half: Half of what that bet gained on average of a row of the change, at least 0.
    """
    gains = np.expm1(log_factors)
    greatest = gains.max()
    if greatest <= half:
        return np.zeros((log_factors.size, RECOVERY_STAKES.size))
    logs: Floats = np.log1p(-RECOVERY_STAKES * ((gains - half) / (greatest - half))[:, np.newaxis])
    return logs


def is_over(recovery: Floats) -> NDArray[np.bool_]:
    """Whether the change of each feature is over: shape `(d,)`.

    Args:
        recovery: Shape `(d, 4)`: the log of each bet against it.
    """
    mean = np.logaddexp.reduce(recovery, axis=1) - math.log(RECOVERY_STAKES.size)
    return np.asarray(mean >= LOG_RECOVERY)

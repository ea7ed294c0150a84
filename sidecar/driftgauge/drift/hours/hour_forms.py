"""The forms that the dependence of a feature on the hour may have."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.local_hours import SLOTS_A_DAY, SLOTS_AN_HOUR

Floats = NDArray[np.float64]

BUCKETS = 24


@dataclass(frozen=True, slots=True)
class HourForm:
    """One form: what the mean and the logarithm of the standard deviation are a linear combination of.

    Args:
        harmonics: Sines and cosines of so many multiples of the day's frequency.
        buckets: One constant for each hour instead.
        weekend: A second set of all these for the weekend.
    """

    harmonics: int = 0
    buckets: bool = False
    weekend: bool = False

    @property
    def name(self) -> str:
        """As in "h2 x weekend" or "b24"."""
        if self.buckets:
            return f"b{self.parameters}"
        return f"h{self.harmonics}{' x weekend' if self.weekend else ''}"

    @property
    def parameters(self) -> int:
        """Coefficients of the mean. The standard deviation has as many."""
        once = BUCKETS if self.buckets else 2 * self.harmonics + 1
        return 2 * once if self.weekend else once

    @property
    def is_constant(self) -> bool:
        """Whether nothing depends on the hour."""
        return self.parameters == 1

    @property
    def ones(self) -> Floats:
        """The coefficients whose combination is 1 in every slot: shape `(parameters,)`."""
        once = np.ones(BUCKETS) if self.buckets else np.eye(2 * self.harmonics + 1)[0]
        return np.tile(once, 2) if self.weekend else once


FORMS = tuple(
    sorted(
        [HourForm(count, weekend=weekend) for count in (0, 1, 2, 3, 4, 6) for weekend in (False, True)]
        + [HourForm(buckets=True, weekend=weekend) for weekend in (False, True)],
        key=lambda form: form.parameters,
    )
)
"""All forms, the one with the fewest parameters first."""


@cache
def design(form: HourForm) -> Floats:
    """The regressors of each slot: shape `(SLOTS, parameters)`, read-only."""
    of_day = _buckets() if form.buckets else _harmonics(form.harmonics)
    if form.weekend:
        nothing = np.zeros_like(of_day)
        whole = np.block([[of_day, nothing], [nothing, of_day]])
    else:
        whole = np.vstack([of_day, of_day])
    whole.flags.writeable = False
    return whole


def _harmonics(count: int) -> Floats:
    turn = 2 * np.pi * (np.arange(SLOTS_A_DAY) + 0.5) / SLOTS_A_DAY
    waves = [wave(multiple * turn) for multiple in range(1, count + 1) for wave in (np.sin, np.cos)]
    return np.column_stack([np.ones(SLOTS_A_DAY), *waves])


def _buckets() -> Floats:
    return np.repeat(np.eye(BUCKETS), SLOTS_AN_HOUR, axis=0)

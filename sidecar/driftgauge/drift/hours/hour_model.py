"""How the mean and the spread of a numeric feature depend on the hour, and values without this dependence."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.hour_forms import HourForm, design
from driftgauge.drift.hours.local_hours import local_hours

Floats = NDArray[np.float64]

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True)
class HourModel:
    """x = mu(t) + sigma(t) z, where mu and log sigma are linear in the regressors of a form.

    A feature's value at the average hour is m + s z, where m is the mean of mu and s the root mean square of sigma over
    the rows of the reference.

    Args:
        form: The form of mu and of log sigma.
        zone: The time zone of the hours.
        mean: The coefficients of (mu - m) / s.
        log_spread: The coefficients of log(sigma / s).
        mean_range: The lowest and the highest (mu - m) / s of the reference's hours. Other hours are clipped to them.
        log_spread_range: The same of log(sigma / s).
        level: m, in the unit of the feature.
        spread: s, in the unit of the feature.
    """

    form: HourForm
    zone: str
    mean: tuple[float, ...] = (0.0,)
    log_spread: tuple[float, ...] = (0.0,)
    mean_range: tuple[float, float] = (0.0, 0.0)
    log_spread_range: tuple[float, float] = (0.0, 0.0)
    level: float = 0.0
    spread: float = 1.0

    @property
    def name(self) -> str:
        """The name of the form: "h0" where nothing depends on the hour."""
        return self.form.name

    @property
    def parameters(self) -> int:
        """Coefficients of the mean: a reference of m rows estimates each hour like m / parameters rows."""
        return self.form.parameters

    def scaled(self, level: float, spread: float) -> "HourModel":
        """The model of values x of which this is the model of (x - level) / spread."""
        return replace(self, level=level + spread * self.level, spread=spread * self.spread)

    def adjust(self, values: Floats, times: Floats) -> Floats:
        """The values as they would be at the average hour, in the feature's unit: shape `(n,)`.

        NaN stays NaN, and finite values stay finite. A model named "h0" returns the values as they are.

        Args:
            values: Shape `(n,)`.
            times: Shape `(n,)`: seconds since the epoch.
        """
        if self.form.is_constant:
            return values
        return self.adjust_in_slots(values, local_hours(times, self.zone).slots)

    def adjust_in_slots(self, values: Floats, slots: NDArray[np.intp]) -> Floats:
        """The same, for rows whose slots (see `local_hours`) are known."""
        if self.form.is_constant:
            return values
        mean, factor = self._by_slot()
        with np.errstate(over="ignore"):
            moved = self.level + (values - self.level - mean[slots]) * factor[slots]
        return np.where(np.isfinite(values), np.clip(moved, -_LARGEST, _LARGEST), values)

    def _by_slot(self) -> tuple[Floats, Floats]:
        """The values of mu - m and s / sigma of each slot."""
        regressors = design(self.form)
        mean = np.clip(regressors @ np.array(self.mean), *self.mean_range)
        log_spread = np.clip(regressors @ np.array(self.log_spread), *self.log_spread_range)
        return mean * self.spread, np.exp(-log_spread)

"""Clauses on how a feature's rows differ from its reference: a broken schema, a new unit, or drift.

Each function below returns a clause, or nothing if it does not apply; `explain_change` takes the first that does. What
may be noise in so few rows is left out.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import Change
from driftgauge.drift.statistics.ks import sorted_ks_statistic
from driftgauge.drift.unit_change import unit_change
from driftgauge.drift.unit_conversions import three_digits

_MOST = 0.5
"""A share of rows above this is called most of them."""

_SCHEMA_SHARE = 0.2
"""From this share on, values that the reference does not have point to the schema."""

_NOTICEABLE_SHIFT = 0.1
"""Least shift of the mean that is mentioned, in standard deviations of the reference."""

_NOTICEABLE_RATIO = 1.2
"""Least ratio of interquartile ranges, or of its inverse, that is mentioned."""

_VISIBLE_DISTANCE = 0.05
"""Least distance of two distributions that is called another shape."""

_NOTICEABLE_CHANGE = 0.02
"""Least change of a share that is mentioned."""

_RARE = 0.02
"""A share below this, or as near to 1, is written with one more digit."""

_FEWEST_ALIKE = 10
"""Values of a window that must all be one value to be called constant."""

_LONGEST_TEXT = 40
"""Characters of a category's text that are written."""


def explain_change(profile: Profile, values: NDArray[np.float64], missing: int) -> tuple[Change, str]:
    """The kind of a change, and a clause that describes it.

    Args:
        profile: The feature's reference.
        values: Shape `(n,)`: the values that are present, sorted ascending; may be empty.
        missing: Rows without a value; with the values at least one row.
    """
    broken = _lacking(profile, values, missing) or _other_values(profile, values)
    if broken is not None:
        return Change.SCHEMA, broken
    rescaled = unit_change(profile.values, values) if profile.kind is FeatureKind.NUMERIC else None
    if rescaled is not None:
        return Change.SCALE, rescaled
    filled = _filled_in(profile, values) if profile.kind is FeatureKind.NUMERIC else None
    if filled is not None:
        return Change.SCHEMA, filled
    return Change.DRIFT, "; ".join(_drift(profile, values, missing))


def _lacking(profile: Profile, window: NDArray[np.float64], missing: int) -> str | None:
    """The feature is gone: from most rows, and from at least half of those that should have it."""
    before, now = profile.missing / profile.rows, missing / (window.size + missing)
    if window.size and (now <= _MOST or 1 - now > (1 - before) / 2):
        return None
    rows = "no row has" if window.size == 0 else f"{_percent(now)} of the rows lack"
    return f"{rows} this feature (missing in the reference: {_percent(before)})"


def _other_values(profile: Profile, window: NDArray[np.float64]) -> str | None:
    """The values are others than the reference's: unknown categories, or one value where the reference's vary."""
    if profile.kind is FeatureKind.CATEGORICAL:
        unseen = float(profile.cells.count(window)[-1] / window.size)
        if unseen <= _SCHEMA_SHARE:
            return None
        whole = "every value is a category" if unseen == 1 else f"{_percent(unseen)} of the values are categories"
        return f"{whole} that the reference does not have"
    constant = profile.values[0] == profile.values[-1]
    if constant and not window[0] == window[-1] == profile.values[0]:
        return f"every value of the reference is {profile.values[0]:.6g}, the window has others"
    if (
        not constant
        and window.size >= _FEWEST_ALIKE
        and window[0] == window[-1]
        and _share(profile.values, float(window[0])) <= _MOST
    ):
        return f"every value is {window[0]:.6g}, the reference's vary"
    return None


def _share(values: NDArray[np.float64], value: float) -> float:
    """The share of a value in a sorted sample."""
    ends = np.searchsorted(values, [value], side="left"), np.searchsorted(values, [value], side="right")
    return int(ends[1][0] - ends[0][0]) / values.size


def _filled_in(profile: Profile, window: NDArray[np.float64]) -> str | None:
    """Many rows have one value outside the reference's range, as a default value would be: -999, say."""
    values, counts = np.unique(_outside(profile, window), return_counts=True)
    if values.size == 0 or counts.max() <= _SCHEMA_SHARE * window.size:
        return None
    most = int(counts.argmax())
    share = _percent(float(counts[most]) / window.size)
    return f"{share} of the values are {values[most]:.6g}, outside the reference's range (a default?)"


def _outside(profile: Profile, window: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values below or above the reference's range."""
    below = int(np.searchsorted(window, profile.values[0], side="left"))
    above = int(np.searchsorted(window, profile.values[-1], side="right"))
    return np.concatenate([window[:below], window[above:]])


def _drift(profile: Profile, window: NDArray[np.float64], missing: int) -> Iterator[str]:
    """The changes of values, then that of missing values."""
    before, now = profile.missing / profile.rows, missing / (window.size + missing)
    more_or_fewer_missing = abs(now - before) >= _NOTICEABLE_CHANGE
    clauses = _categories if profile.kind is FeatureKind.CATEGORICAL else _numbers
    yield from clauses(profile, window, brief=more_or_fewer_missing)
    if more_or_fewer_missing:
        yield f"{_percent(now)} of the rows lack it (reference: {_percent(before)})"


def _numbers(profile: Profile, window: NDArray[np.float64], *, brief: bool) -> Iterator[str]:
    """The changes of numbers; `brief` leaves out a small one."""
    noise = 1 / math.sqrt(window.size)
    clauses = [*_location(profile, window, noise), *_spread(profile, window, noise)]
    yield from clauses
    outside = _outside(profile, window).size / window.size
    if outside > _SCHEMA_SHARE:
        yield f"{_percent(outside)} of the values lie outside the reference's range"
    if clauses:
        return
    distance = sorted_ks_statistic(profile.values, window)
    if distance >= max(_VISIBLE_DISTANCE, 1.36 * noise):  # 1.36: the 95 % point of sqrt(n) D
        yield f"another shape (D {distance:.2f}), with hardly another mean or spread"
    elif not brief:
        yield f"a small change (D {distance:.2f})"


def _location(profile: Profile, window: NDArray[np.float64], noise: float) -> Iterator[str]:
    """A change of the mean, if it is larger than the noise of so short a window."""
    (before, deviation), (now, _) = _moments(profile.values), _moments(window)
    shift = (now - before) / deviation if deviation > 0 else 0.0
    if abs(shift) >= max(_NOTICEABLE_SHIFT, 2 * noise):
        yield f"{'higher' if shift > 0 else 'lower'} by {three_digits(abs(shift))} standard deviations"


def _spread(profile: Profile, window: NDArray[np.float64], noise: float) -> Iterator[str]:
    """A change of the interquartile range, if it is larger than the noise of so short a window."""
    before, now = _interquartile(profile.values), _interquartile(window)
    if not (0 < before < math.inf and 0 < now < math.inf):
        return
    # 1.17: the standard deviation of the logarithm of a Gaussian's interquartile range, in units of 1 / sqrt(n)
    if abs(math.log(now) - math.log(before)) >= max(math.log(_NOTICEABLE_RATIO), 2 * 1.17 * noise):
        yield f"{'wider' if now > before else 'narrower'}: the spread is {three_digits(now / before)} times as large"


def _moments(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation; computed on scaled values, since sums of the largest floats overflow."""
    scale = max(abs(float(values[0])), abs(float(values[-1]))) or 1.0
    parts = values / scale
    return float(np.mean(parts)) * scale, float(np.std(parts)) * scale


def _interquartile(values: NDArray[np.float64]) -> float:
    """The difference of the values at the quartiles' ranks; infinity where it overflows."""
    first, third = (float(values[quarter * (values.size - 1) // 4]) for quarter in (1, 3))
    return third - first


def _categories(profile: Profile, window: NDArray[np.float64], *, brief: bool) -> Iterator[str]:
    """The category whose share changed most; `brief` leaves out a small change."""
    before, now = profile.cells.shares, profile.cells.count(window) / window.size
    cell = int(np.abs(now - before).argmax())
    if brief and abs(now[cell] - before[cell]) < _NOTICEABLE_CHANGE:
        return
    yield f"{_category(profile, cell)}: {_percent(before[cell])} in the reference, {_percent(now[cell])} now"


def _category(profile: Profile, cell: int) -> str:
    """The name of a cell of categories."""
    codes = profile.cells.codes.tolist()
    if cell >= len(codes):
        return "categories that the reference does not have" if cell == len(codes) + 1 else "rare categories together"
    text = profile.categories.get(codes[cell], f"#{codes[cell]:.0f}")
    return repr(text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 3] + "...")


def _percent(share: float) -> str:
    """A share in percent; with one more digit where it is nearly 0 or nearly 1."""
    rare = min(share, 1 - share)
    return f"{share:.1%}" if 0 < rare < _RARE else f"{share:.0%}"

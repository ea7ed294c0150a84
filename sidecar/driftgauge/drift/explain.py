"""What a person should think first: a broken schema, a changed unit, or drift.

This room is pure: numpy in, text out.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import Change, DriftTest, DriftTestResult, FeatureDrift
from driftgauge.drift.statistics.effects import LEVELS, deciles
from driftgauge.drift.statistics.ks import sorted_ks_statistic

LEAST_RATIO = 1.5
"""A ratio nearer to 1 is taken for drift: miles are 1.6 kilometres, and prices rise by a tenth."""

LEAST_OFFSET = 3.0
"""An offset of fewer spreads, from the first decile to the ninth, is taken for drift: Kelvin is some 10 of them off."""

_ALIKE = 0.05
"""Shares by which deciles may miss their places in the reference, and still be called the same distribution."""

_NOISE = 1.25
"""The same in units of 1 / sqrt(n), for short windows: 2.5 standard deviations of a median's place."""

_TOLERANCE = 1e-9
"""Rounding of a value that was converted, in parts of the greatest decile: 3 may come back as 2.9999999999999996."""

_FEWEST = 5
"""Deciles that must differ from 0, of nine, for a ratio to be told."""

_INNER = np.array([float(level) for level in LEVELS[1:-1]])


def unit_change(reference: NDArray[np.float64], window: NDArray[np.float64]) -> str | None:
    """What was done to every decile, if one number tells it; `None` if not, or if that number is unremarkable.

    Args:
        reference: Shape `(m,)`, m at least 1, finite, sorted ascending.
        window: Shape `(n,)`, n at least 1, likewise.

    Notes:
        Each conversion is taken back, and the deciles are looked up in the reference again. Of two that fit the
        better one counts: a Gaussian that moved by many deviations has another ratio at every decile.
    """
    before, now = (np.array(deciles(values)[1:-1]) for values in (reference, window))
    if before[0] == before[-1] or now[0] == now[-1]:
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows fits nothing
        offset, ratio = float(np.median(now - before)), _ratio(before, now)
        spreads = abs(offset) / float(before[-1] - before[0])
        slack = _TOLERANCE * float(np.abs(before).max())
        shifted, scaled, as_is = (_misfit(reference, one, slack) for one in (now - offset, now / ratio, now))
    allowed = min(max(_ALIKE, _NOISE / math.sqrt(window.size)), as_is / 2)
    if shifted <= min(allowed, scaled) and spreads > LEAST_OFFSET:
        return f"every decile is about {written(abs(offset))} {'above' if offset > 0 else 'below'} the reference's"
    if scaled <= allowed and scaled < shifted and abs(math.log(ratio)) > math.log(LEAST_RATIO):
        return f"every decile is about {written(ratio)} times the reference's"
    return None


def written(value: float) -> str:
    """A number with three digits that count."""
    return f"{float(f'{value:.3g}'):g}"


def _ratio(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """The middle ratio of deciles; 1 unless both sides lie on the same side of a natural zero."""
    both = np.concatenate([before, now])
    known = (before != 0) & (now != 0)
    if (both.min() < 0 < both.max()) or np.count_nonzero(known) < _FEWEST:
        return 1.0
    ratio = float(np.median(now[known] / before[known]))
    return ratio if 0 < ratio < math.inf else 1.0


def _misfit(reference: NDArray[np.float64], values: NDArray[np.float64], slack: float) -> float:
    """How far the places of a window's deciles in the reference are from where they should be, in [0, 1]."""
    low = np.searchsorted(reference, values - slack, side="left") / reference.size
    high = np.searchsorted(reference, values + slack, side="right") / reference.size
    return float(np.maximum(np.maximum(low - _INNER, _INNER - high), 0.0).max())


_MOST = 0.5
"""A share of rows above this is called most of them."""

_STRANGE = 0.2
"""A share of values that the reference does not have, above which it is the schema that is suspected."""

_NOTICEABLE = 0.1
"""A shift of the mean worth a word, in standard deviations of the reference."""

_SPREAD_RATIO = 1.2
"""Interquartile ranges whose ratio is beyond this, or its inverse, differ in spread."""

_VISIBLE = 0.05
"""A distance of two distributions that the eye sees."""

_WORTH_A_WORD = 0.02
"""A change of a share that is told."""

_RARE = 0.02
"""A share under this, or so near to 1, is told with one digit more."""

_LONGEST_TEXT = 40
"""Characters of a category that are told."""


def explain_feature(profile: Profile, window: NDArray[np.float64], missing: int, *, drift: bool) -> tuple[Change, str]:
    """The kind of a change, and a sentence that tells it.

    Args:
        profile: The feature's reference.
        window: Shape `(n,)`: the values that are present, sorted ascending; perhaps none.
        missing: Rows of the window that lack it; with the values at least one row if there is drift.
        drift: Whether any test alarms; without alarm there is nothing to read.

    Notes:
        A reading is a hint for a person, and decides nothing. What is noise in a window so short is left out.
    """
    if not drift:
        return Change.NONE, "No drift."
    broken = _lacking(profile, window, missing) or _strange_values(profile, window)
    if broken is not None:
        return Change.SCHEMA, f"Schema break: {broken}."
    rescaled = unit_change(profile.values, window) if profile.kind is FeatureKind.NUMERIC else None
    if rescaled is not None:
        return Change.SCALE, f"Scale break: {rescaled} (a change of unit?)."
    filled = _filled_in(profile, window) if profile.kind is FeatureKind.NUMERIC else None
    if filled is not None:
        return Change.SCHEMA, f"Schema break: {filled}."
    return Change.DRIFT, f"Drift: {'; '.join(_drift(profile, window, missing))}."


def explain_report(features: Sequence[FeatureDrift], untested: Sequence[str], rows: int) -> str:
    """One sentence on a whole window.

    Args:
        features: Those that were tested.
        untested: Those that were not.
        rows: Rows of the window.
    """
    if not features:
        return f"No verdict: too few rows ({rows})." if untested else "No verdict: there is nothing to test."
    moved = [feature for feature in features if feature.drift]
    if not moved:
        return f"No drift in {_features(len(features))}."
    counts = [(change, sum(one.change is change for one in moved)) for change in (Change.SCHEMA, Change.SCALE)]
    parts = [f"{change} break in {count}" for change, count in counts if count]
    drifted = len(moved) - sum(count for _, count in counts)
    parts += [f"drift in {drifted}"] if drifted else []
    sentence = f"{', '.join(parts)} of {_features(len(features))}"
    return f"{sentence[0].upper()}{sentence[1:]}; {_farthest(moved)}."


def _features(count: int) -> str:
    return "1 feature" if count == 1 else f"{count} features"


def _farthest(moved: Sequence[FeatureDrift]) -> str:
    """The feature with the greatest distance, that of its missing values included."""
    names = {DriftTest.KS: "D", DriftTest.TV: "total variation", DriftTest.MISSING: "share of missing values off by"}
    found = [(_greatest(one), one.feature) for one in moved]
    test, feature = max(found, key=lambda one: one[0].statistic)
    return f"{feature} moved most ({names[test.test]} {test.statistic:.2f})"


def _greatest(feature: FeatureDrift) -> DriftTestResult:
    distances = [test for test in feature.tests if test.test is not DriftTest.SEQUENTIAL]
    return max(distances, key=lambda test: test.statistic)


def _lacking(profile: Profile, window: NDArray[np.float64], missing: int) -> str | None:
    """Whether the feature is gone: from most rows, and from half of those that should have it."""
    before, now = profile.missing / profile.rows, missing / (window.size + missing)
    if window.size and (now <= _MOST or 1 - now > (1 - before) / 2):
        return None
    rows = "no row has" if window.size == 0 else f"{_percent(now)} of the rows lack"
    return f"{rows} this feature (missing in the reference: {_percent(before)})"


def _strange_values(profile: Profile, window: NDArray[np.float64]) -> str | None:
    """Whether the values are of another kind than the reference's."""
    if profile.kind is FeatureKind.CATEGORICAL:
        unseen = float(profile.cells.count(window)[-1] / window.size)
        if unseen <= _STRANGE:
            return None
        whole = "every value is a category" if unseen == 1 else f"{_percent(unseen)} of the values are categories"
        return f"{whole} that the reference does not have"
    constant = profile.values[0] == profile.values[-1]
    if constant and not window[0] == window[-1] == profile.values[0]:
        return f"every value of the reference is {profile.values[0]:.6g}, the window has others"
    if not constant and window[0] == window[-1] and _share(profile.values, float(window[0])) <= _MOST:
        return f"every value is {window[0]:.6g}, the reference's vary"
    return None


def _share(values: NDArray[np.float64], value: float) -> float:
    """The share of a value in a sorted sample."""
    ends = np.searchsorted(values, [value], side="left"), np.searchsorted(values, [value], side="right")
    return int(ends[1][0] - ends[0][0]) / values.size


def _filled_in(profile: Profile, window: NDArray[np.float64]) -> str | None:
    """Whether one value that the reference never reaches stands in many rows, as a default does: -999, say."""
    values, counts = np.unique(_outside(profile, window), return_counts=True)
    if values.size == 0 or counts.max() <= _STRANGE * window.size:
        return None
    place = int(counts.argmax())
    share = _percent(float(counts[place]) / window.size)
    return f"{share} of the values are {values[place]:.6g}, outside the reference's range (a default?)"


def _outside(profile: Profile, window: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values below or above all of the reference's."""
    below = int(np.searchsorted(window, profile.values[0], side="left"))
    above = int(np.searchsorted(window, profile.values[-1], side="right"))
    return np.concatenate([window[:below], window[above:]])


def _drift(profile: Profile, window: NDArray[np.float64], missing: int) -> Iterator[str]:
    """What has changed, the values first."""
    before, now = profile.missing / profile.rows, missing / (window.size + missing)
    lacks = f"{_percent(now)} of the rows lack it (reference: {_percent(before)})"
    known = abs(now - before) >= _WORTH_A_WORD
    reported = _categories if profile.kind is FeatureKind.CATEGORICAL else _numbers
    yield from reported(profile, window, quiet=known)
    if known:
        yield lacks


def _numbers(profile: Profile, window: NDArray[np.float64], *, quiet: bool) -> Iterator[str]:
    """How numbers have changed; nothing of what hardly has, if something else is known to have."""
    noise = 1 / math.sqrt(window.size)
    clauses = [*_location(profile, window, noise), *_spread(profile, window, noise)]
    yield from clauses
    outside = _outside(profile, window).size / window.size
    if outside > _STRANGE:
        yield f"{_percent(outside)} of the values lie outside the reference's range"
    if clauses:
        return
    distance = sorted_ks_statistic(profile.values, window)
    if distance >= max(_VISIBLE, 1.36 * noise):  # 1.36: the 95 % point of sqrt(n) D
        yield f"another shape (D {distance:.2f}), with hardly another mean or spread"
    elif not quiet:
        yield f"a small change (D {distance:.2f})"


def _location(profile: Profile, window: NDArray[np.float64], noise: float) -> Iterator[str]:
    (before, deviation), (now, _) = _moments(profile.values), _moments(window)
    shift = (now - before) / deviation if deviation > 0 else 0.0
    if abs(shift) >= max(_NOTICEABLE, 2 * noise):
        yield f"{'higher' if shift > 0 else 'lower'} by {written(abs(shift))} standard deviations"


def _spread(profile: Profile, window: NDArray[np.float64], noise: float) -> Iterator[str]:
    before, now = _interquartile(profile.values), _interquartile(window)
    if not (0 < before < math.inf and 0 < now < math.inf):
        return
    # 1.17: the standard deviation of the logarithm of a Gaussian's interquartile range, in units of 1 / sqrt(n)
    if abs(math.log(now) - math.log(before)) >= max(math.log(_SPREAD_RATIO), 2 * 1.17 * noise):
        yield f"{'wider' if now > before else 'narrower'}: the spread is {written(now / before)} times as large"


def _moments(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation; scaled in between, since sums of the greatest numbers overflow."""
    scale = max(abs(float(values[0])), abs(float(values[-1]))) or 1.0
    parts = values / scale
    return float(np.mean(parts)) * scale, float(np.std(parts)) * scale


def _interquartile(values: NDArray[np.float64]) -> float:
    """The difference of two values in the ranks of the quartiles; infinity where it overflows."""
    first, third = (float(values[quarter * (values.size - 1) // 4]) for quarter in (1, 3))
    return third - first


def _categories(profile: Profile, window: NDArray[np.float64], *, quiet: bool) -> Iterator[str]:
    """The category whose share changed most; nothing of it if that hardly has, and something else is known to have."""
    before, now = profile.cells.shares, profile.cells.count(window) / window.size
    place = int(np.abs(now - before).argmax())
    if quiet and abs(now[place] - before[place]) < _WORTH_A_WORD:
        return
    yield f"{_category(profile, place)}: {_percent(before[place])} in the reference, {_percent(now[place])} now"


def _category(profile: Profile, place: int) -> str:
    """What a cell of categories is called."""
    codes = profile.cells.codes.tolist()
    if place >= len(codes):
        return "categories that the reference does not have" if place == len(codes) + 1 else "rare categories together"
    text = profile.categories.get(codes[place], f"#{codes[place]:.0f}")
    return repr(text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 3] + "...")


def _percent(share: float) -> str:
    """A share; with one digit more where it is nearly nothing or nearly all."""
    rare = min(share, 1 - share)
    return f"{share:.1%}" if 0 < rare < _RARE else f"{share:.0%}"

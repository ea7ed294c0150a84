"""Other tools' default decision rules, reimplemented from their sources; their services are not run.

Each rule takes a reference `(m, d)` and a stream `(n, d)`, and returns the rows after which it alarms. There is no NaN
in these streams, since none of the rules looks at missing values.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.statistics.ks import ks_statistic
from driftgauge.drift.statistics.p_value import PValues

Floats = NDArray[np.float64]
Kinds = Sequence[FeatureKind]
Feature = Callable[[Floats, Floats, FeatureKind], bool]
"""Whether one feature of a window drifts: reference, window, kind."""

ALPHA = 0.05
DISTANCE = 0.1


def tumbling(stream: Floats, rows: int) -> Iterator[tuple[int, Floats]]:
    """Windows of so many rows without overlap, and the row at which each ends."""
    for end in range(rows, stream.shape[0] + 1, rows):
        yield end, stream[end - rows : end]


def alibi_detect(reference: Floats, stream: Floats, kinds: Kinds) -> list[int]:
    """TabularDrift: asymptotic KS or chi-square, p < 0.05 / d (Bonferroni), windows of 1,000 rows.

    Source:
        alibi-detect 0.13, `alibi_detect/cd/tabular.py`; the window is the drift batch of Seldon's adserver.
    """
    p_values, level = PValues(), ALPHA / len(kinds)

    def p_value(known: Floats, window: Floats, kind: FeatureKind) -> float:
        if kind is FeatureKind.CATEGORICAL:
            return float(chi2_contingency(_shared_counts(known, window)).pvalue)
        statistic = np.array([ks_statistic(known, window)])
        return float(p_values.p_values(known.size, window.size, statistic)[0])

    return _any_feature(reference, tumbling(stream, 1000), kinds, lambda *one: p_value(*one) < level)


def evidently(reference: Floats, stream: Floats, kinds: Kinds, share: float = 0.5) -> list[int]:
    """DataDriftPreset for a reference above 1,000 rows: Wasserstein or Jensen-Shannon >= 0.1, half of the columns.

    Args:
        reference: Shape `(m, d)`.
        stream: Shape `(n, d)`, in windows of 1,000 rows: the preset itself names no size.
        kinds: Of the features.
        share: Of columns that must drift.

    Source:
        evidently 0.7, `legacy/calculations/stattests/registry.py`, `_get_default_stattest`;
        `presets/drift.py`, `drift_share`.
    """
    ordered = np.sort(reference, axis=0)
    return [
        end
        for end, window in tumbling(stream, 1000)
        if np.mean([_evidently_drifts(ordered[:, at], window[:, at], kind) for at, kind in enumerate(kinds)]) >= share
    ]


def evidently_any(reference: Floats, stream: Floats, kinds: Kinds) -> list[int]:
    """The same preset, alarming if a single column drifts."""
    return evidently(reference, stream, kinds, share=1e-9)


def nannyml(reference: Floats, stream: Floats, kinds: Kinds) -> list[int]:
    """UnivariateDriftCalculator: Jensen-Shannon distance beyond mean + 3 standard deviations of the reference's chunks.

    Source:
        nannyml 0.13, `drift/univariate/calculator.py`, `DEFAULT_THRESHOLDS`; `methods.py`; `thresholds.py`,
        `StandardDeviationThreshold`; `chunk.py`, `DefaultChunker`.
    """
    columns = list(enumerate(kinds))
    ordered = np.sort(reference, axis=0)
    return _beyond_own_chunks(
        reference,
        stream,
        lambda chunk: np.array([nannyml_distance(ordered[:, at], chunk[:, at], kind) for at, kind in columns]),
    )


def nannyml_ks(reference: Floats, stream: Floats, kinds: Kinds) -> list[int]:
    """The same with its method for numbers `kolmogorov_smirnov`, D."""
    numeric, ordered = _numeric(kinds), np.sort(reference, axis=0)
    return _beyond_own_chunks(
        reference,
        stream,
        lambda chunk: np.array([ks_statistic(ordered[:, at], chunk[:, at]) for at in numeric]),
    )


def trustyai(reference: Floats, stream: Floats, kinds: Kinds) -> list[int]:
    """KSTest: exact p < 0.05 for any feature, the newest 100 rows, every 30 seconds (60 rows here).

    Source:
        trustyai-service of 2026, `src/endpoints/metrics/drift/kolmogorov_smirnov.py`: `thresholdDelta`, `batchSize`;
        the schedule of 30 s is `SERVICE_METRICS_SCHEDULE`.
    """
    size, ordered = 100, np.sort(reference, axis=0)
    critical = exact_critical(ordered.shape[0], size, ALPHA, below=True)
    numeric = _numeric(kinds)
    return [
        end
        for end in range(120, stream.shape[0] + 1, 60)
        if max(ks_statistic(ordered[:, at], stream[end - size : end, at]) for at in numeric) >= critical - _ROUNDING
    ]


def kswin(reference: Floats, stream: Floats, kinds: Kinds) -> list[int]:
    """KSWIN on each feature: p <= 0.005 and D > 0.1, the last 30 of 100 rows against 30 of the 70 before, each row.

    Source:
        river 0.26, `river/drift/kswin.py`. It has no reference. Here its random draws are seeded.
    """
    rng = np.random.default_rng(reference.shape[0])
    return sorted({end for at in _numeric(kinds) for end in kswin_feature(stream[:, at], rng)})


def kswin_feature(values: Floats, rng: np.random.Generator) -> Iterator[int]:
    """The rows after which KSWIN alarms; after each it goes on with the last 30 rows."""
    critical, start = exact_critical(30, 30, 0.005, below=False), 0
    while start + 100 <= values.size:
        windows = np.lib.stride_tricks.sliding_window_view(values[start : start + 100 + _KSWIN_AHEAD], 100)
        picks = np.argpartition(rng.random((windows.shape[0], 70)), 30, axis=1)[:, :30]
        distances = equal_sample_distances(np.take_along_axis(windows[:, :70], picks, axis=1), windows[:, 70:])
        found = np.flatnonzero((distances >= critical - _ROUNDING) & (distances > DISTANCE))
        if found.size:
            start += 100 + int(found[0])  # it forgets all rows
            yield start
        else:
            start += windows.shape[0]


def equal_sample_distances(left: Floats, right: Floats) -> Floats:
    """KS distances of many pairs of samples of one size: shapes `(k, n)` and `(k, n)` to `(k,)`."""
    places = np.concatenate([left, right], axis=1)[:, :, np.newaxis]
    below = (left[:, np.newaxis, :] <= places).sum(axis=2) - (right[:, np.newaxis, :] <= places).sum(axis=2)
    distances: Floats = np.abs(below).max(axis=1) / left.shape[1]
    return distances


@lru_cache
def exact_critical(m: int, n: int, level: float, *, below: bool) -> float:
    """The smallest D of samples of m and n values, n a divisor of m, whose exact p-value is below (or at) a level."""
    low, high = 0, m
    while high - low > 1:
        middle = (low + high) // 2
        p_value = ks_2samp(*_samples_at(m, n, middle), method="exact").pvalue
        low, high = (low, middle) if p_value < level or (not below and p_value == level) else (middle, high)
    return high / m


def nannyml_distance(known: Floats, window: Floats, kind: FeatureKind) -> float:
    """The Jensen-Shannon distance as nannyml bins it: Doane's bins of the reference, or its categories."""
    if kind is FeatureKind.CATEGORICAL:
        codes = np.unique(known)
        shares = [np.array([(side == code).mean() for code in codes]) for side in (known, window)]
    else:
        bins = np.histogram_bin_edges(known, bins="doane")
        shares = [np.histogram(side, bins=bins)[0] / side.size for side in (known, window)]
    left_over = 1 - shares[1].sum()
    if left_over > 0:
        shares = [np.append(shares[0], 0.0), np.append(shares[1], left_over)]
    return float(jensenshannon(shares[0], shares[1], base=2))


PEERS = {
    "alibi-detect TabularDrift": alibi_detect,
    "Evidently, half of the columns": evidently,
    "Evidently, any column": evidently_any,
    "NannyML": nannyml,
    "NannyML, KS": nannyml_ks,
    "TrustyAI KSTest": trustyai,
    "river KSWIN": kswin,
}
"""The rules by their names in the tables."""

BLIND_TO_CATEGORIES = ("NannyML, KS", "TrustyAI KSTest", "river KSWIN")
"""Rules that test numbers only."""

_ROUNDING = 1e-9
"""Distances are multiples of 1 / m; this is the slack for comparing them as float64."""

_KSWIN_AHEAD = 400
"""Rows that are tested in one numpy call, as if none of them alarmed."""


def _samples_at(m: int, n: int, steps: int) -> tuple[Floats, Floats]:
    """Samples whose distance is steps / m: evenly spaced ranks, the second sample moved up."""
    return np.arange(m, dtype=np.float64), np.arange(n, dtype=np.float64) * (m / n) + steps - 0.5


def _numeric(kinds: Kinds) -> list[int]:
    return [at for at, kind in enumerate(kinds) if kind is FeatureKind.NUMERIC]


def _beyond_own_chunks(reference: Floats, stream: Floats, distances: Callable[[Floats], Floats]) -> list[int]:
    """Chunks with a feature whose distance is beyond three standard deviations of the reference's own ten chunks."""
    rows = reference.shape[0] // 10
    own = np.array([distances(chunk) for _, chunk in tumbling(reference, rows)])
    thresholds = own.mean(axis=0) + 3 * own.std(axis=0)
    return [end for end, chunk in tumbling(stream, rows) if (distances(chunk) > thresholds).any()]


def _any_feature(reference: Floats, windows: Iterator[tuple[int, Floats]], kinds: Kinds, drifts: Feature) -> list[int]:
    ordered = np.sort(reference, axis=0)
    return [
        end
        for end, window in windows
        if any(drifts(ordered[:, at], window[:, at], kind) for at, kind in enumerate(kinds))
    ]


def _evidently_drifts(known: Floats, window: Floats, kind: FeatureKind) -> bool:
    if kind is FeatureKind.CATEGORICAL:
        counts = _shared_counts(known, window)
        return bool(jensenshannon(counts[0] / known.size, counts[1] / window.size) >= DISTANCE)
    return bool(wasserstein_distance(known, window) / max(known.std(), 0.001) >= DISTANCE)


def _shared_counts(known: Floats, window: Floats) -> NDArray[np.int64]:
    """Counts of all categories of both sides: shape `(2, k)`."""
    codes = np.union1d(known, window)
    return np.stack([np.bincount(np.searchsorted(codes, side), minlength=codes.size) for side in (known, window)])

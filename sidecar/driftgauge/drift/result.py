"""The results of the tests of a window: the values that the gauges, the JSON and the page are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from driftgauge.drift.profile import FeatureKind


class DriftTest(StrEnum):
    """The tests, by their value of the label `test`."""

    KS = "ks"
    TV = "tv"
    MISSING = "missing"
    SEQUENTIAL = "sequential"


class Change(StrEnum):
    """The kind of change that a person should look for first."""

    NONE = "none"
    SCHEMA = "schema"
    SCALE = "scale"
    DRIFT = "drift"


class VerdictState(StrEnum):
    """The state of a verdict, by its value of the label `state`."""

    OK = "ok"
    DRIFT = "drift"
    CANNOT_TELL = "cannot_tell"


class CannotTellReason(StrEnum):
    """Why there is no verdict, by its value of the label `reason`; of several reasons the first one is given."""

    NO_REFERENCE = "no_reference"
    STORE = "store"
    RHYTHM = "rhythm"
    ALIKE = "alike"
    REFERENCE_SMALL = "reference_small"
    FEW_ROWS = "few_rows"
    THRESHOLD = "threshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Untested:
    """A feature without a verdict: it does not alarm, but hardly any change, or none, would have alarmed.

    Args:
        feature: The reference's column name.
        reason: What prevents a verdict.
        explanation: What is too few, and how many would be enough where that is known: a clause, without a full stop.
    """

    feature: str
    reason: CannotTellReason
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsNeeded:
    """How many rows would put a threshold within reach.

    Args:
        window: Values of a window that would be enough; `None` if no number is, for this reference.
        reference: Values of a reference that would be enough for this window, where no window is for this reference;
            `None` if no number is, and for categories.
    """

    window: int | None
    reference: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftTestResult:
    """The result of one test of one feature.

    Args:
        test: Which test.
        statistic: `ks`: D, in [0, 1]. `tv`: total variation, the largest gap between the shares of any set of
            categories, in [0, 1]. `missing`: the gap between the shares of missing values, in [0, 1].
            `sequential`: the evidence, log10 of seconds, at least 0.
        p_value: Two-sided asymptotic p-value, in [0, 1], as if rows were independent; `None` for `sequential`.
        threshold: The smallest statistic that would alarm; infinity where none could.
        drift: Whether the test alarms.
        reference_error: `ks` and `tv` by budget: how large the error of the reference may be, a distance; else `None`.
        rows_needed: `ks` and `tv`: what would be needed, if no window with as many values could alarm; else `None`.
        pooled: `tv` by p-value, where it does not alarm: the part of the statistic that is among categories so rare
            that the test compares them as one; else 0.
    """

    test: DriftTest
    statistic: float
    p_value: float | None
    threshold: float
    drift: bool
    reference_error: float | None = None
    rows_needed: RowsNeeded | None = None
    pooled: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Effect sizes: how large a difference is, whatever the sample size.

    Args:
        psi: Population stability index over the histogram's bins, at least 0, in nats.
        jensen_shannon: Jensen-Shannon distance over the same bins, base 2, in [0, 1].
        wasserstein: First Wasserstein distance in units of the reference's standard deviation, at least 0;
            `None` for categories, and where the reference is constant.
    """

    psi: float
    jensen_shannon: float
    wasserstein: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bin of a feature's histogram.

    Args:
        label: `missing`, `unseen`, `below`, `above`, a category's text, `rare`, or the decile's number `0` to `9`.
        upper: The greatest value of the bin, in the feature's own unit; `None` where bins have no order.
        reference: The bin's share of the reference's rows, in [0, 1].
        window: The bin's share of the window's rows, in [0, 1].
    """

    label: str
    upper: float | None
    reference: float
    window: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDrift:
    """The results of all tests of one feature.

    Args:
        feature: The reference's column name.
        kind: Numeric or categorical.
        tests: The windowed distance (`ks` or `tv`) first, then `missing`, then `sequential` where it runs.
        rows: Values in the window.
        missing: Rows of the window without a value.
        outside: Values that the reference does not have: unknown categories, numbers beyond its range.
        effective_rows: How many independent rows the values are worth, in (0, rows].
        detectable: The smallest true distance that alarms in nine of ten full windows; infinity where none does.
        effects: Effect sizes.
        histogram: The bins of all rows, missing values included; the shares of each side sum to 1.
        window_quantiles: Deciles of the window's values, ascending, in the feature's own unit; empty for categories.
        reference_quantiles: Deciles of the reference.
        change: The kind of change.
        reading: One sentence for a person that describes the change.
        since: When the feature's alarm began, seconds since the epoch; `None` without an alarm or if it is unknown.
        alike_since: When neighbouring rows became so alike that their dependence has no bound, after a day with one,
            seconds since the epoch; `None` if they did not.
        untested: Why there is no verdict on the feature; `None` if there is one.
        rows_to_detect: How many rows the detector needs for a shift by half a standard deviation of the reference;
            `None` for categories, without a detector, and where it never finds such a shift.
        reference_effective_rows: How many independent rows the reference's values are worth, at least 1.
        dependence: Rows / effective rows of a stream by the name of a score (`location`, `scale`, `below`, `above`; of
            categories `category`, `unknown`; `missing`), at least 1; `None` where it has no bound. Empty without a
            detector.
    """

    feature: str
    kind: FeatureKind
    tests: tuple[DriftTestResult, ...]
    rows: int
    missing: int
    outside: int
    effective_rows: float
    detectable: float
    effects: Effects
    histogram: tuple[Bin, ...]
    window_quantiles: tuple[float, ...]
    reference_quantiles: tuple[float, ...]
    change: Change
    reading: str
    since: float | None = None
    alike_since: float | None = None
    untested: Untested | None = None
    rows_to_detect: int | None = None
    reference_effective_rows: float | None = None
    dependence: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def distance(self) -> DriftTestResult:
        """The windowed test of the values: `ks` or `tv`."""
        return self.tests[0]

    @property
    def drift(self) -> bool | None:
        """Whether any test alarms; `None` if none does, and there is no verdict."""
        if any(test.drift for test in self.tests):
            return True
        return None if self.untested else False

    @property
    def state(self) -> VerdictState:
        """The state of the verdict on the feature."""
        return _state(drift=self.drift)

    @property
    def dependence_factor(self) -> float | None:
        """Rows per independent row, at least 1: the largest factor of `dependence`; `None` if no score has a bound.

        Without a detector it is that of the window.
        """
        if not self.dependence:
            return max(1.0, (self.rows or self.missing) / self.effective_rows)
        return max((factor for factor in self.dependence.values() if factor is not None), default=None)

    @property
    def reason(self) -> CannotTellReason | None:
        """Why the feature has no verdict; `None` if it has one."""
        return self.untested.reason if self.untested is not None and self.state is VerdictState.CANNOT_TELL else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """The results of all tests of one window.

    Args:
        features: The features with results, in the reference's order.
        untested: The features without a verdict, in the reference's order, with results or without.
        ignored: Columns that no test looks at (dates, identifiers), in the reference's order.
        rows: Rows of the window, missing values included.
        drift: Whether any feature drifts; `None` if no feature has a verdict.
        drifted_features: How many features drift; `None` if no feature has a verdict.
        reading: One sentence on the whole window.
        rows_per_second: Rows of the window, divided by the time in which they came; `None` if it is unknown.
    """

    features: tuple[FeatureDrift, ...]
    untested: tuple[Untested, ...]
    ignored: tuple[str, ...]
    rows: int
    drift: bool | None
    drifted_features: int | None
    reading: str
    rows_per_second: float | None = None

    @property
    def state(self) -> VerdictState:
        """`drift` if any feature drifts, `cannot_tell` if none has a verdict, else `ok`."""
        return _state(drift=self.drift)

    @property
    def reason(self) -> CannotTellReason | None:
        """Why no feature has a verdict; `None` if one has, or if there is nothing to test."""
        if self.state is not VerdictState.CANNOT_TELL:
            return None
        reasons = {one.reason for one in self.untested}
        return next((one for one in CannotTellReason if one in reasons), None)

    @property
    def tested(self) -> tuple[FeatureDrift, ...]:
        """The features with a verdict, in the reference's order."""
        return tuple(feature for feature in self.features if feature.drift is not None)

    @property
    def overall(self) -> bool | None:
        """Whether any feature drifts; `None` if none does, but not every feature has a verdict."""
        return None if self.untested and not self.drift else self.drift


def _state(*, drift: bool | None) -> VerdictState:
    if drift is None:
        return VerdictState.CANNOT_TELL
    return VerdictState.DRIFT if drift else VerdictState.OK

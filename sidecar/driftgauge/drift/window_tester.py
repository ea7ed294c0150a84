"""One window against one reference: every test of every feature, and the verdict on the model.

This room is pure: numpy in, values out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import detectable
from driftgauge.drift.checkpoint import Checkpoint, no_checkpoint
from driftgauge.drift.explain import explain_feature, explain_report
from driftgauge.drift.histogram import Histogram
from driftgauge.drift.measure import Measurement, Sample
from driftgauge.drift.numeric import NumericFacts, numeric_facts
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import DriftReport, DriftTest, DriftTestResult, FeatureDrift
from driftgauge.drift.rule import Measured, Rule, judge
from driftgauge.drift.statistics.effects import deciles, effects
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.statistics.ranks import RankedWindow, ordered
from driftgauge.drift.statistics.wasserstein import Quantiles


class ReferenceSummary:
    """One column.

    Args:
        profile: The column, not `IGNORED`.
    """

    def __init__(self, profile: Profile) -> None:
        numeric = profile.kind is FeatureKind.NUMERIC
        self.profile = profile
        self.histogram = Histogram(profile)
        self.deciles = deciles(profile.values) if numeric else ()
        self.quantiles = Quantiles(profile.values) if numeric else None


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What is known of each feature beside the window: by the detector, and of windows before.

    Args:
        factors: Shape `(d,)`: rows / effective rows, at least 1.
        evidence: Shape `(d,)`: the detector's, log10 of seconds; `None` without detector.
        evidence_threshold: The evidence that alarms.
        since: Shape `(d,)`: when the detector's alarm began, seconds since the epoch; NaN without alarm.
    """

    factors: NDArray[np.float64]
    evidence: NDArray[np.float64] | None
    evidence_threshold: float
    since: NDArray[np.float64]


def independent(features: int) -> Standing:
    """Rows that are independent, and no detector."""
    return Standing(np.ones(features), None, np.inf, np.full(features, np.nan))


def evaluate(
    profiles: Sequence[Profile],
    window: NDArray[np.float64],
    rule: Rule,
    p_values: PValues,
    standing: Standing | None = None,
) -> DriftReport:
    """Test every feature of a window against the reference.

    Args:
        profiles: The `d` columns of the reference.
        window: Shape `(n, d)`, float64; numbers, or codes of categories; NaN is a missing value, all else is finite.
        rule: When a window is tested, and what alarms.
        p_values: Turns statistics into p-values; used by one thread at a time.
        standing: What is known beside the window; by default rows are independent, and there is no detector.

    Returns:
        The report. Under `rule.min_rows` rows no feature is tested.

    Raises:
        ValueError: The window is not as wide as the reference, or holds an infinity (the caller's fault).
    """
    require_fit(profiles, window)
    tester = WindowTester(profiles, rule)
    columns = window.T[tester.known]
    return tester.examine(
        ordered([profiles[index].values for index in tester.known], columns), window.shape[0], p_values, standing
    )


class WindowTester:
    """Tests windows against a reference; everything that is made once for it.

    Args:
        profiles: The `d` columns of the reference.
        rule: When a window is tested, and what alarms.
        pause: Called between features, here and at each examination.
    """

    def __init__(self, profiles: Sequence[Profile], rule: Rule, pause: Checkpoint = no_checkpoint) -> None:
        self._pause = pause
        self.known = [index for index, profile in enumerate(profiles) if profile.kind is not FeatureKind.IGNORED]
        self._width = len(profiles)
        self._ignored = tuple(profile.name for profile in profiles if profile.kind is FeatureKind.IGNORED)
        self._summaries = [self._summary_of(profiles[index]) for index in self.known]
        self._quantiles = [summary.quantiles for summary in self._summaries]
        self._sizes = [summary.profile.values.size for summary in self._summaries]
        self._rule = rule

    def examine(
        self, window: RankedWindow, rows: int, p_values: PValues, standing: Standing | None = None
    ) -> DriftReport:
        """Test every feature of a window, as `evaluate` does.

        Args:
            window: Those of its features that the reference does not ignore.
            rows: Rows of the window.
            p_values: Turns statistics into p-values; used by one thread at a time.
            standing: What is known beside the window.
        """
        standing = standing or independent(self._width)
        found = numeric_facts(window, self._quantiles, self._sizes)
        samples = [self._sample(place, window, rows, found.get(place)) for place in range(len(self.known))]
        measured = [self._measured(sample) for sample in samples]
        results = iter(_judged(measured, standing.factors[self.known], self._rule, p_values))
        features = []
        for place, tests in enumerate(measured):
            self._pause()
            if tests:
                reported = tuple(next(results) for _ in tests)
                one = _Found(self._summaries[place], samples[place], reported, self.known[place], found.get(place))
                features.append(_feature(one, standing))
        untested = tuple(sample.profile.name for sample, none in zip(samples, measured, strict=True) if not none)
        return self._report(tuple(features), untested, rows)

    def _summary_of(self, profile: Profile) -> ReferenceSummary:
        self._pause()
        return ReferenceSummary(profile)

    def _measured(self, sample: Sample) -> Sequence[Measurement]:
        self._pause()
        return sample.measurements(max(1, self._rule.min_rows))

    def _sample(self, place: int, window: RankedWindow, rows: int, found: NumericFacts | None) -> Sample:
        size = window.sizes[place]
        statistic = None if found is None else found.statistic
        return Sample(self._summaries[place].profile, window.values[place, :size], rows - size, statistic)

    def _report(self, features: tuple[FeatureDrift, ...], untested: tuple[str, ...], rows: int) -> DriftReport:
        drifted = sum(feature.drift for feature in features)
        return DriftReport(
            features=features,
            untested=untested,
            ignored=self._ignored,
            rows=rows,
            drift=drifted > 0 if features else None,
            drifted_features=drifted if features else None,
            reading=explain_report(features, untested, rows),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A feature, its tests' results, its place in the reference, and what is told of its numbers, if it has any."""

    summary: ReferenceSummary
    sample: Sample
    tests: tuple[DriftTestResult, ...]
    index: int
    numeric: NumericFacts | None


def require_fit(profiles: Sequence[Profile], window: NDArray[np.float64]) -> None:
    """Refuse what a caller must not give.

    Raises:
        ValueError: The window is not as wide as the reference, or holds an infinity.
    """
    width = window.shape[1]
    if len(profiles) != width:
        raise ValueError(f"the window is {width} columns wide, for {len(profiles)} columns of the reference")
    if np.isinf(window).any():
        raise ValueError("the window holds an infinity: only finite values are tested, NaN is a missing one")


def _judged(
    measured: Sequence[Sequence[Measurement]], factors: NDArray[np.float64], rule: Rule, p_values: PValues
) -> Iterator[DriftTestResult]:
    flat = [
        Measured(one, max(1.0, one.rows[1] / factor))
        for measurements, factor in zip(measured, factors.tolist(), strict=True)
        for one in measurements
    ]
    yield from judge(flat, max(1, len(measured)), rule, p_values)


def _feature(found: _Found, standing: Standing) -> FeatureDrift:
    """Everything that is told of one feature."""
    profile, window, missing = found.sample.profile, found.sample.window, found.sample.missing
    numeric = found.numeric
    tests = (*found.tests, *_sequential(found.index, standing))
    bars = found.summary.histogram.bars(window, missing)
    effective_rows = max(1.0, (window.size or missing) / float(standing.factors[found.index]))
    change, sentence = explain_feature(profile, window, missing, drift=any(test.drift for test in tests))
    return FeatureDrift(
        feature=profile.name,
        kind=profile.kind,
        tests=tests,
        rows=window.size,
        missing=missing,
        outside=_outside(profile, window),
        effective_rows=effective_rows,
        detectable=detectable(found.tests[0].threshold, effective_rows),
        effects=effects(bars, (profile.rows, window.size + missing), None if numeric is None else numeric.wasserstein),
        histogram=bars,
        window_quantiles=() if numeric is None else numeric.deciles,
        reference_quantiles=found.summary.deciles,
        change=change,
        reading=sentence,
        since=_since(float(standing.since[found.index])),
    )


def _sequential(index: int, standing: Standing) -> tuple[DriftTestResult, ...]:
    """The detector's say, if there is one."""
    if standing.evidence is None:
        return ()
    statistic, threshold = float(standing.evidence[index]), standing.evidence_threshold
    drift = _since(float(standing.since[index])) is not None
    return (
        DriftTestResult(test=DriftTest.SEQUENTIAL, statistic=statistic, p_value=None, threshold=threshold, drift=drift),
    )


def _since(time: float) -> float | None:
    return None if np.isnan(time) else time


def _outside(profile: Profile, window: NDArray[np.float64]) -> int:
    """Values that the reference does not have: unknown categories, numbers below or above all of its."""
    if profile.kind is FeatureKind.CATEGORICAL:
        return int(profile.cells.count(window)[-1])
    inside = (
        np.searchsorted(window, [profile.values[0]], side="left"),
        np.searchsorted(window, [profile.values[-1]], side="right"),
    )
    return window.size - int(inside[1][0] - inside[0][0])

"""One window against one reference: every test of every feature, and the report on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import EffectiveRows, detectable
from driftgauge.drift.detector.dependence import reference_effective_rows
from driftgauge.drift.detector.verdict import Checkpoint, DetectorVerdict, no_checkpoint, no_detector
from driftgauge.drift.explain import FeatureRows, explain_feature, explain_past, explain_report
from driftgauge.drift.feature_past import FeaturePast, evidence_tests, feature_past
from driftgauge.drift.histogram import Histogram
from driftgauge.drift.hours.hour_buckets import ExpectedShares
from driftgauge.drift.measure import NumericFacts, Past, Sample, numeric_facts
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import CannotTellReason, DriftReport, DriftTestResult, FeatureDrift, Untested
from driftgauge.drift.rule import Rule, judge
from driftgauge.drift.statistics.effects import Quantiles, deciles, effects
from driftgauge.drift.statistics.ks import RankedWindow, rank_window
from driftgauge.drift.statistics.p_value import PValueSource
from driftgauge.drift.untested import find_obstacle


def _no_hours(_: int) -> ExpectedShares | None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class StreamFacts:
    """What is known of a window as a part of a stream.

    Args:
        rows_after: The values of one of the `d` columns in the window's rows after a number, sorted ascending, and how
            many of these rows lack it.
        rows_to_detect: For each of the `d` columns, as in `FeatureDrift`.
        rows_per_second: As in `DriftReport`.
        seen_seconds: How long the stream has been seen; `None` if it is unknown, or if the reference knows the hours.
        hour_known: Whether the reference has rows of the hour of the newest row.
        expected: The shares that the reference expects of one of the `d` columns, if they depend on the hour.
    """

    rows_after: Callable[[int, int], tuple[NDArray[np.float64], int]]
    rows_to_detect: Sequence[int | None]
    rows_per_second: float | None = None
    seen_seconds: float | None = None
    hour_known: bool = True
    expected: Callable[[int], ExpectedShares | None] = _no_hours


def evaluate(
    profiles: Sequence[Profile],
    window: NDArray[np.float64],
    rule: Rule,
    p_values: PValueSource,
    detector: DetectorVerdict | None = None,
) -> DriftReport:
    """Test every feature of a window against the reference.

    Args:
        profiles: The `d` columns of the reference.
        window: Shape `(n, d)`, float64; numbers, or codes of categories; NaN is a missing value, all else is finite.
        rule: When a window is tested, and what alarms.
        p_values: Turns statistics into p-values; used by one thread at a time.
        detector: What is known of each of the `d` columns from the past; by default rows are independent, and there is
            no detector.

    Returns:
        The report. Features with fewer than `rule.min_rows` values have no verdict, and so have those for which no
        window of this size could alarm.

    Raises:
        ValueError: The window is not as wide as the reference, or holds an infinity (the caller's fault).
    """
    require_fit(profiles, window)
    tester = WindowTester(profiles, rule)
    ranked = rank_window([profiles[column].values for column in tester.columns], window.T[tester.columns])
    return tester.test(ranked, window.shape[0], p_values, detector)


class WindowTester:
    """Tests windows against a reference; what depends on the reference alone is computed once.

    A feature's *position* is its index among the tested columns, those that the reference does not ignore. Every list
    in here is by position; `columns` has the index of each in the reference.

    Args:
        profiles: The `d` columns of the reference.
        rule: When a window is tested, and what alarms.
        checkpoint: Called between features, here and at each test.
        reference: How many independent rows each column of the reference is worth, if that is known already.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        rule: Rule,
        checkpoint: Checkpoint = no_checkpoint,
        reference: Sequence[EffectiveRows] | None = None,
    ) -> None:
        self.columns = [column for column, one in enumerate(profiles) if one.kind is not FeatureKind.IGNORED]
        self._rule = rule
        self._checkpoint = checkpoint
        self._width = len(profiles)
        self._ignored = tuple(one.name for one in profiles if one.kind is FeatureKind.IGNORED)
        self._profiles = [profiles[column] for column in self.columns]
        self._reference_rows = [profile.values.size for profile in self._profiles]
        worth = reference_effective_rows(profiles) if reference is None else reference
        self._reference = [worth[column] for column in self.columns]
        self._histograms: list[Histogram] = []
        self._deciles: list[tuple[float, ...]] = []
        self._quantiles: list[Quantiles | None] = []
        for profile in self._profiles:
            checkpoint()
            is_numeric = profile.kind is FeatureKind.NUMERIC
            self._histograms.append(Histogram(profile))
            self._deciles.append(deciles(profile.values) if is_numeric else ())
            self._quantiles.append(Quantiles(profile.values) if is_numeric else None)

    def test(
        self,
        window: RankedWindow,
        rows: int,
        p_values: PValueSource,
        detector: DetectorVerdict | None = None,
        row_weights: Sequence[tuple[float, float]] | None = None,
        stream: StreamFacts | None = None,
    ) -> DriftReport:
        """Test every feature of a window, as `evaluate` does.

        Args:
            window: The tested columns of the window, in the order of `columns`.
            rows: Rows of the window.
            p_values: Turns statistics into p-values; used by one thread at a time.
            detector: What is known of each of the `d` columns from the past.
            row_weights: For each tested column, the sum of the weights of the rows with a value, and of those without,
                for the share of missing values; `None` if all weights are 1.
            stream: What is known of the window as a part of a stream.
        """
        known = (detector or no_detector(self._width)).of(self.columns)
        facts = numeric_facts(window, self._quantiles, self._reference_rows)
        samples = self._samples(window, rows, known, facts, row_weights)
        if stream is not None:
            samples = [self._at_its_hours(position, sample, stream) for position, sample in enumerate(samples)]
        measurements = []
        for sample in samples:
            self._checkpoint()
            measurements.append(sample.measure(max(1, self._rule.min_rows)))
        flat = [one for some in measurements for one in some]
        results = judge(flat, max(1, len(self.columns)), self._rule, p_values)
        features: list[FeatureDrift] = []
        obstacles: list[Untested | None] = []
        for position, (sample, measured) in enumerate(zip(samples, measurements, strict=True)):
            self._checkpoint()
            if measured:
                tests = (*(next(results) for _ in measured), *evidence_tests(known, position))
                past = self._past(position, known, stream, drift=any(test.drift for test in tests))
                features.append(self._feature(position, sample, tests, facts.get(position), past))
                obstacles.append(features[-1].untested)
            else:
                obstacles.append(find_obstacle(sample, (), self._rule.min_rows))
        report = self._report(tuple(features), tuple(one for one in obstacles if one is not None), rows)
        return report if stream is None else replace(report, rows_per_second=stream.rows_per_second)

    def _samples(
        self,
        window: RankedWindow,
        rows: int,
        known: DetectorVerdict,
        facts: Mapping[int, NumericFacts],
        row_weights: Sequence[tuple[float, float]] | None,
    ) -> list[Sample]:
        """The features of a window."""
        each = zip(self._profiles, window.values, window.sizes, _pasts(known), strict=True)
        return [
            Sample(
                profile=profile,
                values=values[:size],
                missing=rows - size,
                past=past,
                reference=self._reference[position],
                ks=facts[position].ks if position in facts else None,
                weights=None if window.weights is None else window.weights[position, :size],
                row_weights=None if row_weights is None else row_weights[position],
            )
            for position, (profile, values, size, past) in enumerate(each)
        ]

    def _at_its_hours(self, position: int, sample: Sample, stream: StreamFacts) -> Sample:
        """The sample with what the reference expects of its hours."""
        expected = stream.expected(self.columns[position])
        if expected is None and stream.hour_known:
            return sample
        return replace(sample, expected=expected, past=replace(sample.past, hour_known=stream.hour_known))

    def _past(self, position: int, known: DetectorVerdict, stream: StreamFacts | None, *, drift: bool) -> FeaturePast:
        """What is known of a feature from before the window."""
        past = feature_past(known, position)
        if stream is None:
            return past
        column, risen_at = self.columns[position], int(known.risen_at[position])
        return replace(
            past,
            newest=FeatureRows(*stream.rows_after(column, risen_at)) if drift and risen_at >= 0 else None,
            seen_seconds=stream.seen_seconds,
            rows_to_detect=stream.rows_to_detect[column],
        )

    def _feature(
        self,
        position: int,
        sample: Sample,
        tests: tuple[DriftTestResult, ...],
        facts: NumericFacts | None,
        past: FeaturePast,
    ) -> FeatureDrift:
        """The results of a feature's tests, with everything that describes its window."""
        profile, values, missing = sample.profile, sample.values, sample.missing
        bins = self._histograms[position].bins(values, missing)
        effective_rows = sample.effective_rows(sample.weight or sample.present_and_missing[1])
        drift = any(test.drift for test in tests)
        untested = None if drift else find_obstacle(sample, tests, self._rule.min_rows)
        change, sentence = explain_feature(
            profile, FeatureRows(values, missing), drift=drift, newest=past.newest, seen_seconds=past.seen_seconds
        )
        return FeatureDrift(
            feature=profile.name,
            kind=profile.kind,
            tests=tests,
            rows=values.size,
            missing=missing,
            outside=profile.count_outside(values),
            effective_rows=effective_rows,
            detectable=detectable(tests[0].threshold, effective_rows),
            effects=effects(bins, (profile.rows, sample.rows), None if facts is None else facts.wasserstein),
            histogram=bins,
            window_quantiles=() if facts is None else facts.deciles,
            reference_quantiles=self._deciles[position],
            change=change,
            reading=explain_past(sentence, untested, past.alike_since),
            since=past.since,
            alike_since=past.alike_since,
            untested=untested,
            reference_effective_rows=self._reference[position].values,
            rows_to_detect=None if untested and untested.reason is CannotTellReason.RHYTHM else past.rows_to_detect,
            dependence=past.dependence,
        )

    def _report(self, features: tuple[FeatureDrift, ...], untested: tuple[Untested, ...], rows: int) -> DriftReport:
        verdicts = [feature.drift for feature in features if feature.drift is not None]
        return DriftReport(
            features=features,
            untested=untested,
            ignored=self._ignored,
            rows=rows,
            drift=any(verdicts) if verdicts else None,
            drifted_features=sum(verdicts) if verdicts else None,
            reading=explain_report(features, untested),
        )


def require_fit(profiles: Sequence[Profile], window: NDArray[np.float64]) -> None:
    """Refuse a window that cannot be compared with a reference.

    Raises:
        ValueError: The window is not as wide as the reference, or holds an infinity.
    """
    width = window.shape[1]
    if len(profiles) != width:
        raise ValueError(f"the window is {width} columns wide, for {len(profiles)} columns of the reference")
    if np.isinf(window).any():
        raise ValueError("the window holds an infinity: only finite values are tested, NaN is a missing one")


def _pasts(known: DetectorVerdict) -> Iterator[Past]:
    """What is known of each feature from before the window."""
    masks = (
        known.alike,
        known.missing_alike,
        known.unknown,
        known.reachable,
        known.rhythm,
        ~np.isnan(known.alike_since) & ~known.rhythm,
    )
    flags = zip(*(one.tolist() for one in masks), strict=True)
    numbers = zip(known.factors.tolist(), known.missing_factors.tolist(), known.raised.tolist(), strict=True)
    for (factor, missing_factor, raised), each in zip(numbers, flags, strict=True):
        yield Past(factor, missing_factor, tuple(raised), *each)

"""One window against one reference: every test of every feature, and the report on them."""

from collections.abc import Callable, Iterator, Sequence
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
from driftgauge.drift.measure import Past, Sample, numeric_facts
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import CannotTellReason, DriftReport, DriftTestResult, Effects, FeatureDrift, Untested
from driftgauge.drift.rule import Rule, judge
from driftgauge.drift.sample_facts import SampleFacts, sample_facts
from driftgauge.drift.statistics.effects import Quantiles, deciles, distances_of_bins
from driftgauge.drift.statistics.ks import RankedWindow, WindowBlocks, rank_window
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
    return tester.test(WindowBlocks.of(ranked), window.shape[0], p_values, detector)


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
        self._reference_rows = [profile.size for profile in self._profiles]
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
            self._quantiles.append(Quantiles(profile.kept) if is_numeric else None)

    def test(
        self,
        window: WindowBlocks,
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
        pasts = list(_pasts(known))
        if stream is not None and not stream.hour_known:
            pasts = [replace(past, hour_known=False) for past in pasts]
        measured: list[SampleFacts] = []
        distances: list[tuple[float, float]] = []
        for block in window.blocks:
            some = list(self._measure(block, rows, (len(measured), pasts), row_weights, stream))
            measured += some
            distances += self._distances_of_bins(some, len(distances))
        flat = [one for some in measured for one in some.measurements]
        results = judge(flat, max(1, len(self.columns)), self._rule, p_values)
        features: list[FeatureDrift] = []
        obstacles: list[Untested | None] = []
        for position, facts in enumerate(measured):
            self._checkpoint()
            if facts.measurements:
                tests = (*(next(results) for _ in facts.measurements), *evidence_tests(known, position))
                drift = any(test.drift for test in tests)
                past = self._past(position, known, stream, drift=drift)
                values = window.values(position) if drift else np.empty(0)
                features.append(self._feature(position, (facts, distances[position]), tests, values, past))
                obstacles.append(features[-1].untested)
            else:
                obstacles.append(find_obstacle(facts.size, (), self._rule.min_rows))
        report = self._report(tuple(features), tuple(one for one in obstacles if one is not None), rows)
        return report if stream is None else replace(report, rows_per_second=stream.rows_per_second)

    def _measure(
        self,
        window: RankedWindow,
        rows: int,
        pasts: tuple[int, Sequence[Past]],
        row_weights: Sequence[tuple[float, float]] | None,
        stream: StreamFacts | None,
    ) -> Iterator[SampleFacts]:
        """Measure neighbouring features of a window.

        Args:
            window: The features.
            rows: Rows of the window.
            pasts: The position of the first of them, and what is known of all features from before the window.
            row_weights: As for `test`.
            stream: As for `test`.
        """
        first, end = pasts[0], pasts[0] + len(window.sizes)
        numbers = numeric_facts(window, self._quantiles[first:end], self._reference_rows[first:end])
        for index, position in enumerate(range(first, end)):
            self._checkpoint()
            size = window.sizes[index]
            sample = Sample(
                profile=self._profiles[position],
                values=window.values[index, :size],
                missing=rows - size,
                past=pasts[1][position],
                reference=self._reference[position],
                ks=numbers[index].ks if index in numbers else None,
                expected=None if stream is None else stream.expected(self.columns[position]),
                weights=None if window.weights is None else window.weights[index, :size],
                row_weights=None if row_weights is None else row_weights[position],
            )
            yield sample_facts(sample, self._histograms[position], numbers.get(index), max(1, self._rule.min_rows))

    def _distances_of_bins(self, measured: Sequence[SampleFacts], first: int) -> list[tuple[float, float]]:
        """`distances_of_bins` of neighbouring features, from this position on; those without tests have no bins."""
        profiles = self._profiles[first : first + len(measured)]
        rows = [(one.rows, facts.size.rows if facts.bins else 0) for one, facts in zip(profiles, measured, strict=True)]
        return distances_of_bins([facts.bins for facts in measured], rows)

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
        measured: tuple[SampleFacts, tuple[float, float]],
        tests: tuple[DriftTestResult, ...],
        values: NDArray[np.float64],
        past: FeaturePast,
    ) -> FeatureDrift:
        """The results of a feature's tests, with everything that describes its window.

        Args:
            position: Of the feature.
            measured: What was measured of it, and the distances of its bins.
            tests: Their results.
            values: Its values, sorted ascending; not used without drift.
            past: What is known of it from before the window.
        """
        facts, (psi, jensen_shannon) = measured
        profile, size, numeric = self._profiles[position], facts.size, facts.numeric
        distance = None if numeric is None else numeric.wasserstein
        drift = any(test.drift for test in tests)
        untested = None if drift else find_obstacle(size, tests, self._rule.min_rows)
        change, sentence = explain_feature(
            profile, FeatureRows(values, size.missing), drift=drift, newest=past.newest, seen_seconds=past.seen_seconds
        )
        return FeatureDrift(
            feature=profile.name,
            kind=profile.kind,
            tests=tests,
            rows=size.values,
            missing=size.missing,
            outside=facts.outside,
            effective_rows=facts.effective_rows,
            detectable=detectable(tests[0].threshold, facts.effective_rows),
            effects=Effects(psi=psi, jensen_shannon=jensen_shannon, wasserstein=distance),
            histogram=facts.bins,
            window_quantiles=() if numeric is None else numeric.deciles,
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

"""The cost of a look, and of each of its parts."""

import time
from collections.abc import Callable

import numpy as np

from benchmarks.statistics.engine import ALPHA, DEFAULT, LOOK_ROWS, MIN_ROWS, WINDOW_ROWS, evaluator_of, profiles_of
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.detector.feature_detector import feature_detector
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.measure import Sample
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.rule import Rule, judge
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.ks import WindowBlocks, rank_window, sorted_ks_statistics
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_window import StreamWindow
from driftgauge.drift.window_tester import WindowTester

FEATURES = (13, 100)
REFERENCE_ROWS = 5_000


def milliseconds(action: Callable[[], object], repeats: int) -> float:
    """The median duration of some runs, after one warm-up run."""
    action()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        found.append(1_000 * (time.perf_counter() - start))
    return float(np.median(found))


def measure(features: int, repeats: int) -> list[str]:
    """The table's line for so many features."""
    rng, p_values = generator(6, features), PValues()
    profiles = profiles_of(rng.standard_normal((REFERENCE_ROWS, features)), [FeatureKind.NUMERIC] * features)
    rule = Rule(ALPHA, Correction.HOLM, MIN_ROWS, DEFAULT)
    values = rng.standard_normal((WINDOW_ROWS, features))
    numbers = np.arange(1, WINDOW_ROWS + 1, dtype=np.int64)
    detector, evaluator = feature_detector(profiles, DEFAULT, MIN_ROWS, "benchmark"), evaluator_of(profiles, DEFAULT)
    state = evaluator.evaluate(None, StreamWindow(values, numbers, numbers), p_values, 1.0).state
    if state is None:
        raise AssertionError("the rule has a budget")
    new, later = values[-LOOK_ROWS:], numbers + LOOK_ROWS

    references, tester = [profile.values for profile in profiles], WindowTester(profiles, rule)

    def windowed() -> object:
        columns = np.sort(values.T, axis=1)
        each = zip(profiles, columns, sorted_ks_statistics(references, columns).tolist(), strict=True)
        samples = [Sample(profile, column, 0, ks=statistic) for profile, column, statistic in each]
        measurements = [one for sample in samples for one in sample.measure(MIN_ROWS)]
        return list(judge(measurements, features, rule, p_values))

    def sequential() -> object:
        cells = np.stack([profile.cells.index(new[:, at]) for at, profile in enumerate(profiles)])
        return detector.advance(state, NewRows(cells, later[-LOOK_ROWS:]), int(later[-1]), 31.0)

    parts = [
        milliseconds(windowed, repeats),
        milliseconds(sequential, repeats),
        milliseconds(
            lambda: tester.test(WindowBlocks.of(rank_window(references, values.T)), WINDOW_ROWS, p_values), repeats
        ),
        milliseconds(lambda: evaluator.evaluate(state, StreamWindow(values, later, later), p_values, 31.0), repeats),
    ]
    row = 1_000 * parts[1] / LOOK_ROWS
    return [str(features), *(f"{part:.2f}" for part in parts), f"{row:.1f}"]


def run(effort: Effort) -> str:
    """The table; no other program may run at the same time."""
    lines = [measure(features, effort.of(100, 5)) for features in FEATURES]
    head = ["features", "windowed tests", "detector", "whole report", "whole look", "detector, us a row"]
    return f"{_words()}\n\n{table(head, lines)}"


def _words() -> str:
    return (
        f"Milliseconds of one thread: references of {REFERENCE_ROWS:,} rows, a window of {WINDOW_ROWS:,}, {LOOK_ROWS} "
        "new rows a look. Windowed tests: sort, KS, p-values, thresholds. Detector: cells of the new rows, their bets "
        "and their dependence. Whole report: tests, effect sizes, histograms, sentences. Whole look: "
        "everything."
    )

"""Evidence by request: rows of one request that resemble each other are no drift, and drift in them is found."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bet_set import BetSet
from driftgauge.drift.detector.dependence import ScoreDependence
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.profile import categorical_profile, numeric_profile
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluation, StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

WINDOW_ROWS = 1000
RULE = Rule(0.05, Correction.HOLM, 50, Budget(30 * 86_400.0, 60.0, 0.02))


class Requests:
    """A stream of requests of any length against a standard normal column and one of categories, looked at by request.

    Args:
        state: The detector's state before the first look.
    """

    def __init__(self, state: DetectorState | None = None) -> None:
        rng = np.random.default_rng(1)
        codes = np.sort(rng.choice(4, 5000, p=[0.4, 0.3, 0.2, 0.1]).astype(np.float64))
        columns = [numeric_profile("n", np.sort(rng.standard_normal(5000))), categorical_profile("c", codes, {})]
        self.evaluator = StreamEvaluator(columns, RULE, "digest")
        self.state = state
        self.evaluations: list[StreamEvaluation] = []
        self._rows = np.empty((0, 2))
        self._lengths: list[int] = []
        self._p_values = PValues()

    def add(self, *requests: Floats) -> None:
        """Add requests, and evaluate the window."""
        self._rows = np.vstack([self._rows, *requests])
        self._lengths += [request.shape[0] for request in requests]
        number = np.arange(1, self._rows.shape[0] + 1)
        of = np.repeat(np.arange(len(self._lengths)), self._lengths)
        newest = slice(-WINDOW_ROWS, None)
        window = StreamWindow(self._rows[newest], number[newest], of[newest])
        now = 1e9 + 60.0 * len(self.evaluations)
        evaluation = self.evaluator.evaluate(self.state, window, self._p_values, now)
        self.state = evaluation.state
        self.evaluations.append(evaluation)

    @property
    def alarms(self) -> list[str]:
        """The alarms so far, each look's."""
        return [
            f"{feature.feature}: {test.test} at look {look}"
            for look, one in enumerate(self.evaluations)
            for feature in one.report.features
            for test in feature.tests
            if test.drift
        ]


def singles(rng: np.random.Generator, count: int, shift: float = 0.0) -> list[Floats]:
    """Requests of one row with the reference's distribution, or with numbers that are larger."""
    return [np.array([[rng.normal(shift), rng.choice(4, p=[0.4, 0.3, 0.2, 0.1])]]) for _ in range(count)]


def alike(rng: np.random.Generator, rows: int) -> Floats:
    """A request of rows that resemble each other, whose level has the reference's distribution."""
    codes = np.where(rng.random(rows) < 0.5, rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]), rng.choice(4, rows))
    return np.column_stack([rng.normal() * 0.9 + 0.4 * rng.standard_normal(rows), codes])


@pytest.mark.parametrize("seed", range(3))
def test_now_and_then_a_request_of_many_rows_that_resemble_each_other_raises_no_alarm(seed: int) -> None:
    """Single rows, and at each tenth look a request of 250 rows around a level of its own."""
    rng, stream = np.random.default_rng(seed), Requests()
    for look in range(80):
        stream.add(*singles(rng, 60), *([alike(rng, 250)] if look % 10 == 9 else []))

    assert [] == stream.alarms


def test_a_single_batch_at_the_far_end_raises_no_alarm() -> None:
    """250 equal rows, three standard deviations away and of the rarest category, after single rows."""
    rng, stream = np.random.default_rng(4), Requests()
    for _ in range(20):
        stream.add(*singles(rng, 60))
    stream.add(np.tile([[3.0, 3.0]], (250, 1)))

    assert [] == stream.alarms


def test_drift_in_requests_of_many_rows_is_found() -> None:
    """Independent rows, 32 a request: a change by half a standard deviation is found within 1,500 rows."""
    rng, stream = np.random.default_rng(5), Requests()
    for look in range(100):
        shift = 0.5 if look >= 50 else 0.0
        stream.add(*(np.vstack(singles(rng, 32, shift)) for _ in range(2)))
    first = int(stream.alarms[0].split()[-1])

    assert stream.alarms[0].startswith("n: ")
    assert 50 < first < 50 + 1500 // 64


def test_drift_in_single_rows_is_found_among_batches() -> None:
    """Batches of rows that resemble each other do not hide a change by a standard deviation of the other rows."""
    rng, stream = np.random.default_rng(6), Requests()
    for look in range(40):
        batch = [alike(rng, 250)] if look % 10 == 9 else []
        stream.add(*singles(rng, 60, 1.0 if look >= 20 else 0.0), *batch)

    assert all(alarm.startswith("n: ") for alarm in stream.alarms)
    assert 20 <= int(stream.alarms[0].split()[-1]) < 28


def test_single_rows_count_the_same_whatever_was_learned_of_requests() -> None:
    """Bit by bit: what is known of the correlation within requests does not touch requests of one row."""
    plain = Requests()
    start = plain.evaluator.detector
    assert start is not None
    learned = replace(start.start(), correlation=np.random.default_rng(7).random(start.start().correlation.shape))
    other = Requests(learned)
    for stream in (plain, other):
        rng = np.random.default_rng(8)
        for look in range(20):
            stream.add(*singles(rng, 60, 0.4 if look > 10 else 0.0))

    for one, two in zip(plain.evaluations, other.evaluations, strict=True):
        assert one.state is not None
        assert two.state is not None
        assert one.state.log_evidence.tobytes() == two.state.log_evidence.tobytes()
        assert one.state.spans.tobytes() == two.state.spans.tobytes()
        assert one.report == two.report


def test_single_rows_have_distances_without_weights_and_evidence_by_hand() -> None:
    """Distances are those of scipy and numpy; the evidence is that of a plain loop over looks, groups and bets."""
    rng, stream = np.random.default_rng(8), Requests()
    looks = [singles(rng, 60, 0.4 if look > 10 else 0.0) for look in range(20)]
    for requests in looks:
        stream.add(*requests)
    last = stream.evaluations[-1]
    statistics = [test.statistic for feature in last.report.features for test in feature.tests]
    rows = np.vstack([np.vstack(requests) for requests in looks])
    numbers, codes = (profile.values for profile in stream.evaluator.profiles)
    shares = [np.bincount(one.astype(np.int64)) / one.size for one in (codes, rows[-WINDOW_ROWS:, 1])]
    evidence = by_hand(stream.evaluator, rows)

    assert stats.ks_2samp(numbers, rows[-WINDOW_ROWS:, 0]).statistic == pytest.approx(statistics[0])
    assert np.abs(shares[0] - shares[1]).sum() / 2 == pytest.approx(statistics[2])
    assert evidence == pytest.approx([statistics[1], statistics[3]], rel=1e-3)


def by_hand(evaluator: StreamEvaluator, rows: Floats) -> list[float]:
    """The log10 of each feature's evidence after looks at 60 single rows: its greatest is ten times the threshold."""
    profiles, engine = evaluator.profiles, evaluator.detector
    assert engine is not None
    dependence = ScoreDependence(BetSet(engine.bets))
    cells = np.stack([one.cells.index(column) for one, column in zip(profiles, rows.T, strict=True)])
    spans = dependence.start_spans
    logs = [np.full(bets.log_weights.size, -np.inf) for bets in engine.bets]
    for first in range(0, rows.shape[0], 60):
        known = dependence.known(spans, np.zeros(2, dtype=np.bool_))
        start = 0
        for feature, bets in enumerate(engine.bets):
            of_bet, start = start + bets.factor_of, start + bets.own_factors.size
            gained = np.zeros(bets.log_weights.size)
            for group in np.split(cells[feature, first : first + 60], [16, 32, 48]):
                gain = bets.log_factors[group].sum(axis=0) / known.factors[of_bet]
                gained += np.minimum(gain, engine.log_climb * group.size / 56)
            gained[known.assumed[of_bet] & (gained < 0)] = -np.inf
            assert not known.grows[of_bet].any()
            logs[feature] = np.logaddexp(logs[feature], np.log(60.0)) + gained
            surplus = np.logaddexp.reduce(logs[feature] + bets.log_weights) / np.log(10) - engine.threshold - 1
            logs[feature] -= max(0.0, surplus) * np.log(10)
        new = NewRows(cells[:, first : first + 60], np.arange(60))
        spans = dependence.add(spans, first, new, np.empty(0))
    each = zip(logs, engine.bets, strict=True)
    return [float(np.logaddexp.reduce(log + bets.log_weights) / np.log(10)) for log, bets in each]

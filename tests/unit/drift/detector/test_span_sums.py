"""Running sums of dependence: factors are those of the processes that made the rows, and changes are no dependence."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.detector.span_sums import Dependence, Units, add_units, dependence, no_spans

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

STREAMS = 100
"""Independent streams, each a score of its own."""


def measured(rows: Floats, look_rows: int = 60) -> Dependence:
    """The dependence of single rows of weight 1 that come in looks."""
    return dependence(fed(rows, look_rows))


def fed(rows: Floats, look_rows: int, *, centred: bool = True) -> NDArray[np.float32]:
    """The sums of single rows of weight 1 that come in looks."""
    sums = no_spans(rows.shape[1])
    for first in range(0, rows.shape[0], look_rows):
        new = rows[first : first + look_rows]
        sums = add_units(sums, first, Units(new, new**2, np.ones_like(new), np.full(rows.shape[1], centred)))
    return sums


def autoregressive(rho: float, count: int) -> Floats:
    """Standard normal rows of which neighbours correlate by `rho`."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((count, STREAMS)) * np.sqrt(1 - rho**2)
    rows: Floats = noise.copy()
    rows[0] = rng.standard_normal(STREAMS)
    for index in range(1, count):
        rows[index] += rho * rows[index - 1]
    return rows


def test_independent_rows_are_bounded_by_little_more_than_one() -> None:
    """After 2,000 independent rows at least 95 of a hundred streams are bounded, and the median factor is near 1."""
    found = measured(autoregressive(0.0, 2_000))

    assert found.bounded.mean() >= 0.95
    assert np.median(found.factors) < 1.1
    assert np.quantile(found.factors, 0.95) < 2


@pytest.mark.parametrize("rho", [0.5, 0.9, 0.95, 0.99])
def test_an_autoregressive_score_has_at_least_its_own_factor(rho: float) -> None:
    """After 20,000 rows the median factor is one to two times the true one."""
    true = (1 + rho) / (1 - rho)

    assert true < np.median(measured(autoregressive(rho, 20_000)).factors) < 2 * true


@pytest.mark.parametrize("rho", [0.95, 0.99])
def test_a_factor_that_still_grows_is_not_bounded(rho: float) -> None:
    """After 300 rows of long memory hardly any stream has a bound."""
    assert measured(autoregressive(rho, 300)).bounded.mean() < 0.1


@pytest.mark.parametrize("at", [2_011, 2_048])
@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0, 5.0])
def test_a_step_is_no_dependence(at: int, shift: float) -> None:
    """A step leaves the factor below 1.5 in at least 95 of a hundred streams, and bounded."""
    rows = autoregressive(0.0, 4_000)
    rows[at:] += shift
    found = measured(rows)

    assert np.quantile(found.factors, 0.95) < 1.5
    assert found.bounded.mean() > 0.95


def test_one_burst_gives_no_bound() -> None:
    """Of a score that differs from 0 in 20 neighbouring rows of 4,000 too few pairs are informative."""
    rows = np.zeros((4_000, 1))
    rows[2_011:2_031] = 1.0

    assert not measured(rows).bounded.any()


def bursts(number: int, length: int) -> Floats:
    """Whether an event happens in each of 20,000 rows, in 40 streams: in so many bursts, each in a part of its own."""
    rows = np.zeros((20_000, 40))
    part = 20_000 // number
    for stream, column in enumerate(rows.T):
        places = np.random.default_rng(stream).integers(0, part - length, number)
        for first in (places + part * np.arange(number)).tolist():
            column[first : first + length] = 1.0
    return rows


@pytest.mark.parametrize(
    ("number", "grows", "bounded"),
    [
        pytest.param(1, 0.0, 0.0, id="one shows nothing"),
        pytest.param(6, 1.0, 0.0, id="six pairs of ends do not show how long they are"),
        pytest.param(20, 0.0, 1.0, id="twenty do"),
    ],
)
def test_bursts_of_an_event(number: int, grows: float, bounded: float) -> None:
    """Of bursts of 100 rows it takes several: a burst is then worth about one row, or a little less."""
    found = dependence(fed(bursts(number, 100), 60, centred=False))

    assert grows == pytest.approx(found.grows.mean(), abs=0.1)
    assert bounded == pytest.approx(found.bounded.mean(), abs=0.1)
    assert ((found.factors[found.bounded] > 50) & (found.factors[found.bounded] < 300)).all()


@pytest.mark.parametrize("length", [1, 100, 3_000])
def test_one_event_of_any_length_is_one(length: int) -> None:
    """However long values are missing, and even if they are missing from then on."""
    rows = np.zeros((4_000, 1))
    rows[1_011 : 1_011 + length] = 1.0
    found = dependence(fed(rows, 60, centred=False))

    assert [False, False] == [found.bounded[0], found.grows[0]]


def test_events_that_happen_by_themselves_are_independent() -> None:
    """Each row lacks the feature with a chance of 5 %: the factor is near 1, with a bound."""
    rows = (np.random.default_rng(3).random((4_000, STREAMS)) < 0.05).astype(np.float64)
    found = dependence(fed(rows, 60, centred=False))

    assert found.bounded.mean() >= 0.9
    assert np.median(found.factors) < 1.3


def test_the_rough_factor_of_a_burst_is_at_least_half_of_its_length() -> None:
    """It is used before there is a bound, which one burst does not give."""
    found = dependence(fed(bursts(3, 100), 60, centred=False))

    assert not found.bounded.any()
    assert np.median(found.rough) > 50
    assert dependence(fed(bursts(3, 1), 60, centred=False)).rough.max() < 3


@pytest.mark.parametrize("at", [0, 500, 2_000])
def test_a_frozen_feature_is_not_alike(at: int) -> None:
    """One value from some row on is a change; what was known of the dependence before it remains."""
    rows = autoregressive(0.0, 4_000)
    rows[at:] = 0.7
    found = measured(rows)

    assert found.grows.mean() < 0.05
    assert np.median(found.factors) < 1.5


def test_a_score_that_never_differs_from_zero_has_no_bound() -> None:
    """Its factor is 1, and it does not grow."""
    found = measured(np.zeros((2_000, 1)))

    assert ([1.0], [False], [False]) == (found.factors.tolist(), found.bounded.tolist(), found.grows.tolist())


def test_too_few_pairs_give_no_bound() -> None:
    """Seven informative pairs of blocks of 16 rows are needed: some more than 224 rows."""
    rows = autoregressive(0.0, 288)

    assert not measured(rows[:223]).bounded.any()
    assert measured(rows).bounded.mean() > 0.9


def test_looks_of_any_size_give_the_same() -> None:
    """Scores about 0 have the same sums but for rounding, whether rows come one by one or all at once."""
    rows = autoregressive(0.5, 500)
    expected = fed(rows, 500, centred=False)[:-1]

    for look_rows in (1, 7, 64):
        np.testing.assert_allclose(fed(rows, look_rows, centred=False)[:-1], expected, rtol=1e-3, atol=1e-3)


def test_weights_change_the_factor_of_no_independent_rows() -> None:
    """Requests of unequal weight, whose sums vary as independent rows of that weight, have the factor 1."""
    rng = np.random.default_rng(2)
    weights = rng.integers(1, 50, (2_000, STREAMS)).astype(np.float64)
    totals = np.sqrt(weights) * rng.standard_normal((2_000, STREAMS))
    found = dependence(
        add_units(no_spans(STREAMS), 0, Units(totals, weights, weights, np.ones(STREAMS, dtype=np.bool_)))
    )

    assert np.median(found.factors) < 1.1
    assert found.bounded.mean() >= 0.9

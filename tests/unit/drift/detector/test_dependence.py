"""What is known of the dependence between rows: assumed at first, then from the reference or from the stream."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from driftgauge.drift.detector.bet_set import BetSet
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.detector.dependence import (
    KnownDependence,
    ScoreDependence,
    reference_effective_rows,
    rows_in_order,
)
from driftgauge.drift.profile import Profile, numeric_profile
from tests.support.detectors import BUDGET, cells, profiles, single_rows

Floats = NDArray[np.float64]

VALUES, EVENTS = slice(0, 2), slice(2, 5)
"""The measured scores of a feature of numbers: location and scale; below, above and missing."""


def autoregressive(rho: float, count: int, seed: int = 1) -> Floats:
    """Standard normal rows of one feature whose neighbours correlate by `rho`."""
    noise = np.random.default_rng(seed).standard_normal((count, 1))
    noise[1:] *= math.sqrt(1 - rho**2)
    series: Floats = lfilter([1.0], [1.0, -rho], noise, axis=0)
    return series


def ordered(values: Floats) -> Profile:
    """A feature of numbers whose reference's rows are in the order of time; NaN is a missing value."""
    present = np.sort(values[~np.isnan(values)])
    profile = numeric_profile("n", present, values.size - present.size)
    return replace(profile, in_order=cells([profile], values)[0].astype(np.uint16))


def dependence(of: Sequence[Profile]) -> ScoreDependence:
    """The dependence of the features' scores."""
    return ScoreDependence(BetSet([make_bets(one, BUDGET, len(of)) for one in of]), rows_in_order(of))


def now(known: ScoreDependence, spans: NDArray[np.float32], *, rhythm: bool = False) -> KnownDependence:
    """What is known after the rows of these sums."""
    return known.known(spans, np.full(spans.shape[2] // 5, rhythm))


def after(of: Sequence[Profile], stream: Floats) -> KnownDependence:
    """What is known after the rows of a stream."""
    known = dependence(of)
    rows = single_rows(of, stream)
    return now(known, known.add(known.start_spans, known.start_requests, rows, np.empty(0)))


def test_the_first_rows_are_assumed_to_depend_on_each_other() -> None:
    """Sixteen neighbours count as one, eight of events; neither is a bound, and events start again without gain."""
    known = dependence(profiles(1))
    first = now(known, known.start_spans)

    assert [16.0, 16.0, 8.0, 8.0, 8.0] == first.factors.tolist()
    assert not first.bounded.any()
    assert not first.grows.any()
    assert [False, False, True, True, True] == first.assumed.tolist()
    assert [1.0] * 5 == known.reference_factors.tolist()


@pytest.mark.parametrize(("rows", "bounded"), [(223, False), (320, True)])
def test_the_assumption_ends_after_seven_pairs_of_blocks_of_sixteen(rows: int, bounded: bool) -> None:  # noqa: FBT001 - expected
    """Before 224 rows values have the assumed factor, some rows later a known one."""
    known = after(profiles(1), autoregressive(0.0, rows))

    assert [bounded, bounded] == known.bounded[VALUES].tolist()
    assert ((known.factors[VALUES] < 3) == bounded).all()


def test_a_dependence_above_the_assumed_one_counts_at_once() -> None:
    """Where few rows show a factor above 16, it is used before it has a bound."""
    known = after(profiles(1), autoregressive(0.999, 300))

    assert (known.factors[VALUES] >= 16).all()


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_an_ordered_reference_alone_decides_where_it_is_strong(rho: float) -> None:
    """Rows of a stream that are more alike than those of the reference are a change, and no excuse."""
    of = [ordered(autoregressive(rho, 20_000, seed=2))]
    strong, alone = dependence(of), after(of, autoregressive(0.95, 8_000))
    unordered = after([replace(of[0], in_order=None)], autoregressive(0.95, 8_000))
    true = (1 + rho) / (1 - rho)

    assert alone.factors[VALUES].tolist() == strong.reference_factors[VALUES].tolist()
    assert 0.8 * true < alone.factors[0] < 2 * true
    assert alone.bounded[VALUES].all()
    assert unordered.factors[0] > 20


def test_a_weak_reference_begins_the_sums() -> None:
    """A stream's rows are added to those of a reference that is short: both together bound the dependence."""
    of = [ordered(autoregressive(0.0, 160, seed=3))]
    known = dependence(of)

    assert 160 == known.start_requests
    assert not now(known, known.start_spans).bounded.any()
    assert after(of, autoregressive(0.0, 160)).bounded[VALUES].all()
    assert not after([replace(of[0], in_order=None)], autoregressive(0.0, 160)).bounded.any()


def test_the_order_of_all_features_must_be_known() -> None:
    """If that of one is not, the sums begin with the stream."""
    known = dependence([ordered(autoregressive(0.0, 1_000)), *profiles(1)])

    assert 0 == known.start_requests
    assert not known.start_spans.any()


def test_a_reference_without_bound_has_none_whatever_the_stream() -> None:
    """Its rows wander for as long as they are known: 20,000 independent rows of a stream do not change that."""
    wandering = np.cumsum(np.random.default_rng(4).standard_normal((5_000, 1)), axis=0)
    known = after([ordered(wandering)], np.random.default_rng(5).choice(wandering[:, 0], (20_000, 1)))

    assert known.grows[0]
    assert not known.bounded[0]


def test_events_depend_on_each_other_at_least_as_values_do() -> None:
    """Of those that never happened there is no other knowledge: location has a factor of about 39."""
    known = after(profiles(1), autoregressive(0.95, 20_000))

    assert known.factors[0] > 20
    assert (known.factors[2:4] >= known.factors[0]).all()
    assert known.assumed[2:].all()


def test_rows_that_are_alike_are_so_in_their_events() -> None:
    """Where the dependence of values grows without bound, that of values outside the reference does too."""
    known = after(profiles(1), autoregressive(0.9999, 4_000))

    assert known.grows[VALUES].any()
    assert known.grows[2:4].all()


def test_values_with_a_rhythm_have_no_bound() -> None:
    """Where the stream shows a rhythm that the reference lacks, only missing values keep a factor."""
    known = dependence(profiles(1))
    rows = single_rows(profiles(1), autoregressive(0.0, 2_000))
    found = now(known, known.add(known.start_spans, 0, rows, np.empty(0)), rhythm=True)

    assert [True, True, True, True, False] == found.grows.tolist()
    assert not found.bounded[:4].any()
    assert [math.inf] * 4 == found.factors[:4].tolist()
    assert math.isfinite(found.factors[4])


def test_requests_count_as_one_unit() -> None:
    """Ten equal rows a request are known to be one by their weights: the factor is that of the requests."""
    of = profiles(1)
    requests = np.repeat(autoregressive(0.0, 2_000), 10, axis=0)
    rows = replace(single_rows(of, requests), requests=np.repeat(np.arange(2_000), 10))
    known = dependence(of)
    equal, independent = (
        now(known, known.add(known.start_spans, 0, rows, np.full(5, correlation))) for correlation in (1.0, 0.0)
    )

    assert equal.factors[0] < 1.5
    assert independent.factors[0] > 8


def test_rows_of_an_unknown_order_are_taken_to_be_independent() -> None:
    """A reference is worth all its values and all its rows."""
    (worth,) = reference_effective_rows([numeric_profile("n", np.arange(900.0), 100)])

    assert (900.0, 1000.0) == (worth.values, worth.all)


def test_rows_of_a_reference_in_order_are_worth_fewer() -> None:
    """The median of five is that of the process, or down to half of it; missing values have their own factor."""
    found = []
    for seed in range(5):
        values = autoregressive(0.9, 20_000, seed)
        values[np.random.default_rng(seed).random(20_000) < 0.2] = np.nan
        (worth,) = reference_effective_rows([ordered(values)])
        found.append((16_000 / worth.values, 20_000 / worth.all))
    of_values, of_missing = np.median(found, axis=0)
    true = 1 + 2 * 0.8 * 0.9 / (1 - 0.9)  # of rows that are kept with a chance of 0.8

    assert true < of_values < 2 * true
    assert 1 <= of_missing < 1.3


def test_a_model_of_hours_takes_a_row_for_each_parameter() -> None:
    """The values are worth a third with three of them; missing values are not modelled."""
    profile = ordered(autoregressive(0.5, 4_000))
    (one,), (three,) = (reference_effective_rows([replace(profile, parameters=count)]) for count in (1.0, 3.0))

    assert one.values / 3 == pytest.approx(three.values)
    assert one.all == three.all


def test_a_reference_is_worth_one_row_at_least() -> None:
    """Even one whose rows are all but equal to their neighbours."""
    (worth,) = reference_effective_rows([replace(ordered(np.linspace(0, 1, 50)[:, np.newaxis]), parameters=1e9)])

    assert 1.0 == worth.values


def test_rows_of_one_time_are_those_of_one_request() -> None:
    """Requests of 32 rows that correlate by 0.5 are no dependence between requests; each is worth about two rows."""
    rng = np.random.default_rng(3)
    requests = np.repeat(np.arange(2_000), 32)
    values = np.repeat(rng.standard_normal(2_000), 32)[:, np.newaxis] + rng.standard_normal((64_000, 1))
    of = [replace(ordered(values), requests=requests)]
    known = dependence(of)

    assert 2_000 == known.start_requests
    assert known.reference_factors[0] < 1.5
    assert 1 / 32 < known.reference_weights[0] < 1 / 12
    assert 2_000 < reference_effective_rows(of)[0].values < 6_000

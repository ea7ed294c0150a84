"""Laws of the sequential detector and of its state."""

from dataclasses import replace
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.detector_state import ARRAYS, DetectorState, pack, unpack
from driftgauge.drift.detector.feature_detector import feature_detector
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.detector.request_correlation import SUMS
from driftgauge.drift.detector.span_sums import SPANS
from driftgauge.drift.detector.span_sums import SUMS as SPAN_SUMS
from driftgauge.drift.hours.rhythm_sums import NUMBERS
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

BUDGET = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.05, share_tolerance=0.05)
PROFILES = (
    numeric_profile("smooth", np.arange(30.0)),
    numeric_profile("ties", np.repeat([1.0, 2.0, 5.0], [700, 200, 100]), missing=40),
    categorical_profile("text", np.repeat([1.0, 2.0, 3.0, 4.0], [500, 300, 190, 10]), {}, missing=5),
)
chosen = st.sampled_from(PROFILES)
lengths = st.lists(st.sampled_from([1, 1, 1, 2, 3, 17]), min_size=1, max_size=40)


def detector(*profiles: Profile) -> Detector:
    """A detector of these features, which may alarm from the first row on."""
    return feature_detector(profiles, BUDGET, 1, "digest")


def draw_cells(data: st.DataObject, profile: Profile, count: int) -> NDArray[np.int64]:
    """Rows in any cells of a feature, or without it: shape `(1, count)`."""
    cells = st.integers(0, profile.cells.shares.size)
    return data.draw(arrays.arrays(np.int64, (1, count), elements=cells))


def singles(cells: NDArray[np.int64]) -> NewRows:
    """Rows that are each a request of its own."""
    return NewRows(cells, np.arange(cells.shape[1]))


def in_order(profile: Profile) -> Profile:
    """The feature with 4,000 rows of its reference in an order that shows them to be independent."""
    shares = np.append(profile.cells.shares * profile.values.size, profile.missing) / profile.rows
    cells = np.random.default_rng(1).choice(shares.size, 4_000, p=shares)
    return replace(profile, in_order=cells.astype(np.uint16))


def tolerated(data: st.DataObject, profile: Profile) -> Floats:
    """The chance of each cell under a distribution at the edge of the tolerance, towards an arbitrary one."""
    shares = profile.cells.shares
    goal = np.array(data.draw(st.lists(st.integers(0, 9), min_size=shares.size, max_size=shares.size).filter(any)))
    away = goal / goal.sum() - shares
    distance = np.abs(away).sum() / 2 if profile.cells.is_categorical else np.abs(np.cumsum(away)).max()
    present = shares + min(1.0, BUDGET.tolerance / max(distance, 1e-12)) * away
    missing = profile.missing / profile.rows + data.draw(st.floats(0.0, BUDGET.tolerance))
    return np.append(present * (1 - missing), missing)


def seconds_of_evidence(state: DetectorState, profile: Profile) -> float:
    """The evidence against the only feature, in seconds."""
    weights = make_bets(profile, BUDGET, 1).log_weights
    return float(np.exp(state.log_evidence[0] + weights).sum())


@settings(deadline=None)
@given(data=st.data(), profile=chosen, passed=st.floats(0.0, 60.0), count=st.integers(1, 400), strong=st.booleans())
def test_mean_evidence_grows_by_at_most_the_time(
    *, data: st.DataObject, profile: Profile, passed: float, count: int, strong: bool
) -> None:
    """For a row of any tolerated distribution, the mean of the new evidence is at most the old one plus the seconds.

    The mean is exact: a row of each cell is fed, and weighted by its chance.
    """
    engine = detector(in_order(profile) if strong else profile)
    before = engine.advance(engine.start(), singles(draw_cells(data, profile, count)), count, 1000.0)
    chances = tolerated(data, profile)
    after = [
        engine.advance(before, singles(np.array([[cell]])), count + 1, 1000.0 + passed) for cell in range(chances.size)
    ]
    mean = sum(
        chance * seconds_of_evidence(state, profile) for chance, state in zip(chances.tolist(), after, strict=True)
    )

    assert mean <= (seconds_of_evidence(before, profile) + passed) * (1 + 1e-9)


@settings(deadline=None)
@given(data=st.data(), profile=chosen, first=st.integers(1, 3), second=st.integers(1, 40))
def test_groups_of_rows_in_two_looks_are_those_of_one(
    data: st.DataObject, profile: Profile, first: int, second: int
) -> None:
    """Rows of the same moment give bets on values the same evidence, if their dependence is known and groups are whole.

    A group has 16 rows. Other bets start again at a look without gain.
    """
    known = in_order(profile)
    engine = detector(known)
    cells = draw_cells(data, known, 16 * first + second)
    together = engine.advance(engine.start(), singles(cells), cells.shape[1], 5.0)
    apart = engine.advance(engine.start(), singles(cells[:, : 16 * first]), 16 * first, 5.0)
    latched = together.latched.any() or apart.latched.any()
    apart = engine.advance(apart, singles(cells[:, 16 * first :]), cells.shape[1], 5.0)
    bets = engine.bets[0]
    values = bets.own_factors[bets.factor_of] < bets.main_scores

    assert latched or np.allclose(together.log_evidence[0][values], apart.log_evidence[0][values])


UNCENTRED = [0, 2, 3, 4, 7, 8, 9, 10]
"""Sums of spans that do not depend on the running mean, which is that of the newest look."""


@settings(deadline=None)
@given(data=st.data(), profile=chosen, sizes=lengths, cut=st.integers(1, 40))
def test_looks_of_any_size_count_the_same(data: st.DataObject, profile: Profile, sizes: list[int], cut: int) -> None:
    """Whole requests give the same counts and sums, whether fed in one look or request by request."""
    engine = detector(profile)
    cells, requests = draw_cells(data, profile, sum(sizes)), np.repeat(np.arange(len(sizes)), sizes)
    together = engine.advance(engine.start(), NewRows(cells, requests), sum(sizes), 5.0)
    apart = engine.start()
    for part in np.split(np.arange(sum(sizes)), np.cumsum(sizes)[cut - 1 :: cut]):
        if part.size:
            apart = engine.advance(apart, NewRows(cells[:, part], requests[part]), int(part[-1]) + 1, 5.0)

    assert (together.rows, together.requests, together.number) == (apart.rows, apart.requests, apart.number)
    np.testing.assert_allclose(together.correlation, apart.correlation, rtol=1e-9, atol=1e-12)
    if max(sizes) == 1 or cut >= len(sizes):
        np.testing.assert_allclose(together.spans[UNCENTRED], apart.spans[UNCENTRED], rtol=1e-3, atol=1e-3)


@settings(deadline=None)
@given(data=st.data(), profile=chosen, count=st.integers(1, 300), gaps=st.integers(1, 1_000))
def test_requests_of_one_row_are_rows_without_requests(
    data: st.DataObject, profile: Profile, count: int, gaps: int
) -> None:
    """Bit by bit: neither the requests' numbers nor what is known of the correlation within requests matters."""
    engine = detector(profile)
    cells, start = draw_cells(data, profile, count), engine.start()
    learned = replace(start, correlation=np.random.default_rng(gaps).random(start.correlation.shape))
    plain = engine.advance(start, singles(cells), count, 5.0)
    other = engine.advance(learned, NewRows(cells, gaps * np.arange(5, count + 5)), count, 5.0)

    for name in ARRAYS:
        expected = learned.correlation if name == "correlation" else getattr(plain, name)
        np.testing.assert_array_equal(getattr(other, name), expected)


@settings(deadline=None)
@given(values=st.lists(st.integers(0, 50), min_size=1, max_size=500), missing=st.integers(0, 50), data=st.data())
def test_a_reference_s_own_rows_never_alarm(values: list[int], missing: int, data: st.DataObject) -> None:
    """The reference's rows in any order, any number of times at each look, raise no alarm: numbers or categories."""
    column = np.sort(np.array(values, dtype=np.float64))
    profiles = numeric_profile("n", column, missing), categorical_profile("c", column, {}, missing)
    cells = np.stack([np.append(one.cells.index(column), np.full(missing, one.cells.shares.size)) for one in profiles])
    engine = detector(*profiles)
    state = engine.start()
    rng = np.random.default_rng(data.draw(st.integers(0, 1_000)))
    for look in range(10):
        times = data.draw(st.integers(0, 20))
        if times:
            new = singles(cells[:, rng.permutation(np.tile(np.arange(cells.shape[1]), times))])
            state = engine.advance(state, new, state.number + new.requests.size, 60.0 * look)

        assert not state.latched.any()


SHAPES: dict[str, tuple[Any, ...]] = {
    "log_evidence": ("d", "b"),
    "recovery": ("d", 4),
    "raised": ("d", 2),
    "correlation": (SUMS, "s"),
    "spans": (SPAN_SUMS, SPANS, "f"),
    "rhythm": ("s", NUMBERS),
}
"""The shapes of arrays; those of all others are `(d,)`."""

KINDS = {"log_evidence": "f4", "correlation": "f4", "spans": "f4", "rhythm": "f4", "risen_at": "i8", "leader": "i8"}
"""The types as which arrays are stored, where it is not float64."""


def draw_array(data: st.DataObject, name: str, sizes: dict[str, int]) -> NDArray[np.generic]:
    """Any array that a state may have, in the type that the state has in memory."""
    shape = tuple(sizes.get(size, size) for size in SHAPES.get(name, ("d",)))
    stored: NDArray[np.generic] = data.draw(arrays.arrays(KINDS.get(name, "f8"), shape))
    return stored.astype(np.float64) if name in {"log_evidence", "correlation"} else stored


whole, sizes = st.integers(0, 2**53), st.integers(0, 4)
finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(data=st.data(), key=st.text(), sizes=st.fixed_dictionaries(dict.fromkeys("dbsf", sizes)))
def test_a_packed_state_is_unpacked_the_same(data: st.DataObject, key: str, sizes: dict[str, int]) -> None:
    """The unpacked state is equal, infinities and NaN included."""
    fields: dict[str, Any] = {name: data.draw(whole) for name in ("number", "rows", "requests")}
    fields |= {name: data.draw(finite) for name in ("time", "began")}
    fields |= {name: draw_array(data, name, sizes) for name in ARRAYS}
    state = DetectorState(key=key.encode(errors="replace").decode(), **fields)
    actual = unpack(pack(state))

    assert actual is not None
    for name in ("key", "number", "rows", "requests", "time", "began"):
        assert getattr(state, name) == getattr(actual, name)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(state, name), getattr(actual, name), strict=True)


FACTS = b'{"key":"","number":1,"rows":1,"time":0,"began":0,"requests":1,"shapes":['
SHAPES_OF_ONE = b"[1,1],[1],[1],[1],[1],[1],[1,4],[1,2],[1],[1],[7,0],[11,16,0],[0,5]"
OTHER_LINES = {"correlation", "spans", "rhythm"}
"""The arrays whose first axis is not that of features."""

ANY_SHAPE = st.lists(st.integers(0, 2), max_size=3)


@given(
    blob=st.one_of(
        st.binary(),
        st.binary().map(lambda body: FACTS + SHAPES_OF_ONE + b"]}\n" + body),
        st.builds(
            lambda shapes, size: FACTS + str(shapes)[1:].encode() + b"}\n" + bytes(4 * size),
            st.lists(ANY_SHAPE, min_size=len(ARRAYS), max_size=len(ARRAYS)),
            st.integers(0, 50),
        ),
    )
)
def test_any_bytes_are_a_state_or_none(blob: bytes) -> None:
    """No bytes make unpacking fail, and the arrays of a state have as many features as each other."""
    state = unpack(blob)

    assert state is None or {state.since.size} == {
        getattr(state, name).shape[0] for name in ARRAYS if name not in OTHER_LINES
    }


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_another_shape_is_no_state(name: str) -> None:
    """This is true for each array with a further axis, and for each one of another number of features."""
    state = detector(*PROFILES).start()
    array = getattr(state, name)

    assert unpack(pack(replace(state, **{name: array[..., np.newaxis]}))) is None
    assert name in OTHER_LINES or unpack(pack(replace(state, **{name: array[1:]}))) is None

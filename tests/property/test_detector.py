"""Laws of the sequential detector and of its state."""

import hypothesis.extra.numpy as arrays
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.detector_state import DetectorState, pack, unpack
from driftgauge.drift.detector.request_correlation import SUMS
from driftgauge.drift.detector.span_sums import SPANS
from driftgauge.drift.detector.span_sums import SUMS as SPAN_SUMS
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile

Floats = NDArray[np.float64]

BUDGET = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.05)
PROFILES = (
    numeric_profile("smooth", np.arange(30.0)),
    numeric_profile("ties", np.repeat([1.0, 2.0, 5.0], [700, 200, 100]), missing=40),
    categorical_profile("text", np.repeat([1.0, 2.0, 3.0, 4.0], [500, 300, 190, 10]), {}, missing=5),
)
chosen = st.sampled_from(PROFILES)


def detector(*profiles: Profile) -> Detector:
    """A detector of these features, which may alarm from the first row on."""
    return Detector(profiles, BUDGET, 1, "digest")


def draw_counts(data: st.DataObject, profile: Profile, most: int = 20) -> NDArray[np.int64]:
    """At least one row in the cells of a feature."""
    counts = data.draw(arrays.arrays(np.int64, profile.cells.shares.size + 1, elements=st.integers(0, most)))
    counts[data.draw(st.integers(0, counts.size - 1))] += 1
    return counts


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
    weights = make_bets(profile, BUDGET.tolerance, 1).log_weights
    return float(np.exp(state.log_evidence[0] + weights).sum())


@settings(deadline=None)
@given(data=st.data(), profile=chosen, passed=st.floats(0.0, 60.0))
def test_mean_evidence_grows_by_at_most_the_time(data: st.DataObject, profile: Profile, passed: float) -> None:
    """For a row of any tolerated distribution, the mean of the new evidence is at most the old one plus the seconds.

    The mean is exact: a row of each cell is fed, and weighted by its chance.
    """
    engine = detector(profile)
    before = engine.advance(engine.start(), [draw_counts(data, profile)], 1000.0)
    chances = tolerated(data, profile)
    rows = np.eye(chances.size, dtype=np.int64)
    after = [engine.advance(before, [row], 1000.0 + passed) for row in rows]
    mean = sum(
        chance * seconds_of_evidence(state, profile) for chance, state in zip(chances.tolist(), after, strict=True)
    )

    assert mean <= (seconds_of_evidence(before, profile) + passed) * (1 + 1e-9)


@settings(deadline=None)
@given(data=st.data(), profile=chosen)
def test_rows_in_two_parts_are_rows_in_one(data: st.DataObject, profile: Profile) -> None:
    """Rows of the same moment give the same evidence, whether fed together or in two parts."""
    first, second = draw_counts(data, profile, 3), draw_counts(data, profile, 3)
    engine = detector(profile)
    together = engine.advance(engine.start(), [first + second], 5.0)
    apart = engine.advance(engine.advance(engine.start(), [first], 5.0), [second], 5.0)

    assert np.allclose(together.log_evidence, apart.log_evidence) or together.latched.any() or apart.latched.any()
    assert together.rows == apart.rows


@settings(deadline=None)
@given(values=st.lists(st.integers(0, 50), min_size=1, max_size=500), missing=st.integers(0, 50), data=st.data())
def test_a_reference_s_own_rows_never_alarm(values: list[int], missing: int, data: st.DataObject) -> None:
    """The reference's rows, any number of times at each look, raise no alarm, as numbers or as categories."""
    column = np.sort(np.array(values, dtype=np.float64))
    profiles = numeric_profile("n", column, missing), categorical_profile("c", column, {}, missing)
    counts = [np.append(profile.cells.count(column), missing) for profile in profiles]
    engine = detector(*profiles)
    state = engine.start()
    for look in range(10):
        times = data.draw(st.integers(0, 100))
        state = engine.advance(state, [one * times for one in counts], 60.0 * look)

        assert not state.latched.any()


floats = st.floats(allow_nan=True, width=64)


@given(data=st.data(), d=st.integers(0, 5), b=st.integers(0, 7), key=st.text(), number=st.integers(0, 2**62))
def test_a_packed_state_is_unpacked_the_same(data: st.DataObject, d: int, b: int, key: str, number: int) -> None:
    """The unpacked state is equal, infinities and NaN included."""
    s = data.draw(st.integers(0, 4))
    state = DetectorState(
        key=key.encode(errors="replace").decode(),
        number=number,
        rows=data.draw(st.integers(0, 2**62)),
        time=data.draw(st.floats(allow_nan=False, allow_infinity=False)),
        log_evidence=data.draw(arrays.arrays(np.float64, (d, b), elements=floats)),
        factors=data.draw(arrays.arrays(np.float64, d, elements=floats)),
        since=data.draw(arrays.arrays(np.float64, d, elements=floats)),
        correlation=data.draw(arrays.arrays(np.float64, (SUMS, s), elements=floats)),
        requests=data.draw(st.integers(0, 2**62)),
        spans=data.draw(
            arrays.arrays(np.float32, (SPAN_SUMS, SPANS, data.draw(st.integers(0, 2))), fill=st.floats(width=32))
        ),
    )
    actual = unpack(pack(state))

    assert actual is not None
    assert (state.key, state.number, state.rows, state.time) == (actual.key, actual.number, actual.rows, actual.time)
    for name in ("log_evidence", "factors", "since", "correlation", "spans"):
        np.testing.assert_array_equal(getattr(state, name), getattr(actual, name), strict=True)


HEAD = b'{"key":"","number":1,"rows":1,"time":0,"requests":1,"shape":[1,2,1,0]}\n'


@given(blob=st.one_of(st.binary(), st.binary().map(HEAD.__add__)))
def test_any_bytes_are_a_state_or_none(blob: bytes) -> None:
    """No bytes make unpacking fail."""
    state = unpack(blob)

    assert state is None or state.log_evidence.shape[0] == state.since.size == state.factors.size

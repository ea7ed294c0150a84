"""Whatever a store has in place of the detector's state, evaluation goes on and replaces it."""

from dataclasses import replace
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector_state import ARRAYS, DetectorState, pack, unpack
from driftgauge.drift.profile import numeric_profile
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.stream_evaluator import StreamEvaluator
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.detector_record import STATE_NAME
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.targets import Target
from driftgauge.storage.memory import MemoryRing, MemoryStates
from tests.support.clock import ManualClock
from tests.support.models import labels
from tests.support.rows import REQUESTS, WINE, block_of

RULE = Rule(0.05, Correction.HOLM, min_rows=20, budget=Budget(3_600, 30, 0.05))
PROFILES = tuple(numeric_profile(name, np.random.default_rng(1).normal(size=400)) for name in ("alcohol", "ph"))
EVALUATOR = StreamEvaluator(PROFILES, RULE, "digest")
ODD_NUMBERS = (np.nan, np.inf, -np.inf, 1e30, -1e30, -1.0)
ROWS = np.random.default_rng(2).normal(size=(40, 2))


def packed_with(state: DetectorState, name: str, array: NDArray[Any]) -> bytes:
    """A state with another array, as bytes."""
    arrays_: dict[str, Any] = {name: array}
    return pack(replace(state, **arrays_))


async def evaluate(blob: bytes) -> tuple[int, int, int]:
    """Evaluate twice with these bytes in the store.

    Returns:
        How many rows were counted, how often the detector was reset, and how many keys were replaced.
    """
    ring, states, metrics, clock = MemoryRing(100), MemoryStates(), Metrics("200"), ManualClock()
    metrics.watch_redis()
    await states.save(REQUESTS, STATE_NAME, blob, 0)
    evaluator = Evaluator(ring, states, metrics, RULE, clock)
    target = Target(PROFILES, "s", "digest")
    for rows in (ROWS[:25], ROWS[25:]):
        await ring.append(REQUESTS, block_of(np.ascontiguousarray(rows)))
        clock.now += 30
        await evaluator.evaluate(REQUESTS, target, "")
    evaluator.close()
    stored = await states.load(REQUESTS, STATE_NAME)
    assert stored is not None
    assert stored.blob != blob

    def value(name: str, **more: str) -> int:
        """The value of a counter."""
        return int(metrics.registry.get_sample_value(name, more) or 0)

    of_model = labels(WINE, kind="request")
    counted = [f"driftgauge_detector_{name}_total" for name in ("rows", "skipped_rows", "resets")]
    fed, skipped, resets = (value(name, **of_model) for name in counted)
    return fed + skipped, resets, value("driftgauge_redis_replaced_keys_total")


@settings(max_examples=30)
@given(blob=st.binary(max_size=400) | st.binary(max_size=400).map(lambda noise: b"{}\n" + noise))
async def test_any_bytes_are_replaced(blob: bytes) -> None:
    """They count as a reset and as a replaced key, once each."""
    assert (40, 1, 1) == await evaluate(blob)


@settings(max_examples=60)
@given(data=st.data(), name=st.sampled_from(ARRAYS))
async def test_an_array_of_another_shape_is_replaced(data: st.DataObject, name: str) -> None:
    """The head is valid, and so is every other array."""
    detector = EVALUATOR.detector
    assert detector is not None
    start = detector.start()
    shape = getattr(start, name).shape
    other = data.draw(arrays.array_shapes(min_dims=len(shape), max_dims=len(shape), min_side=0, max_side=9))
    counted, resets, replaced = await evaluate(packed_with(start, name, np.zeros(other, getattr(start, name).dtype)))

    assert counted == 40
    assert (resets, replaced) == ((0, 0) if other == shape else (1, 1))


@settings(max_examples=60)
@given(data=st.data(), name=st.sampled_from(ARRAYS), value=st.sampled_from(ODD_NUMBERS))
async def test_any_numbers_in_the_arrays_end_no_evaluation(data: st.DataObject, name: str, value: float) -> None:
    """They are used if they are possible, and replaced if not; no row is counted twice either way."""
    detector = EVALUATOR.detector
    assert detector is not None
    start = detector.start()
    array = getattr(start, name).copy()
    where = data.draw(arrays.arrays(np.bool_, array.shape))
    whole = np.issubdtype(array.dtype, np.integer)
    with np.errstate(over="ignore"):
        array[where] = int(np.clip(np.nan_to_num(value), -(2**62), 2**62)) if whole else value
    blob = packed_with(start, name, array)
    assert unpack(blob) is not None
    counted, resets, replaced = await evaluate(blob)

    assert counted == 40
    assert resets == replaced <= 1

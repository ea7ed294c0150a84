"""The pool of arrays: copies in pieces of memory that end with the last array in them."""

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.array_pool import PIECE_BYTES, ArrayPool
from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.feature_detector import feature_detector
from driftgauge.drift.profile import numeric_profile


def test_an_array_is_kept_as_it_is() -> None:
    """Its shape, type and numbers are the same, whatever was kept before, and in C order."""
    generator = np.random.default_rng(1)
    given: list[NDArray[Any]] = [
        generator.normal(size=(3, 5)).astype(np.float32),
        generator.integers(0, 9, 7).astype(np.uint8),
        np.asfortranarray(generator.normal(size=(4, 2))),
        np.empty((0, 3)),
        generator.normal(size=1),
    ]
    pool = ArrayPool()
    kept = [pool.keep(one) for one in given]

    for one, copy in zip(given, kept, strict=True):
        np.testing.assert_array_equal(one, copy)
        assert (one.dtype, one.shape) == (copy.dtype, copy.shape)
        assert copy.flags.c_contiguous
        assert copy.flags.aligned
        assert not np.shares_memory(one, copy)


def test_no_two_arrays_overlap() -> None:
    """What is written to one array changes no other."""
    pool = ArrayPool()
    kept = [pool.keep(np.zeros(size, dtype=np.uint8)) for size in (1, 3, 64, 65, 7)]
    for number, one in enumerate(kept):
        one[:] = number

    assert [{number} for number in range(5)] == [set(one.tolist()) for one in kept]


def test_an_array_may_be_larger_than_a_piece() -> None:
    """It has a piece of its own, and the next array another one."""
    pool = ArrayPool()
    large = pool.keep(np.ones(PIECE_BYTES // 8 + 1))
    small = pool.keep(np.ones(3))

    assert PIECE_BYTES + 8 == large.nbytes
    assert not np.shares_memory(large, small)


def test_a_piece_ends_with_the_last_array_in_it() -> None:
    """The pool keeps the newest piece only, and no array keeps another one's piece."""
    pool = ArrayPool()
    first, second = pool.keep(np.ones(9)), pool.keep(np.ones(9))
    piece = weakref.ref(first.base if first.base is not None else first)
    pool.keep(np.ones(PIECE_BYTES // 8))
    del first
    assert piece() is not None

    del second
    assert piece() is None


def test_the_bets_of_a_detector_are_in_few_pieces() -> None:
    """The tables of all features of a small reference share one piece."""
    profiles = [numeric_profile(f"f{number}", np.arange(500.0)) for number in range(3)]
    bets = feature_detector(profiles, Budget(86_400.0, 30.0, 0.05), 20, "digest").bets
    arrays = [array for one in bets for array in (one.factors.steps, one.score_table.varying, one.score_table.steps)]

    assert 1 == len({id(array.base) for array in arrays})

"""Frames: an object goes through a pipe as it is, with its arrays in one piece of memory."""

import io

import numpy as np
import pytest

from driftgauge.concurrency.frames import read_frame, write_frame


def through_a_pipe(value: object) -> object:
    """What arrives."""
    pipe = io.BytesIO()
    write_frame(pipe, value)
    pipe.seek(0)
    return read_frame(io.BufferedReader(pipe))


def test_objects_arrive_as_they_are() -> None:
    """Text, numbers and arrays of every size arrive, also without any array."""
    assert ["a", 1, None] == through_a_pipe(["a", 1, None])

    generator = np.random.default_rng(1)
    arrays = [generator.normal(size=size) for size in (1, 0, 1000, 100_000)] + [np.arange(3, dtype=np.uint8)]
    found = through_a_pipe({"arrays": arrays})

    assert isinstance(found, dict)
    for one, arrived in zip(arrays, found["arrays"], strict=True):
        np.testing.assert_array_equal(one, arrived)
        assert one.dtype == arrived.dtype


def test_arrays_are_aligned_and_share_no_byte() -> None:
    """Each can be computed with at full speed, and written to without changing another."""
    found = through_a_pipe([np.arange(size, dtype=np.uint8) for size in (1, 7, 64)] + [np.arange(5.0)])

    assert isinstance(found, list)
    assert all(one.ctypes.data % 16 == found[0].ctypes.data % 16 for one in found)
    found[1][:] = 99
    assert [0] == found[0].tolist()
    assert list(range(64)) == found[2].tolist()
    assert [0.0, 1.0, 2.0, 3.0, 4.0] == found[3].tolist()


def test_what_cannot_be_written_to_cannot_be_written_to() -> None:
    """A read-only array arrives read-only."""
    array = np.arange(3.0)
    array.flags.writeable = False
    found = through_a_pipe(array)

    assert isinstance(found, np.ndarray)
    assert not found.flags.writeable


def test_a_closed_pipe_is_an_error() -> None:
    """What ends within a frame has no object."""
    pipe = io.BytesIO()
    write_frame(pipe, np.arange(3.0))
    cut = io.BufferedReader(io.BytesIO(pipe.getvalue()[:-1]))

    with pytest.raises(EOFError, match="no more bytes"):
        read_frame(cut)

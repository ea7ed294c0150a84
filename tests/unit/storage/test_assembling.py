"""Blocks of rows are put together in pieces that are neither many nor large."""

import tracemalloc

import numpy as np

from driftgauge.inference.payload import Kind
from driftgauge.storage.assembling import PIECE_BYTES, Appended, assemble, put_together
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.ring import Block, StreamKey, id_digests
from tests.support.models import WINE

WIDTH = 1_000
ROWS = PIECE_BYTES // (8 * WIDTH) + 1


def wide(value: float, rows: int = ROWS) -> Block:
    """A block of one request with a thousand columns."""
    return Block("s", np.full((rows, WIDTH), value), np.array([rows]), np.array([value]), id_digests(["a"]))


def appended(blocks: list[Block]) -> list[Appended]:
    """Blocks of one writer."""
    ends = np.cumsum([len(block.rows) for block in blocks]).tolist()
    return [Appended(end, block, "w", end) for end, block in zip(ends, blocks, strict=True)]


def test_a_block_of_many_bytes_is_a_piece_and_is_not_copied() -> None:
    """So it goes as soon as a window has none of its rows."""
    blocks = [wide(1.0), wide(2.0), wide(3.0)]
    pieces = put_together([], appended(blocks))

    assert [ROWS] * 3 == [len(piece.rows) for piece in pieces]
    assert all(piece.rows is block.rows for piece, block in zip(pieces, blocks, strict=True))


def test_small_blocks_are_one_piece_until_it_has_many_bytes() -> None:
    """The window is the same as that of any other pieces."""
    blocks = [wide(float(number), 10) for number in range(12)]
    pieces = put_together([], appended(blocks))
    window = assemble(pieces, "s", WIDTH, 100, 0)

    assert [40, 40, 40] == [len(piece.rows) for piece in pieces]
    assert np.repeat(np.arange(2.0, 12.0), 10).tolist() == window.rows[:, 0].tolist()
    assert list(range(21, 121)) == window.numbers.tolist()


async def test_a_ring_that_is_not_read_keeps_little_more_than_a_window() -> None:
    """Of 100 blocks of a third of a megabyte, in a window of four, five are kept."""
    ring, stream = MemoryRing(4 * ROWS), StreamKey(WINE, Kind.REQUEST)
    tracemalloc.start()
    try:
        for number in range(100):
            await ring.append(stream, wide(float(number)))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 5.5 * ROWS * WIDTH * 8
    assert 4 * ROWS == len((await ring.read(stream, "s", WIDTH)).rows)

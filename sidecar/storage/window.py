"""The window out of blocks: what every adapter of the ring answers alike. This room does no I/O."""

from collections.abc import Iterable, Sequence
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from sidecar.storage.ring import Block, Window


def is_usable(block: Block | None, schema: str, width: int) -> TypeGuard[Block]:
    """Whether a block could be decoded and holds rows of this schema, `width` columns each."""
    return block is not None and block.schema == schema and block.rows.shape[1] == width


def assemble(
    blocks: Iterable[tuple[int, Block | None]], schema: str, width: int, capacity_rows: int, skipped_blocks: int
) -> Window:
    """The newest rows of the usable blocks.

    Args:
        blocks: Oldest first, each with the number of its last row; `None` is one that could not be decoded.
        schema: Hash of the column names that are asked for.
        width: Number of columns, at least 1.
        capacity_rows: At most so many rows are answered.
        skipped_blocks: What the window says of blocks that were left out.
    """
    usable = [(end, block) for end, block in blocks if is_usable(block, schema, width)]
    rows = np.concatenate([np.empty((0, width)), *(block.rows for _, block in usable)])
    time = max((block.time for _, block in usable), default=None)
    sizes = np.array([len(block.rows) for _, block in usable], dtype=np.int64)
    numbers = _numbers([end for end, _ in usable], sizes)
    requests = _requests([block.requests for _, block in usable], sizes)
    newest = slice(-capacity_rows, None)
    return Window(rows[newest], time, skipped_blocks, numbers[newest], requests[newest])


def _numbers(ends: Sequence[int], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each row: those of a block end with the block's."""
    skipped = np.array(ends, dtype=np.int64) - np.cumsum(sizes)
    return np.repeat(skipped, sizes) + np.arange(1, sizes.sum() + 1)


def _requests(told: Sequence[NDArray[np.int64] | None], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The index of each row's payload, from what each block tells of its payloads' lengths."""
    if all(one is None for one in told):  # most models are asked for a row at a time
        return np.arange(sizes.sum())
    pairs = zip(told, sizes, strict=True)
    lengths = np.concatenate([np.ones(size, dtype=np.int64) if one is None else one for one, size in pairs])
    return np.repeat(np.arange(lengths.size), lengths)

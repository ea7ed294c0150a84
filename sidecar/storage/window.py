"""The window out of blocks: what every adapter of the ring answers alike. This room does no I/O."""

from collections.abc import Iterable
from typing import TypeGuard

import numpy as np

from sidecar.storage.ring import Block, Window


def is_usable(block: Block | None, schema: str, width: int) -> TypeGuard[Block]:
    """Whether a block could be decoded and holds rows of this schema, `width` columns each."""
    return block is not None and block.schema == schema and block.rows.shape[1] == width


def assemble(
    blocks: Iterable[Block | None], schema: str, width: int, capacity_rows: int, skipped_blocks: int
) -> Window:
    """The newest rows of the usable blocks.

    Args:
        blocks: Oldest first; `None` is a block that could not be decoded.
        schema: Hash of the column names that are asked for.
        width: Number of columns, at least 1.
        capacity_rows: At most so many rows are answered.
        skipped_blocks: What the window says of blocks that were left out.
    """
    usable = [block for block in blocks if is_usable(block, schema, width)]
    rows = np.concatenate([np.empty((0, width)), *(block.rows for block in usable)])
    time = max((block.time for block in usable), default=None)
    return Window(rows[-capacity_rows:], time, skipped_blocks)

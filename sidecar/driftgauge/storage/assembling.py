"""How blocks of rows in a store become the window that a reader gets.

Most blocks of outcomes have one row, since labels come one by one. So consecutive blocks are put together once, as
pieces of a thousand blocks, which a store keeps; a window is then made of some pieces, not of 20,000 blocks.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from driftgauge.storage.ring import Block, Window, WriterTotals

Number = TypeVar("Number", np.float64, np.int64, np.uint64)

_NO_WRITERS = WriterTotals({}, {})

_PIECE_BLOCKS: Final = 1_024
PIECE_BYTES: Final = 256 * 1024
"""A piece of fewer blocks and bytes of rows is put together with what follows it, in a third of a millisecond."""

_BESIDE_BYTES: Final = 8 * 1024 * 1024
"""Pieces of so many bytes are made a window in a thread, which takes some milliseconds."""

BESIDE_BLOCKS: Final = 16
"""From so many blocks on they are put together in a thread: that of many small ones takes 10 us each."""


def _go_on() -> None:
    pass


class Appended(NamedTuple):
    """A block in a store.

    Args:
        number: The number of its last row in the stream.
        block: `None` if it could not be decoded.
        writer: Who appended it; any text if it could not be decoded.
        total: How many rows this writer had appended then, those of the block included.
        stamp: Distinguishes blocks of the same number, which only other programs append.
    """

    number: int
    block: Block | None
    writer: str
    total: int
    stamp: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Consecutive blocks of one schema, or consecutive ones that could not be decoded.

    Args:
        schema: Their schema; `None` if they could not be decoded.
        rows: Shape `(n, d)`, float64.
        positions: Shape `(n,)`, int64: as of `Window`.
        numbers: Shape `(n,)`, int64: as of `Window`.
        places: Shape `(n,)`, int64: the number of each row in its payload, from 0.
        writers: Shape `(n,)`, int64: the index in `totals` of the writer of each row.
        totals: The greatest total of each writer.
        requests: Shape `(k,)`, int64: how many rows came in each payload.
        times: Shape `(k,)`, float64: when each payload passed.
        ids: Shape `(k,)`, uint64: the digests of the payloads' ids.
        ends: Shape `(b, 2)`, uint64: number and stamp of each block.
        sizes: Shape `(b, 2)`, int64: rows and payloads of each block.
    """

    schema: str | None
    rows: NDArray[np.float64]
    positions: NDArray[np.int64]
    numbers: NDArray[np.int64]
    places: NDArray[np.int64]
    writers: NDArray[np.int64]
    totals: Mapping[str, int]
    requests: NDArray[np.int64]
    times: NDArray[np.float64]
    ids: NDArray[np.uint64]
    ends: NDArray[np.uint64]
    sizes: NDArray[np.int64]

    def is_usable(self, schema: str, width: int) -> bool:
        """Whether it has rows of this schema with `width` columns."""
        return self.schema == schema and self.rows.shape[1] == width

    def count_after(self, number: int, stamp: int) -> int:
        """How many of its blocks come after that one."""
        numbers, stamps = self.ends.T
        return int(((numbers > number) | ((numbers == number) & (stamps > stamp))).sum())

    def above(self, number: int) -> "Piece | None":
        """Its blocks whose number is above this one; itself if that is all of them, `None` if it is none."""
        left_out = int(np.searchsorted(self.ends[:, 0], max(number, 0), side="right"))
        if not left_out:
            return self
        if left_out == len(self.ends):
            return None
        rows, payloads = self.sizes[:left_out].sum(axis=0)
        return replace(
            self,
            rows=self.rows[rows:].copy(),  # a view would keep the whole
            positions=self.positions[rows:],
            numbers=self.numbers[rows:],
            places=self.places[rows:],
            writers=self.writers[rows:],
            requests=self.requests[payloads:],
            times=self.times[payloads:],
            ids=self.ids[payloads:],
            ends=self.ends[left_out:],
            sizes=self.sizes[left_out:],
        )


def put_together(
    pieces: Sequence[Piece], blocks: Iterable[Appended], checkpoint: Callable[[], None] = _go_on
) -> list[Piece]:
    """Pieces of older and newer blocks.

    Args:
        pieces: Of the older blocks, as this function has returned them.
        blocks: Newer ones, oldest first.
        checkpoint: Called between pieces of work.
    """
    found = list(pieces)
    for (schema, width), run in _runs(blocks):
        piece = _piece_of(run, schema, width, checkpoint)
        last = found[-1] if found else None
        if (
            last is not None
            and (last.schema, last.rows.shape[1]) == (schema, width)
            and len(last.ends) < _PIECE_BLOCKS
            and last.rows.nbytes < PIECE_BYTES
        ):
            piece = _joined(found.pop(), piece)
        found.append(piece)
    return found


def _runs(blocks: Iterable[Appended]) -> Iterator[tuple[tuple[str | None, int], list[Appended]]]:
    """Blocks of the same columns, as few as make a piece: a larger one would be kept as a whole for its newest rows."""
    for columns, same in groupby(blocks, key=_columns):
        run: list[Appended] = []
        size = 0
        for one in same:
            run.append(one)
            size += 0 if one.block is None else one.block.rows.nbytes
            if size >= PIECE_BYTES:
                yield columns, run
                run, size = [], 0
        if run:
            yield columns, run


def assemble(
    pieces: Iterable[Piece],
    schema: str,
    width: int,
    capacity_rows: int,
    skipped_blocks: int,
    known: WriterTotals = _NO_WRITERS,
) -> Window:
    """The newest rows of the usable blocks.

    Args:
        pieces: Oldest first.
        schema: Hash of the requested columns' names and kinds.
        width: Number of columns, at least 1.
        capacity_rows: The most rows of the window.
        skipped_blocks: Copied into the window.
        known: What else is known of the writers; the greater of a total and that of a block is true.
    """
    every = list(pieces)
    totals = dict(known.totals)
    for one in every:
        for writer, total in one.totals.items():
            totals[writer] = max(total, totals.get(writer, 0))
    index = {writer: place for place, writer in enumerate(totals)}
    usable = [one for one in every if one.is_usable(schema, width)]
    requests = _concatenated([one.requests for one in usable], np.int64)
    times = _concatenated([one.times for one in usable], np.float64)
    ids = _concatenated([one.ids for one in usable], np.uint64)
    writers = [np.array([index[writer] for writer in one.totals], dtype=np.int64)[one.writers] for one in usable]
    newest = slice(-capacity_rows, None)
    return Window(
        _newest_rows([one.rows for one in usable], width, capacity_rows),
        float(times.max()) if times.size else None,
        skipped_blocks,
        _concatenated([one.numbers for one in usable], np.int64)[newest],
        np.repeat(np.arange(requests.size), requests)[newest],
        np.repeat(times, requests)[newest],
        np.repeat(ids, requests)[newest],
        _concatenated([one.places for one in usable], np.int64)[newest],
        _concatenated(writers, np.int64)[newest],
        _concatenated([one.positions for one in usable], np.int64)[newest],
        totals,
        known.bases,
    )


async def assemble_beside(
    pieces: Sequence[Piece],
    schema: str,
    width: int,
    capacity_rows: int,
    skipped_blocks: int,
    known: WriterTotals = _NO_WRITERS,
) -> Window:
    """`assemble`, in a thread of its own if there are many bytes, so that no request waits for it."""
    if sum(one.rows.nbytes for one in pieces) < _BESIDE_BYTES:
        return assemble(pieces, schema, width, capacity_rows, skipped_blocks, known)
    return await asyncio.to_thread(assemble, pieces, schema, width, capacity_rows, skipped_blocks, known)


def _columns(one: Appended) -> tuple[str | None, int]:
    return (None, 0) if one.block is None else (one.block.schema, one.block.rows.shape[1])


def _piece_of(run: Sequence[Appended], schema: str | None, width: int, checkpoint: Callable[[], None]) -> Piece:
    """Put blocks of the same columns together. One that cannot be decoded has no rows, and its writer is unknown."""
    totals: dict[str, int] = {}
    blocks: list[Block] = []
    for one in run:
        checkpoint()
        if one.block is not None:
            blocks.append(one.block)
            totals[one.writer] = max(one.total, totals.get(one.writer, 0))
    index = {writer: place for place, writer in enumerate(totals)}
    writers = [index[one.writer] for one in run if one.block is not None]
    sizes = np.array(
        [(0, 0) if one.block is None else (len(one.block.rows), one.block.requests.size) for one in run],
        dtype=np.int64,
    )
    checkpoint()
    known = sizes[:, 0] > 0
    own = sizes[known, 0]
    return Piece(
        schema=schema,
        rows=_rows(blocks, width),
        positions=_numbers([one.total for one in run if one.block is not None], own),
        numbers=_numbers([one.number for one in run if one.block is not None], own),
        places=_concatenated([_places(block) for block in blocks], np.int64),
        writers=np.repeat(np.array(writers, dtype=np.int64), own),
        totals=totals,
        requests=_concatenated([block.requests for block in blocks], np.int64),
        times=_concatenated([block.times for block in blocks], np.float64),
        ids=_concatenated([block.ids for block in blocks], np.uint64),
        ends=np.array([(one.number, one.stamp) for one in run], dtype=np.uint64),
        sizes=sizes,
    )


def _rows(blocks: Sequence[Block], width: int) -> NDArray[np.float64]:
    """The rows of blocks; those of a single one are not copied."""
    return blocks[0].rows if len(blocks) == 1 else np.concatenate([np.empty((0, width)), *(one.rows for one in blocks)])


def _joined(one: Piece, other: Piece) -> Piece:
    """Two pieces of the same columns as one."""
    totals = dict(one.totals)
    for writer, total in other.totals.items():
        totals[writer] = max(total, totals.get(writer, 0))
    index = {writer: place for place, writer in enumerate(totals)}
    moved = np.array([index[writer] for writer in other.totals], dtype=np.int64)[other.writers]
    return Piece(
        schema=one.schema,
        rows=np.concatenate([one.rows, other.rows]),
        positions=np.concatenate([one.positions, other.positions]),
        numbers=np.concatenate([one.numbers, other.numbers]),
        places=np.concatenate([one.places, other.places]),
        writers=np.concatenate([one.writers, moved]),
        totals=totals,
        requests=np.concatenate([one.requests, other.requests]),
        times=np.concatenate([one.times, other.times]),
        ids=np.concatenate([one.ids, other.ids]),
        ends=np.concatenate([one.ends, other.ends]),
        sizes=np.concatenate([one.sizes, other.sizes]),
    )


def _concatenated(parts: Sequence[NDArray[Number]], dtype: type[Number]) -> NDArray[Number]:
    return np.concatenate([np.empty(0, dtype=dtype), *parts])


def _newest_rows(blocks: Sequence[NDArray[np.float64]], width: int, capacity_rows: int) -> NDArray[np.float64]:
    """The newest rows of some blocks. No others are copied: all that is copied lives as long as the window."""
    first = min(capacity_rows, sum(map(len, blocks)))
    rows = np.empty((first, width))
    for block in reversed(blocks):
        part = block[max(0, len(block) - first) :]
        rows[first - len(part) : first] = part
        first -= len(part)
    return rows


def _places(block: Block) -> NDArray[np.int64]:
    """The number of each row in its payload."""
    if block.places is not None:
        return block.places
    ends = block.requests.cumsum()
    return np.arange(len(block.rows)) - np.repeat(ends - block.requests, block.requests)


def _numbers(ends: Sequence[int], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each row; `ends` has the number of the last row of each block."""
    skipped = np.array(ends, dtype=np.int64) - np.cumsum(sizes)
    return np.repeat(skipped, sizes) + np.arange(1, sizes.sum() + 1)


NO_ROWS: Final = assemble((), "", 1, 1, 0)
"""A window without rows."""

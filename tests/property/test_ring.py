"""The ring equals a list: any blocks in, the newest rows out, on each adapter."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import RingBuffer
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, block_of, counted

SCHEMAS = ("s", "other")


@dataclass
class ListModel:
    """The ring as a list of blocks, each a schema, the numbers of its rows and the payload of each, that keeps all."""

    capacity_rows: int
    blocks: list[tuple[str, list[int], list[int]]] = field(default_factory=list)
    rows: int = 0
    payloads: int = 0
    met_rows: int = 0

    def append(self, schema: str, lengths: Sequence[int]) -> None:
        """Adds a block of rows that came in payloads of these lengths."""
        rows = sum(lengths)
        payloads = [self.payloads + index for index, length in enumerate(lengths) for _ in range(length)]
        self.blocks.append((schema, list(range(self.rows + 1, self.rows + rows + 1)), payloads))
        self.rows += rows
        self.payloads += len(lengths)

    def read(self, schema: str) -> tuple[list[int], list[bool], int]:
        """The window of the schema in the blocks that the ring must keep.

        Returns:
            The numbers of its rows, whether each row came with the one before, and how many blocks were skipped.
        """
        kept = [block for block in self.blocks if block[1][-1] > self.rows - self.capacity_rows]
        skipped = sum(name != schema and numbers[-1] > self.met_rows for name, numbers, _ in kept)
        self.met_rows = self.rows
        numbers = [number for name, buffered, _ in kept if name == schema for number in buffered]
        payloads = [payload for name, _, buffered in kept if name == schema for payload in buffered]
        newest = slice(-self.capacity_rows, None)
        return numbers[newest], together(payloads[newest]), skipped


def together(payloads: Sequence[int]) -> list[bool]:
    """Whether each row came with the one before."""
    return [one == other for one, other in itertools.pairwise(payloads)]


STEPS = st.lists(
    st.tuples(st.sampled_from(SCHEMAS), st.lists(st.integers(1, 5), max_size=5)),
    max_size=25,
)


async def assert_equal_to_a_list(ring: RingBuffer, capacity_rows: int, steps: Sequence[tuple[str, list[int]]]) -> None:
    """Appends blocks, and at each step of no rows and at the end compares a read with the model's."""
    model = ListModel(capacity_rows)
    for schema, lengths in [*steps, *((schema, list[int]()) for schema in SCHEMAS)]:
        if lengths:
            block = counted(model.rows + 1, sum(lengths), schema)
            await ring.append(REQUESTS, block_of(block.rows, schema, float(model.rows), lengths))
            model.append(schema, lengths)
            continue
        window = await ring.read(REQUESTS, schema, 2)
        numbers, joined, skipped = model.read(schema)

        assert numbers == window.numbers.tolist() == window.rows[:, 0].tolist()
        assert joined == together(window.requests.tolist())
        assert np.all(np.isin(np.diff(window.requests), [0, 1]))
        assert skipped == window.skipped_blocks


@given(capacity_rows=st.integers(1, 30), steps=STEPS)
async def test_the_ring_in_memory_equals_a_list(capacity_rows: int, steps: list[tuple[str, list[int]]]) -> None:
    """For any blocks and reads the window is the end of the list."""
    await assert_equal_to_a_list(MemoryRing(capacity_rows), capacity_rows, steps)


@pytest.mark.parametrize("page_entries", [2, 128])
@settings(max_examples=60, deadline=None)
@given(capacity_rows=st.integers(1, 30), steps=STEPS)
async def test_the_ring_in_redis_equals_a_list(
    redis_server: RedisServer, page_entries: int, capacity_rows: int, steps: list[tuple[str, list[int]]]
) -> None:
    """For any blocks and reads the window is the end of the list, for a reader that keeps up and a new one."""
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        ring, newcomer = (RedisRing(BoundedRedis(client, 5), capacity_rows, 60, page_entries) for _ in range(2))
        await assert_equal_to_a_list(ring, capacity_rows, steps)

        for schema in SCHEMAS:
            known, fresh = await ring.read(REQUESTS, schema, 2), await newcomer.read(REQUESTS, schema, 2)
            assert known.rows.tobytes() == fresh.rows.tobytes()
            assert known.numbers.tobytes() == fresh.numbers.tobytes()
            assert known.requests.tobytes() == fresh.requests.tobytes()
            assert known.times.tobytes() == fresh.times.tobytes()
            assert known.ids.tobytes() == fresh.ids.tobytes()

"""The ring equals a list: any blocks in, the newest rows out, on each adapter."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.storage.memory import MemoryRing
from sidecar.storage.redis import RedisRing
from sidecar.storage.redis_client import connect
from sidecar.storage.ring import RingBuffer
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, counted

SCHEMAS = ("s", "other")


@dataclass
class ListModel:
    """The ring as a list of blocks, each a schema and the numbers of its rows, that keeps all."""

    capacity_rows: int
    blocks: list[tuple[str, list[int]]] = field(default_factory=list)
    rows: int = 0
    met_rows: int = 0

    def append(self, schema: str, rows: int) -> None:
        """Adds a block of so many rows."""
        self.blocks.append((schema, list(range(self.rows, self.rows + rows))))
        self.rows += rows

    def read(self, schema: str) -> tuple[list[int], int]:
        """The newest rows of the schema in the blocks that the ring must keep, and how many blocks were skipped."""
        kept = [block for block in self.blocks if block[1][-1] >= self.rows - self.capacity_rows]
        skipped = sum(name != schema and rows[-1] >= self.met_rows for name, rows in kept)
        self.met_rows = self.rows
        found = [row for name, rows in kept if name == schema for row in rows]
        return found[-self.capacity_rows :], skipped


STEPS = st.lists(
    st.tuples(st.sampled_from(SCHEMAS), st.integers(0, 12)),
    max_size=25,
)


async def assert_equal_to_a_list(ring: RingBuffer, capacity_rows: int, steps: Sequence[tuple[str, int]]) -> None:
    """Appends blocks, and at each step of no rows and at the end compares a read with the model's."""
    model = ListModel(capacity_rows)
    for schema, rows in [*steps, *((schema, 0) for schema in SCHEMAS)]:
        if rows:
            await ring.append(REQUESTS, counted(model.rows, rows, schema))
            model.append(schema, rows)
            continue
        window = await ring.read(REQUESTS, schema, 2)

        assert model.read(schema) == ([int(value) for value in window.rows[:, 0]], window.skipped_blocks)


@given(capacity_rows=st.integers(1, 30), steps=STEPS)
async def test_the_ring_in_memory_equals_a_list(capacity_rows: int, steps: list[tuple[str, int]]) -> None:
    """For any blocks and reads the window is the end of the list."""
    await assert_equal_to_a_list(MemoryRing(capacity_rows), capacity_rows, steps)


@pytest.mark.parametrize("page_entries", [2, 128])
@settings(max_examples=60, deadline=None)
@given(capacity_rows=st.integers(1, 30), steps=STEPS)
async def test_the_ring_in_redis_equals_a_list(
    redis_server: RedisServer, page_entries: int, capacity_rows: int, steps: list[tuple[str, int]]
) -> None:
    """For any blocks and reads the window is the end of the list, for a reader that keeps up and a new one."""
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        ring, newcomer = (RedisRing(client, capacity_rows, 60, 5, page_entries) for _ in range(2))
        await assert_equal_to_a_list(ring, capacity_rows, steps)

        for schema in SCHEMAS:
            known, fresh = await ring.read(REQUESTS, schema, 2), await newcomer.read(REQUESTS, schema, 2)
            assert known.rows.tobytes() == fresh.rows.tobytes()

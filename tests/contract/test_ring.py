"""What every ring promises, proven on each adapter."""

from dataclasses import replace

import numpy as np
import pytest

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import Block, RingBuffer, StreamKey
from tests.support.redis_fixtures import every_store
from tests.support.rows import REQUESTS, RESPONSES, WINE, block_of, counted

CAPACITY_ROWS = 10


pytestmark = every_store


@pytest.fixture
def ring(bounded_redis: BoundedRedis | None) -> RingBuffer:
    """An empty ring of ten rows."""
    if bounded_redis is not None:
        return RedisRing(bounded_redis, CAPACITY_ROWS, ttl_seconds=60)
    return MemoryRing(CAPACITY_ROWS)


def in_payloads(block: Block, *lengths: int) -> Block:
    """The block, its rows come in payloads of these lengths."""
    return block_of(block.rows, block.schema, lengths=lengths)


async def first_column(ring: RingBuffer, stream: StreamKey = REQUESTS, schema: str = "s") -> list[float]:
    """The first column of the window, as a list."""
    window = await ring.read(stream, schema, 2)
    return [float(value) for value in window.rows[:, 0]]


async def test_an_unknown_stream_has_an_empty_window_of_the_asked_width(ring: RingBuffer) -> None:
    """The window of a stream without rows has no rows, no time and no skipped blocks."""
    window = await ring.read(REQUESTS, "s", 3)

    assert (0, 3) == window.rows.shape
    assert np.dtype(np.float64) == window.rows.dtype
    assert window.time is None
    assert window.skipped_blocks == 0
    by_row = (window.numbers, window.requests, window.times, window.ids)
    assert [("int64", (0,)), ("int64", (0,)), ("float64", (0,)), ("uint64", (0,))] == [
        (one.dtype.name, one.shape) for one in by_row
    ]


async def test_rows_come_back_bit_by_bit(ring: RingBuffer) -> None:
    """NaN, infinities, the negative zero and the smallest number survive."""
    rows = np.array([[np.nan, -0.0], [np.inf, -np.inf], [5e-324, 1 / 3]])
    await ring.append(REQUESTS, block_of(rows))

    assert rows.tobytes() == (await ring.read(REQUESTS, "s", 2)).rows.tobytes()


async def test_a_window_is_oldest_first_over_all_blocks(ring: RingBuffer) -> None:
    """Blocks stand in the order of their appends."""
    await ring.append(REQUESTS, counted(0, 3))
    await ring.append(REQUESTS, counted(3, 1))
    await ring.append(REQUESTS, counted(4, 2))

    assert [0, 1, 2, 3, 4, 5] == await first_column(ring)


async def test_a_window_holds_exactly_the_newest_rows(ring: RingBuffer) -> None:
    """Only the rows that fit are returned of the oldest block."""
    for first in range(0, 28, 7):
        await ring.append(REQUESTS, counted(first, 7))

    assert list(range(18, 28)) == await first_column(ring)


async def test_a_block_larger_than_the_window_fills_it_alone(ring: RingBuffer) -> None:
    """The newest rows of an oversized block remain."""
    await ring.append(REQUESTS, counted(0, 2))
    await ring.append(REQUESTS, counted(2, 25))

    assert list(range(17, 27)) == await first_column(ring)


async def test_reading_takes_nothing_away(ring: RingBuffer) -> None:
    """A second read returns the rows of the first, and those appended in between."""
    await ring.append(REQUESTS, counted(0, 2))
    first = await first_column(ring)
    second = await first_column(ring)
    await ring.append(REQUESTS, counted(2, 1))
    third = await first_column(ring)

    assert [[0, 1], [0, 1], [0, 1, 2]] == [first, second, third]


async def test_a_window_read_before_is_not_changed_by_an_append(ring: RingBuffer) -> None:
    """What a reader holds is its own."""
    await ring.append(REQUESTS, counted(0, 10))
    window = await ring.read(REQUESTS, "s", 2)
    await ring.append(REQUESTS, counted(10, 10))
    await ring.read(REQUESTS, "s", 2)

    assert list(range(10)) == list(window.rows[:, 0])


async def test_a_block_may_be_reused_after_its_append(ring: RingBuffer) -> None:
    """What the appender writes into its arrays afterwards does not reach the ring."""
    block = in_payloads(counted(0, 3), 2, 1)
    ids = block.ids.tolist()
    await ring.append(REQUESTS, block)
    for array in (block.rows, block.requests, block.times, block.ids):
        array[:] = 7
    window = await ring.read(REQUESTS, "s", 2)

    assert [0, 1, 2] == list(window.rows[:, 0])
    assert [0, 0, 1] == list(window.requests - window.requests[0])
    assert [0.5, 0.5, 0.5] == window.times.tolist()
    assert [ids[0], ids[0], ids[1]] == window.ids.tolist()


async def test_requests_and_responses_are_apart(ring: RingBuffer) -> None:
    """The two streams of one model do not mix."""
    await ring.append(REQUESTS, counted(0, 1))
    await ring.append(RESPONSES, counted(5, 1))

    assert [0] == await first_column(ring)
    assert [5] == await first_column(ring, RESPONSES)


@pytest.mark.parametrize(
    "other",
    [
        ModelKey("cellar/wine", "predictor", "wine-v1", ""),
        ModelKey("cellar", "wine", "predictor", "wine-v1}:request"),
        ModelKey("cellar", "wine", "predictor", "wine%2Dv1"),
        ModelKey("cellar", "wine", "predictor", "wine-v1\n"),
        ModelKey("cellar", "wine", "predictor", "wine-v1\udc80"),
        ModelKey("", "cellar", "wine", "predictor/wine-v1"),
        ModelKey("cellar", "wine/predictor", "", "wine-v1"),
    ],
    ids=repr,
)
async def test_models_with_alike_names_are_apart(ring: RingBuffer, other: ModelKey) -> None:
    """Slashes, braces, percent signs and control characters do not lead into another model's stream."""
    await ring.append(StreamKey(other, Kind.REQUEST), counted(5, 1))
    await ring.append(REQUESTS, counted(0, 1))

    assert [5] == await first_column(ring, StreamKey(other, Kind.REQUEST))
    assert [0] == await first_column(ring, StreamKey(WINE, Kind.REQUEST))


async def test_the_time_of_a_window_is_that_of_its_newest_row(ring: RingBuffer) -> None:
    """A block that was appended late does not make the window older; the time is exact."""
    await ring.append(REQUESTS, counted(0, 1, time=1700000000.1234567))
    await ring.append(REQUESTS, counted(1, 1, time=1699999999.0))

    assert (await ring.read(REQUESTS, "s", 2)).time == 1700000000.1234567


async def test_blocks_of_another_schema_are_left_out_and_counted_once(ring: RingBuffer) -> None:
    """A skipped block is counted by the read that meets it first."""
    await ring.append(REQUESTS, counted(0, 1))
    await ring.append(REQUESTS, counted(1, 1, schema="other"))
    first = await ring.read(REQUESTS, "s", 2)
    second = await ring.read(REQUESTS, "s", 2)
    await ring.append(REQUESTS, counted(2, 1, schema="third"))
    third = await ring.read(REQUESTS, "s", 2)

    assert [1, 0, 1] == [window.skipped_blocks for window in (first, second, third)]
    assert [[0], [0], [0]] == [list(window.rows[:, 0]) for window in (first, second, third)]


async def test_blocks_of_another_width_are_left_out_and_counted(ring: RingBuffer) -> None:
    """A schema that lies about its width does no harm."""
    await ring.append(REQUESTS, counted(0, 1, width=3))
    await ring.append(REQUESTS, counted(1, 1, width=2))
    window = await ring.read(REQUESTS, "s", 2)

    assert [1] == list(window.rows[:, 0])
    assert window.skipped_blocks == 1


async def test_rows_of_a_schema_that_was_skipped_are_there_when_asked_for(ring: RingBuffer) -> None:
    """A reader that changes its reference finds what other replicas appended before."""
    await ring.append(REQUESTS, counted(0, 1, schema="old"))
    await ring.append(REQUESTS, counted(1, 1, schema="new"))
    await ring.read(REQUESTS, "old", 2)

    assert [1] == await first_column(ring, schema="new")


async def test_rows_of_all_schemas_share_the_capacity(ring: RingBuffer) -> None:
    """A block of another schema pushes old rows out."""
    await ring.append(REQUESTS, counted(0, 4))
    await ring.append(REQUESTS, counted(4, 2))
    await ring.append(REQUESTS, counted(0, 9, schema="other"))

    assert [4, 5] == await first_column(ring)


async def test_a_ping_of_a_healthy_ring_succeeds(ring: RingBuffer) -> None:
    """A ping of a healthy store raises nothing."""
    await ring.ping()


async def test_the_streams_that_hold_rows_are_listed(ring: RingBuffer) -> None:
    """Each once, however many blocks it has; none before the first."""
    assert [] == await ring.streams()
    for stream in (REQUESTS, RESPONSES, REQUESTS):
        await ring.append(stream, counted(0, 1))

    assert [REQUESTS, RESPONSES] == sorted(await ring.streams())


async def test_rows_are_numbered_from_one_in_the_order_of_their_appends(ring: RingBuffer) -> None:
    """A number is of the stream, not of the window: it stays with its row while older rows go."""
    await ring.append(REQUESTS, counted(1, 3))
    first = await ring.read(REQUESTS, "s", 2)
    for start in range(4, 25, 7):
        await ring.append(REQUESTS, counted(start, 7))
    second = await ring.read(REQUESTS, "s", 2)

    assert np.dtype(np.int64) == second.numbers.dtype
    assert [1, 2, 3] == list(first.numbers)
    assert list(range(15, 25)) == list(second.numbers) == list(second.rows[:, 0])


async def test_rows_of_another_schema_are_numbered_too(ring: RingBuffer) -> None:
    """Their numbers are missing from the window, so the rows after them are not taken for the rows before."""
    await ring.append(REQUESTS, counted(0, 2))
    await ring.append(REQUESTS, counted(0, 3, schema="other"))
    await ring.append(REQUESTS, counted(2, 1))

    assert [1, 2, 6] == list((await ring.read(REQUESTS, "s", 2)).numbers)
    assert [3, 4, 5] == list((await ring.read(REQUESTS, "other", 2)).numbers)


async def test_the_streams_of_a_model_are_numbered_apart(ring: RingBuffer) -> None:
    """A response does not count as a request."""
    await ring.append(REQUESTS, counted(0, 4))
    await ring.append(RESPONSES, counted(0, 2))

    assert [1, 2] == list((await ring.read(RESPONSES, "s", 2)).numbers)


async def test_rows_of_one_payload_share_an_index(ring: RingBuffer) -> None:
    """The index goes up by one from payload to payload, over blocks too."""
    await ring.append(REQUESTS, in_payloads(counted(0, 4), 3, 1))
    await ring.append(REQUESTS, in_payloads(counted(4, 3), 1, 2))
    window = await ring.read(REQUESTS, "s", 2)

    assert np.dtype(np.int64) == window.requests.dtype
    assert [0, 0, 0, 1, 2, 3, 3] == list(window.requests - window.requests[0])


async def test_each_row_has_the_time_and_the_id_of_its_payload(ring: RingBuffer) -> None:
    """Over blocks, and bit by bit: the greatest digest and a time with all its digits survive."""
    times, ids = np.array([1700000000.1234567, 3.0]), np.array([2**64 - 1, 0], dtype=np.uint64)
    await ring.append(REQUESTS, replace(in_payloads(counted(0, 3), 1, 2), times=times, ids=ids))
    await ring.append(REQUESTS, replace(counted(3, 1), times=times[1:], ids=ids[:1]))
    window = await ring.read(REQUESTS, "s", 2)

    assert [1700000000.1234567, 3.0, 3.0, 3.0] == window.times.tolist()
    assert [2**64 - 1, 0, 0, 2**64 - 1] == window.ids.tolist()
    assert np.dtype(np.uint64) == window.ids.dtype


async def test_times_and_ids_leave_the_window_with_their_rows(ring: RingBuffer) -> None:
    """The window begins in the middle of a payload, whose time and id are there for the rows that are left."""
    await ring.append(REQUESTS, in_payloads(counted(0, 9, time=1.0), 2, 7))
    await ring.append(REQUESTS, counted(9, 4, time=2.0))
    window = await ring.read(REQUESTS, "s", 2)

    assert [0.5] * 6 + [2.0] * 4 == window.times.tolist()
    assert [1, 4] == [np.unique(window.ids[part]).size for part in (slice(6), slice(6, None))]


async def test_a_window_ends_with_a_whole_payload(ring: RingBuffer) -> None:
    """An append is read whole or not at all, so that no payload is split over two reads of what is new."""
    await ring.append(REQUESTS, in_payloads(counted(0, 4), 1, 3))
    first = await ring.read(REQUESTS, "s", 2)
    await ring.append(REQUESTS, in_payloads(counted(4, 6), 2, 4))
    second = await ring.read(REQUESTS, "s", 2)
    known = np.flatnonzero(second.numbers == first.numbers[-1])[0]

    assert [4, 10] == [first.numbers[-1], second.numbers[-1]]
    assert second.requests[known] + 1 == second.requests[known + 1]


async def test_rows_that_came_one_by_one_have_an_index_each(ring: RingBuffer) -> None:
    """This also holds beside blocks of longer payloads."""
    await ring.append(REQUESTS, counted(0, 2))
    before = await ring.read(REQUESTS, "s", 2)
    await ring.append(REQUESTS, in_payloads(counted(2, 2), 2))
    await ring.append(REQUESTS, counted(4, 2))
    window = await ring.read(REQUESTS, "s", 2)

    assert [0, 1] == list(before.requests - before.requests[0])
    assert [0, 1, 2, 2, 3, 4] == list(window.requests - window.requests[0])


async def test_what_is_left_of_a_payload_keeps_one_index(ring: RingBuffer) -> None:
    """The window may begin in the middle of a payload."""
    await ring.append(REQUESTS, in_payloads(counted(0, 9), 2, 7))
    await ring.append(REQUESTS, in_payloads(counted(9, 4), 4))
    window = await ring.read(REQUESTS, "s", 2)

    assert list(range(3, 13)) == list(window.rows[:, 0])
    assert [0] * 6 + [1] * 4 == list(window.requests - window.requests[0])


async def test_rows_have_a_writer_and_a_position_among_its_rows(ring: RingBuffer) -> None:
    """The total of a writer counts rows of every schema, and those that were removed or left out of long payloads."""
    await ring.append(REQUESTS, counted(0, 9))
    await ring.append(REQUESTS, counted(9, 2, schema="other"))
    await ring.append(REQUESTS, replace(counted(11, 3), left_out=100))
    window = await ring.read(REQUESTS, "s", 2)

    assert [114] == list(window.totals.values())
    assert {0} == set(window.writers.tolist())
    assert [*range(3, 10), 112, 113, 114] == window.positions.tolist()


async def test_settling_without_an_unknown_outcome_does_nothing(ring: RingBuffer) -> None:
    """No append was without a reply."""
    before = await ring.settle(REQUESTS)
    await ring.append(REQUESTS, counted(0, 2))
    after = await ring.settle(REQUESTS)

    assert [False, False] == [before, after]
    assert [0, 1] == await first_column(ring)


async def test_a_window_is_the_same_after_what_was_read_is_forgotten(ring: RingBuffer) -> None:
    """And its skipped blocks are counted once."""
    await ring.append(REQUESTS, counted(0, 2))
    await ring.append(REQUESTS, counted(2, 2, schema="other"))
    skipped = []
    for _ in range(3):
        window = await ring.read(REQUESTS, "s", 2)
        skipped.append(window.skipped_blocks)
        ring.forget_read(REQUESTS.model)

    assert [1, 0, 0] == skipped
    assert [0, 1] == list(window.rows[:, 0])

"""The rows of one inference in several streams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.assembling import Appended, assemble, put_together
from driftgauge.storage.joined_rows import joined_rows, requests_of
from driftgauge.storage.labels import LabelLayout, StoredLabel, WaitingResponse
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.memory_labels import MemoryLabels
from driftgauge.storage.redis_layout import pack, unpack
from driftgauge.storage.ring import Block, StreamKey, Window, id_digests

MODEL = ModelKey("prod", "wine", "predictor", "wine")
LAYOUT = LabelLayout(("grade",), (FeatureKind.NUMERIC,), ("grade",), (FeatureKind.NUMERIC,))


def window(ids: list[str], times: list[float], requests: list[int], capacity: int = 100) -> Window:
    """A window of payloads whose rows are numbered from 0."""
    if not ids:
        return assemble([], "s", 1, capacity, 0)
    rows = np.arange(float(sum(requests)))[:, np.newaxis]
    block = Block("s", rows, np.array(requests), np.array(times), id_digests(ids))
    return assemble(put_together([], [Appended(len(rows), block, "w", len(rows))]), "s", 1, capacity, 0)


async def outcomes_of(ids: list[tuple[str, ...]], times: list[float], labels: list[StoredLabel]) -> Window:
    """The outcomes of labels of responses of three rows each, all with the same prediction."""
    ring = MemoryRing(100)
    store = MemoryLabels(ring, clock=lambda: 100.0)
    waiting = [
        WaitingResponse(tuple(id_digests(names).tolist()), time, np.full((3, 1), 6.0))
        for names, time in zip(ids, times, strict=True)
    ]
    await store.put(MODEL, LAYOUT, waiting)
    await store.match(MODEL, LAYOUT, labels)
    return await ring.read(StreamKey(MODEL, Kind.OUTCOME), LAYOUT.schema, 2)


def digest(name: str) -> int:
    """The digest of one id."""
    return int(id_digests([name])[0])


async def test_rows_of_one_inference_meet_by_id_and_place() -> None:
    """Labels that come in another order, of rows with equal predictions, meet the features of their own rows."""
    requests, responses = window(["a", "b"], [1.0, 2.0], [3, 3]), window(["a", "b"], [1.5, 2.5], [3, 3])
    labels = [
        StoredLabel(digest("b"), 2, 0, 7.0),
        StoredLabel(digest("a"), 1, 0, 8.0),
        StoredLabel(digest("b"), 0, 0, 9.0),
    ]
    outcomes = await outcomes_of([("a",), ("b",)], [1.5, 2.5], labels)
    joined = joined_rows(requests, responses, outcomes)

    assert requests.rows[joined.requests, 0].tolist() == [5, 1, 3]
    assert responses.rows[joined.responses, 0].tolist() == [5, 1, 3]


async def test_the_id_of_a_body_leads_to_the_header_id_of_its_request() -> None:
    """By the time of the response, which is the same to the last bit; without responses there is no way."""
    requests, responses = window(["header"], [1.0], [3]), window(["header"], [1.1 + 2.2], [3])
    outcomes = await outcomes_of([("body", "header")], [1.1 + 2.2], [StoredLabel(digest("body"), 1, 0, 7.0)])
    joined = joined_rows(requests, responses, outcomes)
    alone = joined_rows(requests, window([], [], []), outcomes)

    assert (joined.requests.tolist(), joined.responses.tolist()) == ([1], [1])
    assert (alone.requests.tolist(), alone.responses.tolist()) == ([-1], [-1])


async def test_rows_that_are_not_kept_are_not_found() -> None:
    """A window that begins within a request has the last rows of it, with their places."""
    requests = window(["a", "b"], [1.0, 2.0], [3, 3], capacity=4)
    labels = [StoredLabel(digest("a"), row, 0, 7.0) for row in range(3)]
    outcomes = await outcomes_of([("a",)], [1.5], labels)

    assert joined_rows(requests, window([], [], []), outcomes).requests.tolist() == [-1, -1, 0]


def test_an_id_that_comes_again_means_the_newest_request_before_the_response() -> None:
    """Three requests of one id; one that is known only from after its response counts where there is no other."""
    requests = window(["a", "a", "a", "late"], [1.0, 3.0, 5.0, 9.0], [1, 1, 1, 1])
    ids = id_digests(["a", "a", "a", "late"])
    found = requests_of(ids, np.zeros(4, dtype=np.int64), np.array([3.5, 1.0, 0.5, 8.0]), requests)

    assert found.tolist() == [1, 0, 0, 3]


@pytest.mark.parametrize("same_id", [True, False])
async def test_responses_of_one_time_are_kept_apart_by_their_ids(same_id: bool) -> None:  # noqa: FBT001 - a case
    """Where that fails, neither is taken."""
    responses = window(["a", "b"], [1.5, 1.5], [3, 3])
    label = StoredLabel(digest("b" if same_id else "body"), 0, 0, 7.0)
    outcomes = await outcomes_of([("b",) if same_id else ("body", "b")], [1.5], [label])

    assert joined_rows(window([], [], []), responses, outcomes).responses.tolist() == [3 if same_id else -1]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=20), st.integers(1, 60))
def test_every_row_that_is_kept_is_found(requests: list[int], capacity: int) -> None:
    """Whatever the lengths of the requests and the capacity of the window: each row meets itself."""
    ids, times = [str(number) for number in range(len(requests))], list(map(float, range(len(requests))))
    kept, every = window(ids, times, requests, capacity), window(ids, times, requests)
    found = requests_of(every.ids, every.places, every.times, kept)
    first = len(every.rows) - len(kept.rows)

    assert found.tolist() == [-1] * first + list(range(len(kept.rows)))


def test_places_survive_redis() -> None:
    """The fields of an entry have them where a block has."""
    block = Block("s", np.ones((2, 1)), np.array([2]), np.array([1.0]), id_digests(["a"]), places=np.array([4, 2]))
    fields = pack(block)
    read = unpack(
        {
            str(name).encode(): value if isinstance(value, bytes) else value.encode()
            for name, value in zip(fields[::2], fields[1::2], strict=True)
        }
    )

    assert read is not None
    assert read.places is not None
    assert read.places.tolist() == [4, 2]


def test_as_many_places_as_rows() -> None:
    """Else the caller is at fault."""
    with pytest.raises(ValueError, match="2 rows with 1 places"):
        Block("s", np.ones((2, 1)), np.array([2]), np.array([1.0]), id_digests(["a"]), places=np.array([4]))

"""Counts of traffic on their way into the store, with slots given by hand."""

import pytest

from driftgauge.drift.canary.traffic_counts import TrafficSlot
from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.traffic_log import TrafficLog, unpack_log
from driftgauge.monitoring.traffic_recorder import TRAFFIC, TrafficRecorder
from driftgauge.storage.memory import MemoryStates
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.stream_states import State
from tests.support.clock import ManualClock
from tests.support.models import WINE

CANARY = WINE._replace(revision="v2")


class TroubledStates(MemoryStates):
    """States whose saves can fail before they are made, or after it, as with a lost reply."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.lost = 0

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """Load, unless away."""
        if self.away:
            raise StorageError("the store is away")
        return await super().load(stream, name)

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int, token: str = "") -> bool:
        """Save, and lose so many replies."""
        saved = await super().save(stream, name, blob, expected, token)
        if self.lost:
            self.lost -= 1
            raise StorageError("no reply")
        return saved


class Replica:
    """The counters and the recorder of one process.

    Args:
        states: The store.
    """

    def __init__(self, states: MemoryStates) -> None:
        self.metrics = Metrics("200")
        self.recorder = TrafficRecorder(self.metrics, states, ManualClock())

    def serve(self, *codes: str, model: ModelKey = CANARY) -> None:
        """Count requests that ended with these codes."""
        for code in codes:
            self.metrics.model(model).count_request(code)


async def stored(states: MemoryStates, model: ModelKey = CANARY) -> TrafficLog:
    """The log of a model."""
    state = await MemoryStates.load(states, StreamKey(model, Kind.RESPONSE), TRAFFIC)
    return TrafficLog() if state is None else unpack_log(state.blob)


async def test_what_ended_in_a_slot_is_added_to_it() -> None:
    """Nothing counts twice, requests before the first slot count nowhere, and a slot without requests has no entry."""
    states = MemoryStates()
    replica = Replica(states)
    replica.serve("200")
    replica.recorder.count(-1)
    replica.serve("200", "500")
    replica.recorder.count(5)
    replica.recorder.count(6)
    replica.serve("200")
    replica.recorder.count(7)
    await replica.recorder.flush()
    await replica.recorder.flush()

    assert (await stored(states)).slots == (TrafficSlot(5, 2, 1), TrafficSlot(7, 1, 0))


async def test_latencies_are_counted_in_their_buckets() -> None:
    """Two that are equal have one bucket."""
    states = MemoryStates()
    replica = Replica(states)
    replica.metrics.model(CANARY)
    replica.recorder.count(-1)
    for seconds in (0.02, 0.02, 0.08):
        replica.metrics.model(CANARY).exchanges.fine_latency.observe(seconds)
    replica.recorder.count(5)
    await replica.recorder.flush()
    (slot,) = (await stored(states)).slots

    assert [2, 1] == [count for _, count in slot.latencies]
    (first, _), (second, _) = slot.latencies
    assert second - first == 16  # two octaves of eight buckets


async def test_replicas_add_to_one_log() -> None:
    """Of both revisions, each has its own."""
    states = MemoryStates()
    for replica in (Replica(states), Replica(states)):
        replica.recorder.count(-1)
        replica.serve("200")
        replica.serve("200", "200", model=WINE._replace(revision="stable"))
        replica.recorder.count(5)
        await replica.recorder.flush()

    assert (await stored(states)).slots == (TrafficSlot(5, 2, 0),)
    assert (await stored(states, WINE._replace(revision="stable"))).slots == (TrafficSlot(5, 4, 0),)


class TroubledServer(MemoryStates):
    """States of which those of one model fail."""

    def __init__(self, model: ModelKey, error: Exception) -> None:
        super().__init__()
        self._model, self._error = model, error

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """Load, unless it is that model's."""
        if stream.model == self._model:
            raise self._error
        return await super().load(stream, name)


@pytest.mark.parametrize("error", [StorageError("a server is away"), RuntimeError("a bug")])
async def test_no_model_waits_for_the_store_of_another(error: Exception) -> None:
    """The traffic of the model behind one that fails is added, and that of the first one waits."""
    stable = WINE._replace(revision="stable")
    states = TroubledServer(CANARY, error)
    replica = Replica(states)
    replica.recorder.count(-1)
    for model in (CANARY, stable):
        replica.serve("200", model=model)
    replica.recorder.count(5)
    await replica.recorder.flush()

    assert (await stored(states, stable)).slots == (TrafficSlot(5, 1, 0),)
    assert (await stored(states)).slots == ()


async def test_slots_wait_while_the_store_is_away() -> None:
    """A quarter of an hour of them: older ones are not compared."""
    states = TroubledStates()
    replica = Replica(states)
    replica.recorder.count(-1)
    states.away = True
    for slot in range(100):
        replica.serve("200")
        replica.recorder.count(slot)
        await replica.recorder.flush()
    states.away = False
    await replica.recorder.flush()

    assert list(range(10, 100)) == [one.slot for one in (await stored(states)).slots]


async def test_a_lost_reply_does_not_count_twice() -> None:
    """The addition's number in the log says that it was made."""
    states = TroubledStates()
    replica = Replica(states)
    replica.recorder.count(-1)
    replica.serve("200")
    replica.recorder.count(5)
    states.lost = 1
    await replica.recorder.flush()
    replica.serve("200", "200")
    replica.recorder.count(6)
    await replica.recorder.flush()

    assert (await stored(states)).slots == (TrafficSlot(5, 1, 0), TrafficSlot(6, 2, 0))


async def test_a_forgotten_model_is_recorded_from_its_next_request_on() -> None:
    """What waited of it is dropped; its counters go on."""
    states = MemoryStates()
    replica = Replica(states)
    replica.recorder.count(-1)
    replica.serve("200")
    replica.recorder.count(5)
    replica.recorder.retain(set())
    await replica.recorder.flush()

    assert (await stored(states)).slots == ()

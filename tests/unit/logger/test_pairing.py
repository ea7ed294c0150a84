"""Request + response -> latency: in any order, twice, late, or never."""

from collections.abc import Sequence
from hashlib import blake2b

import pytest

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey, PairObservation
from driftgauge.logger.pairing import Pairing, pair_key
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.memory_pairs import MemoryPairs
from driftgauge.storage.pairs import Half, PairStore, PutResult
from tests.support.clock import ManualClock
from tests.support.failing_pairs import FailingPairs, Failure
from tests.support.models import IRIS, WINE, labels

TTL = 60


class AwayPairs:
    """A store of pairs that is away."""

    async def put(self, halves: Sequence[Half], *, again: bool = False) -> list[PutResult]:  # noqa: ARG002 the signature is the protocol's
        """Fail."""
        raise StorageError("the store is away")

    async def remove(self, halves: Sequence[Half], *, again: bool = False) -> int:  # noqa: ARG002
        """Fail."""
        raise StorageError("the store is away")

    def forget(self, halves: Sequence[Half]) -> int:
        """All are open, as far as is known."""
        return len(halves)


class Replica:
    """One logger's pairing with its own metrics.

    Args:
        store: Stores the halves that wait; it may be shared.
        clock: Monotonic seconds.
    """

    def __init__(self, store: PairStore, clock: ManualClock) -> None:
        self.metrics = Metrics("")
        self.metrics.model(WINE)
        self.pairing = Pairing(store, self.metrics, TTL, clock)

    def see(self, kind: Kind, time: float | None, id_: str = "a", *, true_time: bool = True) -> bool:
        """Offer one half of `WINE`; whether it was new."""
        return self.pairing.offer(PairObservation(WINE, id_, kind, time, true_time))

    def value(self, name: str) -> float | None:
        """One sample of `WINE`."""
        return self.metrics.registry.get_sample_value(name, labels())

    @property
    def latencies(self) -> tuple[float | None, float | None]:
        """How many were observed, and their sum in seconds."""
        return self.value("request_latency_seconds_count"), self.value("request_latency_seconds_sum")

    @property
    def unpaired(self) -> float | None:
        """How many halves were given up."""
        return self.value("driftgauge_unpaired_total")


@pytest.fixture
def clock() -> ManualClock:
    """The time at which tests begin."""
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MemoryPairs:
    """A store that replicas of a test share."""
    return MemoryPairs(TTL, 1_000, clock)


@pytest.fixture
def replica(store: MemoryPairs, clock: ManualClock) -> Replica:
    """A logger on its own."""
    return Replica(store, clock)


@pytest.mark.parametrize("order", [(Kind.REQUEST, Kind.RESPONSE), (Kind.RESPONSE, Kind.REQUEST)])
async def test_two_halves_in_any_order_give_one_latency(replica: Replica, order: tuple[Kind, Kind]) -> None:
    """The response may come first."""
    times = {Kind.REQUEST: 10.0, Kind.RESPONSE: 10.25}
    for kind in order:
        assert replica.see(kind, times[kind])
        await replica.pairing.advance()

    assert (1, 0.25) == replica.latencies


async def test_a_redelivered_half_is_reported_at_once_and_changes_nothing(replica: Replica) -> None:
    """A broker may deliver an event twice; the receiver must not count it twice."""
    assert replica.see(Kind.REQUEST, 10.0)
    assert not replica.see(Kind.REQUEST, 10.0)
    assert replica.see(Kind.RESPONSE, 10.25)
    assert not replica.see(Kind.RESPONSE, 10.25)
    await replica.pairing.advance()

    assert (1, 0.25) == replica.latencies


async def test_an_id_that_a_client_uses_again_is_no_redelivery(replica: Replica) -> None:
    """Clients may send a `Ce-Id` of their own, and the same one for every request."""
    for start in (10.0, 20.0, 30.0):
        assert replica.see(Kind.REQUEST, start)
        assert replica.see(Kind.RESPONSE, start + 0.5)
    await replica.pairing.advance()

    assert (3, 1.5) == replica.latencies


async def test_halves_without_a_time_are_always_new(replica: Replica) -> None:
    """A redelivery cannot be distinguished from an id that is used again."""
    assert replica.see(Kind.REQUEST, None)
    assert replica.see(Kind.REQUEST, None)


async def test_a_redelivery_after_the_ttl_is_new(replica: Replica, clock: ManualClock) -> None:
    """A half is forgotten after its TTL."""
    replica.see(Kind.REQUEST, 10.0)
    clock.now += TTL

    assert replica.see(Kind.REQUEST, 10.0)


async def test_times_of_sending_pair_but_give_no_latency(replica: Replica, clock: ManualClock) -> None:
    """Agents before KServe 0.18 use the time of sending, which includes the time in their queue."""
    replica.see(Kind.REQUEST, 10.0, true_time=False)
    replica.see(Kind.RESPONSE, 10.25, true_time=False)
    await replica.pairing.advance()
    clock.now += TTL
    await replica.pairing.advance()

    assert (0, 0) == replica.latencies
    assert replica.unpaired == 0


async def test_a_half_that_stays_alone_is_counted_when_its_time_is_over(replica: Replica, clock: ManualClock) -> None:
    """It is counted after its TTL, not earlier, and once."""
    replica.see(Kind.REQUEST, 10.0)
    await replica.pairing.advance()
    clock.now += TTL - 1
    await replica.pairing.advance()
    assert replica.unpaired == 0

    clock.now += 1
    await replica.pairing.advance()
    clock.now += TTL
    await replica.pairing.advance()
    assert replica.unpaired == 1


async def test_replicas_that_share_a_store_pair_across(store: MemoryPairs, clock: ManualClock) -> None:
    """The halves of one id may reach different replicas: one observes the latency, none counts an unpaired half."""
    left, right = Replica(store, clock), Replica(store, clock)
    left.see(Kind.REQUEST, 10.0)
    await left.pairing.advance()
    right.see(Kind.RESPONSE, 10.25)
    await right.pairing.advance()
    clock.now += TTL
    for replica in (left, right):
        await replica.pairing.advance()

    assert [(0, 0), (1, 0.25)] == [left.latencies, right.latencies]
    assert [0, 0] == [left.unpaired, right.unpaired]


async def test_an_id_that_is_used_again_delays_no_other(replica: Replica, clock: ManualClock) -> None:
    """A client with one id for all its requests, and no responses: the others' halves are counted in their time."""
    replica.see(Kind.REQUEST, 10.0, "again")
    await replica.pairing.advance()
    replica.see(Kind.REQUEST, 10.0, "alone")
    await replica.pairing.advance()
    for tick in range(1, 4):
        clock.now += TTL / 2
        replica.see(Kind.REQUEST, 10.0 + tick, "again")
        await replica.pairing.advance()

    assert replica.unpaired == 1 + 3


async def test_models_do_not_share_ids(replica: Replica) -> None:
    """Two InferenceServices may use the same id at the same time."""
    replica.see(Kind.REQUEST, 10.0)
    replica.pairing.offer(PairObservation(IRIS, "a", Kind.RESPONSE, 10.25, true_time=True))
    await replica.pairing.advance()

    assert (0, 0) == replica.latencies


async def test_a_negative_latency_is_none(replica: Replica) -> None:
    """A response that is older than its request belongs to another request."""
    replica.see(Kind.RESPONSE, 9.0)
    replica.see(Kind.REQUEST, 10.0)
    await replica.pairing.advance()

    assert (0, 0) == replica.latencies


async def test_a_store_that_is_away_costs_pairs_and_is_counted(clock: ManualClock) -> None:
    """The halves that could not be stored are counted as unpaired, at the latest at the end of the process."""
    replica = Replica(AwayPairs(), clock)
    replica.see(Kind.REQUEST, 10.0)
    replica.see(Kind.RESPONSE, 10.25)
    await replica.pairing.advance()
    await replica.pairing.close()

    assert replica.unpaired == 2


async def test_an_unexpected_error_costs_the_halves_of_its_call(store: MemoryPairs, clock: ManualClock) -> None:
    """They are counted, since the call would fail again; later halves are paired."""
    replica = Replica(FailingPairs(store, iter([Failure.BEFORE]), ZeroDivisionError), clock)
    replica.see(Kind.REQUEST, 10.0)
    await replica.pairing.advance()
    replica.see(Kind.REQUEST, 20.0)
    replica.see(Kind.RESPONSE, 20.25)
    await replica.pairing.advance()

    assert replica.unpaired == 1
    assert (1, 0.25) == replica.latencies


async def test_a_latency_is_observed_although_the_reply_of_its_put_was_lost(
    store: MemoryPairs, clock: ManualClock
) -> None:
    """The repeated put has the lost results, and neither half is a duplicate."""
    replica = Replica(FailingPairs(store, iter([Failure.AFTER])), clock)
    replica.see(Kind.REQUEST, 10.0)
    replica.see(Kind.RESPONSE, 10.25)
    await replica.pairing.advance()
    await replica.pairing.advance()

    assert (1, 0.25) == replica.latencies


async def test_a_count_that_failed_is_repeated(store: MemoryPairs, clock: ManualClock) -> None:
    """A half whose time is over while the store is away is counted once, when it is back."""
    replica = Replica(FailingPairs(store, iter([Failure.NEVER, Failure.NEVER, Failure.AFTER])), clock)
    replica.see(Kind.REQUEST, 10.0)
    await replica.pairing.advance()
    clock.now += TTL
    await replica.pairing.advance()
    assert replica.unpaired == 0

    await replica.pairing.advance()
    assert replica.unpaired == 1


async def test_the_end_counts_what_is_alone(store: MemoryPairs, clock: ManualClock) -> None:
    """No other process would count the half that waits, nor pair it afterwards."""
    ends, stays = Replica(store, clock), Replica(store, clock)
    ends.see(Kind.REQUEST, 10.0)
    ends.see(Kind.RESPONSE, 10.25, "b")
    stays.see(Kind.REQUEST, 10.0, "b")
    await stays.pairing.advance()
    await ends.pairing.close()
    stays.see(Kind.RESPONSE, 10.25)
    await stays.pairing.close()

    assert [1, 1] == [ends.unpaired, stays.unpaired]
    assert (1, 0.25) == ends.latencies


async def test_halves_that_wait_for_a_store_are_counted_after_the_ttl(clock: ManualClock) -> None:
    """They were never sent, unlike the batch before them, whose result is unknown."""
    replica = Replica(AwayPairs(), clock)
    replica.see(Kind.REQUEST, 10.0)
    await replica.pairing.advance()
    replica.see(Kind.REQUEST, 11.0, "b")
    await replica.pairing.advance()
    assert replica.unpaired == 0

    clock.now += TTL
    await replica.pairing.advance()
    assert replica.unpaired == 1


@pytest.mark.parametrize("id_", ["", "a" * 10_000, "\ud800", "a\0b", "{}"])
def test_the_key_of_any_id_has_a_fixed_length(id_: str) -> None:
    """An untrusted id of any length or content has a key."""
    assert len(pair_key(WINE, id_)) == 32


@pytest.mark.parametrize("revision", ["", "stable", "it's"])
@pytest.mark.parametrize("id_", ["a1", "it's", "both ' and \"", "\\", "\n\u2028é", "\ud800"])
def test_replicas_of_all_versions_make_the_same_keys(id_: str, revision: str) -> None:
    """The key is the digest of the text of a tuple, which replicas that share a Redis must have in common."""
    model = WINE._replace(revision=revision)
    names = (model.namespace, model.inference_service, model.component, id_, *((revision,) if revision else ()))

    assert pair_key(model, id_) == blake2b(repr(names).encode(), digest_size=16).hexdigest()


def test_the_models_name_is_no_part_of_the_key() -> None:
    """A request has no model name, a response may have one."""
    other = ModelKey(WINE.namespace, WINE.inference_service, WINE.component, "wine-v2")

    assert pair_key(WINE, "a") == pair_key(other, "a")


async def test_a_flood_of_invented_ids_of_one_model_is_unpaired_and_harms_no_other(clock: ManualClock) -> None:
    """Halves that are displaced count as unpaired of the model that sends too many; other models keep theirs."""
    replica = Replica(MemoryPairs(TTL, 200, clock), clock)
    replica.pairing = Pairing(MemoryPairs(TTL, 200, clock), replica.metrics, TTL, clock, capacity=100)
    replica.see(Kind.REQUEST, 10.0, "mine")
    await replica.pairing.advance()
    for number in range(1_000):
        replica.pairing.offer(PairObservation(IRIS, f"x{number}", Kind.REQUEST, 10.0, true_time=True))
        await replica.pairing.advance()
    flood = replica.metrics.registry.get_sample_value("driftgauge_unpaired_total", labels(IRIS))
    again = replica.see(Kind.REQUEST, 10.0, "mine")
    replica.see(Kind.RESPONSE, 10.25, "mine")
    await replica.pairing.advance()

    assert (1, 0.25) == replica.latencies
    assert not again
    assert (901, 0) == (flood, replica.unpaired)


async def test_halves_beyond_the_queue_are_unpaired(clock: ManualClock) -> None:
    """The queue in front of the store is bounded, and what does not fit is counted."""
    replica = Replica(MemoryPairs(TTL, 200, clock), clock)
    replica.pairing = Pairing(MemoryPairs(TTL, 200, clock), replica.metrics, TTL, clock, capacity=100)
    for number in range(150):
        assert replica.see(Kind.REQUEST, 10.0, f"x{number}")

    assert replica.unpaired == 50


@pytest.mark.parametrize(("asked", "responded"), [(0.0, 1_795_409_406.0), (-62_135_683_140.0, 253_402_387_140.0)])
async def test_a_latency_that_is_longer_than_halves_are_kept_is_none(
    replica: Replica, asked: float, responded: float
) -> None:
    """A wrong clock, or an invented time, gives no latency of years."""
    replica.see(Kind.REQUEST, asked)
    replica.see(Kind.RESPONSE, responded)
    await replica.pairing.advance()

    assert (0, 0) == replica.latencies


@pytest.mark.parametrize(
    "other",
    [
        WINE._replace(namespace="elsewhere"),
        WINE._replace(inference_service="wine-2"),
        WINE._replace(component="transformer"),
        WINE._replace(revision="v2"),
    ],
)
async def test_halves_of_two_models_never_pair(replica: Replica, clock: ManualClock, other: ModelKey) -> None:
    """An event with the id of another model's request is unpaired, and so is that request."""
    replica.see(Kind.REQUEST, 10.0)
    replica.pairing.offer(PairObservation(other, "a", Kind.RESPONSE, 10.25, true_time=True))
    await replica.pairing.advance()
    clock.now += TTL
    await replica.pairing.advance()

    assert (0, 0) == replica.latencies
    assert [1, 1] == [
        replica.metrics.registry.get_sample_value("driftgauge_unpaired_total", labels(model)) for model in (WINE, other)
    ]

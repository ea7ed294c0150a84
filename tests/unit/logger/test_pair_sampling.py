"""Both events of an inference are read or left out together, and pair and count all the same."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from driftgauge.inference.payload import Kind, Payload
from driftgauge.inference.sample_ratio import Carried, ModelSample
from driftgauge.logger.pair_sampling import PairSampling
from tests.support.clock import ManualClock
from tests.support.listening_receiver import ListeningReceiver, headers
from tests.support.models import IRIS, WINE

IDS = [f"id-{number}" for number in range(200)]
HALVES = (Kind.REQUEST, Kind.RESPONSE)


class Sampled:
    """What decides of the events of a model."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.carried = Carried()
        self.sample = ModelSample(WINE, self.carried, 1.0)
        self.sampling = PairSampling(300, self.clock)

    def taken(self, kind: Kind, ratio: float) -> list[str]:
        """The ids of the events of one kind that are read at a ratio."""
        self.carried.set_slow(ratio)
        return [id_ for id_ in IDS if self.sampling.takes(self.sample, kind, id_)]


@pytest.mark.parametrize("halves", [HALVES, HALVES[::-1]])
@pytest.mark.parametrize("later", [0.1, 0.9, 1.0])
def test_the_second_event_is_decided_as_the_first(halves: tuple[Kind, Kind], later: float) -> None:
    """Also if the ratio has changed between them, and whichever comes first."""
    sampled = Sampled()
    first = sampled.taken(halves[0], 0.5)

    assert 70 < len(first) < 130
    assert first == sampled.taken(halves[1], later)


def test_an_id_that_is_used_again_is_decided_again() -> None:
    """A decision is for two events, and is forgotten after the time to live of a pair."""
    sampled = Sampled()
    first = sampled.taken(Kind.REQUEST, 0.5)
    assert first == sampled.taken(Kind.RESPONSE, 1.0)
    assert IDS == sampled.taken(Kind.REQUEST, 1.0)

    assert first == sampled.taken(Kind.REQUEST, 0.5)
    sampled.clock.now += 300
    assert IDS == sampled.taken(Kind.RESPONSE, 1.0)


def test_models_that_share_ids_are_decided_apart() -> None:
    """A transformer and its predictor have the same ids: neither takes the decision of the other."""
    sampled = Sampled()
    other = ModelSample(IRIS, sampled.carried, 1.0)
    first = sampled.taken(Kind.REQUEST, 0.5)
    for id_ in IDS:
        sampled.sampling.takes(other, Kind.REQUEST, id_)

    assert first == sampled.taken(Kind.RESPONSE, 1.0)


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens on a port chosen by the system."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


async def test_events_that_are_left_out_pair_and_count(post: ListeningReceiver) -> None:
    """At a ratio of almost 0 both events are sampled out; the request, its bytes and both halves are counted."""
    post.metrics.carried.set_slow(1e-12)
    async with ClientSession() as client:
        for kind in HALVES:
            async with client.post(post.url, data=b"{}", headers=headers(kind)) as response:
                assert response.status == 200
    offered: list[Payload] = post.payloads

    assert [] == offered
    assert [*HALVES] == [observation.kind for observation in post.observations]
    assert (1, 2) == (post.value("request_count", code=""), post.value("driftgauge_request_bytes_total"))
    assert [1, 1] == [
        post.value("driftgauge_payloads_total", kind=kind, outcome="sampled_out", reason="") for kind in HALVES
    ]

"""Events with invented names neither hide real models nor take memory for ever."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from driftgauge.cloudevents.event import Event
from driftgauge.inference.known_models import IdleLimits, KnownModels
from driftgauge.inference.payload import OVERFLOW, Kind, ModelKey
from tests.support.clock import ManualClock
from tests.support.listening_receiver import LIMIT, ListeningReceiver, headers
from tests.support.models import IRIS, WINE
from tests.support.raw_client import Wire

HOUR = 3_600


@pytest.fixture
def clock() -> ManualClock:
    """The clock by which models become idle."""
    return ManualClock()


@pytest.fixture
async def post(clock: ManualClock) -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens, with 100 places and a reference file `wine.csv`."""

    def reserved_by(model: ModelKey) -> tuple[str, str] | None:
        """The reference that reserves a place for a model."""
        return ("", "wine") if model.inference_service == "wine" else None

    post = ListeningReceiver(models=KnownModels(100, idle=IdleLimits(HOUR, HOUR, clock), reserved_by=reserved_by))
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


def event(model: ModelKey, body: bytes = b"{}") -> Event:
    """A request of a model."""
    return Event("a", Kind.REQUEST, 1.0, True, model.namespace, model.inference_service, model.component, None, body)  # noqa: FBT003 - an event's own order


def invented(number: int) -> ModelKey:
    """A model that does not exist."""
    return ModelKey(f"n{number}", f"m{number}", "predictor", f"m{number}")


def requests(post: ListeningReceiver, model: ModelKey) -> float | None:
    """The requests that count for a model."""
    return post.value("request_count", model, code="")


async def test_real_models_are_seen_after_ten_thousand_invented_names(
    post: ListeningReceiver, clock: ManualClock
) -> None:
    """A model with a reference is seen at once, another one after the invented names have been idle for an hour."""
    for number in range(10_000):
        post.receiver.accept(event(invented(number)))
    post.receiver.accept(event(WINE))
    post.receiver.accept(event(IRIS))
    refused = requests(post, IRIS)
    clock.now += HOUR
    post.receiver.accept(event(IRIS))

    assert requests(post, WINE) == 1
    assert refused is None
    assert requests(post, IRIS) == 1
    assert requests(post, OVERFLOW) == 9_901


@pytest.mark.parametrize("reserved", [True, False])
async def test_events_that_are_too_long_take_no_place(post: ListeningReceiver, reserved: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    """Only a model that has a reference by its name is proven by the head of an event that is too long."""
    model = WINE if reserved else IRIS
    async with ClientSession() as client:
        too_long = io.BytesIO(b" " * (LIMIT + 1))
        async with client.post(post.url, data=too_long, headers=headers(model=model)) as response:
            assert response.status == 413

    assert post.rejected("too_large", model if reserved else OVERFLOW) == 1
    assert (model in post.models) == reserved


async def test_an_unknown_model_takes_no_place_while_too_many_events_come(post: ListeningReceiver) -> None:
    """An event that gets 503 counts for the overflow key if its model is unknown, and else for its model."""
    post.receiver.accept(event(WINE))
    post.receiver.budget.free_bytes = 1
    for model in (IRIS, WINE):
        async with (
            ClientSession() as client,
            client.post(post.url, data=b"{}", headers=headers(model=model)) as response,
        ):
            assert response.status == 503

    assert [1, 1] == [
        post.value("driftgauge_payloads_total", model, kind="request", outcome="dropped", reason="queue_full")
        for model in (OVERFLOW, WINE)
    ]
    assert IRIS not in post.models


async def test_an_incomplete_event_of_an_unknown_model_takes_no_place(post: ListeningReceiver) -> None:
    """An event whose framing is malformed counts for the overflow key if its model is unknown."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers(model=IRIS).items())
    wire = await Wire.connect(int(post.url.split(":")[2].rstrip("/")))
    wire.send(f"POST / HTTP/1.1\r\nHost: x\r\n{lines}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode())

    assert (await asyncio.wait_for(wire.rest(), 10)).startswith(b"HTTP/1.1 400 ")
    await wire.close()
    assert post.rejected("incomplete") == 1
    assert IRIS not in post.models

"""Every change arrives once, or is counted: whatever the receiver does, over real HTTP."""

import json
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from driftgauge.events.event_sender import MAX_AGE_SECONDS
from driftgauge.events.model_changes import MAX_PENDING
from tests.support.changes import CONCEPT, DRIFT, OK, UNSURE, ChangingModels
from tests.support.event_server import CLOSE, ERROR, HANG, EventServer
from tests.support.event_server import OK as ACCEPTED
from tests.support.models import IRIS, WINE

NO = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"


def events_of(server: EventServer) -> list[CloudEvent]:
    """What a server has received, as the SDK reads it."""
    return [_read(head, body) for head, body in zip(server.heads, server.bodies, strict=True)]


def _read(head: bytes, body: bytes) -> Any:  # noqa: ANN401 - the SDK's base class has no type for its methods
    lines = [line.decode().partition(":") for line in head.split(b"\r\n")[1:] if line]
    fields = {name.lower(): value.strip() for name, _, value in lines}
    return from_http(HTTPMessage(fields, body), JSONFormat(), CloudEvent)


def types_of(server: EventServer) -> list[str]:
    """The types of what a server has received, each event once."""
    by_id = {event.get_id(): event.get_type() for event in events_of(server)}
    return [one.removeprefix("io.driftgauge.") for one in by_id.values()]


async def test_an_event_by_the_sdk() -> None:
    """The SDK reads the attributes, KServe's extensions, and data of JSON."""
    async with EventServer().listening() as server:
        models = ChangingModels(server.url)
        await models.look(DRIFT, key=CONCEPT)
        await models.send()
        await models.target.close()
    (event,) = events_of(server)
    attributes = event.get_attributes()
    assert {
        "specversion": "1.0",
        "source": "/namespaces/cellar/inferenceservices/wine",
        "type": "io.driftgauge.concept.detected",
        "subject": "predictor/wine",
        "dataschema": "urn:driftgauge:schema:event:1",
        "datacontenttype": "application/json",
        "inferenceservicename": "wine",
        "namespace": "cellar",
        "component": "predictor",
        "modelname": "wine",
        "output": "quality",
    } == {name: value for name, value in attributes.items() if name not in {"id", "time"}}
    assert "1970-01-12T13:46:40+00:00" == attributes["time"].isoformat()
    assert "drift" == json.loads(json.dumps(event.get_data()))["state"]


@pytest.mark.parametrize("fault", [ERROR, CLOSE, b"HTTP/1.1 429 Wait\r\nContent-Length: 0\r\n\r\n"])
async def test_down_for_long(fault: bytes) -> None:
    """After an hour of failures each change arrives once, in order; the pauses grow to two minutes."""
    async with EventServer(lambda _: fault).listening() as server:
        models = ChangingModels(server.url)
        for number in range(40):
            await models.look(DRIFT if number % 2 else OK)
            await models.send()
            models.clock.now += 90
        server.respond = lambda _: ACCEPTED
        tried = len(server.heads)
        models.clock.now += 120
        await models.send()
        await models.target.close()
    assert 39 == len(server.heads) - tried
    assert 40 > tried
    assert ["drift.detected", "drift.resolved"] * 19 + ["drift.detected"] == types_of(server)
    assert {"sent": 39} == models.counts()


async def test_nothing_listens() -> None:
    """Connections that are refused are failures like others."""
    server = EventServer()
    async with server.listening():
        pass
    models = ChangingModels(server.url)
    await models.look(DRIFT)
    await models.send()
    assert {} == models.counts()
    models.clock.now += 200
    async with server.listening():
        await models.send()
        await models.target.close()
    assert {"sent": 1} == models.counts()


async def test_a_receiver_that_hangs() -> None:
    """An attempt ends, and the event is sent again with the same id."""
    async with EventServer(lambda number: ACCEPTED if number else HANG).listening() as server:
        models = ChangingModels(server.url, attempt_seconds=0.05)
        await models.look(DRIFT)
        await models.send()
        models.clock.now += 200
        await models.send()
        await models.target.close()
    assert 2 == len(server.heads)
    assert ["drift.detected"] == types_of(server)
    assert {"sent": 1} == models.counts()


async def test_retry_after() -> None:
    """A receiver says when it wants the next attempt, up to an hour."""
    wait = b"HTTP/1.1 503 Later\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n"
    async with EventServer(lambda number: ACCEPTED if number else wait).listening() as server:
        models = ChangingModels(server.url)
        await models.look(DRIFT)
        for seconds, attempts in [(0, 1), (599, 1), (1, 2)]:
            models.clock.now += seconds
            await models.send()
            assert attempts == len(server.heads)
        await models.target.close()


@pytest.mark.parametrize("response", [NO, b"HTTP/1.1 302 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"])
async def test_refused_events_are_dead(response: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """An event that is refused, or redirected, is tried once, counted, and logged once with its id."""
    async with EventServer(lambda _: response).listening() as server:
        models = ChangingModels(server.url)
        await models.look(DRIFT)
        await models.send()
        await models.send()
        await models.target.close()
    assert {"dead": 1} == models.counts()
    assert 1 == len(server.heads)
    (line,) = [one for one in caplog.messages if "is dead" in one]
    assert str(events_of(server)[0].get_id()) in line


async def test_dead_after_three_days() -> None:
    """An event that never arrives ends, so that it does not wait for ever."""
    async with EventServer(lambda _: ERROR).listening() as server:
        models = ChangingModels(server.url)
        await models.look(DRIFT)
        await models.send()
        models.clock.now += MAX_AGE_SECONDS + 1
        await models.send()
        await models.target.close()
    assert {"dead": 1} == models.counts()


async def test_one_event_does_not_block_others() -> None:
    """An event that the receiver cannot process waits behind those of other models."""
    server = EventServer()
    server.respond = lambda number: ERROR if b"cellar" in server.heads[number] else ACCEPTED
    async with server.listening():
        models = ChangingModels(server.url)
        await models.look(DRIFT)
        await models.send()
        await models.look(DRIFT, model=IRIS)
        models.clock.now += 10
        await models.send()
        await models.target.close()
    assert {"sent": 1} == models.counts()


async def test_the_bound() -> None:
    """While a receiver is away, 64 events of a model wait; older ones are dropped and counted."""
    async with EventServer(lambda _: ERROR).listening() as server:
        models = ChangingModels(server.url)
        for number in range(101):
            await models.look(DRIFT if number % 2 else OK)
            models.clock.now += 90
        server.respond = lambda _: ACCEPTED
        await models.send()
        await models.target.close()
    assert {"sent": MAX_PENDING, "dropped": 100 - MAX_PENDING} == models.counts()


async def test_a_restart_sends_nothing_again() -> None:
    """What the store knows is no change for the next process, whose first verdict is the same."""
    async with EventServer().listening() as server:
        models = ChangingModels(server.url)
        for _ in range(3):
            await models.look(DRIFT)
            await models.send()
            await models.target.close()
            models = ChangingModels(server.url, models.states, models.clock)
    assert ["drift.detected"] == types_of(server)
    assert 1 == len(server.heads)


async def test_what_waits_survives_a_restart() -> None:
    """An event that was not sent is sent by the next process, with its id and time."""
    async with EventServer().listening() as server:
        models = ChangingModels(server.url)
        await models.look(DRIFT)
        after = ChangingModels(server.url, models.states, models.clock)
        await after.send()
        await after.look(DRIFT)
        after.clock.now += 30
        await after.send()
        await after.target.close()
    assert ["drift.detected"] == types_of(server)
    assert "1970-01-12T13:46:40+00:00" == events_of(server)[0].get_attributes()["time"].isoformat()


async def test_without_a_lease_nothing_is_sent() -> None:
    """A replica that cannot save an event does not send it; when it can, the change has its event."""
    async with EventServer().listening() as server:
        models = ChangingModels(server.url)
        await models.look(OK)
        await models.look(DRIFT, token=None)
        await models.send()
        assert [] == server.heads
        await models.look(DRIFT)
        await models.send()
        await models.target.close()
    assert ["drift.detected"] == types_of(server)


async def test_the_end_without_redis() -> None:
    """A process that ends and keeps all in memory counts what still waits as dropped."""
    async with EventServer(lambda _: ERROR).listening() as server:
        models = ChangingModels(server.url)
        await models.look(DRIFT)
        await models.sender.close()
        models.outbox.close(is_kept=False)
    assert {"dropped": 1} == models.counts()


async def test_a_model_that_is_forgotten() -> None:
    """Events of a model that loses its place are counted as dropped."""
    models = ChangingModels("http://127.0.0.1:1/")
    await models.look(DRIFT)
    await models.look(UNSURE, model=IRIS)
    models.outbox.retain({IRIS})
    assert {"dropped": 1} == models.counts()
    assert 0 == models.outbox.pending()
    assert WINE not in models.verdicts or models.outbox.next_due() is None

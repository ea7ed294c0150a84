"""A receiver with one fault after the other: each change is sent or merged once, counted, and none is lost."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from driftgauge.events.model_changes import MAX_PENDING
from tests.support.changes import DRIFT, OK, ChangingModels
from tests.support.event_replicas import ids_of
from tests.support.event_server import CLOSE, ERROR, HANG, EventServer
from tests.support.event_server import OK as ACCEPTED

STEP_SECONDS = 20
FAULT_SECONDS = 600

FAULTS = {"away": ACCEPTED, "slow": HANG, "fails": ERROR, "takes and closes": CLOSE}
"""What the receiver responds; while it is away, nothing listens. The last one has each event, and says so too late."""


@asynccontextmanager
async def having(server: EventServer, fault: str) -> AsyncIterator[None]:
    """The receiver with a fault."""
    async with AsyncExitStack() as stack:
        if fault != "away":
            server.respond = lambda _: FAULTS[fault]
            await stack.enter_async_context(server.listening())
        yield


def types_by_id(server: EventServer) -> list[str]:
    """The ends of the types of what was received, each id once, in the order in which it came first."""
    found: dict[bytes, str] = {}
    for head, one in zip(server.heads, ids_of(server), strict=True):
        lines = [line.partition(b":") for line in head.split(b"\r\n")]
        kind = next(value for name, _, value in lines if name.lower() == b"ce-type")
        found.setdefault(one, kind.strip().decode().rpartition(".")[2])
    return list(found.values())


@pytest.mark.parametrize("seed", range(5))
async def test_ten_minutes_of_each_fault(seed: int) -> None:
    """Away, slow, failing, and taking each event twice or more, in any order: nothing is lost or out of order."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    faults = rng.sample(sorted(FAULTS), len(FAULTS))
    server = EventServer()
    async with server.listening():
        pass  # it has a port now, and listens no more
    models = ChangingModels(server.url, attempt_seconds=0.05)
    await models.look(OK)
    state, changes, most = OK, 0, 0.0
    for fault in faults:
        async with having(server, fault):
            for _ in range(FAULT_SECONDS // STEP_SECONDS):
                models.clock.now += STEP_SECONDS
                after = rng.choice([OK, DRIFT])
                changes += after != state
                state = after
                await models.look(state)
                await models.send()
                most = max(most, models.outbox.pending())
            await models.target.close()
    duplicates = len(server.heads) - len(set(ids_of(server)))
    async with having(server, "away"), server.listening():
        server.respond = lambda _: ACCEPTED
        for _ in range(10):
            models.clock.now += 130
            await models.look(state)
            await models.send()
        await models.target.close()
    counts, types = models.counts(), types_by_id(server)

    assert most < MAX_PENDING
    assert duplicates > 0
    assert {"sent", "merged"} == set(counts)
    assert changes == counts["sent"] + counts["merged"]
    assert counts["sent"] == len(types)
    assert ["detected", "resolved"] * (len(types) // 2) + ["detected"] * (len(types) % 2) == types
    assert (types[-1] == "detected") == (state == DRIFT)
    assert 0 == models.outbox.pending()

"""The terms of one replica in a real Redis: none is lost for want of a reply."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from driftgauge.inference.payload import ModelKey
from driftgauge.monitoring.coordinator import Coordinator
from driftgauge.storage.leases import MemoryLeases, StoreClock
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_layout import model_key
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.ring import StreamKey, Window
from tests.support.clock import ManualClock
from tests.support.models import WINE
from tests.support.monitor_fixture import MonitorFixture

TERM_SECONDS = 60
KEY = model_key(WINE, "lease")


@pytest.fixture
def leases(redis_client: Redis) -> RedisLeases:
    """Leases in an empty Redis."""
    return RedisLeases(BoundedRedis(redis_client, 5), TERM_SECONDS, StoreClock())


@pytest.fixture
def coordinator(leases: RedisLeases) -> Coordinator:
    """A replica without references."""
    return Coordinator(leases, lambda _: "", ManualClock(), fresh_seconds=90)


async def begin(coordinator: Coordinator) -> str | None:
    """Look once. Returns the token of the term."""
    (lease,) = await coordinator.look([WINE])
    assert not isinstance(lease, Exception)
    return (await coordinator.begin(WINE, lease)).token


async def test_a_lease_whose_acquisition_was_executed_late_is_taken_over_at_once(
    coordinator: Coordinator, redis_client: Redis
) -> None:
    """The replica had given that token up, and would have waited for the end of its own lease."""
    late = f"{coordinator.replica}/late"
    await redis_client.set(KEY, late, px=5_000)
    token = await begin(coordinator)

    assert late == token
    assert 50_000 < await redis_client.pttl(KEY) <= 60_000


async def test_a_lease_of_another_replica_is_left(coordinator: Coordinator, redis_client: Redis) -> None:
    """Also after a term of this replica."""
    assert await begin(coordinator)
    await redis_client.set(KEY, "b2/1", px=5_000)
    await begin(coordinator)

    assert [] == coordinator.evaluated()
    assert b"b2/1" == await redis_client.get(KEY)


async def test_a_term_without_a_look_is_extended(coordinator: Coordinator, redis_client: Redis) -> None:
    """From the second interval on: a look in each interval extends it anyhow."""
    await begin(coordinator)
    left = []
    for _ in range(3):
        await redis_client.pexpire(KEY, 5_000)
        await coordinator.extend_terms()
        left.append(await redis_client.pttl(KEY) > 50_000)

    assert [False, True, True] == left


async def test_a_term_whose_look_hangs_ends_after_a_while(coordinator: Coordinator, redis_client: Redis) -> None:
    """So that another replica evaluates the model."""
    await begin(coordinator)
    for _ in range(20):
        await coordinator.extend_terms()
    await redis_client.pexpire(KEY, 5_000)
    await coordinator.extend_terms()

    assert await redis_client.pttl(KEY) <= 5_000


async def test_a_term_that_was_lost_during_a_look_is_noticed(coordinator: Coordinator, redis_client: Redis) -> None:
    """Before the look at its model ends."""
    await begin(coordinator)
    await redis_client.set(KEY, "b2/1", px=5_000)
    await coordinator.extend_terms()
    await coordinator.extend_terms()

    assert [] == coordinator.evaluated()


class _CountedLeases(MemoryLeases):
    """Leases that say when one was extended twice.

    Args:
        extended: Set then.
    """

    def __init__(self, extended: asyncio.Event) -> None:
        super().__init__()
        self._extended = extended
        self._count = 0

    async def extend(self, model: ModelKey, token: str) -> bool:
        """Extend a term, and count."""
        self._count += 1
        if self._count > 1:
            self._extended.set()
        return await super().extend(model, token)


class _SlowRing(MemoryRing):
    """A ring of which no window is read until a lease was extended twice.

    Args:
        extended: Says so.
    """

    def __init__(self, extended: asyncio.Event) -> None:
        super().__init__(100)
        self._extended = extended

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """The newest rows, late."""
        await self._extended.wait()
        return await super().read(stream, schema, width)


async def test_terms_are_extended_while_one_look_goes_on(tmp_path: Path) -> None:
    """The look would never end if they were not."""
    lines = [f"{9 + 0.1 * row},{3 + 0.01 * row}" for row in range(50)]
    (tmp_path / "wine.csv").write_text("\n".join(["alcohol,ph", *lines]) + "\n")
    extended = asyncio.Event()
    fixture = MonitorFixture(tmp_path, ring=_SlowRing(extended), leases=_CountedLeases(extended))
    await fixture.watcher.refresh()
    await fixture.fill(WINE, 9.0)
    running = asyncio.create_task(fixture.monitor.run(0.01, fixture.restorer(None)))
    try:
        async with asyncio.timeout(10):
            await extended.wait()
    finally:
        running.cancel()

    assert [WINE] == fixture.coordinator.evaluated()

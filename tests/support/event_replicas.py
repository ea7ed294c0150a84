"""Replicas that send events through one Redis, a real one, and what a receiver got of them."""

from driftgauge.storage.leases import StoreClock
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import model_key
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_states import RedisStates
from tests.support.changes import ChangingModels
from tests.support.clock import ManualClock
from tests.support.event_server import EventServer
from tests.support.models import WINE


class EventReplica:
    """One replica: a connection, leases, and an outbox with a sender.

    Args:
        redis: The URL of Redis.
        url: The receiver.
        clock: The clock of all replicas.
        name: Its name.
        timeout_seconds: Time limit of a call to Redis.
    """

    def __init__(self, redis: str, url: str, clock: ManualClock, name: str, timeout_seconds: float) -> None:
        self.redis = BoundedRedis(connect(redis, timeout_seconds), timeout_seconds)
        self.leases = RedisLeases(self.redis, 3_600, StoreClock(clock))
        self.models = ChangingModels(url, RedisStates(self.redis, 3_600), clock)
        self._name, self._terms, self.token = name, 0, ""

    async def acquire(self) -> bool:
        """Begin a term, if no other replica holds the lease."""
        self._terms += 1
        token = f"{self._name}/{self._terms}"
        if await self.leases.acquire(WINE, token):
            self.token = token
            return True
        return False

    async def release(self) -> None:
        """End the term."""
        await self.leases.release(WINE, self.token)
        self.models.outbox.leave(WINE)
        self.token = ""

    async def look(self, state: str, since: float | None = None) -> bool:
        """Look at the model, as the holder or as one that was stopped and believes that it still is."""
        return await self.models.look(state, token=self.token, since=since)

    async def close(self) -> None:
        """Close the connections."""
        await self.models.target.close()
        await self.redis.close()


def ids_of(server: EventServer) -> list[bytes]:
    """The ids that were received, in order."""
    lines = [line for head in server.heads for line in head.split(b"\r\n")]
    return [line.partition(b":")[2].strip() for line in lines if line.lower().startswith(b"ce-id:")]


async def expire_lease(replica: EventReplica) -> None:
    """Let the lease of a replica end without its knowledge."""
    await replica.redis.client.delete(model_key(WINE, "lease"))


async def replicas(
    url: str, server: EventServer, timeout_seconds: float = 30
) -> tuple[EventReplica, EventReplica, ManualClock]:
    """Two replicas of which the first holds the lease."""
    clock = ManualClock(1_000_000)
    one, other = (EventReplica(url, server.url, clock, name, timeout_seconds) for name in ("a1", "b2"))
    assert await one.acquire()
    assert not await other.acquire()
    return one, other, clock

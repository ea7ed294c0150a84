"""Several replicas that share one Redis, each with a connection of its own, and a clock that the test sets by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from redis.asyncio import Redis, RedisCluster

from driftgauge.inference.payload import ModelKey
from driftgauge.monitoring.choosing import replaced_by
from driftgauge.monitoring.coordinator import Coordinator, Duty
from driftgauge.results.notice import Notice, pack_notice
from driftgauge.storage.leases import Lease, StoreClock
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import model_key
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_results import RedisResults
from tests.support.clock import ManualClock

LEASE_SECONDS = 3_600  # leases end when the test deletes their keys, never by the clock of the server


@dataclass
class Replica:
    """One replica: it looks, evaluates nothing, and publishes a notice for each model that it would evaluate.

    Args:
        client: Its connection.
        clock: Its clock.
        reference: Digest of the reference of all models.
    """

    client: Redis | RedisCluster
    clock: ManualClock
    reference: str = "reference"
    evaluated: list[ModelKey] = field(default_factory=list)
    duties: dict[ModelKey, Duty] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the stores and the coordinator."""
        redis = BoundedRedis(self.client, 30)
        self.leases = RedisLeases(redis, LEASE_SECONDS, StoreClock(self.clock))
        self.results = RedisResults(redis, 60)
        self.coordinator = Coordinator(self.leases, lambda _: self.reference, self.clock, fresh_seconds=90)

    async def look(self, models: Sequence[ModelKey]) -> None:
        """Look once at all models, as the monitor does."""
        self.evaluated = []
        for model, lease in zip(models, await self.coordinator.look(models), strict=True):
            assert isinstance(lease, Lease)
            duty = self.duties[model] = await self.coordinator.begin(model, lease)
            if duty.evaluates and duty.token is not None:
                await self._publish(model, duty, duty.token)

    async def _publish(self, model: ModelKey, duty: Duty, token: str) -> None:
        replaced = replaced_by(duty.candidate, duty.notice)
        notice = Notice(
            replica=self.coordinator.replica, time=self.clock(), reference=self.reference, replaced=replaced
        )
        if await self.results.publish(model, token, pack_notice(notice), {}):
            self.evaluated.append(model)
            await self.coordinator.end(model)
        else:
            self.coordinator.lose(model)


class Replicas:
    """Replicas that look in turn.

    Args:
        url: Their Redis.
        references: The digest of the reference of each.
    """

    def __init__(self, url: str, references: Sequence[str]) -> None:
        self.clock = ManualClock()
        self.all = [Replica(connect(url, 30), self.clock, reference) for reference in references]

    async def look(self, models: Sequence[ModelKey], looks: int = 1, seconds: float = 30) -> None:
        """Let all replicas look, one after the other, at these intervals."""
        for _ in range(looks):
            self.clock.now += seconds
            for replica in self.all:
                await replica.look(models)

    async def kill(self, replica: Replica) -> list[ModelKey]:
        """End a replica without a word, and its leases and wishes by time; returns the models that it evaluated."""
        models = replica.coordinator.evaluated()
        self.all.remove(replica)
        for model in replica.coordinator.known():
            wish = f"{await replica.client.get(model_key(model, 'wish'))!r}"
            names = ["lease"] * (model in models) + ["wish"] * (replica.coordinator.replica in wish)
            await replica.client.delete("none", *(model_key(model, name) for name in names))
        await replica.client.aclose()
        return models

    async def close(self) -> None:
        """Close the connections."""
        for replica in self.all:
            await replica.client.aclose()

"""10,000 models on a Redis Cluster of six nodes, evaluated by 12 replicas: who has the leases, and what it costs.

    python -m benchmarks.store.many_models --models 10000 --replicas 12

The code of leases, of choosing and of the ring is that of the product; the replicas share one process. The first to
look takes all leases, then the others join and wish for their share, as in a rolling start. Each row of the table is
what happened in one look of all replicas.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from typing import cast

import numpy as np
from redis.asyncio import RedisCluster as ClusterClient

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.monitoring.choosing import Candidate, Choice
from driftgauge.storage.leases import Lease, StoreClock, Wish
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import Block, StreamKey, id_digests
from tests.support.redis_cluster import RedisCluster

_FEATURES, _ROWS = 13, 20
_LOOKS = 5
_AT_ONCE = 64
_MODELS_A_LOOK = 500


class Replica:
    """The leases of one replica.

    Args:
        name: Its id.
        redis: The connection, which all replicas share.
    """

    def __init__(self, name: str, redis: BoundedRedis) -> None:
        self.name = name
        self._leases = RedisLeases(redis, 600.0, StoreClock())
        self._tokens: dict[ModelKey, str] = {}

    @property
    def leases(self) -> int:
        """How many models it evaluates."""
        return len(self._tokens)

    async def look(self, models: Sequence[ModelKey]) -> Counter[Choice]:
        """Look at all models once, and do what it chooses."""
        choices: Counter[Choice] = Counter()
        turns = asyncio.Semaphore(_AT_ONCE)

        async def act(model: ModelKey, lease: Lease) -> None:
            """Act on one lease, and count the choice."""
            async with turns:
                choices[await self._act(model, lease)] += 1

        for first in range(0, len(models), _MODELS_A_LOOK):
            some = models[first : first + _MODELS_A_LOOK]
            leases = await self._leases.look(some)
            await asyncio.gather(*(act(*pair) for pair in zip(some, leases, strict=True)))
        return choices

    async def _act(self, model: ModelKey, lease: Lease) -> Choice:
        token = self._tokens.get(model, "")
        choice = Candidate(self.name, model, token, "reference").choose(lease, None, fresh=False)
        match choice:
            case Choice.ACQUIRE:
                if await self._leases.acquire(model, f"{self.name}/1"):
                    self._tokens[model] = f"{self.name}/1"
            case Choice.EVALUATE:
                await self._leases.extend(model, token)
            case Choice.EVALUATE_AND_YIELD | Choice.YIELD:
                await self._leases.release(model, token)
                del self._tokens[model]
            case Choice.WISH_SHARE:
                await self._leases.wish(model, Wish(self.name))
            case _:
                pass
        return choice


async def append_rows(redis: BoundedRedis, models: Sequence[ModelKey]) -> None:
    """Append a block to the requests of each model."""
    ring = RedisRing(redis, 2_000, 3_600)
    rows = np.random.default_rng(1).random((_ROWS, _FEATURES))
    ones, ids = np.ones(_ROWS, dtype=np.int64), id_digests(str(number) for number in range(_ROWS))
    block = Block("schema", rows, ones, np.full(_ROWS, 1.7e9), ids)
    for first in range(0, len(models), _AT_ONCE):
        some = models[first : first + _AT_ONCE]
        await asyncio.gather(*(ring.append(StreamKey(model, Kind.REQUEST), block) for model in some))


async def usage(redis: BoundedRedis) -> dict[str, tuple[int, float, int]]:
    """For each primary: the commands and the seconds of CPU since its start, and the bytes of its data."""
    client = cast("ClusterClient", redis.client)
    found = {}
    for node in client.get_primaries():
        stats = await client.info(target_nodes=node)
        cpu = stats["used_cpu_user"] + stats["used_cpu_sys"]
        found[node.name] = (int(stats["total_commands_processed"]), float(cpu), int(stats["used_memory_dataset"]))
    return found


async def run(models: int, replicas: int) -> None:
    """Print the table."""
    keys = [ModelKey(f"team-{number % 50}", f"model-{number}", "predictor", "m") for number in range(models)]
    with RedisCluster() as cluster:
        redis = BoundedRedis(connect(cluster.url, 60), 120)
        await cast("ClusterClient", redis.client).initialize()
        empty = await usage(redis)
        await append_rows(redis, keys)
        full = await usage(redis)
        bytes_each = [(full[name][2] - empty[name][2]) / 1e6 for name in full]
        _print("rows, MB on each primary", ", ".join(f"{one:.1f}" for one in bytes_each))
        _print("one append, us of CPU", f"{_cpu(empty, full) / models * 1e6:.0f}")
        others = [Replica(f"replica{number}", redis) for number in range(replicas)]
        present = others[:1]
        for _ in range(_LOOKS):
            before = await usage(redis)
            choices: Counter[Choice] = Counter()
            for replica in present:
                choices += await replica.look(keys)
            after = await usage(redis)
            counts = [replica.leases for replica in present]
            commands = sum(after[name][0] - before[name][0] for name in after)
            _print(
                f"{len(present)} of {replicas} replicas",
                f"leases {min(counts)} to {max(counts)}, {sum(counts)} in all; {commands / len(present):,.0f} commands "
                f"and {_cpu(before, after) / len(present):.2f} s of CPU in Redis for a look of one replica; "
                + ", ".join(f"{number} {choice.name}" for choice, number in choices.most_common()),
            )
            present = others
        await redis.close()


def _cpu(before: dict[str, tuple[int, float, int]], after: dict[str, tuple[int, float, int]]) -> float:
    return sum(after[name][1] - before[name][1] for name in after)


def _print(name: str, text: str) -> None:
    sys.stdout.write(f"{name}: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store.many_models")
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--replicas", type=int, default=12)
    arguments = parser.parse_args()
    asyncio.run(run(arguments.models, arguments.replicas))

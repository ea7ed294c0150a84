"""The stores that the options ask for: all three in Redis, or all three in this process's memory."""

import time
from dataclasses import dataclass

from driftgauge.config.options import Config, LoggerConfig
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.memory import MemoryPairs, MemoryRing, MemoryStates
from driftgauge.storage.observed import ObservedPairs, ObservedRing, ObservedStates, Report
from driftgauge.storage.pairs import PairStore
from driftgauge.storage.ring import RingBuffer
from driftgauge.storage.states import StateStore

_PAIR_CAPACITY = 200_000
"""Halves that the in-memory store keeps: some 50 MB when it is full."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where rows, halves of pairs, and what is kept beside a stream lie.

    Args:
        ring: Rows.
        pairs: Halves of pairs.
        states: Detectors and baselines.
    """

    ring: RingBuffer
    pairs: PairStore
    states: StateStore

    async def close(self) -> None:
        """Release what is held."""
        await self.pairs.close()
        await self.ring.close()


def open_stores(config: Config, metrics: Metrics) -> Stores:
    """The stores of a process; nothing is connected yet."""
    pair_ttl = config.pair_ttl_seconds if isinstance(config, LoggerConfig) else 1.0
    if config.redis_url is None:
        pairs = MemoryPairs(pair_ttl, _PAIR_CAPACITY, time.monotonic)
        return Stores(MemoryRing(config.window_rows), pairs, MemoryStates())
    return _in_redis(config, config.redis_url.get_secret_value(), metrics, pair_ttl)


def _in_redis(config: Config, url: str, metrics: Metrics, pair_ttl: float) -> Stores:
    # The client is 6 MB of memory, which a process without Redis does not pay.
    from driftgauge.storage.redis_client import connect  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_pairs import RedisPairs  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_ring import RedisRing  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_states import RedisStates  # noqa: PLC0415 - see above

    password = config.redis_password.get_secret_value() if config.redis_password else None
    timeout, ttl = config.redis_timeout_seconds, config.ring_ttl_seconds
    client = connect(url, timeout, password)
    report = _redis_report(metrics)
    return Stores(
        ObservedRing(RedisRing(client, config.window_rows, ttl, timeout), report),
        ObservedPairs(RedisPairs(client, pair_ttl, timeout), report),
        ObservedStates(RedisStates(client, ttl, timeout), report),
    )


def _redis_report(metrics: Metrics) -> Report:
    up, errors = metrics.watch_redis()

    def report(responded: bool) -> None:  # noqa: FBT001 the callable's one argument
        up.set(responded)
        if not responded:
            errors.inc()

    return report

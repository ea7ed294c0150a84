"""The stores of a process: all in Redis if the options have its URL, else all in memory."""

import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgauge.config.options import Config, LoggerConfig
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.label_slices import IN_MEMORY, LabelSlices
from driftgauge.storage.labels import SLICES, LabelStore
from driftgauge.storage.leases import LeaseStore, MemoryLeases, StoreClock
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.memory_labels import MemoryLabels
from driftgauge.storage.memory_pairs import MemoryPairs
from driftgauge.storage.pairs import PairStore
from driftgauge.storage.results import ResultStore
from driftgauge.storage.ring import RingBuffer
from driftgauge.storage.stream_states import StateStore

if TYPE_CHECKING:
    from driftgauge.storage.redis_access import Access

_PAIR_CAPACITY = 200_000
"""Keys of the pair store in memory: some 50 MB when it is full."""

_IDLE_SECONDS = 10
"""Least time after which a kind of call that failed, and is not made any more, no longer counts as down."""

LEASE_INTERVALS = 3
"""How many intervals of evaluation a lease lasts: as long as a result is shown."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores, and how to close them.

    Args:
        ring: Rows.
        pairs: Halves of inferences.
        states: Detectors and baselines.
        leases: Which replica evaluates each model.
        labels: Responses that wait for labels; `None` if no labels are taken.
        results: What the evaluators publish; `None` in memory, where no other replica reads it.
        close: Closes the connection that the stores share. May raise `StorageError`.
        follow_master: Runs in the background: asks Sentinels for the master; `None` in memory.
    """

    ring: RingBuffer
    pairs: PairStore
    states: StateStore
    leases: LeaseStore
    labels: LabelStore | None
    results: ResultStore | None
    close: Callable[[], Awaitable[None]]
    follow_master: Callable[[], Coroutine[None, None, None]] | None = None


def open_stores(config: Config, metrics: Metrics, clock: StoreClock) -> Stores:
    """Make the stores of a process. Nothing is connected yet.

    Args:
        config: The options.
        metrics: Shows how Redis does.
        clock: Adjusted to the time of Redis.
    """
    if config.redis_url is None:
        ring = MemoryRing(config.window_rows)
        pairs = MemoryPairs(_pair_ttl_seconds(config), _PAIR_CAPACITY, time.monotonic)
        labels = MemoryLabels(ring, label_slices(config)) if config.labels_port else None
        return Stores(ring, pairs, MemoryStates(), MemoryLeases(), labels, None, ring.close)
    return _open_redis(config, config.redis_url.get_secret_value(), metrics, clock)


def _open_redis(config: Config, url: str, metrics: Metrics, clock: StoreClock) -> Stores:
    # redis-py takes 6 MB of memory, which a process without Redis saves.
    from driftgauge.app.redis_report import RedisReport  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_client import BoundedRedis, connect  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_labels import RedisLabels  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_leases import RedisLeases  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_pairs import RedisPairs  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_results import RedisResults  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_ring import RedisRing  # noqa: PLC0415 - see above
    from driftgauge.storage.redis_states import RedisStates  # noqa: PLC0415 - see above

    client = connect(url, config.redis_timeout_seconds, redis_access(config))
    report = RedisReport(metrics, max(_IDLE_SECONDS, LEASE_INTERVALS * config.evaluation_interval_seconds))
    redis = BoundedRedis(client, config.redis_timeout_seconds, report, config.redis_max_connections)
    ttl_seconds = config.ring_ttl_seconds
    labels = None
    if config.labels_port:
        labels = RedisLabels(
            redis,
            config.window_rows,
            ttl_seconds,
            label_slices(config),
            on_replaced=metrics.count_replaced_key,
        )
    return Stores(
        RedisRing(
            redis,
            config.window_rows,
            ttl_seconds,
            on_skipped=metrics.count_skipped_keys,
            on_replaced=metrics.count_replaced_key,
        ),
        RedisPairs(redis, _pair_ttl_seconds(config), metrics.count_replaced_key),
        RedisStates(redis, ttl_seconds, metrics.count_replaced_key),
        RedisLeases(redis, LEASE_INTERVALS * config.evaluation_interval_seconds, clock, metrics.count_replaced_key),
        labels,
        RedisResults(redis, ttl_seconds),
        redis.close,
        redis.follow_master,
    )


def label_slices(config: Config) -> LabelSlices:
    """The bounds of the responses that wait for labels; their bytes grow with their number."""
    default = IN_MEMORY if config.redis_url is None else LabelSlices()
    pending = max(config.label_pending or default.pending, SLICES)  # at least one of each slice waits
    return LabelSlices(
        config.label_ttl_seconds,
        pending,
        default.pending_bytes * pending // default.pending,
        config.label_maturity_seconds,
    )


def _pair_ttl_seconds(config: Config) -> float:
    return config.pair_ttl_seconds if isinstance(config, LoggerConfig) else 1.0


def redis_access(config: Config) -> "Access":
    """How a process introduces itself to Redis."""
    from driftgauge.storage.redis_access import Access, Login  # noqa: PLC0415 - see above

    password, sentinel_password = config.redis_password, config.redis_sentinel_password
    return Access(
        login=Login(
            config.redis_username, password.get_secret_value() if password else None, config.redis_password_file
        ),
        sentinel_login=Login(
            config.redis_sentinel_username,
            sentinel_password.get_secret_value() if sentinel_password else None,
            config.redis_sentinel_password_file,
        ),
        ca_file=config.redis_ca_file,
        cert_file=config.redis_cert_file,
        key_file=config.redis_key_file,
        max_connections=config.redis_max_connections,
        client_name=config.redis_client_name,
    )

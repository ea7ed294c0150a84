"""Whether Redis responds, how fast, keeps what it is given, and lets driftgauge write."""

import asyncio
import time
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import numpy as np
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoPermissionError

from driftgauge.app.stores import redis_access
from driftgauge.cli.doctor.finding import Finding, fail, ok, warn
from driftgauge.config.options import Config
from driftgauge.errors import ConfigError, StorageError
from driftgauge.inference.payload import PREDICTOR, Kind, ModelKey
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_faults import RedisFault, advise
from driftgauge.storage.redis_layout import stream_key, writers_key
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import Block, StreamKey

_CHECK: Final = "redis"
_OLDEST: Final = (6, 2)
_SLOW_SECONDS: Final = 0.1
_PINGS: Final = 3
_FULL: Final = 0.9
_PROBE_SECONDS: Final = 60.0
"""Time after which the probe expires, if it could not be removed."""

RIGHTS: Final = "+@read +@write +@scripting +@connection +time +info ~driftgauge:*"
"""The rules of a user who may do what the process and the doctor do: the scripts ask for TIME, the doctor for INFO."""

_CLUSTER_RIGHTS: Final = "+cluster|slots +command"
"""What a user of a cluster needs besides."""

_WRONG_MODES: Final = {
    "cluster": "this is a node of a cluster, which replies MOVED to most keys: write redis+cluster:// in redis_url",
    "sentinel": "this is a Sentinel, which stores nothing: write redis+sentinel://host:port/master in redis_url",
}
"""What a server that `redis://` names says of itself -> what to do."""


async def check_redis(config: Config) -> list[Finding]:
    """PING, version, memory, and one row that is appended, read and removed as the process does it."""
    if config.redis_url is None:
        return [ok(_CHECK, "not used: rows are kept in memory, and are lost with the process")]
    try:
        client = connect(config.redis_url.get_secret_value(), config.redis_timeout_seconds, redis_access(config))
    except ConfigError as error:
        return [fail(_CHECK, "; ".join(error.faults))]
    redis = BoundedRedis(client, config.redis_timeout_seconds)
    try:
        found = [await _ping(redis)]
        return [*found, *await _look_at_servers(redis), await _write(redis)]
    except StorageError as error:
        return [fail(_CHECK, f"{str(error).rstrip('.')}: {advise(error)[1]}")]
    finally:
        await asyncio.wait_for(asyncio.shield(client.aclose()), config.redis_timeout_seconds)


async def _ping(redis: BoundedRedis) -> Finding:
    """The best of some PINGs: the first opens the connection."""
    best = float("inf")
    for _ in range(_PINGS):
        begun = time.perf_counter()
        async with redis.call("respond to PING"):
            await redis.client.ping()
        best = min(best, time.perf_counter() - begun)
    if best > _SLOW_SECONDS:
        return warn(_CHECK, f"PING takes {best * 1000:.0f} ms: use a Redis in the same zone")
    return ok(_CHECK, f"PING takes {best * 1000:.1f} ms")


async def _look_at_servers(redis: BoundedRedis) -> list[Finding]:
    """Place, version and memory of each server that is written to; a note if the user may not read them."""
    try:
        async with redis.call("respond to INFO"):
            servers = await _read_info(redis.client)
    except StorageError as error:
        if not isinstance(error.__cause__, NoPermissionError):
            return [fail("redis memory", f"{error}: see the log of Redis")]
        return [warn("redis memory", f"not known, since INFO is refused ({error.__cause__}): give the user +info")]
    checks = (_check_place, _check_version, _check_memory)
    found = [(name, finding) for name, info in servers.items() for check in checks if (finding := check(info))]
    if len(servers) == 1:
        return [finding for _, finding in found]
    return [replace(finding, sentence=f"{name}: {finding.sentence}") for name, finding in found]


async def _read_info(client: Redis | RedisCluster) -> dict[str, dict[str, Any]]:
    """The reply to INFO of each primary, by its address; that of a cluster without its mode, which is right there."""
    if isinstance(client, RedisCluster):
        nodes = client.get_primaries()
        return {node.name: await client.info(target_nodes=node) | {"redis_mode": ""} for node in nodes}
    return {"": await client.info()}


def _check_place(info: dict[str, Any]) -> Finding | None:
    """Whether this is a server that keeps what is written to it; `None` if there is nothing to say."""
    mode, role = str(info.get("redis_mode", "")), str(info.get("role", ""))
    if mode in _WRONG_MODES:
        return fail("redis place", _WRONG_MODES[mode])
    if role == "slave":
        return fail(
            "redis place", "this is a replica, which refuses to write: name the master, or use redis+sentinel://"
        )
    return None


def _check_version(info: dict[str, Any]) -> Finding:
    version = str(info.get("redis_version", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers and numbers < _OLDEST:
        return fail("redis version", f"{version} is too old: use 6.2 or newer")
    return ok("redis version", version or "not known")


def _check_memory(info: dict[str, Any]) -> Finding:
    check, most, policy = "redis memory", int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", "noeviction"))
    used, evicted = int(info.get("used_memory", 0)), int(info.get("evicted_keys", 0))
    if not most:
        return warn(check, f"{_mib(used)} used, without a limit: set maxmemory, and maxmemory-policy allkeys-lru")
    text = f"{_mib(used)} of {_mib(most)} used, maxmemory-policy {policy}"
    if evicted:
        return warn(check, f"{text}; {evicted} keys were evicted, and windows with them: raise maxmemory")
    if policy == "noeviction" and used > _FULL * most:
        return warn(check, f"{text}; once it is full, no row is written: raise maxmemory")
    if policy.endswith(("random", "ttl", "lfu")):
        return warn(check, f"{text}; it may drop the rows of busy models: set maxmemory-policy allkeys-lru")
    return ok(check, text)


async def _write(redis: BoundedRedis) -> Finding:
    """Append one row as the process does, read it, and remove it."""
    stream = StreamKey(ModelKey("", f"driftgauge-doctor-{uuid4().hex[:8]}", PREDICTOR, "probe"), Kind.REQUEST)
    ring = RedisRing(redis, 1, _PROBE_SECONDS)
    one = np.ones(1, dtype=np.int64)
    block = Block("doctor", np.zeros((1, 1)), one, np.array([time.time()]), one.astype(np.uint64))
    try:
        await ring.append(stream, block)
        window = await ring.read(stream, "doctor", 1)
        async with redis.call("remove the probe"):
            await redis.client.delete(stream_key(stream), writers_key(stream))
    except StorageError as error:
        if advise(error)[0] is not RedisFault.PERMISSION:
            return fail("redis write", f"{error}: {advise(error)[1]}")
        cluster = f", and in a cluster {_CLUSTER_RIGHTS}" if isinstance(redis.client, RedisCluster) else ""
        return fail("redis write", f"{error}: give its user {RIGHTS}{cluster}")
    if len(window.rows) != 1:
        return fail("redis write", "a row that was written could not be read: a replica may be configured in its place")
    return ok("redis write", "a row was written, read and removed")


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.1f} MiB"

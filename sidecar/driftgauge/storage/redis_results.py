"""The newest results in Redis: one string for the notice of a model, and one for the report of each of its streams."""

from collections.abc import Mapping, Sequence

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import model_key, stream_key
from driftgauge.storage.redis_leases import LEASE, NOTICE, read_many
from driftgauge.storage.redis_servers import group_by_server
from driftgauge.storage.ring import StreamKey

# `pcall` gives an error for a lease of another type, which is a table and so no token.
_PUBLISH = """
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for index = 2, #KEYS do redis.call('SET', KEYS[index], ARGV[index + 1], 'PX', ARGV[2]) end
return 1
"""

_REPORTS_A_CALL = 16
"""Reports that one call reads, some ten kilobytes each."""


class RedisResults:
    """A `ResultStore` of strings that expire.

    Args:
        redis: The connection, which its owner closes.
        ttl_seconds: Notices and reports expire this long after they were published.
    """

    def __init__(self, redis: BoundedRedis, ttl_seconds: float) -> None:
        self._redis = redis
        self._ttl_milliseconds = round(ttl_seconds * 1_000)
        self._publish = redis.client.register_script(_PUBLISH)

    @property
    def is_divided(self) -> bool:
        """Whether it is a cluster: its slots fail alone."""
        return self._redis.is_divided

    async def publish(self, model: ModelKey, token: str, notice: bytes, reports: Mapping[Kind, bytes]) -> bool:
        """Replace the notice of a model and the reports, unless the term has ended.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        streams = [_key(StreamKey(model, kind)) for kind in reports]
        keys = [model_key(model, LEASE), model_key(model, NOTICE), *streams]
        arguments: list[str | int | bytes] = [token, self._ttl_milliseconds, notice, *reports.values()]

        async def publish() -> bool:
            """Whether the lease was still ours."""
            return bool(await self._publish(keys=keys, args=arguments))

        return await self._redis.run(Call.RESULT, "publish a result", publish, key=keys[0], repeatable=True)

    async def group(self, models: Sequence[ModelKey]) -> list[list[ModelKey]]:
        """The models whose results are on one server, for each server.

        Raises:
            StorageError: No server of a cluster says which ones there are.
        """
        await self._redis.find_servers(Call.RESULT)
        groups = group_by_server(self._redis.client, [model_key(model, NOTICE) for model in models])
        return [[models[index] for index in group] for group in groups]

    async def read(self, streams: Sequence[StreamKey]) -> list[bytes | None]:
        """Read reports, a few with one call.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        reports: list[bytes | None] = []
        for first in range(0, len(streams), _REPORTS_A_CALL):
            keys = [_key(stream) for stream in streams[first : first + _REPORTS_A_CALL]]
            reports += await read_many(self._redis, Call.RESULT, "read results", keys)
        return reports


def _key(stream: StreamKey) -> str:
    return f"{stream_key(stream)}:result"

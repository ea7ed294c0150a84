"""The responses that wait for labels in Redis, which all replicas share. `redis_label_layout` defines the format."""

import asyncio
import time
from collections.abc import Callable, Container, Sequence
from typing import Any, cast

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.label_slices import (
    NAMED_SLICES,
    LabelSlices,
    SeenResponse,
    choose,
    score,
)
from driftgauge.storage.labels import (
    SLICES,
    LabelLayout,
    Match,
    Matured,
    Put,
    ResponseSample,
    Slice,
    StoredLabel,
    WaitingResponse,
)
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_label_calls import (
    LabelStep,
    LabelWriter,
    parts_of_labels,
    parts_of_responses,
    put_arguments,
)
from driftgauge.storage.redis_label_layout import (
    LabelKeys,
    OutcomeAppend,
    PackedResponse,
    SliceFacts,
    pack_label,
    pack_layout,
    slice_name,
    unpack_layout,
    unpack_matches,
    unpack_matured,
    unpack_put,
    unpack_slices,
)
from driftgauge.storage.redis_label_scripts import MATCH, MATURE, PUT, REPLACE
from driftgauge.storage.redis_layout import stream_key, writers_key
from driftgauge.storage.redis_writers import REPLACED_STREAM, REPLACED_WRITERS, STALE
from driftgauge.storage.replaced_keys import ReplacedKeys
from driftgauge.storage.ring import StreamKey

_WRONG_TYPE = "WRONGTYPE"

_SILENT_SECONDS = 43_200.0
"""A writer that was silent for longer begins again with a new id: what Redis knows of its last call may be gone."""

_SAMPLED_RESPONSES = 50
"""Fewest responses of each slice that are read for a sample."""


class RedisLabels:
    """A `LabelStore` of sorted sets. Only one of several replicas matches a label.

    Args:
        redis: The connection, which its owner closes. The keys of a call lie in one slot of a cluster.
        capacity_rows: Rows of a window of the ring, to which outcomes are appended.
        ring_ttl_seconds: A stream of outcomes expires this long after its last append.
        bounds: The slices. All replicas should have the same.
        clock: Seconds since the epoch.
        on_replaced: Called for each key that was not ours and was deleted.
    """

    def __init__(
        self,
        redis: BoundedRedis,
        capacity_rows: int,
        ring_ttl_seconds: float,
        bounds: LabelSlices,
        clock: Callable[[], float] = time.time,
        on_replaced: Callable[[], None] = lambda: None,
    ) -> None:
        self._redis = redis
        self._ring = (capacity_rows, round(1000 * ring_ttl_seconds))
        self._bounds = bounds
        self._clock = clock
        self._replaced_keys = ReplacedKeys("labels", on_replaced)
        self._scripts = {
            LabelStep.PUT: redis.client.register_script(PUT),
            LabelStep.MATCH: redis.client.register_script(MATCH),
            LabelStep.MATURE: redis.client.register_script(MATURE),
        }
        self._replaces = redis.client.register_script(REPLACE)
        self._writers: dict[tuple[ModelKey, LabelStep], LabelWriter] = {}
        self._thresholds: dict[ModelKey, dict[int, float]] = {}

    async def put(
        self, model: ModelKey, layout: LabelLayout, responses: Sequence[WaitingResponse], *, again: bool = False
    ) -> Put:
        """Let responses wait for labels, and remember the layout as the model's newest one.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        if not responses:
            return Put(0, 0, 0)
        writer = self._writer(model, LabelStep.PUT, again=again)
        now = self._clock()
        known, results = self._thresholds.setdefault(model, {}), []
        text = pack_layout(layout)
        for index, part in enumerate(parts_of_responses(responses)):
            if index == len(writer.replies):
                arguments = put_arguments(self._bounds, layout, part, known, now)
                await self._run(model, LabelStep.PUT, writer, [text, *arguments], now)
            result, thresholds = unpack_put(writer.replies[index])
            results.append(result)
            current = self._bounds.number(now)
            known.clear()
            known.update({current - age: one for age, one in enumerate(thresholds) if one is not None})
        return Put(*map(sum, zip(*results, strict=True)))

    async def layout(self, model: ModelKey) -> LabelLayout | None:
        """The newest layout of a model; `None` if no response ever waited.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        key = LabelKeys(model, "").meta
        async with self._redis.call("read a layout of labels", Call.LABEL, key):
            text = await self._redis.client.hget(key, "layout")
        return None if text is None else unpack_layout(text)

    async def match(
        self, model: ModelKey, layout: LabelLayout, labels: Sequence[StoredLabel], *, again: bool = False
    ) -> list[Match]:
        """Match labels with responses, in order, and append those that are judged at once to the outcomes.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        writer = self._writer(model, LabelStep.MATCH, again=again)
        matches: list[Match] = []
        for index, part in enumerate(parts_of_labels(labels)):
            if index == len(writer.replies):
                now = self._clock()
                packed = [pack_label(one, self._bounds.ages(one.time, now)) for one in part]
                schema = bytes.fromhex(layout.schema)
                arguments = [writer.total, *self._ring, schema, len(layout.outputs), *packed]
                await self._run(model, LabelStep.MATCH, writer, arguments, now)
            appended, own = unpack_matches(writer.replies[index])
            self._note(model, writer, appended)
            matches += own
        return matches

    async def mature(self, model: ModelKey, most: int | None = None, *, again: bool = False) -> Matured:
        """Append labelled rows that have matured since the last call, in the order of the responses' times.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        writer = self._writer(model, LabelStep.MATURE, again=again)
        results: list[Matured] = []
        while not results or results[-1].more:
            if len(results) == len(writer.replies):
                enough = most is not None and sum(one.labelled for one in results) >= most
                if results and enough and not writer.is_unknown:
                    break
                await self._run(model, LabelStep.MATURE, writer, [writer.total, *self._ring], self._clock())
            appended, result = unpack_matured(writer.replies[len(results)])
            self._note(model, writer, appended)
            results.append(result)
        return Matured.sum(results)

    async def slices(self, model: ModelKey) -> list[Slice]:
        """The slices that are not empty, oldest first.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        living = await self._living(model)
        length = self._bounds.length
        return [
            Slice(start, start + length, one.responses, one.left_out, one.rows, one.labelled_rows)
            for start, one in living
            if one.responses or one.left_out
        ]

    async def sample(self, model: ModelKey, layout: LabelLayout, start: float, end: float, rows: int) -> ResponseSample:
        """A uniform sample of the rows of all responses of a time, labelled or not: at most so many rows.

        Of each slice, the responses with the smallest digests are read, and all up to the smallest digest that a slice
        leaves out are used.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        length = self._bounds.length
        slices = [(first, one) for first, one in await self._living(model) if first < end and start < first + length]
        if not slices or rows <= 0:
            return choose([], len(layout.predictions), rows, 0)
        page = max(-(-2 * rows // len(slices)), _SAMPLED_RESPONSES)
        keys = LabelKeys(model, "")
        pipeline = self._redis.client.pipeline(transaction=False)
        for first, _ in slices:
            pipeline.zrangebyscore(keys.slice(first), 0, 2**53, start=0, num=page)
        async with self._redis.call("read responses that wait for labels", Call.LABEL, keys.meta):
            pages = cast("list[list[bytes]]", await pipeline.execute())
        thresholds = [one.threshold for _, one in slices if one.threshold is not None]

        def find() -> ResponseSample:
            """The rows of the responses that are of the layout and the time."""
            limits, found = list(thresholds), []
            for members in pages:
                own = [one for one in map(PackedResponse.of, members) if one is not None]
                found += own
                if len(members) == page and own:
                    limits.append(score(own[-1].digest))
            limit = min(limits, default=None)
            seen = [one for one in found if start <= one.time < end and (limit is None or score(one.digest) < limit)]
            fit = [SeenResponse(one.digest, one.time, one.rows) for one in seen if one.schema == layout.schema]
            return choose(fit, len(layout.predictions), rows, len(seen))

        return await asyncio.to_thread(find)  # thousands of responses: no inference waits for them

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what is known of models that are not in `models`. What waits in Redis expires by itself."""
        for key in [key for key, writer in self._writers.items() if key[0] not in models and not writer.is_unknown]:
            del self._writers[key]
        for model in [model for model in self._thresholds if model not in models]:
            del self._thresholds[model]

    def _writer(self, model: ModelKey, step: LabelStep, *, again: bool) -> LabelWriter:
        """The writer of a call. What the last call replied is forgotten unless it is made again."""
        now = self._clock()
        writer = self._writers.get((model, step))
        if writer is None or (not again and now - writer.used > _SILENT_SECONDS):
            writer = self._writers[model, step] = LabelWriter(now)
        writer.used = now
        if not again:
            writer.replies, writer.is_unknown = [], False
        return writer

    async def _run(
        self, model: ModelKey, step: LabelStep, writer: LabelWriter, arguments: Sequence[Any], now: float
    ) -> None:
        """Run the script of the next step, or again that of one whose outcome is unknown, and keep its reply."""
        writer.number += not writer.is_unknown
        writer.is_unknown = True
        current, bounds = self._bounds.number(now), self._bounds
        starts = [bounds.start(current - age) for age in range(NAMED_SLICES)]
        keys = LabelKeys(model, writer.id).of_slices(starts)
        limits = [bounds.maturity_seconds, round(1000 * bounds.ttl_seconds), bounds.responses, bounds.bytes]
        script, every = self._scripts[step], [writer.number, repr(now), *limits, writer.id, *arguments]

        async def run() -> bytes:
            return cast("bytes", await script(keys=keys, args=every))

        try:
            reply = await self._redis.run(Call.LABEL, f"{step} labels", run, key=keys[0], repeatable=True)
        except StorageError as error:
            if STALE in str(error):
                del self._writers[model, step]
            if _WRONG_TYPE in str(error):
                await self._replace(keys)
            raise
        writer.is_unknown = False
        writer.replies.append(reply)

    async def _replace(self, keys: Sequence[str]) -> None:
        """Delete the keys of another type, which another program has written: the next call finds none."""
        reply = await self._redis.run(
            Call.LABEL, "replace keys", lambda: self._replaces(keys=keys), key=keys[0], repeatable=True
        )
        for key in cast("list[bytes]", reply):
            self._replaced_keys.add(key.decode())

    async def _living(self, model: ModelKey) -> list[tuple[float, SliceFacts]]:
        """What is counted of the slices that have not ended, oldest first, each with its first moment."""
        key = LabelKeys(model, "").meta
        async with self._redis.call("read what waits for labels", Call.LABEL, key):
            fields = await self._redis.client.hgetall(key)
        known = unpack_slices(cast("dict[bytes, bytes]", fields))
        current = self._bounds.number(self._clock())
        starts = [self._bounds.start(current - age) for age in reversed(range(SLICES))]
        return [(start, known[int(slice_name(start))]) for start in starts if int(slice_name(start)) in known]

    def _note(self, model: ModelKey, writer: LabelWriter, appended: OutcomeAppend) -> None:
        """Keep what a script said of its append."""
        writer.total = max(writer.total, appended.total)
        stream = StreamKey(model, Kind.OUTCOME)
        for key, bit in ((stream_key(stream), REPLACED_STREAM), (writers_key(stream), REPLACED_WRITERS)):
            if appended.replaced & bit:
                self._replaced_keys.add(key)

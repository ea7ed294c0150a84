"""From payloads to the ring: a bounded queue that never blocks, then batches that are decoded and appended.

Each payload ends as exactly one of accepted, sampled out, dropped or rejected, and is counted as such here or in the
appender.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from driftgauge.errors import Reason
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.payload import Kind, ModelKey, Outcome, Payload, is_overflow
from driftgauge.ingest.appender import Appender, Part
from driftgauge.ingest.decoder import Decoder, DecodeResult, is_small
from driftgauge.ingest.label_feed import LabelFeed
from driftgauge.ingest.sampling import SampleSettings, Sampling
from driftgauge.metrics.registry import Metrics
from driftgauge.reference.store import ReferenceStore
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.ring import RingBuffer, StreamKey

_log = logging.getLogger(__name__)

_BATCH_PAYLOADS = 1024
"""Most payloads of a batch."""

_ENOUGH_PAYLOADS = 256
"""Payloads for which no others are waited for: one XADD costs about the same for 1 row as for 256."""

_GROUP_BYTES = 32 * 1024
"""Most bytes of small bodies of one stream that are decoded together: 0.5 ms at worst."""

_BUFFERED_BYTES = 16 * 2**20
"""Bytes of rows after which a batch is appended before all of it is decoded: compressed bodies grow when decoded."""

_TURN_SHARE = 0.25
_LONGEST_TURN_SECONDS = 0.02
"""How long the pipeline goes on in one turn of the event loop: a quarter of the time that the others had before.

With many connections a turn of the loop is long: with one step of the pipeline in each, the more connections there are,
the less would be read.
"""

_SETTLE_SECONDS = 1.0
"""Time between two attempts to find out the outcomes of appends, of streams that get no further payload."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """The limits of the pipeline.

    Args:
        queue_payloads: Most payloads in the queue, at least 1.
        queue_bytes: Most bytes of their bodies.
        queue_seconds: Longest time that a payload waits until it is decoded.
        max_payload_bytes: Longest body after decompression.
        window_rows: Rows of a window. Only the last `window_rows` rows of a longer payload are used.
        flush_interval_seconds: Longest time that a payload waits for a batch to fill.
        sample_ratio: Share of ids whose payloads are used, in [0, 1]; `sampling` lowers it.
        max_rows_per_second: Rows of one model that are read in a second, of requests and of responses each.
        sample_memory_seconds: For how long ratios are remembered.
    """

    queue_payloads: int
    queue_bytes: int
    queue_seconds: float
    max_payload_bytes: int
    window_rows: int
    flush_interval_seconds: float
    sample_ratio: float
    max_rows_per_second: float
    sample_memory_seconds: float


class _Queued(NamedTuple):
    """A payload in the queue, and when it arrived there."""

    payload: Payload
    arrived: float


_Streams = defaultdict[tuple[StreamKey, str], list[Part]]
"""Payloads and their rows that will be appended together, by stream and schema."""


class Pipeline:
    """Takes payloads and appends their rows to the ring.

    Args:
        settings: The limits.
        ring: The rows are appended to it.
        references: The columns of each model.
        metrics: Counts every payload.
        outputs: Records the columns of responses, for models whose reference has no predictions.
        clock: Returns seconds, monotonic.

    Attributes:
        sampling: Lowers the ratio of the inferences that are offered.
    """

    def __init__(
        self,
        settings: PipelineSettings,
        ring: RingBuffer,
        references: ReferenceStore,
        metrics: Metrics,
        outputs: OutputColumns,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._appender = Appender(ring, metrics)
        self._is_ring_near = isinstance(ring, MemoryRing)
        self._metrics = metrics
        self._decoder = Decoder(references, outputs, settings.max_payload_bytes, settings.window_rows)
        self._clock = clock
        self.sampling = Sampling(_sample_settings(settings), metrics, clock)
        self._queue: deque[_Queued] = deque()
        self._queued_bytes = 0
        self._undecoded_payloads = 0
        self._undecoded_bytes = 0
        self._noted_payloads = 0
        self._enough_payloads = min(_ENOUGH_PAYLOADS, (settings.queue_payloads + 3) // 4)
        self._enough_bytes = settings.queue_bytes / 8
        self._in_flight: dict[int, Payload] = {}
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._draining = False
        self._settled_at = -_SETTLE_SECONDS
        self._mark = 0.0
        self._turn_began = self._turn_seconds = 0.0

    @property
    def waiting(self) -> int:
        """The number of payloads in the queue."""
        return len(self._queue)

    def feed_labels(self, feed: LabelFeed) -> None:
        """Let accepted responses wait for labels from now on. The owner of the feed starts and closes it."""
        self._appender.feed = feed

    def offer(self, payload: Payload) -> None:
        """Add a payload of the sample to the queue, or drop it if the queue is full. Never blocks, never raises."""
        if is_overflow(payload.model):
            self._discard([payload], Reason.OTHER_MODEL)
            return
        waiting, size_bytes = len(self._queue), self._queued_bytes + len(payload.body)
        if waiting >= self._settings.queue_payloads or size_bytes > self._settings.queue_bytes:
            self._full.set()  # the queued payloads need not wait any longer
            self._discard([payload], Reason.QUEUE_FULL)
            return
        self._queue.append(_Queued(payload, self._clock()))
        self._queued_bytes = size_bytes
        self._note_queue()
        if waiting == 0:
            self._arrived.set()
        if self._has_batch:
            self._full.set()

    async def run(self) -> None:
        """Flush batch after batch, until `stop` was called and the queue is empty."""
        while self._queue or not self._draining:
            await self._wait_for_batch()
            batch = self._take_batch()
            self._in_flight = {id(waiting.payload): waiting.payload for waiting in batch}
            try:
                await self._flush(batch)
            except Exception:  # noqa: BLE001 an unexpected error must not end the task, and its payloads are counted
                _log.exception("%d payloads were lost", len(self._in_flight))
                self._discard(list(self._in_flight.values()), Reason.INTERNAL)
                self._undecoded_payloads = self._undecoded_bytes = 0
                self._note_queue()

    def stop(self) -> None:
        """Let `run` end as soon as the queue is empty."""
        self._draining = True
        self._arrived.set()
        self._full.set()

    async def close(self) -> None:
        """Count the remaining payloads, and close the decoder. `run` must have ended."""
        await self._appender.close()
        self._discard([*self._in_flight.values(), *(waiting.payload for waiting in self._queue)], Reason.SHUTDOWN)
        self._queue.clear()
        await self._decoder.close()

    @property
    def _has_batch(self) -> bool:
        """Whether the queue has enough for a batch, or a part of its limits: then nothing waits any longer.

        It is less than what lowers the sample ratio, so that nothing is left out while the pipeline waits.
        """
        return len(self._queue) >= self._enough_payloads or self._queued_bytes >= self._enough_bytes

    async def _wait_for_batch(self) -> None:
        await self._settle()
        await self._arrived.wait()
        try:
            async with asyncio.timeout(self._settings.flush_interval_seconds):
                await self._full.wait()
        except TimeoutError:
            pass  # the batch stays small

    async def _settle(self) -> None:
        """Find out the outcomes of appends that are unknown, once a second, until the next payload arrives."""
        while self._appender.unsettled and not self._draining:
            seconds = _SETTLE_SECONDS - (self._clock() - self._settled_at)
            if seconds > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._arrived.wait()
                if self._arrived.is_set():
                    return
            await self._appender.settle_all()
            self._settled_at = self._clock()

    def _take_batch(self) -> list[_Queued]:
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH_PAYLOADS))]
        size_bytes = sum(len(waiting.payload.body) for waiting in batch)
        self._queued_bytes -= size_bytes
        self._undecoded_payloads, self._undecoded_bytes = len(batch), size_bytes
        if not self._queue and not self._draining:
            self._arrived.clear()
        if not self._has_batch and not self._draining:
            self._full.clear()
        return batch

    async def _flush(self, batch: Sequence[_Queued]) -> None:
        streams: _Streams = defaultdict(list)
        buffered_bytes = 0
        self._mark = began = self._clock()
        self._noted_payloads = 0
        arrivals = {id(waiting.payload): waiting.arrived for waiting in batch}
        for group in _groups(waiting.payload for waiting in batch):
            if self._clock() - arrivals[id(group[0])] > self._settings.queue_seconds:
                self._discard(group, Reason.QUEUE_TIMEOUT)
                self._note_decoded(group)
                continue
            results = await self._decode(group)
            self._note_decoded(group)
            for result in results:
                self._count_rows(result)
                first = result.payloads[0]
                rows = Reason.FAILED if first.failed else result.rows
                if isinstance(rows, Reason):
                    self._discard(result.payloads, rows)
                    continue
                streams[StreamKey(first.model, first.kind), rows.schema].append((result.payloads, rows))
                buffered_bytes += rows.values.nbytes
            if buffered_bytes > _BUFFERED_BYTES:
                await self._append_all(streams)
                self._note_appended()
                streams.clear()
                buffered_bytes = 0
        await self._append_all(streams)
        self._note_appended()
        if not self._queue:
            size_bytes = sum(len(waiting.payload.body) for waiting in batch)
            self.sampling.note_batch(len(batch), size_bytes, self._mark - began)

    def _note_queue(self) -> None:
        """Let the sample ratio follow what waits and is not decoded."""
        payloads = len(self._queue) + self._undecoded_payloads
        self.sampling.note_queue(payloads, self._queued_bytes + self._undecoded_bytes)

    def _note_decoded(self, group: Sequence[Payload]) -> None:
        """Let the sample ratio follow what was done, and how long it took if others waited meanwhile."""
        size_bytes = sum(len(payload.body) for payload in group)
        self._undecoded_payloads -= len(group)
        self._undecoded_bytes -= size_bytes
        self._note_work(len(group), size_bytes)

    def _note_appended(self) -> None:
        """Let the sample ratio follow how long an append took.

        It takes hardly longer for a full batch, so it counts as the work on what the batch would still have had: else
        one append while a second payload waits would say that the pipeline carries next to nothing.
        """
        self._note_work(max(0, _BATCH_PAYLOADS - self._noted_payloads), 0)

    def _note_work(self, payloads: int, size_bytes: int) -> None:
        """Note work since the last one, if others waited meanwhile."""
        now = self._clock()
        if self._queue:
            self.sampling.note_work(payloads, size_bytes, now - self._mark)
            self._noted_payloads += payloads
        self._mark = now
        self._note_queue()
        self.sampling.advance(now)

    async def _decode(self, group: Sequence[Payload]) -> list[DecodeResult]:
        """Decode the payloads of a group together, and halve it until that works, so that a bad body costs little."""
        await self._wait_for_turn()
        if len(group) == 1:
            return [await self._decoder.decode(group[0])]
        result = self._decoder.decode_batch(group)
        if result is not None:
            return [result]
        half = len(group) // 2
        return [*await self._decode(group[:half]), *await self._decode(group[half:])]

    async def _wait_for_turn(self) -> None:
        """Let others run, unless they have just had a long turn."""
        now = self._clock()
        if now - self._turn_began < self._turn_seconds:
            return
        await asyncio.sleep(0)
        self._turn_began = self._clock()
        self._turn_seconds = min(_LONGEST_TURN_SECONDS, _TURN_SHARE * (self._turn_began - now))

    def _count_rows(self, result: DecodeResult) -> None:
        """Count the rows of requests by status code, also of requests whose rows cannot be used."""
        first = result.payloads[0]
        if rows := sum(result.row_counts):
            self.sampling.note_rows(first.model, first.kind, len(result.payloads), rows)
        if first.kind is not Kind.REQUEST:
            return
        totals: defaultdict[int | None, int] = defaultdict(int)
        for payload, count in zip(result.payloads, result.row_counts, strict=True):
            totals[payload.status] += count
        metrics = self._metrics.model(first.model)
        for status, total in totals.items():
            metrics.count_rows("" if status is None else str(status), total)

    async def _append_all(self, streams: _Streams) -> None:
        """Append to all streams at the same time, and to each of them one schema after the other.

        A ring in memory does not wait, and tasks for it would only cost turns of the event loop.
        """
        by_stream: defaultdict[StreamKey, list[list[Part]]] = defaultdict(list)
        for (stream, _), parts in streams.items():
            by_stream[stream].append(parts)
        appends = [self._append(stream, schemas) for stream, schemas in by_stream.items()]
        if self._is_ring_near:
            for append in appends:
                await append
        else:
            await asyncio.gather(*appends)

    async def _append(self, stream: StreamKey, schemas: Sequence[Sequence[Part]]) -> None:
        for parts in schemas:
            for payloads, _ in parts:
                for payload in payloads:
                    del self._in_flight[id(payload)]  # the appender counts it
            await self._appender.append(stream, parts)

    def _discard(self, payloads: Iterable[Payload], reason: Reason) -> None:
        outcome = Outcome.DROPPED if reason.dropped else Outcome.REJECTED
        for payload in payloads:
            self._record_outcome(payload, outcome, reason)

    def _record_outcome(self, payload: Payload, outcome: Outcome, reason: Reason | None = None) -> None:
        self._in_flight.pop(id(payload), None)
        self._metrics.model(payload.model).count_payload(payload.kind, outcome, reason)


def _groups(batch: Iterable[Payload]) -> list[list[Payload]]:
    """The payloads of a batch that are decoded together: small bodies of one stream, failed or not. Others are alone.

    The payloads of each stream keep their order.
    """
    groups: list[list[Payload]] = []
    open_groups: dict[tuple[ModelKey, Kind, bool], tuple[list[Payload], int]] = {}
    for payload in batch:
        stream, size_bytes = (payload.model, payload.kind, payload.failed), len(payload.body)
        group, group_bytes = open_groups.get(stream, (None, 0))
        if not is_small(payload) or payload.json_length is not None:
            open_groups.pop(stream, None)  # later payloads must not be appended before this one
            groups.append([payload])
        elif group is None or group_bytes + size_bytes > _GROUP_BYTES:
            group = [payload]
            groups.append(group)
            open_groups[stream] = group, size_bytes
        else:
            group.append(payload)
            open_groups[stream] = group, group_bytes + size_bytes
    return groups


def _sample_settings(settings: PipelineSettings) -> SampleSettings:
    return SampleSettings(
        settings.sample_ratio,
        settings.max_rows_per_second,
        settings.queue_payloads,
        settings.queue_bytes,
        settings.queue_seconds,
        settings.sample_memory_seconds,
    )

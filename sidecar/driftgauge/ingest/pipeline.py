"""Payload -> ring: a bounded queue that never blocks a door, batches, decode, extract, append.

Each payload ends in exactly one of: accepted, sampled out, dropped, rejected; and is counted there.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from driftgauge.concurrency.worker import Worker
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import Reason, StorageError
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.models import is_overflow
from driftgauge.inference.payload import Kind, ModelKey, Outcome, Payload
from driftgauge.ingest.decoder import Decoder, Result, Rows
from driftgauge.metrics.registry import Metrics
from driftgauge.protocol.compression import GZIP_MAGIC
from driftgauge.reference.store import ReferenceStore
from driftgauge.storage.ring import Block, RingBuffer, StreamKey

_log = logging.getLogger(__name__)

_BATCH_PAYLOADS = 256
"""Payloads of one flush: one XADD costs about the same for 1 row as for 256, so the cost per row falls with this."""

_SMALL_BYTES = 16 * 1024
_SMALL_CELLS = 16 * 1024
"""Bodies up to this length that make tables up to this size are decoded on the loop, one a turn: some 0.1 ms each,
0.5 ms at worst, 3 ms where all of it is short texts that were never met. A second thread would cost requests more:
it takes turns with the loop at the interpreter's lock."""


_RUN_BYTES = 32 * 1024
"""Small bodies of one stream up to this length together are decoded in one go: 0.5 ms at worst."""

_BUFFERED_BYTES = 16 * 2**20
"""Rows that a batch holds before they are appended: compressed and binary bodies grow when they are decoded."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """What the pipeline may hold.

    Args:
        queue_payloads: Payloads that may wait, at least 1.
        queue_bytes: Bytes of their bodies.
        max_payload_bytes: Longest body after it has been unpacked.
        window_rows: Rows that a window holds: of a longer payload the last ones are kept.
        flush_interval_seconds: Longest time that a payload waits for company.
        sample_ratio: Share of ids that are looked at, in [0, 1].
    """

    queue_payloads: int
    queue_bytes: int
    max_payload_bytes: int
    window_rows: int
    flush_interval_seconds: float
    sample_ratio: float


_Streams = defaultdict[tuple[StreamKey, str], list[Result]]
"""Rows that wait to be appended, with the payloads that they came from, by stream and schema."""


class Pipeline:
    """Takes payloads from the doors and puts their rows into the ring.

    Args:
        settings: Its bounds.
        ring: Where rows go.
        references: Tell each model's columns.
        metrics: Where every payload's end is counted.
        outputs: Is told what the responses look like that no reference tells of.
    """

    def __init__(
        self,
        settings: PipelineSettings,
        ring: RingBuffer,
        references: ReferenceStore,
        metrics: Metrics,
        outputs: OutputColumns,
    ) -> None:
        self._settings = settings
        self._ring = ring
        self._metrics = metrics
        self._decoding = Decoder(references, outputs, settings.max_payload_bytes, settings.window_rows)
        self._queue: deque[Payload] = deque()
        self._queued_bytes = 0
        self._enough_payloads = min(_BATCH_PAYLOADS, (settings.queue_payloads + 1) // 2)
        self._enough_bytes = settings.queue_bytes / 2
        self._in_hand: dict[int, Payload] = {}
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._draining = False
        self._worker = Worker("decode")

    @property
    def waiting(self) -> int:
        """Payloads in the queue."""
        return len(self._queue)

    def offer(self, payload: Payload) -> None:
        """Take a payload if there is room; never blocks, never raises."""
        if is_overflow(payload.model):
            self._lose(payload, Reason.OTHER_MODEL)
            return
        if not sampled(payload.id, self._settings.sample_ratio):
            self._end(payload, Outcome.SAMPLED_OUT)
            return
        waiting, size = len(self._queue), self._queued_bytes + len(payload.body)
        if waiting >= self._settings.queue_payloads or size > self._settings.queue_bytes:
            self._full.set()  # what waits need not wait for company
            self._lose(payload, Reason.QUEUE_FULL)
            return
        self._queue.append(payload)
        self._queued_bytes = size
        if waiting == 0:
            self._arrived.set()
        if self._is_filling:
            self._full.set()

    async def run(self) -> None:
        """Flush batch after batch until drained."""
        while self._queue or not self._draining:
            await self._wait_for_company()
            batch = self._take_batch()
            self._in_hand = {id(payload): payload for payload in batch}
            try:
                await self._flush(batch)
            except Exception:  # noqa: BLE001 a task loop: a fault of ours must not end it, and what it cost is counted
                _log.exception("%d payloads were lost", len(self._in_hand))
                self._lose_all(list(self._in_hand.values()), Reason.INTERNAL)

    def stop(self) -> None:
        """Let `run` end as soon as the queue is empty."""
        self._draining = True
        self._arrived.set()
        self._full.set()

    def close(self) -> None:
        """Count what is left as dropped and release the decoder's thread. `run` must have ended."""
        self._lose_all([*self._in_hand.values(), *self._queue], Reason.SHUTDOWN)
        self._queue.clear()
        self._worker.close()

    @property
    def _is_filling(self) -> bool:
        """Whether a batch is complete, or half of either bound used: then nothing waits for company."""
        return len(self._queue) >= self._enough_payloads or self._queued_bytes >= self._enough_bytes

    async def _wait_for_company(self) -> None:
        await self._arrived.wait()
        try:
            async with asyncio.timeout(self._settings.flush_interval_seconds):
                await self._full.wait()
        except TimeoutError:
            pass  # the batch is as large as it gets

    def _take_batch(self) -> list[Payload]:
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH_PAYLOADS))]
        self._queued_bytes -= sum(len(payload.body) for payload in batch)
        if not self._queue and not self._draining:
            self._arrived.clear()
        if not self._is_filling and not self._draining:
            self._full.clear()
        return batch

    async def _flush(self, batch: Sequence[Payload]) -> None:
        streams: _Streams = defaultdict(list)
        buffered_bytes = 0
        for run in _runs(batch):
            for result in await self._decoded(run):
                self._count_rows(result)
                if isinstance(result.rows, Reason):
                    self._lose_all(result.payloads, result.rows)
                    continue
                first = result.payloads[0]
                streams[StreamKey(first.model, first.kind), result.rows.schema].append(result)
                buffered_bytes += result.rows.values.nbytes
            if buffered_bytes > _BUFFERED_BYTES:
                await self._append_all(streams)
                streams.clear()
                buffered_bytes = 0
        await self._append_all(streams)

    async def _append_all(self, streams: _Streams) -> None:
        await asyncio.gather(*(self._append(stream, group) for (stream, _), group in streams.items()))

    async def _decoded(self, run: Sequence[Payload]) -> list[Result]:
        """Decode small bodies between two turns of the loop, a large one in the decoder's thread.

        Those of a run that cannot be read in one go are halved until they can: one odd body costs the others little.
        """
        if not _is_small(run[0]):
            return [await self._worker.run(self._decoding.one, run[0])]
        await asyncio.sleep(0)
        if len(run) == 1:
            return [await self._decoded_alone(run[0])]
        found = self._decoding.together(run)
        if found is not None:
            return [found]
        half = len(run) // 2
        return [*await self._decoded(run[:half]), *await self._decoded(run[half:])]

    async def _decoded_alone(self, payload: Payload) -> Result:
        result = self._decoding.one(payload, _SMALL_CELLS)
        if result.rows is not Reason.TOO_LARGE:
            return result
        return await self._worker.run(self._decoding.one, payload)

    def _count_rows(self, result: Result) -> None:
        first = result.payloads[0]
        if first.kind is not Kind.REQUEST:
            return
        totals: defaultdict[int | None, int] = defaultdict(int)
        for payload, count in zip(result.payloads, result.row_counts, strict=True):
            totals[payload.status] += count
        metrics = self._metrics.model(first.model)
        for status, total in totals.items():
            metrics.count_rows("" if status is None else str(status), total)

    async def _append(self, stream: StreamKey, group: Sequence[Result]) -> None:
        tables = [result.rows for result in group if not isinstance(result.rows, Reason)]
        payloads = [payload for result in group for payload in result.payloads]
        values = np.concatenate([rows.values for rows in tables])
        requests = np.concatenate([rows.requests for rows in tables])
        block = Block(tables[0].schema, values, max(payload.time for payload in payloads), requests)
        try:
            await self._ring.append(stream, block)
        except StorageError:
            self._lose_all(payloads, Reason.STORAGE)
            return
        for payload in payloads:
            del self._in_hand[id(payload)]
        self._metrics.model(stream.model).count_payload(stream.kind, Outcome.ACCEPTED, number=len(payloads))
        if stream.kind is Kind.REQUEST:
            self._count_values(stream.model, tables)

    def _count_values(self, model: ModelKey, tables: Sequence[Rows]) -> None:
        """Count rows and missing values; an ignored column, which holds none, misses none."""
        metrics = self._metrics.model(model)
        metrics.rows.inc(sum(rows.count for rows in tables))
        missing = np.sum([rows.missing for rows in tables], axis=0)
        looked_at = [index for index, kind in enumerate(tables[0].kinds) if kind is not FeatureKind.IGNORED]
        metrics.count_missing([tables[0].columns[index] for index in looked_at], missing[looked_at])

    def _lose_all(self, payloads: Iterable[Payload], reason: Reason) -> None:
        for payload in payloads:
            self._lose(payload, reason)

    def _lose(self, payload: Payload, reason: Reason) -> None:
        self._end(payload, Outcome.DROPPED if reason.dropped else Outcome.REJECTED, reason)

    def _end(self, payload: Payload, outcome: Outcome, reason: Reason | None = None) -> None:
        self._in_hand.pop(id(payload), None)
        self._metrics.model(payload.model).count_payload(payload.kind, outcome, reason)


def _is_small(payload: Payload) -> bool:
    return len(payload.body) <= _SMALL_BYTES and not payload.body.startswith(GZIP_MAGIC)


def _runs(batch: Iterable[Payload]) -> list[list[Payload]]:
    """A batch in runs that are decoded together: small bodies of one stream, in their order; others are alone."""
    runs: list[list[Payload]] = []
    open_runs: dict[tuple[ModelKey, Kind], tuple[list[Payload], int]] = {}
    for payload in batch:
        stream, size = (payload.model, payload.kind), len(payload.body)
        run, buffered = open_runs.get(stream, (None, 0))
        if not _is_small(payload) or payload.json_length is not None:
            open_runs.pop(stream, None)  # what comes after must not be appended before it
            runs.append([payload])
        elif run is None or buffered + size > _RUN_BYTES:
            run = [payload]
            runs.append(run)
            open_runs[stream] = run, size
        else:
            run.append(payload)
            open_runs[stream] = run, buffered + size
    return runs


def sampled(id_: str, ratio: float) -> bool:
    """Whether an id belongs to the sample: the same answer in every process, so a pair stays together.

    Args:
        id_: Any text.
        ratio: Share of ids that are taken, in [0, 1].
    """
    if ratio >= 1:
        return True
    digest = blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) < ratio * 2**64

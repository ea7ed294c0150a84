"""Payload -> ring: a bounded queue that never blocks a door, batches, decode, extract, append.

Each payload ends in exactly one of: accepted, sampled out, dropped, rejected; and is counted there.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.profile import FeatureKind
from sidecar.errors import PayloadError, Reason, StorageError
from sidecar.features import MAX_CELLS, extract, extract_outputs, extract_predictions, missing_per_column
from sidecar.metrics import Metrics
from sidecar.models import OutputColumns, OutputLayout, is_folded
from sidecar.payload import Kind, ModelKey, Outcome, Payload
from sidecar.protocol.compression import GZIP_MAGIC
from sidecar.protocol.inference import decode
from sidecar.protocol.tensor import Decoded
from sidecar.reference import Reference, References, schema_hash
from sidecar.storage.ring import Block, RingBuffer, StreamKey

_log = logging.getLogger(__name__)

_BATCH_PAYLOADS = 256
"""Payloads of one flush: one XADD costs about the same for 1 row as for 256, so the cost per row falls with this."""

_SMALL_BYTES = 16 * 1024
_SMALL_CELLS = 16 * 1024
"""Bodies up to this length that make tables up to this size are decoded on the loop, one a turn: some 0.1 ms each,
0.5 ms at worst, 3 ms where all of it is short texts that were never met. A second thread would cost requests more:
it takes turns with the loop at the interpreter's lock."""


_HELD_BYTES = 16 * 2**20
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


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What one payload gave: rows by their columns, how many values each column lacked, how many rows there were."""

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    schema: str
    values: NDArray[np.float64]
    missing: NDArray[np.int64]
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """One payload, how many rows it told of, and its rows or the reason why there are none."""

    payload: Payload
    row_count: int
    rows: _Rows | Reason


_Streams = defaultdict[tuple[StreamKey, str], list[tuple[Payload, _Rows]]]
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
        references: References,
        metrics: Metrics,
        outputs: OutputColumns,
    ) -> None:
        self._settings = settings
        self._ring = ring
        self._references = references
        self._metrics = metrics
        self._outputs = outputs
        self._queue: deque[Payload] = deque()
        self._queued_bytes = 0
        self._in_hand: dict[int, Payload] = {}
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._draining = False
        self._decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")

    @property
    def waiting(self) -> int:
        """Payloads in the queue."""
        return len(self._queue)

    def offer(self, payload: Payload) -> None:
        """Take a payload if there is room; never blocks, never raises."""
        if is_folded(payload.model):
            self._lose(payload, Reason.OTHER_MODEL)
        elif not sampled(payload.id, self._settings.sample_ratio):
            self._end(payload, Outcome.SAMPLED_OUT)
        elif not self._has_room(payload):
            self._full.set()  # what waits need not wait for company
            self._lose(payload, Reason.QUEUE_FULL)
        else:
            self._queue.append(payload)
            self._queued_bytes += len(payload.body)
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
        self._decoder.shutdown(wait=False, cancel_futures=True)

    def _has_room(self, payload: Payload) -> bool:
        return (
            len(self._queue) < self._settings.queue_payloads
            and self._queued_bytes + len(payload.body) <= self._settings.queue_bytes
        )

    @property
    def _is_filling(self) -> bool:
        """Whether a batch is complete, or half of either bound used: then nothing waits for company."""
        enough = min(_BATCH_PAYLOADS, (self._settings.queue_payloads + 1) // 2)
        return len(self._queue) >= enough or 2 * self._queued_bytes >= self._settings.queue_bytes

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
        held_bytes = 0
        for payload in batch:
            one = await self._decoded(payload)
            self._count_rows(one)
            if isinstance(one.rows, Reason):
                self._lose(payload, one.rows)
            else:
                stream = StreamKey(payload.model, payload.kind)
                streams[stream, one.rows.schema].append((payload, one.rows))
                held_bytes += one.rows.values.nbytes
            if held_bytes > _HELD_BYTES:
                await self._append_all(streams)
                streams.clear()
                held_bytes = 0
        await self._append_all(streams)

    async def _append_all(self, streams: _Streams) -> None:
        await asyncio.gather(*(self._append(stream, group) for (stream, _), group in streams.items()))

    async def _decoded(self, payload: Payload) -> _Decoded:
        """Decode a small body between two turns of the loop, a large one in the decoder's thread."""
        if len(payload.body) <= _SMALL_BYTES and not payload.body.startswith(GZIP_MAGIC):
            await asyncio.sleep(0)
            one = self._decode(payload, _SMALL_CELLS)
            if one.rows is not Reason.TOO_LARGE:
                return one
        return await asyncio.get_running_loop().run_in_executor(self._decoder, self._decode, payload, MAX_CELLS)

    def _decode(self, payload: Payload, limit_cells: int) -> _Decoded:
        row_count = 0
        try:
            decoded = decode(
                payload.body,
                payload.kind,
                json_length=payload.json_length,
                limit_bytes=self._settings.max_payload_bytes,
                limit_cells=min(limit_cells, self._settings.max_payload_bytes),
            )
            row_count = decoded.tensors[0].rows
            return _Decoded(payload, row_count, self._extracted(payload, decoded, limit_cells))
        except PayloadError as error:
            _log.debug("a %s of %s was rejected: %s", payload.kind, payload.model, error)
            return _Decoded(payload, row_count, error.reason)

    def _extracted(self, payload: Payload, decoded: Decoded, limit_cells: int) -> _Rows | Reason:
        reference = self._references.get(payload.model)
        if payload.kind is Kind.RESPONSE:
            if reference is not None and reference.predictions:
                return self._predictions(decoded, reference)
            return self._own_outputs(payload.model, decoded)
        if reference is None or not reference.features:
            return Reason.NO_REFERENCE
        values = extract(decoded, reference.columns, reference.kinds, limit_cells)
        return self._rows(reference.columns, reference.kinds, reference.schema, values)

    def _predictions(self, decoded: Decoded, reference: Reference) -> _Rows:
        columns, kinds = reference.prediction_columns, reference.prediction_kinds
        return self._rows(columns, kinds, reference.prediction_schema, extract_predictions(decoded, columns, kinds))

    def _own_outputs(self, model: ModelKey, decoded: Decoded) -> _Rows:
        """The outputs as the response itself tells them, of which the monitor then hears."""
        before = self._outputs.get(model)
        found = extract_outputs(decoded, {} if before is None else before.known)
        self._outputs.tell(model, OutputLayout(found.columns, found.kinds, found.categories))
        return self._rows(found.columns, found.kinds, schema_hash(found.columns, found.kinds), found.values)

    def _rows(
        self, columns: tuple[str, ...], kinds: tuple[FeatureKind, ...], schema: str, values: NDArray[np.float64]
    ) -> _Rows:
        kept = values[-self._settings.window_rows :]
        # A copy, since a view would keep all of a large table alive for the sake of its last rows.
        newest = kept if len(kept) == len(values) else kept.copy()
        return _Rows(columns, kinds, schema, newest, missing_per_column(values), len(values))

    def _count_rows(self, one: _Decoded) -> None:
        payload = one.payload
        if payload.kind is Kind.REQUEST:
            code = "" if payload.status is None else str(payload.status)
            self._metrics.model(payload.model).count_rows(code, one.row_count)

    async def _append(self, stream: StreamKey, group: Sequence[tuple[Payload, _Rows]]) -> None:
        values = np.concatenate([rows.values for _, rows in group])
        requests = np.array([len(rows.values) for _, rows in group], dtype=np.int64)
        block = Block(group[0][1].schema, values, max(payload.time for payload, _ in group), requests)
        try:
            await self._ring.append(stream, block)
        except StorageError:
            self._lose_all((payload for payload, _ in group), Reason.STORAGE)
            return
        for payload, _ in group:
            self._end(payload, Outcome.ACCEPTED)
        if stream.kind is Kind.REQUEST:
            self._count_values(stream.model, [rows for _, rows in group])

    def _count_values(self, model: ModelKey, group: Sequence[_Rows]) -> None:
        """Count rows and missing values; an ignored column, which holds none, misses none."""
        metrics = self._metrics.model(model)
        metrics.rows.inc(sum(rows.count for rows in group))
        missing = np.sum([rows.missing for rows in group], axis=0)
        looked_at = [index for index, kind in enumerate(group[0].kinds) if kind is not FeatureKind.IGNORED]
        metrics.count_missing([group[0].columns[index] for index in looked_at], missing[looked_at])

    def _lose_all(self, payloads: Iterable[Payload], reason: Reason) -> None:
        for payload in payloads:
            self._lose(payload, reason)

    def _lose(self, payload: Payload, reason: Reason) -> None:
        self._end(payload, Outcome.DROPPED if reason.dropped else Outcome.REJECTED, reason)

    def _end(self, payload: Payload, outcome: Outcome, reason: Reason | None = None) -> None:
        self._in_hand.pop(id(payload), None)
        self._metrics.model(payload.model).count_payload(payload.kind, outcome, reason)


def sampled(id_: str, ratio: float) -> bool:
    """Whether an id belongs to the sample: the same answer in every process, so a pair stays together.

    Args:
        id_: Any text.
        ratio: Share of ids that are taken, in [0, 1].
    """
    digest = blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) < ratio * 2**64

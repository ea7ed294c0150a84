"""From payloads to rows, each body where it cannot hold up requests: on the event loop, in a thread, or in a child.

- Small bodies are decoded on the event loop, many of one stream together. That costs them the least.
- Others are decompressed in a thread, and decoded there if they are not too long and need no long call: a call into C
  keeps the lock of the interpreter until it ends, and the event loop waits for the lock. Numbers are parsed in slices
  for that reason.
- What is left is decoded in a child process, with a limit of memory and of time.

A body that turns out to be larger or more complex than its place allows goes on to the next one.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex
from typing import Final

import numpy as np

from driftgauge.concurrency.task_process import NoProcessError, TaskFailedError, TaskProcess
from driftgauge.concurrency.worker import Worker
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import PayloadError, Reason
from driftgauge.features.output_columns import OutputColumns
from driftgauge.features.outputs import are_alike
from driftgauge.inference.payload import Kind, ModelKey, Payload
from driftgauge.inference.request_ids import request_fields
from driftgauge.ingest.row_reader import DecodedRows, ReadBody, RowReader, read_body, read_rows
from driftgauge.metrics.loss_log import LossLog
from driftgauge.protocol.batch import decode_batch
from driftgauge.protocol.chunked_json import LONG_BYTES
from driftgauge.protocol.compression import is_plain, unpack
from driftgauge.protocol.decode import decode_quickly
from driftgauge.protocol.json_text import LARGEST_EXACT
from driftgauge.protocol.limits import Limits
from driftgauge.reference.store import ReferenceStore

_log = logging.getLogger(__name__)

SMALL_BYTES: Final = 16 * 1024
"""Longest body that is decoded on the event loop, one per turn of the loop.

It takes some 0.1 ms, at worst 2 ms. Decoding it in a second thread would cost requests more, since that thread takes
turns with the event loop at the interpreter's lock.
"""

_LONGEST_BESIDE: Final = 512 * 1024
"""Longest decompressed body that is decoded in the thread. Its slices are short, but each delays the event loop."""

_SMALL_NAMES: Final = 256
_SMALL_CELLS: Final = 16 * 1024
"""Most names and cells of a table that is made on the event loop."""

_MORE_THAN_ALLOWED: Final = frozenset({Reason.TOO_LARGE, Reason.TOO_COMPLEX})
"""Why a body goes on to the next place."""

_MAX_WARNED: Final = 1000
"""Most columns that are named in the log, since names can come from the network."""

_CHILD_BYTES: Final = 160 * 2**20
"""Memory of the child process for one body. A body within the limits takes less than a half of it."""

_CHILD_IDLE_SECONDS: Final = 60
_CHILD_SECONDS: Final = 10
"""Time for one body in the child process. On a whole core, the slowest body within the limits takes 0.4 s."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodeResult:
    """The result of decoding one or more payloads of one stream.

    Args:
        payloads: At least one.
        row_counts: The number of rows of each payload, 0 if it could not be decoded.
        rows: The rows of all payloads, or the reason why they have none.
    """

    payloads: Sequence[Payload]
    row_counts: Sequence[int]
    rows: DecodedRows | Reason


class Decoder:
    """Extracts the rows of payloads.

    Args:
        references: The columns of each model.
        outputs: Records the columns of responses, for models whose reference has no predictions.
        max_payload_bytes: Longest body after decompression.
        window_rows: Rows of a window. Only the last `window_rows` rows of a longer payload are used.
    """

    def __init__(
        self, references: ReferenceStore, outputs: OutputColumns, max_payload_bytes: int, window_rows: int
    ) -> None:
        self._references = references
        self._outputs = outputs
        self._max_bytes = max_payload_bytes
        self._window_rows = window_rows
        self._separator = token_hex(8)
        self._rounded: set[tuple[ModelKey, str]] = set()
        self._losses = LossLog()
        self._thread = Worker("decode")
        self._child = TaskProcess("decode-child", memory_bytes=_CHILD_BYTES, idle_seconds=_CHILD_IDLE_SECONDS)

    @property
    def child_pid(self) -> int | None:
        """The id of the child process; `None` while there is none."""
        return self._child.pid

    async def close(self) -> None:
        """End the thread and the child process."""
        self._thread.close()
        await self._child.close()

    async def decode(self, payload: Payload) -> DecodeResult:
        """Decode one payload where it holds up nothing."""
        read = None
        if is_small(payload):
            limits = Limits(min(SMALL_BYTES, self._max_bytes), _SMALL_NAMES, _SMALL_CELLS)
            reader = replace(self.reader(payload.model, payload.kind), limit_cells=_SMALL_CELLS)
            read = read_body(payload.body, payload.json_length, limits, reader)
        if read is None or _is_refused_here(read):
            read = await self._decode_beside(payload)
        return self._result(payload, read)

    async def _decode_beside(self, payload: Payload) -> ReadBody:
        """Decode one payload in the thread, or else in the child process."""
        reader = self.reader(payload.model, payload.kind)
        try:
            raw = await self._thread.run(unpack, payload.body, self._max_bytes)
        except PayloadError as error:
            return ReadBody(0, error)
        if len(raw) <= _LONGEST_BESIDE:
            read = await self._thread.run(_read_quickly, raw, payload.json_length, self._max_bytes, reader)
            if read is not None:
                return read
        try:
            return await self._child.run(_CHILD_SECONDS, _read, raw, payload.json_length, self._max_bytes, reader)
        except NoProcessError as error:
            fields = request_fields(payload.id, payload.traceparent)
            text = "a %s of %s was dropped: driftgauge %s"
            _log.warning(text, payload.kind, payload.model, error, extra={"fields": fields})
            return ReadBody(0, PayloadError(Reason.INTERNAL, f"driftgauge {error}."))
        except TaskFailedError as error:
            return ReadBody(0, PayloadError(Reason.TOO_COMPLEX, f"Decoding the body {error}."))

    def decode_batch(self, payloads: Sequence[Payload]) -> DecodeResult | None:
        """Decode payloads in one step, which is cheaper than one at a time.

        Args:
            payloads: At least one payload of one stream, with small bodies of plain JSON.

        Returns:
            The rows that decoding one payload at a time gives; `None` if the payloads must be decoded that way, since
            they differ in shape or one of them has an error.
        """
        first = payloads[0]
        batch = decode_batch([payload.body for payload in payloads], first.kind, self._separator)
        if batch is None or batch.counts.max() > self._window_rows or len(batch.decoded.tensors) > _SMALL_NAMES:
            return None
        if first.kind is Kind.RESPONSE and not are_alike(batch.decoded, batch.counts):
            return None
        try:
            rows = self.reader(first.model, first.kind).read(batch.decoded, batch.counts)
        except PayloadError:
            return None
        if batch.ids:
            rows = replace(rows, ids=batch.ids)
        self._record(first.model, rows)
        return DecodeResult(payloads, batch.counts.tolist(), rows)

    def reader(self, model: ModelKey, kind: Kind) -> RowReader:
        """What is extracted from the bodies of a stream now."""
        reference = self._references.get(model)
        if kind is Kind.REQUEST:
            if reference is None:
                return RowReader(kind, (), (), "", self._window_rows)
            columns, kinds, words = reference.columns, reference.kinds, reference.missing_words
            return RowReader(kind, columns, kinds, reference.schema, self._window_rows, missing_words=words)
        if reference is not None and reference.predictions:
            columns, kinds, words = reference.prediction_columns, reference.prediction_kinds, reference.missing_words
            return RowReader(kind, columns, kinds, reference.prediction_schema, self._window_rows, missing_words=words)
        layout = self._outputs.get(model)
        known = {} if layout is None else layout.known
        return RowReader(kind, (), (), "", self._window_rows, known, self._outputs.unstable(model))

    def _result(self, payload: Payload, read: ReadBody) -> DecodeResult:
        if isinstance(read.rows, PayloadError):
            self._log_loss(payload, read.rows)
            return DecodeResult((payload,), (read.count,), read.rows.reason)
        self._record(payload.model, read.rows)
        return DecodeResult((payload,), (read.count,), read.rows)

    def _log_loss(self, payload: Payload, error: PayloadError) -> None:
        """Log why a payload is rejected, at a limited rate; dropped ones have alerts of their own.

        The reason is the one that is counted: `FAILED` if the model responded with an error, whatever the body is.
        """
        if not error.reason.dropped:
            reason = Reason.FAILED if payload.failed else error.reason
            cause, fields = f"a {payload.kind} was rejected as {reason}", partial(_fields_of, payload, reason)
            self._losses.add(cause, f"{error} ({payload.model})", fields)

    def _record(self, model: ModelKey, rows: DecodedRows) -> None:
        if rows.layout is not None:
            self._outputs.record(model, rows.layout)
        if (np.abs(rows.values) >= LARGEST_EXACT).any():
            self._warn_of_rounding(model, rows)

    def _warn_of_rounding(self, model: ModelKey, rows: DecodedRows) -> None:
        """Say once of each numeric column that its whole numbers are rounded. They keep their order in the window."""
        for index in np.flatnonzero((np.abs(rows.values) >= LARGEST_EXACT).any(axis=0)).tolist():
            column, kind = rows.columns[index], rows.kinds[index]
            key = (model, column)
            if kind is FeatureKind.NUMERIC and key not in self._rounded and len(self._rounded) < _MAX_WARNED:
                self._rounded.add(key)
                _log.warning(
                    "column %r of %s has numbers of 2^53 and more: whole numbers of that size are rounded; if they are "
                    "identifiers, make the column a category or leave it out of the reference",
                    column,
                    model,
                )


def _fields_of(payload: Payload, reason: Reason) -> Mapping[str, object]:
    """What a line in JSON has beside its message."""
    known: dict[str, object] = {"kind": str(payload.kind), "reason": str(reason)}
    return known | payload.model._asdict() | request_fields(payload.id, payload.traceparent)


def is_small(payload: Payload) -> bool:
    """Whether a body is short and not compressed, so that it may be decoded on the event loop."""
    return len(payload.body) <= SMALL_BYTES and is_plain(payload.body)


def _is_refused_here(read: ReadBody) -> bool:
    """Whether another place may decode what this one refused."""
    return isinstance(read.rows, PayloadError) and read.rows.reason in _MORE_THAN_ALLOWED


def _read(raw: bytes, json_length: int | None, limit_bytes: int, reader: RowReader) -> ReadBody:
    """Decode a decompressed body, of numbers in slices, which take less memory."""
    read = _read_quickly(raw, json_length, limit_bytes, reader)
    return read_body(raw, json_length, Limits(limit_bytes), reader) if read is None else read


def _read_quickly(raw: bytes, json_length: int | None, limit_bytes: int, reader: RowReader) -> ReadBody | None:
    """Decode a decompressed body if that needs no long call; `None` if it does."""
    if len(raw) > LONG_BYTES:
        decoded = decode_quickly(raw, reader.kind, json_length=json_length)
        return None if decoded is None else read_rows(decoded, reader)
    read = read_body(raw, json_length, Limits(min(LONG_BYTES, limit_bytes)), reader)
    return None if _is_refused_here(read) else read
